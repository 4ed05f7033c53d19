"""What the network sees, against what the reference's pipeline gives to its own."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from humanparse.parsers.m2fp.frame import LONG_SIDE, MEAN, SHORT_SIDE, SPREAD, make_frame, prepare
from reference import seeded
from tests.parsers.m2fp.conftest import GOLDEN, Golden

with np.load(GOLDEN / "preprocess.npz") as _file:
    SIZES = [name.removesuffix("_shape") for name in _file.files if name.endswith("_shape")]


@pytest.mark.parametrize(("seed", "name"), list(enumerate(SIZES)), ids=SIZES)
def test_input_is_the_references(seed: int, name: str, golden: Callable[[str], Golden]) -> None:
    expected = golden("preprocess")
    height, width = map(int, name.split("x"))
    photo = seeded.photo(height, width, seed)
    assert seeded.checksum(photo) == str(expected[f"{name}_photo_sha256"])
    tensor, frame = prepare(photo)
    assert frame.inner == tuple(expected[f"{name}_shape"])
    inner = tensor[0, :, : frame.inner[0], : frame.inner[1]].transpose(1, 2, 0) * SPREAD + MEAN
    small = np.round(inner).astype(np.uint8)
    assert np.allclose(inner, small, atol=1e-3)
    rows = [0, frame.inner[0] // 3, frame.inner[0] - 1]
    assert np.array_equal(small[rows], expected[f"{name}_rows"])
    assert seeded.checksum(small) == str(expected[f"{name}_sha256"])


@pytest.mark.parametrize("size", [(1, 1), (1, 5000), (5000, 1), (640, 640), (3000, 4000), (37, 1001)])
def test_padding_is_zero_and_small(size: tuple[int, int]) -> None:
    tensor, frame = prepare(np.full((*size, 3), 255, np.uint8))
    assert tensor.shape == (1, 3, *frame.padded)
    assert all(side % 32 == 0 and 0 <= side - inner < 32 for side, inner in zip(frame.padded, frame.inner, strict=True))
    assert not tensor[0, :, frame.inner[0] :].any() and not tensor[0, :, :, frame.inner[1] :].any()
    assert tensor[0, :, : frame.inner[0], : frame.inner[1]].all()


def test_inputs_are_few() -> None:
    """One graph serves them all, and what a runtime keeps for each shape stays bounded."""
    shapes = {make_frame((height, width)).padded for height in range(8, 3000, 17) for width in range(8, 3000, 17)}
    assert len(shapes) < 90
    assert max(max(shape) for shape in shapes) <= -(-LONG_SIDE // 32) * 32
    assert max(min(shape) for shape in shapes) == SHORT_SIDE
