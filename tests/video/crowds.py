"""Made-up frames for tests of tracking: rectangles that walk, each in its own colours, and a parser that knows them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from humanparse.config import Settings
from humanparse.parsers.contract import Parser
from humanparse.records import ParserInfo, Parsing

SIZE = (120, 200)
INFO = ParserInfo("crowd", "1")
CHEST, LEGS = 5, 9
GREY = 128


@dataclass(frozen=True)
class Body:
    """Somebody at x, y (upper left corner), w by h pixels, with shirt and trousers of these colours."""

    x: int
    y: int = 30
    w: int = 20
    h: int = 60
    shirt: tuple[int, int, int] = (250, 20, 20)
    trousers: tuple[int, int, int] = (20, 20, 250)


RED, GREEN, BLUE, YELLOW = (250, 20, 20), (20, 250, 20), (20, 20, 250), (250, 250, 20)
BLACK = (10, 10, 10)


def draw(bodies: Sequence[Body | None], size: tuple[int, int] = SIZE) -> tuple[NDArray[np.uint8], NDArray[np.intp]]:
    """The picture, and for each pixel the place in `bodies` of whom it shows, -1 nobody; the later stand in front."""
    image = np.full((*size, 3), GREY, np.uint8)
    whose = np.full(size, -1, np.intp)
    for place, body in enumerate(bodies):
        if body is None:
            continue
        top, waist, bottom = body.y, body.y + body.h // 2, body.y + body.h
        left, right = max(0, body.x), max(0, body.x + body.w)
        image[top:waist, left:right] = body.shirt
        image[waist:bottom, left:right] = body.trousers
        whose[top:bottom, left:right] = place
    return image, whose


def parsing_of(whose: NDArray[np.intp]) -> Parsing:
    """The Parsing of a drawn frame, numbered by area as all are."""
    people = (whose + 1).astype(np.uint8)
    labels = np.where(people > 0, CHEST, 0).astype(np.uint8)
    return Parsing.from_maps(labels, people, np.full(people.shape, 200, np.uint8), INFO)


def owners(parsing: Parsing, whose: NDArray[np.intp]) -> list[int]:
    """For each person of the parsing the place in `bodies`."""
    return [int(whose[parsing.people == person.number][0]) for person in parsing.persons]


class ColourParser(Parser):
    """Finds people by the colour of their shirts: whatever is red, green, blue or yellow is somebody of that colour."""

    def __init__(self, settings: Settings | None = None) -> None:
        del settings

    @property
    def info(self) -> ParserInfo:
        return INFO

    def available(self) -> str | None:
        return None

    def load(self) -> None:
        pass

    def parse(self, image: NDArray[np.uint8]) -> Parsing:
        people = np.zeros(image.shape[:2], np.uint8)
        for number, colour in enumerate((RED, GREEN, BLUE, YELLOW), 1):
            people[np.abs(image.astype(int) - colour).max(axis=2) < 70] = number
        labels = np.where(people > 0, CHEST, 0).astype(np.uint8)
        return Parsing.from_maps(labels, people, np.full(people.shape, 200, np.uint8), INFO)
