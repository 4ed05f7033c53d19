"""The enlarged argmax: equal to enlarging everything, at any scale, whatever is in the picture."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from humanparse.parsers.compact.upsample import argmax_enlarged, argmax_planes, enlarge


def blobs(seed: int, planes: int, size: tuple[int, int]) -> NDArray[np.float32]:
    """Smooth random scores, as a network's are."""
    rng = np.random.default_rng(seed)
    scores = rng.normal(0, 3, (planes, *size)).astype(np.float32)
    return np.stack([cv2.GaussianBlur(plane, (5, 5), 0) for plane in scores])


@given(st.integers(0, 1000), st.integers(1, 8), st.integers(2, 24), st.integers(2, 24), st.floats(0.5, 6))
def test_nothing_around_a_pixel_beats_its_winner(seed: int, planes: int, h: int, w: int, factor: float) -> None:
    scores = blobs(seed, planes, (h, w))
    size = max(1, round(h * factor)), max(1, round(w * factor))
    scale = h / size[0], w / size[1]
    whole = np.stack([enlarge(plane, (0, 0, *size), scale) for plane in scores])
    found = argmax_enlarged(scores, size, scale)
    assert found.dtype == np.uint8
    reached = score_of(whole, found)
    coarse = scores.argmax(axis=0)
    row, column = (np.arange(side) + 0.5 for side in size)
    for dy in (0, 1):
        for dx in (0, 1):
            y = np.clip(np.floor(row * scale[0] - 0.5).astype(int) + dy, 0, h - 1)
            x = np.clip(np.floor(column * scale[1] - 0.5).astype(int) + dx, 0, w - 1)
            assert (reached >= score_of(whole, coarse[np.ix_(y, x)]) - 1e-5).all()


def score_of(whole: NDArray[np.float32], plane: NDArray[np.integer]) -> NDArray[np.float32]:
    return np.take_along_axis(whole, plane[None].astype(np.intp), axis=0)[0]


@given(st.integers(0, 1000), st.integers(1, 8), st.sampled_from([1, 3, 5]))
def test_cells_keep_their_winner_at_their_centres(seed: int, planes: int, factor: int) -> None:
    scores = blobs(seed, planes, (9, 11))
    found = argmax_enlarged(scores, (9 * factor, 11 * factor), (1 / factor, 1 / factor))
    middle = factor // 2
    assert np.array_equal(found[middle::factor, middle::factor], scores.argmax(axis=0))


def test_enlarging_aligns_pixel_centres_as_resize_does() -> None:
    plane = blobs(1, 1, (12, 10))[0]
    expected = cv2.resize(plane, (40, 48), interpolation=cv2.INTER_LINEAR)
    assert np.abs(enlarge(plane, (0, 0, 48, 40), (0.25, 0.25)) - expected).max() < 0.05


def test_a_window_is_a_piece_of_the_whole() -> None:
    plane = blobs(2, 1, (12, 10))[0]
    whole = enlarge(plane, (0, 0, 48, 40), (0.25, 0.25))
    assert np.array_equal(enlarge(plane, (5, 7, 30, 31), (0.25, 0.25)), whole[5:30, 7:31])


@pytest.mark.parametrize("size", [(1, 1), (1, 50), (50, 1), (7, 3)])
def test_any_size_comes_out(size: tuple[int, int]) -> None:
    scores = blobs(3, 3, (4, 4))
    assert argmax_enlarged(scores, size, (4 / size[0], 4 / size[1])).shape == size


@pytest.mark.parametrize("beyond", [np.s_[8:], np.s_[:, 8:], np.s_[8:, 8:]])
def test_what_wins_beyond_the_photos_edge_alone_wins_nothing(beyond: tuple[slice, ...]) -> None:
    """Padding: of ten cells five belong to the photo."""
    scores = np.zeros((2, 10, 10), np.float32)
    scores[1][beyond] = 9
    assert not argmax_enlarged(scores, (20, 20), (0.25, 0.25)).any()


def test_one_plane_wins_everywhere() -> None:
    assert not argmax_enlarged(blobs(4, 1, (5, 5)), (20, 20), (0.25, 0.25)).any()


@given(
    st.integers(0, 1000), st.integers(1, 255), st.sampled_from([(1, 1), (1, 4), (4, 1), (2, 2), (9, 13)]), st.booleans()
)
def test_the_highest_plane_is_the_first_of_equals(seed: int, planes: int, size: tuple[int, int], equal: bool) -> None:
    scores = np.random.default_rng(seed).normal(size=(planes, *size)).astype(np.float32)
    scores = scores.round() if equal else scores
    before = scores.copy()
    found = argmax_planes(scores)
    assert found.dtype == np.uint8 and np.array_equal(found, scores.argmax(axis=0))
    assert np.array_equal(scores, before)
