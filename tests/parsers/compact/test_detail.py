"""A closer look finds what was too small to see, and changes nothing but the person looked at."""

from __future__ import annotations

from collections.abc import Callable

import cv2
import numpy as np
import pytest

from humanparse.parsers.compact import detail
from humanparse.parsers.compact.detail import find_small, holes, look_closer
from humanparse.parsers.compact.grouping import OFFSET_UNIT
from humanparse.parsers.compact.reading import Maps, Reading, look

SIZE = (600, 800)
CLOTH, STRIPE = 5, 9


def infer(padded: np.ndarray) -> Maps:
    """A network for tests: what has no blue is somebody, cloth or, if greener than red, stripe; patches are people."""
    cells = padded[2::4, 2::4].astype(int)
    red = (cells[..., 2] < 60) & (cells[..., 0] >= cells[..., 1])
    green = (cells[..., 2] < 60) & ~red
    parts = np.zeros((20, *red.shape), np.float32)
    parts[0], parts[CLOTH], parts[STRIPE] = 1, 5 * red, 5 * green
    people = np.zeros((3, *red.shape), np.float32)
    people[0] = -9
    count, patches = cv2.connectedComponents((red | green).astype(np.uint8))
    rows, columns = np.mgrid[: red.shape[0], : red.shape[1]]
    for number in range(1, count):
        mine = patches == number
        y, x = rows[mine].mean(), columns[mine].mean()
        people[0, round(y), round(x)] = 9
        people[1][mine], people[2][mine] = (y - rows[mine]) / OFFSET_UNIT, (x - columns[mine]) / OFFSET_UNIT
    joints = np.zeros((17, *red.shape), np.float32)
    joints[:, rows[red].min(initial=0), columns[red].min(initial=0)] = 9  # key points: a corner of somebody
    return Maps(parts, people, joints)


def draw(*boxes: tuple[int, int, int, int]) -> np.ndarray:
    """People as red boxes (y0, x0, y1, x1) with a thin green stripe across, on grey."""
    image = np.full((*SIZE, 3), 127, np.uint8)
    for y0, x0, y1, x1 in boxes:
        image[y0:y1, x0:x1] = (255, 0, 0)
        middle = (y0 + y1) // 2
        image[middle : middle + 2, x0:x1] = (0, 255, 0)
    return image


SMALL, LARGE = (103, 100, 183, 140), (50, 400, 590, 700)


def read(image: np.ndarray) -> tuple[Reading, Reading]:
    """The first look and the closer one."""
    first, inner = look(image, 512, infer)
    return first, look_closer(image, first, inner, infer)


def test_a_small_persons_thin_part_is_found() -> None:
    first, closer = read(draw(SMALL, LARGE))
    assert STRIPE not in first.labels[103:183, 100:140]
    assert STRIPE in closer.labels[103:183, 100:140]
    assert abs(int((closer.people[80:200, 80:160] > 0).sum()) - 80 * 40) < 200


def test_people_keep_their_numbers_and_the_others_their_pixels() -> None:
    first, closer = read(draw(SMALL, LARGE))
    assert np.array_equal(closer.labels > 0, closer.people > 0)
    assert closer.people[140, 110] == first.people[140, 110]
    for before, after in zip(first[:3], closer[:3], strict=True):
        assert np.array_equal(before[:, 300:], after[:, 300:])


def test_the_first_look_is_not_changed() -> None:
    image = draw(SMALL)
    first, inner = look(image, 512, infer)
    copies = [first.labels.copy(), first.people.copy(), first.confidence.copy(), first.keypoints.copy()]
    look_closer(image, first, inner, infer)
    assert all(np.array_equal(before, now) for before, now in zip(copies, first[:4], strict=True))


def test_key_points_of_the_crop_come_back_to_their_place_in_the_photo() -> None:
    _, closer = read(draw(SMALL))
    assert closer.keypoints is not None
    assert closer.keypoints[0, :, :2] == pytest.approx(np.tile((100, 103), (17, 1)), abs=3)


