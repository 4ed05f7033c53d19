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


@pytest.mark.parametrize(("y", "x"), [(13, 25), (26, 25), (20, 18), (20, 31)])
def test_a_point_may_lie_two_cells_outside_in_each_direction(y: int, x: int) -> None:
    """Of a person in rows 15 to 24 and columns 20 to 29; one cell further it is not looked for."""
    whose = np.zeros((40, 50), np.intp)
    whose[15:25, 20:30] = 1
    further = y + np.sign(y - 20) * (x == 25), x + np.sign(x - 25) * (y == 20)
    for place, found in (((y, x), True), (further, False)):
        joints = np.full((17, 40, 50), -9, np.float32)
        joints[:, place[0], place[1]] = 9
        px, py, score = find_keypoints(joints, whose, 1)[0, 5]
        assert (score > 0.9) == found
        assert not found or (px, py) == pytest.approx((x, y), abs=1e-3)


def test_each_joint_has_its_own_place_and_score() -> None:
    whose = np.zeros((40, 50), np.intp)
    whose[15:35, 20:45] = 1
    joints = np.full((17, 40, 50), -99, np.float32)
    for joint in range(17):
        joints[joint, 16 + joint, 22 + joint] = joint - 8
    for joint, (x, y, score) in enumerate(find_keypoints(joints, whose, 1)[0]):
        assert (x, y) == pytest.approx((22 + joint, 16 + joint), abs=1e-3)
        assert score == pytest.approx(1 / (1 + np.exp(8 - joint)), rel=1e-4)


@pytest.mark.parametrize(("row", "column"), [(20, 30), (0, 0), (39, 49), (0, 30), (20, 49)])
def test_a_peak_moves_towards_a_heavier_neighbour_by_its_share(row: int, column: int) -> None:
    """Half as heavy a neighbour: a third of the way. At the border of the map, too."""
    whose, joints = np.ones((40, 50), np.intp), np.full((17, 40, 50), -99, np.float32)
    down, right = (1 if row < 39 else -1), (1 if column < 49 else -1)
    joints[:, row, column] = 2
    joints[:8, row + down, column] = joints[8:, row, column + right] = 2 + np.log(0.5)
    found = find_keypoints(joints, whose, 1)[0]
    assert found[0, :2] == pytest.approx((column, row + down / 3), abs=1e-4)
    assert found[8, :2] == pytest.approx((column + right / 3, row), abs=1e-4)


def test_a_cells_middle_is_in_the_middle_of_its_pixels_and_a_score_stays() -> None:
    cells = np.array([[0, 0, 0.7], [3, 5, 0.2]], np.float32)
    assert in_pixels(cells, (1 / 4, 1 / 2)) == pytest.approx(np.array([[0.5, 1.5, 0.7], [6.5, 21.5, 0.2]]))
