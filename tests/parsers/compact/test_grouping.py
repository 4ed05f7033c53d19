"""Who is where, from constructed network outputs."""

from __future__ import annotations

import numpy as np
import pytest
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


@pytest.mark.parametrize("peak", [3.0, 5.0])
def test_a_peak_that_nobody_points_at_is_no_person(peak: float) -> None:
    """Whether it is higher or lower than that of the person there is."""
    scene = Scene()
    scene.add(10, 10, 50, 30)
    scene.output[0, 5, 70] = peak
    assert scene.owners()[1] == 1


def test_a_peak_whose_only_cells_are_dropped_is_no_person() -> None:
    scene = Scene()
    piece = scene.add(30, 60, 34, 64, peak=-6)
    scene.output[0, 32, 20] = 4  # the nearest there is, 42 cells away
    closeness, kept = group(scene.output, scene.somebody)
    assert piece.sum() == 16 and not kept.any()
    assert closeness.shape == (0, *SIZE)


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
    heat[::10, ::10] = 0.5  # of equals the first, row by row
    assert np.array_equal(find_centres(heat), [(10 * (n // 20), 10 * (n % 20)) for n in range(255)])


@pytest.mark.parametrize(("apart", "count"), [(3, 1), (4, 2)])
@pytest.mark.parametrize("across", [False, True])
def test_peaks_more_than_three_cells_apart_are_two(apart: int, count: int, across: bool) -> None:
    heat = np.zeros(SIZE, np.float32)
    for step in (apart, -apart):
        heat[:] = 0
        heat[20, 20], heat[(20, 20 + step) if across else (20 + step, 20)] = 0.9, 0.8
        assert len(find_centres(heat)) == count


def test_a_peak_of_a_fifth_is_a_person() -> None:
    heat = np.zeros(SIZE, np.float32)
    heat[10, 10], heat[40, 40] = 0.2, 0.19
    assert find_centres(heat).tolist() == [[10, 10]]
    scene = Scene()
    person = scene.add(10, 10, 20, 20, peak=-1.38)  # as a logit: 0.2010
    scene.add(10, 50, 20, 60, peak=-1.40)  # 0.1978, and too small for one without a peak
    _, count, kept = scene.owners()
    assert count == 1 and np.array_equal(kept, person)


@pytest.mark.parametrize(("cells", "count"), [(11, 0), (12, 1)])
def test_a_person_has_at_least_twelve_cells(cells: int, count: int) -> None:
    scene = Scene()
    scene.add(10, 10, 11, 10 + cells)
    assert scene.owners()[1] == count


def test_cells_of_a_peak_that_is_no_person_go_to_the_one_they_are_nearest_to() -> None:
    scene = Scene()
    body = scene.add(10, 10, 40, 30)
    hat = scene.add(7, 18, 10, 21)  # points at its own middle, 17 cells from the body's, and is too small
    owner, count, kept = scene.owners()
    assert count == 1 and kept[hat].all() and owner[hat][0] == owner[body][0]


@pytest.mark.parametrize(("cells", "count"), [(149, 1), (150, 2)])
def test_a_patch_without_a_peak_is_a_person_from_150_cells_on(cells: int, count: int) -> None:
    scene = Scene()
    known, lone = scene.add(10, 5, 50, 20), scene.add(10, 55, 25, 65, peak=-6)
    scene.somebody[24, 55 : 55 + 150 - cells] = False
    scene.output[1] += 0.1  # nobody points at a middle to the cell
    owner, found, kept = scene.owners()
    assert found == count and kept[known].all() and kept[lone].any() == (count == 2)
    assert (owner[known] == 0).all() and (owner[lone & kept] == 1).all()


@pytest.mark.parametrize(("miss", "stays"), [(20, True), (21, False)])
def test_a_patch_may_miss_its_person_by_twenty_cells(miss: int, stays: bool) -> None:
    scene = Scene()
    scene.add(10, 5, 50, 20)
    piece = scene.add(50, 60, 55, 65, peak=-6)
    rows, columns = np.mgrid[: SIZE[0], : SIZE[1]]
    scene.output[1][piece], scene.output[2][piece] = (30 - rows[piece]) / 16, (12 + miss - columns[piece]) / 16
    owner, count, kept = scene.owners()
    assert count == 1 and kept[piece].all() == stays == kept[piece].any()
    assert not stays or (owner[piece] == owner[30, 12]).all()


def test_a_single_cell_that_misses_everybody_goes() -> None:
    scene = Scene()
    scene.add(10, 5, 50, 20)
    speck = scene.add(30, 43, 31, 44, peak=-6)
    assert not scene.owners()[2][speck].any()


def test_beside_somebody_nobodys_cells_are_as_close_as_the_neighbours_in_the_mean() -> None:
    scene = Scene()
    scene.add(10, 10, 30, 25), scene.add(20, 25, 50, 60)
    scene.output[1:] += np.random.default_rng(0).normal(0, 0.2, (2, *SIZE)).astype(np.float32)
    rows, columns = np.mgrid[: SIZE[0], : SIZE[1]]
    target = rows + 16 * scene.output[1], columns + 16 * scene.output[2]
    closeness, kept = group(scene.output, scene.somebody)
    for plane, (y, x) in zip(closeness, [(20, 17), (35, 42)], strict=True):
        pointed = -np.hypot(target[0] - y, target[1] - x)
        for row, column in np.ndindex(SIZE):
            around = np.s_[max(0, row - 1) : row + 2, max(0, column - 1) : column + 2]
            beside = not kept[row, column] and kept[around].any()
            expected = pointed[around][kept[around]].mean() if beside else pointed[row, column]
            assert abs(plane[row, column] - expected) < 1e-3


def test_somebody_everywhere_is_somebody() -> None:
    scene = Scene()
    scene.add(0, 0, *SIZE)
    owner, count, kept = scene.owners()
    assert count == 1 and kept.all() and not owner.any()


def test_patches_without_a_peak_get_the_numbers_that_are_left() -> None:
    """254 people in a crowd and two patches: one of these is the 255th, and for the other there is no number."""
    size = (160, 160)
    output, somebody = np.zeros((3, *size), np.float32), np.zeros(size, np.bool_)
    output[0] = -6
    for index in range(254):
        y, x = 8 * (index // 20), 8 * (index % 20)
        somebody[y : y + 4, x : x + 4], output[0, y + 2, x + 2] = True, 4
    rows, columns = np.mgrid[: size[0], : size[1]]
    output[1], output[2] = (rows // 8 * 8 + 2 - rows) / 16, (columns // 8 * 8 + 2 - columns) / 16
    lone = [np.s_[120:133, 0:13], np.s_[140:153, 60:73]]
    for patch in lone:
        somebody[patch], output[1][patch], output[2][patch] = True, 20, 20  # far beyond everybody
    closeness, kept = group(output, somebody)
    assert len(closeness) == 255
    assert kept[lone[0]].all() and not kept[lone[1]].any()
    owner = closeness.argmax(axis=0)
    assert (owner[lone[0]] == 254).all()
    assert len(np.unique(owner[:104][kept[:104]])) == 254
