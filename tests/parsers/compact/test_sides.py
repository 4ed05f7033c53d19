"""One patch, one side; and nothing but the side changes."""

from __future__ import annotations

import numpy as np

from humanparse.parsers.compact.sides import settle_sides

SIZE = (60, 40)
ONE = np.ones(SIZE, np.intp)


def draw(*patches: tuple[int, int, int, int, int, float]) -> np.ndarray:
    """Logits (20, 60, 40): a garment, and boxes (class, y0, y1, x0, x1, logit)."""
    logits = np.zeros((20, *SIZE), np.float32)
    logits[5, :20] = 3
    for index, y0, y1, x0, x1, value in patches:
        logits[index, y0:y1, x0:x1] = value
    return logits


def test_a_few_cells_of_the_other_side_follow_their_patch_and_nothing_else_changes() -> None:
    logits = draw((16, 30, 40, 10, 20, 5), (17, 33, 35, 12, 15, 6))
    before = logits.copy()
    settled = settle_sides(logits, ONE)
    assert (settled.argmax(axis=0)[30:40, 10:20] == 16).all()
    assert np.array_equal(logits, before)
    others = [i for i in range(20) if i not in (16, 17)]
    assert np.array_equal(settled[others], logits[others])
    assert np.array_equal(settle_sides(settled, ONE), settled)


def test_both_legs_in_one_patch_stay_two() -> None:
    logits = draw((16, 30, 50, 10, 20, 5), (17, 30, 50, 20, 30, 5))
    assert np.array_equal(settle_sides(logits, ONE), logits)


def test_each_persons_patches_are_their_own() -> None:
    """Two people's legs that touch are no one patch."""
    logits = draw((16, 30, 50, 10, 20, 5), (17, 30, 50, 20, 22, 5))
    whose = ONE.copy()
    whose[:, 20:] = 2
    assert np.array_equal(settle_sides(logits, whose), logits)
    assert (settle_sides(logits, ONE).argmax(axis=0)[30:50, 20:22] == 16).all()
    assert np.array_equal(settle_sides(logits, np.zeros(SIZE, np.intp)), logits)


def test_a_speck_follows_nobody() -> None:
    """Fewer than four cells are no patch: which side they are on nobody can tell."""
    logits = draw((18, 50, 51, 5, 7, 9), (19, 50, 51, 7, 8, 9))
    assert np.array_equal(settle_sides(logits, ONE), logits)
