"""Sides follow clear key points, and nothing but the side changes."""

from __future__ import annotations

import numpy as np

from humanparse.parsers.compact.sides import FOOT, LEG, limb_gap, settle_sides

SIZE = (60, 40)


def two_feet() -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Logits with two shoes, the left one on the wrong side; one person; its ankles: left at x 30, right at x 10."""
    logits = np.zeros((20, *SIZE), np.float32)
    logits[5, :50] = 3
    logits[18, 52:58, 6:14] = logits[19, 52:58, 26:34] = 5
    points = np.zeros((1, 17, 3), np.float32)
    points[0, 15], points[0, 16] = (30, 53, 0.9), (10, 53, 0.9)
    return logits, np.ones(SIZE, np.intp), points


def test_shoes_go_to_the_nearer_ankle() -> None:
    logits, whose, points = two_feet()
    before = logits.copy()
    settled = settle_sides(logits, whose, points)
    top = settled.argmax(axis=0)
    assert (top[52:58, 6:14] == 19).all()
    assert (top[52:58, 26:34] == 18).all()
    assert np.array_equal(logits, before)
    others = [i for i in range(20) if i not in (18, 19)]
    assert np.array_equal(settled[others], logits[others])
    assert np.array_equal(settle_sides(settled, whose, points), settled)


def test_unsure_or_equally_near_ankles_decide_nothing() -> None:
    logits, whose, points = two_feet()
    unsure = points.copy()
    unsure[0, 15, 2] = 0.1
    assert np.array_equal(settle_sides(logits, whose, unsure), logits)
    together = points.copy()
    together[0, 15, 0] = 10.5
    assert np.array_equal(settle_sides(logits, whose, together), logits)
    assert np.array_equal(settle_sides(logits, np.zeros(SIZE, np.intp), points), logits)


def test_everybody_has_ankles_of_their_own() -> None:
    logits, whose, points = two_feet()
    whose[:, 20:] = 2
    points = np.concatenate([points, points])
    points[0, 15, 0], points[1, 16, 0] = 20, 20
    settled = settle_sides(logits, whose, points)
    assert (settled.argmax(axis=0)[52:58, 6:14] == 19).all()
    assert (settled.argmax(axis=0)[52:58, 26:34] == 18).all()


def test_distance_is_to_the_line_not_to_the_joints() -> None:
    points = np.zeros((17, 3), np.float32)
    points[[11, 13, 15], :2] = (0, 0), (0, 50), (0, 100)
    points[[12, 14, 16], :2] = (20, 0), (20, 50), (20, 100)
    ys, xs = np.array([25, 75, 25]), np.array([4, 10, 30])
    assert np.allclose(limb_gap(points, LEG, ys, xs), (4 - 16, 0, 30 - 10))
    assert np.allclose(limb_gap(points, FOOT, np.array([100]), np.array([5])), (5 - 15,))
