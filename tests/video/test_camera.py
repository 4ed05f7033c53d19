"""The camera's movement is seen by what stands still, and people's is not taken for it."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from humanparse.video.camera import Camera
from humanparse.video.tracking import Tracker
from tests.video.crowds import BLUE, GREEN, Body, draw, parsing_of

NOBODY = np.zeros((120, 200), np.uint8)


@pytest.fixture(scope="module")
def wall() -> NDArray[np.uint8]:
    """(300, 500, 3): soft noise."""
    noise = np.random.default_rng(3).integers(0, 256, (30, 50, 3), np.uint8)
    return np.asarray(cv2.resize(noise, (500, 300), interpolation=cv2.INTER_CUBIC), np.uint8)


def view(wall: NDArray[np.uint8], x: int, y: int) -> NDArray[np.uint8]:
    return wall[y : y + 120, x : x + 200].copy()


def test_a_turning_camera_is_followed(wall: NDArray[np.uint8]) -> None:
    camera = Camera()
    for t in range(20):
        image = view(wall, 40 + 9 * t, 80 - 3 * t)
        before = image.copy()
        camera.look(image, NOBODY)
        assert np.array_equal(image, before)
    assert camera.place == pytest.approx([-9 * 19, 3 * 19], abs=6)  # it adds up a third of a pixel a frame


def test_people_who_walk_before_a_wall_do_not_turn_it(wall: NDArray[np.uint8]) -> None:
    camera = Camera()
    for t in range(12):
        drawn, whose = draw([Body(10 + 8 * t, y=5, w=90, h=110)])
        image = np.where(whose[..., None] >= 0, drawn, view(wall, 100, 80))
        camera.look(image, (whose + 1).astype(np.uint8))
    assert camera.place == pytest.approx([0, 0], abs=1)


@pytest.mark.parametrize("level", [0, 128])
def test_a_plain_wall_shows_nothing(level: int) -> None:
    camera = Camera()
    for t in range(5):
        drawn, whose = draw([Body(10 + 20 * t, shirt=GREEN)])
        drawn[whose < 0] = level
        camera.look(drawn, (whose + 1).astype(np.uint8))
    assert camera.place.tolist() == [0, 0]


def test_who_left_the_picture_because_the_camera_turned_is_known_when_it_turns_back(wall: NDArray[np.uint8]) -> None:
    """Two in the same clothes, far apart: only where the camera looked says who is who."""
    bodies = [Body(60, y=110, h=80, shirt=BLUE), Body(340, y=110, h=80, shirt=BLUE)]
    tracker, told = Tracker(), []
    for t, x in enumerate([*range(20, 220, 20), *range(220, 20, -20)]):
        seen = [Body(b.x - x, b.y - 80, b.w, b.h, b.shirt, b.trousers) if -20 < b.x - x < 200 else None for b in bodies]
        drawn, whose = draw(seen)
        parsing = parsing_of(whose)
        image = np.where(whose[..., None] >= 0, drawn, view(wall, x, 80))
        ids = tracker.update(parsing.people, parsing.persons, image, t / 10)
        places = [int(whose[parsing.people == person.number][0]) for person in parsing.persons]
        told.append(dict(zip(places, ids, strict=True)))
    known = [{frame[place] for frame in told if place in frame} for place in (0, 1)]
    assert [len(ids) for ids in known] == [1, 1]
    assert known[0] != known[1]