def test_nobody_small_means_no_second_look() -> None:
    first, closer = read(draw(LARGE))
    assert closer is first


def test_the_largest_of_the_small_come_first_and_not_too_many() -> None:
    whose = np.zeros((96, 128), np.intp)
    for number in range(1, 15):
        whose[0 : 4 + number, 8 * number : 8 * number + 4] = number
    whose[40:, :] = 15
    found = list(find_small(whose, SIZE, (384, 512)))
    assert [small.number for small in found] == list(range(14, 6, -1))
    rows, columns = found[0].window
    assert rows.start == 0 and rows.stop >= 18 * 6.25
    assert columns.start < 112 * 6.25 and columns.stop > 116 * 6.25


def test_a_hole_is_what_is_surrounded() -> None:
    ring = np.zeros((9, 9), np.bool_)
    ring[2:7, 2:7] = True
    ring[4, 4] = False
    assert holes(ring).sum() == 1
    assert holes(ring)[4, 4]
    assert not holes(ring[4:]).any()  # open to the edge of the picture
    assert not holes(np.ones((3, 3), np.bool_)).any()


def test_a_hole_in_the_closer_look_keeps_what_the_first_look_saw(monkeypatch: pytest.MonkeyPatch) -> None:
    image = draw(SMALL)
    first, inner = look(image, 512, infer)

    def with_a_hole(crop: np.ndarray, side: int, ask: Callable[[np.ndarray], Maps]) -> tuple[Reading, tuple[int, int]]:
        reading = look(crop, side, ask)[0]
        middle = np.s_[crop.shape[0] // 2 - 5 : crop.shape[0] // 2 + 5, crop.shape[1] // 2 - 5 : crop.shape[1] // 2 + 5]
        reading.labels[middle] = reading.people[middle] = 0
        return reading, inner

    monkeypatch.setattr(detail, "look", with_a_hole)
    closer = look_closer(image, first, inner, infer)
    assert (closer.people[110:176, 108:132] > 0).all()


def test_a_crop_that_shows_nobody_changes_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    image = draw(SMALL)
    first, inner = look(image, 512, infer)
    nobody = Reading(*(np.zeros_like(a) for a in first))
    monkeypatch.setattr(detail, "look", lambda crop, side, infer: (cut(nobody, crop), inner))
    closer = look_closer(image, first, inner, infer)
    assert np.array_equal(closer.labels, first.labels)
    assert np.array_equal(closer.people, first.people)


def cut(reading: Reading, crop: np.ndarray) -> Reading:
    maps = (array[: crop.shape[0], : crop.shape[1]] for array in reading[:3])
    return Reading(*maps, reading.keypoints, reading.whose)


@pytest.mark.parametrize(("cells", "wanted"), [(3, False), (4, True), (60, True), (61, False)])
def test_small_is_from_16_to_240_pixels_of_what_the_network_saw(cells: int, wanted: bool) -> None:
    for shape in ((cells, 2), (2, cells)):
        whose = np.zeros((128, 128), np.intp)
        whose[5 : 5 + shape[0], 7 : 7 + shape[1]] = 1
        assert bool(list(find_small(whose, (512, 512), (512, 512)))) == wanted


def test_a_window_is_the_person_and_a_fifth_of_its_longer_side_around() -> None:
    whose = np.zeros((96, 128), np.intp)
    whose[20:30, 40:44], whose[0:10, 124:128], whose[90:96, 0:4] = 1, 2, 3
    windows = dict(find_small(whose, SIZE, (384, 512)))
    assert windows[1] == np.s_[112:201, 237:288]  # 18 to 32 and 38 to 46 cells of 6.25 pixels
    assert windows[2] == np.s_[0:76, 762:800]
    assert windows[3] == np.s_[555:600, 0:33]


def test_a_crop_is_looked_at_with_384_pixels() -> None:
    shown: list[tuple[int, ...]] = []

    def noting(padded: np.ndarray) -> Maps:
        shown.append(padded.shape)
        return infer(padded)

    image = draw(SMALL)
    first, inner = look(image, 512, infer)
    look_closer(image, first, inner, noting)
    assert shown == [(384, 256, 3)]


class Closer:
    """Two people, a small one and a large one at its right, and what a closer look at the small one sees."""

    small, large = np.s_[160:240, 176:216], np.s_[80:400, 216:512]

    def __init__(self) -> None:
        self.people = np.zeros((512, 512), np.uint8)
        self.people[self.small], self.people[self.large] = 1, 2
        whose = self.people[::4, ::4].astype(np.intp)
        labels, certain = self.people * np.uint8(CLOTH), np.full_like(self.people, 100)
        self.first = Reading(labels, self.people, certain, np.zeros((2, 17, 3), np.float32), whose)
        (self.window,) = [small.window for small in find_small(whose, (512, 512), (512, 512))]

    def look(self, seen: np.ndarray, patch: pytest.MonkeyPatch, number: int = 1, others: bool = True) -> Reading:
        """What comes of it where the crop's person of this `number`, all stripes, is `seen` (512, 512) bool.

        others: somebody else is all around, else nobody.
        """
        mine = seen[self.window]
        people = np.where(mine, number, others * (3 - number)).astype(np.uint8)
        points = np.arange(2 * 17 * 3).reshape(2, 17, 3).astype(np.float32)
        labels = np.where(mine, STRIPE, CLOTH).astype(np.uint8)
        crop = Reading(labels, people, np.full_like(people, 200), points, people.astype(np.intp))
        patch.setattr(detail, "look", lambda image, side, infer: (crop, (384, 384)))
        return look_closer(np.zeros((512, 512, 3), np.uint8), self.first, (512, 512), infer)


@pytest.mark.parametrize("number", [1, 2])
def test_the_closer_look_decides_what_is_hers_but_takes_nothing_from_a_neighbour(
    number: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    case, seen = Closer(), np.zeros((512, 512), np.bool_)
    seen[170:245, 171:221] = True  # less above, more below and at the left, and across the neighbour's border
    closer = case.look(seen, monkeypatch, number)
    hers = seen & (case.people != 2)
    assert np.array_equal(closer.people == 1, hers)
    assert np.array_equal(closer.people == 2, case.people == 2)
    assert np.array_equal(closer.labels == STRIPE, hers)
    assert np.array_equal(closer.labels > 0, closer.people > 0)
    assert np.array_equal(closer.confidence == 200, hers)
    assert closer.keypoints is not None and not closer.keypoints[1].any()
    corner = (case.window[1].start, case.window[0].start, 0)
    points = np.arange(2 * 17 * 3).reshape(2, 17, 3)[number - 1]
    assert np.array_equal(closer.keypoints[0], points + corner)


@pytest.mark.parametrize(("rows", "taken"), [(23, False), (24, True)])
def test_who_covers_less_than_three_tenths_is_somebody_else(
    rows: int, taken: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of 80 rows; the rest is nobody in the crop."""
    case, seen = Closer(), np.zeros((512, 512), np.bool_)
    seen[160 : 160 + rows, 176:216] = True
    closer = case.look(seen, monkeypatch, others=False)
    assert np.array_equal(closer.people, np.where(case.people == 2, 2, seen) if taken else case.people)
    assert (STRIPE in closer.labels) == taken


def test_who_has_no_pixel_in_the_photo_gets_none(monkeypatch: pytest.MonkeyPatch) -> None:
    """A cell that is somebody's may be nobody's in every pixel: then there is nothing to look for."""
    case = Closer()
    case.people[case.small] = 0
    closer = case.look(np.zeros((512, 512), np.bool_), monkeypatch, others=False)
    assert np.array_equal(closer.people, case.people) and STRIPE not in closer.labels


def test_without_key_points_there_are_none_after_the_closer_look() -> None:
    image = draw(SMALL)
    first, inner = look(image, 512, lambda padded: infer(padded)._replace(joints=None))
    closer = look_closer(image, first, inner, lambda padded: infer(padded)._replace(joints=None))
    assert first.keypoints is None and closer.keypoints is None
    assert STRIPE in closer.labels[103:183, 100:140]
