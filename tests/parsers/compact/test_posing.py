"""Key points are found on their own person, between the cells, in pixels of the photo."""

from __future__ import annotations

import numpy as np
import pytest

from humanparse.parsers.compact.posing import REACH, find_keypoints, in_pixels


def blob(size: tuple[int, int], y: float, x: float) -> np.ndarray:
    """Logits of a peak at (y, x): 4 there, falling with the distance."""
    rows, columns = np.mgrid[: size[0], : size[1]]
    return (4 - 2 * np.hypot(rows - y, columns - x)).astype(np.float32)


def test_a_peak_between_cells_is_found_between_them() -> None:
    joints = np.stack([blob((20, 30), 7.3, 11.7)] * 17)
    whose = np.ones((20, 30), np.intp)
    ((x, y, score),) = in_pixels(find_keypoints(joints, whose, 1), (1 / 4, 1 / 2))[:, 0]
    assert y == pytest.approx((7.3 + 0.5) * 4 - 0.5, abs=0.8)
    assert x == pytest.approx((11.7 + 0.5) * 2 - 0.5, abs=0.4)
    assert 0.9 < score < 1


def test_each_person_has_its_own_and_the_neighbours_higher_peak_is_not_taken() -> None:
    size = (20, 30)
    joints = np.stack([np.maximum(blob(size, 10, 5), blob(size, 10, 22) + 3)] * 17)
    whose = np.zeros(size, np.intp)
    whose[:, 2:9], whose[:, 18:26] = 1, 2
    found = find_keypoints(joints, whose, 3)
    assert found[0, :, 0] == pytest.approx(5, abs=0.2)
    assert found[1, :, 0] == pytest.approx(22, abs=0.2)
    assert not found[2].any()  # nobody has this number


def test_a_person_anywhere_in_the_frame_has_its_points_where_they_are() -> None:
    whose = np.zeros((60, 80), np.intp)
    whose[35:55, 50:70] = 1
    joints = np.stack([blob((60, 80), 44, 61)] * 17)
    assert find_keypoints(joints, whose, 1)[0, 0, :2] == pytest.approx((61, 44), abs=0.1)


def test_a_peak_just_over_the_border_is_the_neighbours() -> None:
    size = (20, 30)
    joints = np.stack([np.maximum(blob(size, 10, 8), blob(size, 10, 15 + REACH - 1) + 3)] * 17)
    whose = np.zeros(size, np.intp)
    whose[:, 2:15], whose[:, 15:26] = 1, 2
    found = find_keypoints(joints, whose, 2)
    assert found[0, :, 0] == pytest.approx(8, abs=0.2)
    assert found[1, :, 0] == pytest.approx(15 + REACH - 1, abs=0.2)


def test_a_point_just_outside_the_person_is_still_its_own() -> None:
    size = (20, 30)
    whose = np.zeros(size, np.intp)
    whose[5:15, 10:20] = 1
    near, far = (np.stack([blob(size, 10, 19 + away)] * 17) for away in (REACH, REACH + 4))
    assert find_keypoints(near, whose, 1)[0, 0, 0] == pytest.approx(19 + REACH, abs=0.3)
    assert find_keypoints(far, whose, 1)[0, 0, 0] < 19 + REACH + 1
