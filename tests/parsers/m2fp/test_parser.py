"""The parser as the service sees it, over a model folder of a small network; in OpenVINO and in torch."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import openvino as ov
import pytest
import torch

from humanparse.config import Settings
from humanparse.errors import ParserError, ParserUnavailable, WeightsDamaged
from humanparse.parsers import choose_parser, make_parser
from humanparse.parsers.inference import choose_precision
from humanparse.parsers.m2fp import convert, runtime, weights
from humanparse.parsers.m2fp.convert import load_network
from humanparse.parsers.m2fp.frame import make_frame, prepare
from humanparse.parsers.m2fp.masks import enlarge, make_zoom
from humanparse.parsers.m2fp.parser import M2FPParser
from humanparse.parsers.m2fp.people import select
from humanparse.parsers.m2fp.runtime import OpenVINORuntime, TorchRuntime, make_runtime
from humanparse.records import ParserInfo
from reference import seeded
from tests.parsers.contract import check_contract
from tests.parsers.m2fp.conftest import Golden

SIZES = ((64, 96), (96, 64), (64, 64), (160, 128))


@pytest.fixture(scope="session")
def converted_folder(small_folder: Path) -> Path:
    runtime.converted(small_folder)
    return small_folder


@pytest.fixture
def folder(small_folder: Path, tmp_path: Path) -> Path:
    """A copy of the model folder without the converted form, to be broken."""
    for name in ("configuration.json", weights.CHECKPOINT):
        shutil.copy(small_folder / name, tmp_path / name)
    return tmp_path


def settings_for(folder: Path, kind: str = "auto", precision: str = "f32") -> Settings:
    return Settings(m2fp_dir=folder, m2fp_runtime=kind, precision=precision, threads=2)


def test_openvino_gives_what_torch_gives(converted_folder: Path) -> None:
    """One graph for all sizes, in any order, with the sampling kernel in it."""
    theirs = TorchRuntime(load_network(converted_folder), 2)
    mine = OpenVINORuntime(runtime.converted(converted_folder), "f32", 2)
    for size in (*SIZES, SIZES[0]):
        image = np.random.default_rng(sum(size)).normal(0, 1, (1, 3, *size)).astype(np.float32)
        for found, expected in zip(mine.run(image), theirs.run(image), strict=True):
            np.testing.assert_allclose(found, expected, atol=1e-4, rtol=0)


@pytest.mark.parametrize("kind", ["openvino", "torch"])
def test_answer_is_the_reference_pipelines(converted_folder: Path, kind: str, golden: Callable[[str], Golden]) -> None:
    expected, photo = golden("pipeline"), seeded.photo(48, 64, 0)
    engine = make_runtime(converted_folder, kind, "f32", 2)
    tensor, frame = prepare(photo)
    logits, masks = engine.run(tensor)
    zoom = make_zoom((masks.shape[1], masks.shape[2]), frame)
    found = [i for i in select(logits, masks, zoom) if i.class_id != 0]
    assert sorted(i.class_id for i in found) == sorted(expected["labels"].tolist())
    np.testing.assert_allclose([i.score for i in found], expected["scores"], atol=2e-3)
    overlaps = []
    for instance, bits in zip(found, expected["masks"], strict=True):
        mine = enlarge(masks[instance.query], zoom) > 0
        theirs = np.unpackbits(bits, count=mine.size).reshape(mine.shape) > 0
        overlaps.append((mine & theirs).sum() / max(1, (mine | theirs).sum()))
    assert min(overlaps) > 0.98


@pytest.mark.parametrize("kind", ["openvino", "torch"])
def test_it_keeps_the_contract(converted_folder: Path, kind: str) -> None:
    parser = M2FPParser(settings_for(converted_folder, kind))
    check_contract(parser, seeded.photo(120, 160, 3))
    assert parser.info == ParserInfo("m2fp", weights.checkpoint_digest(converted_folder)[:8])


def test_both_runtimes_answer_alike(converted_folder: Path) -> None:
    answers = []
    for kind in ("openvino", "torch"):
        parser = M2FPParser(settings_for(converted_folder, kind))
        parser.load()
        answers.append(parser.parse(seeded.photo(200, 300, 5)))
    assert np.mean(answers[0].labels == answers[1].labels) > 0.999
    assert np.mean(answers[0].people == answers[1].people) > 0.999


def test_auto_takes_m2fp_as_soon_as_its_weights_are_here(converted_folder: Path, tmp_path: Path) -> None:
    assert choose_parser(settings_for(converted_folder)) == "m2fp"
    assert choose_parser(settings_for(tmp_path)) == "compact"
    missing = make_parser("m2fp", settings_for(tmp_path)).available()
    assert missing is not None and "python -m humanparse fetch m2fp" in missing
    with pytest.raises(ParserUnavailable, match="fetch m2fp"):
        make_parser("m2fp", settings_for(tmp_path)).load()


@pytest.mark.parametrize(
    ("spoil", "words"),
    [
        (lambda path: path.write_bytes(path.read_bytes()[:-1000]), "cut short or damaged"),
        (lambda path: path.write_bytes(b""), "cut short or damaged"),
        (lambda path: path.write_bytes(b"not a checkpoint at all"), "cut short or damaged"),
        (lambda path: torch.save({"state": {}}, path), "no M2FP checkpoint"),
        (lambda path: torch.save({"model": {}}, path), "missing"),
        (lambda path: torch.save({"model": {"a.weight": torch.zeros(1)}}, path), "unexpected: a.weight"),
    ],
)
def test_damaged_checkpoints_are_told(folder: Path, spoil: Callable[[Path], None], words: str) -> None:
    spoil(folder / weights.CHECKPOINT)
    with pytest.raises(WeightsDamaged, match=words):
        convert.convert(folder)
    assert not list(folder.glob("runtime/*/*.xml"))


def test_damage_is_told_across_the_process_border(folder: Path) -> None:
    (folder / weights.CHECKPOINT).write_bytes(b"PK")
    with pytest.raises(WeightsDamaged, match="cut short or damaged"):
        M2FPParser(settings_for(folder)).load()


def test_a_checkpoint_never_runs_code(folder: Path, tmp_path: Path) -> None:
    class Evil:
        def __reduce__(self) -> tuple[object, ...]:
            return exec, (f"open({str(tmp_path / 'harm')!r}, 'w')",)

    torch.save({"model": {"weight": Evil()}}, folder / weights.CHECKPOINT)
    with pytest.raises(WeightsDamaged):
        load_network(folder)
    assert not (tmp_path / "harm").exists()


@pytest.fixture
def quick_export(monkeypatch: pytest.MonkeyPatch) -> None:
    """The conversion is tested elsewhere; this stands for its result."""
    x = ov.opset13.parameter([1], np.float32)
    monkeypatch.setattr(convert, "export", lambda network: ov.Model([ov.opset13.relu(x)], [x]))


@pytest.mark.usefixtures("quick_export")
def test_the_form_follows_content_and_is_never_half_written(folder: Path) -> None:
    first = convert.convert(folder)
    written = first.stat().st_mtime_ns
    assert not list(folder.glob("runtime/*.part"))
    assert convert.convert(folder) == first and first.stat().st_mtime_ns == written
    document = json.loads((folder / "configuration.json").read_text())
    document["model"]["parsing_ins_score_thr"] = 0.4
    (folder / "configuration.json").write_text(json.dumps(document))
    second = convert.convert(folder)
    assert second != first and second.exists()
    assert not first.parent.exists()  # what no longer fits is cleared away


@pytest.mark.usefixtures("quick_export")
def test_a_full_disk_leaves_nothing(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fill(_model: ov.Model, path: Path, **_: object) -> None:
        path.write_text("half")
        raise RuntimeError("No space left on device")

    monkeypatch.setattr(convert.ov, "save_model", fill)
    with pytest.raises(ParserUnavailable, match="No space left"):
        convert.convert(folder)
    assert not list(folder.glob("runtime/**/*.xml"))


def test_a_read_only_folder_is_told(folder: Path) -> None:
    (folder / "runtime").write_text("in the way")
    with pytest.raises(ParserUnavailable, match="cannot be written"):
        convert.convert(folder)


def test_a_broken_form_falls_back_to_torch(
    converted_folder: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    folder = tmp_path / "copy"
    shutil.copytree(converted_folder, folder)
    runtime.converted(folder).write_text("<net/>")
    with pytest.raises(ParserUnavailable):
        make_runtime(folder, "openvino", "f32", 1)
    assert isinstance(make_runtime(folder, "auto", "f32", 1), TorchRuntime)
    assert "torch does it instead" in caplog.text


def test_runtime_errors_are_ours(converted_folder: Path) -> None:
    image = np.zeros((1, 4, 64, 64), np.float32)
    for engine in (
        OpenVINORuntime(runtime.converted(converted_folder), "f32", 1),
        TorchRuntime(load_network(converted_folder), 1),
    ):
        with pytest.raises(ParserError, match="64x64"):
            engine.run(image)


def test_serving_a_converted_model_needs_no_torch(converted_folder: Path) -> None:
    """torch is for converting, training and fallback; it costs 200 MB and seconds where it is not needed."""
    code = (
        "import sys, numpy as np; from pathlib import Path; from humanparse.config import Settings\n"
        "from humanparse.parsers import make_parser\n"
        f"parser = make_parser('m2fp', Settings(m2fp_dir=Path({str(converted_folder)!r})))\n"
        "parser.load(); parser.parse(np.zeros((40, 60, 3), np.uint8)); print('torch' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"


def test_precision_follows_the_cpu_and_the_setting(monkeypatch: pytest.MonkeyPatch) -> None:
    formats = M2FPParser.formats
    able = ov.Core().get_property("CPU", "OPTIMIZATION_CAPABILITIES")
    assert choose_precision("f32", formats) == "f32" and choose_precision("f16", formats) == "f16"
    assert choose_precision("auto", formats) == ("f16" if "FP16" in able else "bf16" if "BF16" in able else "f32")
    monkeypatch.setenv("ONEDNN_MAX_CPU_ISA", "AVX2")
    assert choose_precision("auto", formats) == "f32"


def test_frames_of_one_size_share_their_shape() -> None:
    assert make_frame((480, 640)).padded == make_frame((960, 1280)).padded == (640, 864)
