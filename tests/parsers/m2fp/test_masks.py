"""Masks at the photo's size, against torch's way to get there: whole, twice."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from torch.nn.functional import interpolate

from humanparse.parsers.m2fp.frame import Frame, make_frame
from humanparse.parsers.m2fp.masks import Zoom, enlarge, find_boxes, make_zoom, score_masks

Case = tuple[NDArray[np.float32], Zoom, NDArray[np.float32]]


@st.composite
def cases(draw: st.DrawFn) -> Case:
    """Masks (N, h, w), logits; the way to the photo; and the same at its size by torch."""
    frame = make_frame((draw(st.integers(1, 70)), draw(st.integers(1, 70))))
    inner, padded = (tuple(-(-side // 8) for side in sides) for sides in frame[1:])
    frame = frame._replace(inner=inner, padded=padded)
    rng = np.random.default_rng(draw(st.integers(0, 2**31)))
    masks = rng.normal(draw(st.sampled_from([-8, -3, 0])), 4, (3, frame.padded[0] // 4, frame.padded[1] // 4))
    masks = masks.astype(np.float32)
    return masks, make_zoom(masks.shape[1:], frame), whole(masks, frame)


def whole(masks: NDArray[np.float32], frame: Frame) -> NDArray[np.float32]:
    seen = interpolate(torch.from_numpy(masks)[None], frame.padded, mode="bilinear", align_corners=False)
    inner = seen[:, :, : frame.inner[0], : frame.inner[1]]
    return interpolate(inner, frame.size, mode="bilinear", align_corners=False)[0].numpy()


@settings(max_examples=40)
@given(cases())
def test_rows_are_those_of_the_whole(case: Case) -> None:
    masks, zoom, expected = case
    for mask, large in zip(masks, expected, strict=True):
        np.testing.assert_allclose(enlarge(mask, zoom), large, atol=2e-4)


@settings(max_examples=40)
@given(cases())
def test_outside_of_its_box_a_mask_is_not_positive(case: Case) -> None:
    masks, zoom, _ = case
    for mask, (y0, y1, x0, x1) in zip(masks, find_boxes(masks, zoom), strict=True):
        positive = enlarge(mask, zoom) > 0
        assert 0 <= y0 <= y1 <= positive.shape[0] and 0 <= x0 <= x1 <= positive.shape[1]
        assert positive[y0:y1, x0:x1].sum() == positive.sum()


def test_a_box_is_what_a_positive_cell_has_a_share_in() -> None:
    zoom = make_zoom((8, 8), Frame((32, 64), (32, 32), (32, 32)))
    masks = np.full((2, 8, 8), -1, np.float32)
    masks[0, 2, 5] = 1
    found, nowhere = find_boxes(masks, zoom)
    assert np.abs(np.subtract(found, (6, 14, 36, 52))).max() <= 1 and nowhere == (0, 0, 0, 0)


@settings(max_examples=40)
@given(cases(), st.integers(1, 3))
def test_a_score_is_the_mean_probability_of_what_is_positive(case: Case, threads: int) -> None:
    masks, zoom, expected = case
    scores = score_masks(masks, find_boxes(masks, zoom), zoom, threads)
    for score, large in zip(scores, expected, strict=True):
        sure = large[large > 1e-3]  # a logit about zero may fall on either side, and counts as a half
        unsure = int((abs(large) <= 1e-3).sum())
        if not len(sure) + unsure:
            assert score == 0
        elif not unsure:
            assert score == pytest.approx((1 / (1 + np.exp(-sure))).mean(), abs=1e-4)
