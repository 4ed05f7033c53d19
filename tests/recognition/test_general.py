"""General recognition with made-up weights in the real format: the reference's function, its keys, its labels."""

from __future__ import annotations

import importlib
import sys
import types
from pathlib import Path
from typing import Any

import modelscope
import numpy as np
import pytest
import torch
from PIL import Image

from humanparse.__main__ import main
from humanparse.config import Settings
from humanparse.errors import FetchFailed, RecognizerUnavailable, WeightsDamaged
from humanparse.recognition.general.convert import load_network
from humanparse.recognition.general.fetch import fetch
from humanparse.recognition.general.frame import MEAN, STD, prepare
from humanparse.recognition.general.network import ResNeSt
from humanparse.recognition.general.recognizer import GeneralRecognizer
from humanparse.recognition.general.weights import CHECKPOINT, GRAPH, LABELS, is_converted, read_labels

CLASSES = 7
SMALL = {"depths": (1, 2, 1, 1), "stem_width": 16}


def made_up(network: torch.nn.Module) -> dict[str, torch.Tensor]:
    torch.manual_seed(3)
    for module in network.modules():
        if isinstance(module, torch.nn.BatchNorm2d):
            torch.nn.init.uniform_(module.weight, 0.4, 1.0)
            torch.nn.init.normal_(module.bias, 0, 0.2)
            torch.nn.init.normal_(module.running_mean, 0, 0.2)
            torch.nn.init.uniform_(module.running_var, 0.5, 1.5)
    return network.state_dict()


def write(folder: Path, state: dict[str, Any], classes: int = CLASSES) -> Path:
    """A model folder as ModelScope's: data-parallel keys under `state_dict`, labels behind tabs."""
    folder.mkdir(parents=True, exist_ok=True)
    torch.save({"state_dict": {f"module.{key}": value for key, value in state.items()}}, folder / CHECKPOINT)
    (folder / LABELS).write_text("".join(f"{i}\t物体{i}\t{i}\n" for i in range(classes)), "utf-8")
    return folder


@pytest.fixture
def source(tmp_path: Path) -> Path:
    return write(tmp_path / "source", made_up(ResNeSt(CLASSES, **SMALL)))  # type: ignore[arg-type]


def reference() -> Any:
    """ModelScope's own network, without the rest of that package, whose requirements are not installed."""
    folder = Path(modelscope.__file__).parent / "models" / "cv" / "animal_recognition"
    package = types.ModuleType("animal_recognition")
    package.__path__ = [str(folder)]
    sys.modules["animal_recognition"] = package
    return importlib.import_module("animal_recognition.resnet")


def test_the_network_is_the_reference_s() -> None:
    resnet = reference()
    theirs = resnet.ResNet(
        resnet.Bottleneck, [3, 4, 23, 3], radix=2, groups=1, bottleneck_width=64, deep_stem=True, stem_width=64,
        avg_down=True, avd=True, avd_first=False, num_classes=CLASSES,
    ).eval()  # fmt: skip
    ours = ResNeSt(CLASSES).eval()
    state = made_up(theirs)
    assert {k: v.shape for k, v in ours.state_dict().items()} == {k: v.shape for k, v in state.items()}
    ours.load_state_dict(state)
    picture = torch.randn(1, 3, 96, 96)
    with torch.no_grad():
        assert (ours(picture) - theirs(picture).softmax(1)).abs().max() < 1e-5


def test_fetch_from_a_folder_then_recognize(source: Path, tmp_path: Path) -> None:
    folder = tmp_path / "models" / "general"
    fetch(folder, source)
    assert is_converted(folder)
    recognizer = GeneralRecognizer(Settings(general_dir=folder, threads=1))
    assert recognizer.available() is None
    recognizer.load()
    image = np.random.default_rng(2).integers(0, 256, (300, 401, 3), np.uint8)
    with torch.no_grad():
        expected = load_network(folder)(torch.from_numpy(prepare(image))[None])[0].numpy()
    assert np.abs(recognizer.recognize(image) - expected).max() < 0.01 * expected.max() + 0.005
    assert recognizer.labels[3] == ("物体3", "物体3")
    assert recognizer.info.name == "general"
    assert len(recognizer.info.version) == 8


