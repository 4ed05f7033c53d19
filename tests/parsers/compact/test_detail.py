"""A closer look finds what was too small to see, and changes nothing but the person looked at."""

from __future__ import annotations

from collections.abc import Callable

import cv2
import numpy as np
import pytest

from humanparse.parsers.compact import detail
from humanparse.parsers.compact.detail import MAX_LOOKS, find_small, holes, look_closer
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
    assert [small.number for small in found] == list(range(14, 14 - MAX_LOOKS, -1))
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
