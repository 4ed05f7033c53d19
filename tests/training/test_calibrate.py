"""Ranges for int8: measured on pictures, kept in the weight file, and enough for nearly the same answers."""

from __future__ import annotations

import hashlib
from pathlib import Path

import numpy as np
import openvino as ov
import pytest
from safetensors.numpy import load_file, save_file

from humanparse.layers import RANGE
from humanparse.parsers.compact import weights
from humanparse.parsers.compact.graph import build_graph, has_ranges
from training import calibrate
from training.calibrate import find_ranges
from training.export import load_exported
from training.network import CompactNetwork

F32 = {"INFERENCE_PRECISION_HINT": "f32"}


@pytest.fixture(scope="module")
def tensors() -> dict[str, np.ndarray]:
    stored = weights.read_weights()
    return {key: value for key, value in stored.items() if not key.startswith(RANGE)}


def pictures(count: int) -> list[np.ndarray]:
    rng = np.random.default_rng(0)
    return [np.kron(rng.integers(0, 256, (8, 6, 3), np.uint8), np.ones((16, 16, 1), np.uint8)) for _ in range(count)]


def test_every_map_has_a_range_that_fits_it(tensors: dict[str, np.ndarray]) -> None:
    ranges = find_ranges(tensors, pictures(3))
    assert len(ranges) > 70
    assert all(low <= 0 <= high for low, high in ranges.values())
    for key, (low, high) in ranges.items():
        if key.endswith(("expand", "depthwise", "hidden", "stem")):  # behind ReLU6
            assert low == 0, key
            assert high <= 6, key
    assert ranges["image"][0] >= -127 / 128
    assert ranges["image"][1] <= 1


def test_int8_says_nearly_the_same_and_really_rounds(tensors: dict[str, np.ndarray]) -> None:
    images = pictures(4)
    ranges = {RANGE + key: np.array(bounds, np.float32) for key, bounds in find_ranges(tensors, images).items()}
    both = {**tensors, **ranges}
    assert has_ranges(both)
    assert not has_ranges(tensors)
    plain = ov.Core().compile_model(build_graph(both), "CPU", F32)
    rounded = ov.Core().compile_model(build_graph(both, int8=True), "CPU", F32)
    kinds = {op.get_rt_info()["runtimePrecision"].astype(str) for op in rounded.get_runtime_model().get_ops()}
    assert kinds & {"u8", "i8"}
    for image in images:
        expected, found = plain(image[None])["parts"], rounded(image[None])["parts"]
        assert np.abs(found - expected).max() > 0
        assert np.mean(found.argmax(axis=1) == expected.argmax(axis=1)) > 0.9


def test_a_range_that_is_missing_or_left_over_is_told(tensors: dict[str, np.ndarray]) -> None:
    ranges = {RANGE + key: np.array(bounds, np.float32) for key, bounds in find_ranges(tensors, pictures(1)).items()}
    with pytest.raises(ValueError, match=r"no place for.*range\.stranger"):
        build_graph({**tensors, **ranges, RANGE + "stranger": np.zeros(2, np.float32)}, int8=True)
    del ranges[RANGE + "decoder.smooth4"]
    with pytest.raises(KeyError, match="smooth4"):
        build_graph({**tensors, **ranges}, int8=True)


def test_the_command_adds_them_to_the_file(
    data: Path, tensors: dict[str, np.ndarray], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(calibrate, "PHOTOS", 2)
    monkeypatch.setattr(calibrate, "SCENES", 2)
    file = tmp_path / "compact.safetensors"
    save_file(tensors, file, metadata={"step": "7"})
    for _ in range(2):  # a second time replaces the first one's
        calibrate.main(["--data", str(data), "--weights", str(file)])
        stored = load_file(file)
        assert has_ranges(stored)
        assert all(np.array_equal(stored[key], tensors[key]) for key in tensors)
        assert file.with_suffix(".sha256").read_text().split()[0] == hashlib.sha256(file.read_bytes()).hexdigest()
    build_graph(weights.read_weights(file, file.with_suffix(".sha256")), int8=True)
    load_exported(CompactNetwork(), file)  # training can still start from it