def test_what_is_not_the_model_is_refused_and_nothing_is_left(source: Path, tmp_path: Path) -> None:
    folder = tmp_path / "models" / "general"
    good = torch.load(source / CHECKPOINT, weights_only=True)["state_dict"]
    plain = {key.removeprefix("module."): value for key, value in good.items()}
    cases: dict[str, tuple[dict[str, Any], int]] = {
        "keys do not fit": ({k: v for k, v in plain.items() if k != "layer2.0.conv2.fc1.bias"}, CLASSES),
        "knows 7 classes": (plain, CLASSES - 1),
        "no ResNeSt": ({"weight": torch.zeros(3)}, CLASSES),
    }
    for message, (state, classes) in cases.items():
        with pytest.raises(WeightsDamaged, match=message):
            fetch(folder, write(tmp_path / "other", state, classes))
        assert not folder.exists()
    (source / CHECKPOINT).write_bytes((source / CHECKPOINT).read_bytes()[:5000])
    with pytest.raises(WeightsDamaged, match="cut short or damaged"):
        fetch(folder, source)
    (source / LABELS).unlink()
    with pytest.raises(FetchFailed, match=LABELS):
        fetch(folder, source)


def test_labels_are_behind_the_first_tab(tmp_path: Path) -> None:
    (tmp_path / LABELS).write_text("0\t猫\n1\t狗\textra\n", "utf-8")
    assert [label.name_zh for label in read_labels(tmp_path)] == ["猫", "狗"]
    (tmp_path / LABELS).write_bytes("0\t一\x0c二\r\n1\t三\r\n\r\n".encode())  # only ends of lines end a line
    assert [label.name_zh for label in read_labels(tmp_path)] == ["一\x0c二", "三"]
    (tmp_path / LABELS).write_text("no tabs", "utf-8")
    with pytest.raises(WeightsDamaged, match="tabs"):
        read_labels(tmp_path)


def test_without_its_files_it_says_what_to_do(tmp_path: Path) -> None:
    recognizer = GeneralRecognizer(Settings(general_dir=tmp_path / "none"))
    with pytest.raises(RecognizerUnavailable, match="fetch general"):
        recognizer.load()


def test_a_form_of_another_checkpoint_is_made_anew(source: Path, tmp_path: Path) -> None:
    folder = tmp_path / "general"
    fetch(folder, source)
    before = (folder / GRAPH).stat().st_mtime_ns
    write(folder, made_up(ResNeSt(CLASSES, **SMALL)))  # type: ignore[arg-type]
    assert not is_converted(folder)
    GeneralRecognizer(Settings(general_dir=folder, threads=1)).load()
    assert (folder / GRAPH).stat().st_mtime_ns > before


@pytest.mark.parametrize("size", [(256, 256), (300, 400), (901, 500), (1, 1), (40, 1000)])
def test_prepare_is_resize_then_crop_within_a_level(size: tuple[int, int]) -> None:
    image = np.random.default_rng(1).integers(0, 256, (*size, 3), np.uint8)
    height, width = size
    scale = 256 / min(size)
    small = Image.fromarray(image).resize(
        (256 if width <= height else int(256 * width / height), 256 if height < width else int(256 * height / width))
        if scale
        else (256, 256),
        Image.Resampling.BILINEAR,
    )
    left, top = round((small.width - 224) / 2), round((small.height - 224) / 2)
    crop = np.asarray(small.crop((left, top, left + 224, top + 224)), np.float32)
    ours = prepare(image).transpose(1, 2, 0) * STD * 255 + MEAN * 255
    assert np.abs(ours - crop).max() < 1.6


def test_the_command_fetches_from_a_folder(
    source: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("HUMANPARSE_GENERAL_DIR", str(tmp_path / "general"))
    assert main(["fetch", "general", "--from", str(source), "--yes"]) == 0
    assert "640 MB" in capsys.readouterr().err
    assert main(["fetch", "general", "--yes"]) == 0
    assert "already" in capsys.readouterr().err
