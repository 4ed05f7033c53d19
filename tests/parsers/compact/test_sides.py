"""One patch, one side; two patches of a pair, both sides; and nothing but the side changes."""

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


def test_two_shoes_of_one_side_become_a_pair_and_the_surer_one_stays() -> None:
    settled = settle_sides(draw((18, 50, 56, 5, 12, 9), (18, 50, 56, 25, 32, 4)), ONE).argmax(axis=0)
    assert (settled[50:56, 5:12] == 18).all()
    assert (settled[50:56, 25:32] == 19).all()


def test_two_people_may_show_one_left_shoe_each() -> None:
    logits = draw((18, 50, 56, 5, 12, 9), (18, 50, 56, 25, 32, 4))
    whose = ONE.copy()
    whose[:, 20:] = 2
    assert np.array_equal(settle_sides(logits, whose), logits)
    assert np.array_equal(settle_sides(logits, np.zeros(SIZE, np.intp)), logits)


def test_a_small_piece_is_no_second_shoe_and_pieces_of_legs_are_no_pair() -> None:
    small = draw((18, 50, 56, 5, 12, 9), (18, 50, 53, 25, 28, 4))
    assert np.array_equal(settle_sides(small, ONE), small)
    legs = draw((16, 25, 35, 5, 12, 9), (16, 40, 50, 5, 12, 4))
    assert np.array_equal(settle_sides(legs, ONE), legs)
