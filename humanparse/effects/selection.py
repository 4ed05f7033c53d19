"""Where an effect goes: the background, people, parts of them, or everywhere but there; with soft edges."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, Final

import cv2
import numpy as np
from numpy.typing import NDArray

from humanparse.effects.lines import bands
from humanparse.errors import InvalidOption
from humanparse.labels import NAMES, NUM_CLASSES, plain_name
from humanparse.records import Parsing
from humanparse.values import read_number

BACKGROUND: Final = "background"
GROUPS: Final = {
    # name: the classes that it stands for
    BACKGROUND: frozenset({0}),
    "person": frozenset(range(1, NUM_CLASSES)),
    "head": frozenset({1, 2, 4, 13}),
    "skin": frozenset({10, 13, 14, 15, 16, 17}),
    "clothes": frozenset({1, 3, 5, 6, 7, 8, 9, 11, 12, 18, 19}),
    "arms": frozenset({14, 15}),
    "legs": frozenset({16, 17}),
    "shoes": frozenset({18, 19}),
}
MOST_FEATHER: Final = 200.0  # pixels


WORDS: Final = {**{plain_name(name): frozenset({i}) for i, name in enumerate(NAMES)}, **GROUPS}
"""What `only` and `except` may name -> classes: every class, however it is hyphenated, and the groups."""


@dataclass(frozen=True)
class Selection:
    """Classes and people that an effect is for.

    only: classes; none for all. besides: classes that it is not for. people: numbers of the people map;
    none for all.
    """

    only: frozenset[int] = frozenset()
    besides: frozenset[int] = frozenset()
    people: frozenset[int] = frozenset()

    @property
    def everywhere(self) -> bool:
        """Is nothing chosen? Then no parsing is needed."""
        return not (self.only or self.besides or self.people)

    def chosen(self) -> dict[str, list[Any]]:
        """What is chosen, by the API's names: names of classes, numbers of people."""
        where: dict[str, list[Any]] = {
            "only": [NAMES[i] for i in sorted(self.only)],
            "except": [NAMES[i] for i in sorted(self.besides)],
            "people": sorted(self.people),
        }
        return {name: chosen for name, chosen in where.items() if chosen}

    def mask(self, parsing: Parsing) -> NDArray[np.uint8]:
        """(H, W) uint8: 255 where the effect goes, 0 where the photo stays.

        Raises InvalidOption for people that are not there.
        """
        count = len(parsing.persons)
        missing = sorted(number for number in self.people if number > count)
        if missing:
            there = f"there are {count} people in the photo" if count != 1 else "there is 1 person in the photo"
            allowed = list(range(1, count + 1))
            raise InvalidOption(f"people names {missing[0]}; {there}.", option="people", allowed=allowed)
        classes = np.zeros(256, np.uint8)
        wanted = self.only or frozenset(range(NUM_CLASSES))
        classes[sorted(wanted - self.besides)] = 255
        mask = np.asarray(cv2.LUT(parsing.labels, classes), np.uint8)
        if self.people:
            whose = np.zeros(256, np.uint8)
            whose[list(self.people)] = 255
            whose[0] = 255 if 0 in self.only else 0  # the background is nobody's: it has to be asked for
            mask &= np.asarray(cv2.LUT(parsing.people, whose), np.uint8)
        return mask


def soften(mask: NDArray[np.uint8], feather: float) -> NDArray[np.uint8]:
    """The mask with edges `feather` pixels wide, half on each side."""
    if feather <= 0:
        return mask
    sigma = feather / 4  # from 2 % to 98 % over four of them
    side = 2 * math.ceil(3 * sigma) + 1
    return np.asarray(cv2.GaussianBlur(mask, (side, side), sigma, borderType=cv2.BORDER_REPLICATE), np.uint8)


def blend(image: NDArray[np.uint8], changed: NDArray[np.uint8], mask: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """`changed` where the mask is 255, `image` where it is 0, between where between; written into `changed`."""
    for rows in bands(image):
        share = mask[rows].astype(np.uint16)[..., None]
        mixed = image[rows] * (255 - share) + changed[rows] * share
        changed[rows] = (mixed + 127) // 255
    return changed


def read_classes(option: str, value: object) -> frozenset[int]:
    """The classes that "face,hair" or ["face", "hair"] names. Raises InvalidOption."""
    names = value.split(",") if isinstance(value, str) else value
    if not isinstance(names, list) or not all(isinstance(name, str) for name in names):
        raise InvalidOption(f"{option} is {value!r}; it must be a list of names.", option=option)
    found: set[int] = set()
    for name in filter(None, map(str.strip, names)):
        if plain_name(name) not in WORDS:
            allowed = [*GROUPS, *NAMES[1:]]
            raise InvalidOption(
                f"{option} has {name!r}; it may have {', '.join(allowed)}.", option=option, allowed=allowed
            )
        found |= WORDS[plain_name(name)]
    return frozenset(found)


def read_people(value: object) -> frozenset[int]:
    """The numbers in "1,3", [1, 3] or 1. Raises InvalidOption."""
    numbers = value.split(",") if isinstance(value, str) else value if isinstance(value, list) else [value]
    texts = [str(number).strip() for number in numbers]
    if not all(text.isascii() and text.isdigit() and len(text) < 4 and 1 <= int(text) <= 255 for text in texts if text):
        raise InvalidOption(f"people is {value!r}; it must be numbers from 1, largest person first.", option="people")
    return frozenset(int(text) for text in texts if text)


def read_feather(value: object) -> float:
    """Pixels. Raises InvalidOption."""
    return read_number("feather", value, 0, MOST_FEATHER)
