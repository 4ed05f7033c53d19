"""One patch, one side; and nothing but the side changes."""

from __future__ import annotations

import numpy as np
import pytest

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


@pytest.mark.parametrize(("cells", "wrong", "follow"), [(4, 1, False), (5, 1, True), (10, 2, True), (19, 4, False)])
def test_a_fifth_of_a_patch_follows_the_rest(cells: int, wrong: int, follow: bool) -> None:
    """Below that, which side a patch is on nobody can tell; so nothing happens to the smallest."""
    for one, other in ((18, 19), (19, 18)):
        logits = draw((one, 50, 51, 5, 5 + cells, 8), (other, 50, 51, 5, 5 + wrong, 9))
        found = settle_sides(logits, ONE).argmax(axis=0)[50, 5 : 5 + cells]
        assert found.tolist() == [one if follow else other] * wrong + [one] * (cells - wrong)


def test_limbs_of_other_kinds_and_pieces_apart_are_patches_of_their_own() -> None:
    legs = draw((16, 30, 50, 10, 20, 5), (17, 30, 50, 22, 24, 5), (18, 50, 58, 10, 20, 5), (19, 50, 52, 20, 22, 5))
    found = settle_sides(legs, ONE).argmax(axis=0)
    assert (found[30:50, 22:24] == 17).all()  # a column lies between
    assert (found[50:52, 20:22] == 18).all()
    arms = draw((14, 30, 40, 10, 20, 5), (15, 40, 41, 20, 22, 5))  # corner to corner is one
    assert (settle_sides(arms, ONE).argmax(axis=0)[40, 20:22] == 14).all()
