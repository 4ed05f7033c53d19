"""How the network sees a photo: whole, in proportion, in the upper left of a frame of few sizes."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from humanparse.labels import NAMES
from humanparse.parsers.compact.frame import choose_smaller, prepare

FACE = NAMES.index("Face")


@settings(max_examples=40)
@example(1, 900, 192)
@example(900, 1, 192)
@given(st.integers(1, 900), st.integers(1, 900), st.sampled_from([192, 384, 512]))
def test_the_longer_side_is_the_one_asked_for_and_the_other_in_proportion(height: int, width: int, side: int) -> None:
    padded, inner = prepare(np.zeros((height, width, 3), np.uint8), side)
    scale = min(side / max(height, width), 4)  # the tiny are enlarged no further: there is nothing more to see
    for given_side, seen in zip((height, width), inner, strict=True):
        assert seen >= 1 and abs(seen - given_side * scale) <= max(0.5, 1 - given_side * scale)
    for seen, whole in zip(inner, padded.shape[:2], strict=True):
        assert whole % 64 == 0 and 0 <= whole - seen < 64


def test_the_photo_lies_in_the_upper_left_and_the_rest_is_the_middle_grey() -> None:
    image = np.random.default_rng(0).integers(0, 100, (300, 512, 3), np.uint8)
    padded, inner = prepare(image, 512)
    assert inner == (300, 512) and padded.shape == (320, 512, 3)
    assert np.array_equal(padded[:300], image)
    assert (padded[300:] == 127).all()
    assert (prepare(image.transpose(1, 0, 2), 512).padded[:, 300:] == 127).all()


def test_a_large_photo_is_averaged_and_a_small_one_has_no_steps() -> None:
    image = np.random.default_rng(0).integers(0, 256, (384, 1536, 3), np.uint8)
    means = image.reshape(128, 3, 512, 3, 3).mean(axis=(1, 3))
    assert np.abs(prepare(image, 512).padded[:128] - means).max() <= 0.5
    ramp = np.tile(np.linspace(0, 255, 128).astype(np.uint8)[:, None, None], (1, 128, 3))
    assert np.abs(np.diff(prepare(ramp, 512).padded[:, 0, 0].astype(int))).max() <= 1


def faces(*heights: int, width: int = 20) -> np.ndarray:
    """Logits (20, 128, 128) with patches of a face of these heights side by side."""
    logits = np.zeros((20, 128, 128), np.float32)
    for index, height in enumerate(heights):
        logits[FACE, 2 : 2 + height, 3 + (width + 2) * index : 3 + width + (width + 2) * index] = 5
    return logits


@pytest.mark.parametrize(
    ("heights", "side"),
    [
        ((), None),
        ((20,), None),  # 80 pixels: not yet
        ((21,), 384),  # 62 / 84 of 512 is 378
        ((23,), 320),
        ((30,), 256),
        ((100,), 192),  # of the few sizes the smallest
        ((15, 15, 60), None),  # the median counts
        ((15, 60, 60), 192),
    ],
)
def test_how_far_away_a_close_up_is_looked_at_from(heights: tuple[int, ...], side: int | None) -> None:
    assert choose_smaller(faces(*heights), 512) == side


@pytest.mark.parametrize(("cells", "side"), [(19, 192), (20, None)])
def test_scraps_of_faces_do_not_count(cells: int, side: int | None) -> None:
    logits = faces(60)
    logits[FACE, 80:81, 0:cells] = logits[FACE, 90:91, 0:cells] = 5
    assert choose_smaller(logits, 512) == side


def test_a_close_up_is_never_looked_at_from_nearer() -> None:
    for long_side in (256, 320, 384, 512):
        smaller = choose_smaller(faces(21), long_side)
        assert smaller is not None and smaller < long_side
