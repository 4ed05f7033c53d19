"""Who is where, from constructed network outputs."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from humanparse.parsers.compact.grouping import MIN_LONE_CELLS, OFFSET_UNIT, find_centres, group

SIZE = (60, 80)


class Scene:
    """A made-up network output: rectangles of people that point at their own middles."""

    def __init__(self) -> None:
        self.output = np.zeros((3, *SIZE), np.float32)
        self.output[0] = -6
        self.somebody = np.zeros(SIZE, np.bool_)

    def add(self, y0: int, x0: int, y1: int, x1: int, peak: float = 4.0) -> NDArray[np.bool_]:
        mine = np.zeros(SIZE, np.bool_)
        mine[y0:y1, x0:x1] = True
        rows, columns = np.mgrid[: SIZE[0], : SIZE[1]]
        cy, cx = (y0 + y1) // 2, (x0 + x1) // 2
        self.output[1][mine] = (cy - rows[mine]) / OFFSET_UNIT
        self.output[2][mine] = (cx - columns[mine]) / OFFSET_UNIT
        self.output[0, cy, cx] = peak
        self.somebody |= mine
        return mine

    def owners(self) -> tuple[NDArray[np.intp], int, NDArray[np.bool_]]:
        closeness, kept = group(self.output, self.somebody)
        owner = closeness.argmax(axis=0) if len(closeness) else np.zeros(SIZE, np.intp)
        return owner, len(closeness), kept


def test_nobody_is_nobody() -> None:
    _, count, kept = Scene().owners()
    assert count == 0
    assert not kept.any()


def test_touching_people_are_told_apart() -> None:
    scene = Scene()
    left, right = scene.add(10, 10, 50, 30), scene.add(10, 30, 50, 50)
    owner, count, kept = scene.owners()
    assert count == 2
    assert np.array_equal(kept, left | right)
    assert len(np.unique(owner[left])) == len(np.unique(owner[right])) == 1
    assert owner[left][0] != owner[right][0]


def test_a_peak_that_nobody_points_at_is_no_person() -> None:
    scene = Scene()
    scene.add(10, 10, 50, 30)
    scene.output[0, 5, 70] = 5.0
    assert scene.owners()[1] == 1


def test_a_large_patch_without_a_peak_is_a_person_of_its_own() -> None:
    scene = Scene()
    known, lone = scene.add(10, 5, 50, 20), scene.add(10, 50, 50, 70, peak=-6)
    owner, count, kept = scene.owners()
    assert count == 2
    assert kept[lone].all()
    assert owner[lone][0] != owner[known][0]


def test_a_speck_without_a_peak_goes() -> None:
    scene = Scene()
    person, speck = scene.add(10, 5, 50, 20), scene.add(30, 60, 34, 64, peak=-6)
    assert speck.sum() < MIN_LONE_CELLS
    kept = scene.owners()[2]
    assert not kept[speck].any()
    assert kept[person].all()


def test_a_detached_piece_that_points_at_its_person_stays_with_it() -> None:
    scene = Scene()
    body = scene.add(5, 10, 40, 30)
    shoe = np.zeros(SIZE, np.bool_)
    shoe[50:55, 15:22] = True
    rows, columns = np.mgrid[: SIZE[0], : SIZE[1]]
    scene.output[1][shoe] = (22 - rows[shoe]) / OFFSET_UNIT
    scene.output[2][shoe] = (20 - columns[shoe]) / OFFSET_UNIT
    scene.somebody |= shoe
    owner, count, kept = scene.owners()
    assert count == 1
    assert kept[shoe].all()
    assert owner[shoe][0] == owner[body][0]


def test_the_edge_of_a_person_is_its_own_whatever_nobodys_cells_point_at() -> None:
    scene = Scene()
    left, right = scene.add(10, 10, 50, 25), scene.add(10, 50, 50, 65)
    rows, columns = np.mgrid[: SIZE[0], : SIZE[1]]
    nobody = ~scene.somebody
    scene.output[1][nobody] = (30 - rows[nobody]) / OFFSET_UNIT
    scene.output[2][nobody] = (57 - columns[nobody]) / OFFSET_UNIT  # all at the right person
    owner, _, kept = scene.owners()
    assert np.array_equal(kept, left | right)
    grown = np.zeros(SIZE, np.bool_)
    grown[9:51, 9:26] = True
    assert (owner[grown] == owner[left][0]).all()


def test_of_two_near_peaks_the_higher_one_stays() -> None:
    heat = np.zeros(SIZE, np.float32)
    heat[20, 20], heat[21, 21], heat[40, 40] = 0.9, 0.8, 0.5
    assert find_centres(heat).tolist() == [[20, 20], [40, 40]]


def test_more_peaks_than_numbers_are_cut_at_the_weakest() -> None:
    heat = np.zeros((200, 200), np.float32)
    heat[::10, ::10] = np.linspace(0.3, 0.9, 400).reshape(20, 20)
    centres = find_centres(heat)
    assert len(centres) == 255
    assert centres[0].tolist() == [190, 190]
