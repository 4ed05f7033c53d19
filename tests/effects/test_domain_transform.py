"""Against OpenCV's where OpenCV's is right, against itself in parts where it is not, and against the definition."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from humanparse.effects import apply_effect
from humanparse.effects.domain_transform import ITERATIONS, UNIT, measure_boxes, radius_of, smooth
from humanparse.effects.drawing import hatch

Image = NDArray[np.uint8]


@pytest.fixture(scope="module")
def small() -> Image:
    from skimage import data

    return np.ascontiguousarray(data.astronaut()[:240:2, :320:2])


def naive(image: Image, sigma_s: float, sigma_r: float) -> NDArray[np.float64]:
    """The definition: the mean over all pixels of the line whose distance in the transformed domain is in reach."""
    values = image.astype(np.float64)
    for iteration in range(ITERATIONS):
        radius = radius_of(iteration, sigma_s)
        for axis in (1, 0):
            guide, lines = (image, values) if axis == 1 else (image.swapaxes(0, 1), values.swapaxes(0, 1))
            steps = 1 + sigma_s / sigma_r / 255 * np.abs(np.diff(guide.astype(np.float64), axis=1)).sum(axis=2)
            places = np.pad(np.cumsum(steps, axis=1), ((0, 0), (1, 0)))
            made = np.empty_like(lines)
            for i, row in enumerate(places):
                near = np.abs(row[:, None] - row) <= radius
                near &= row > row[:, None] - radius
                made[i] = near @ lines[i] / near.sum(axis=1, keepdims=True)
            values = made if axis == 1 else made.swapaxes(0, 1)
    return values


@pytest.mark.parametrize(("sigma_s", "sigma_r"), [(10, 0.4), (60, 0.1), (200, 1), (1, 0.01)])
def test_it_is_the_definition(small: Image, sigma_s: float, sigma_r: float) -> None:
    assert np.abs(smooth(small, sigma_s, sigma_r) / UNIT - naive(small, sigma_s, sigma_r)).max() < 0.05


def test_it_is_opencv_s_within_a_level(small: Image) -> None:
    theirs = cv2.edgePreservingFilter(small[..., ::-1].copy(), flags=2, sigma_s=60, sigma_r=0.4)[..., ::-1]
    assert np.abs(smooth(small, 60, 0.4) / UNIT - theirs).max() < 1.01


def test_the_pencil_s_strokes_are_opencv_s_within_a_level(small: Image) -> None:
    grey, _ = cv2.pencilSketch(small[..., ::-1].copy(), sigma_s=40, sigma_r=0.07, shade_factor=0.03)
    ours = hatch(small, 40, 0.07, 0.03)
    # theirs forgets the upper end of the first box of a line that is shorter than the box
    assert np.abs(ours[1:, 1:].astype(int) - grey[1:, 1:]).max() <= 1


def test_lines_do_not_depend_on_each_other(small: Image) -> None:
    whole = measure_boxes(small, 20, 0.1)
    turned = measure_boxes(np.ascontiguousarray(small.swapaxes(0, 1)), 20, 0.1)
    assert np.array_equal(whole, turned.T)


def test_a_photo_over_12_megapixels_is_right_where_opencv_s_is_not() -> None:
    """Each tile of a large photo made of one tile, far enough from its border, is what the tile alone gives.

    Wide margins of one grey keep tiles apart: the filter reaches 2.7 times sigma_s at most.
    """
    values = {"sigma_s": 8, "sigma_r": 0.4, "edges": 4}
    rng = np.random.default_rng(6)
    tile = np.full((400, 500, 3), 128, np.uint8)
    tile[40:-40, 40:-40] = cv2.resize(rng.integers(0, 256, (40, 50, 3), np.uint8), (420, 320))
    large = np.tile(tile, (9, 7, 1))
    assert large.shape[0] * large.shape[1] > 12_000_000
    alone = apply_effect("watercolor", np.tile(tile, (1, 2, 1)), values)
    made = apply_effect("watercolor", large, values)
    inner = alone[30:-30, 30:470]
    for y, x in ((0, 0), (3, 3), (8, 6), (8, 0), (5, 6)):
        part = made[y * 400 + 30 : y * 400 + 370, x * 500 + 30 : x * 500 + 470]
        assert np.abs(part.astype(int) - inner).max() <= 1, (y, x)


def test_edges_stay_and_noise_goes() -> None:
    rng = np.random.default_rng(8)
    halves = np.where(np.arange(100) < 50, 60, 200)[:, None, None]
    image = (halves + rng.normal(0, 5, (100, 80, 3))).astype(np.uint8)
    made = smooth(image, 20, 0.4) / UNIT
    assert made[:48].std() < 1.5
    assert made[52:].mean() - made[:48].mean() == pytest.approx(140, abs=2)
