"""What a parser answers, as frozen records; and the one way to build them from maps.

The invariants of a `Parsing` are laws that tests state: `labels > 0` exactly where `people > 0`;
every person listed owns at least one pixel; a person's part areas sum to its area; boxes are
tight; scores lie in [0, 1]; people are numbered by area, largest first; a person has all 17 key
points, within the photo, or none.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from humanparse.keypoints import NUM_KEYPOINTS
from humanparse.labels import NAMES, NUM_CLASSES

BAND_PIXELS = 1_000_000  # looked at together
MAX_PEOPLE = 255  # numbers that fit the people map beside 0, nobody

Box = tuple[int, int, int, int]
"""x0, y0, x1, y1 in pixels; x1 and y1 are the first column and row outside."""


class Keypoint(NamedTuple):
    """A point of the body: x and y in pixels of the photo (0.0 is the centre of the first one), score in [0, 1].

    A score below `keypoints.MIN_SCORE` is a guess: the point is hidden or out of the photo.
    """

    x: float
    y: float
    score: float


@dataclass(frozen=True)
class Part:
    """One class on one person: area in pixels, tight box, mean confidence in [0, 1]."""

    id: int
    area: int
    box: Box
    score: float

    @property
    def name(self) -> str:
        return NAMES[self.id]


@dataclass(frozen=True)
class Person:
    """Number in the people map (from 1), area in pixels, tight box, score, parts by class id.

    keypoints: the 17 of COCO in its order, or none from a parser or weights that know no key points.
    """

    number: int
    area: int
    box: Box
    score: float
    parts: tuple[Part, ...]
    keypoints: tuple[Keypoint, ...] = ()


@dataclass(frozen=True)
class ParserInfo:
    """Which parser answered: its name and the version of its weights."""

    name: str
    version: str


@dataclass(frozen=True, eq=False)
class Parsing:
    """labels (H, W) uint8 class ids, people (H, W) uint8 numbers (0 nobody), and their summary."""

    labels: NDArray[np.uint8]
    people: NDArray[np.uint8]
    persons: tuple[Person, ...]
    parser: ParserInfo

    @property
    def size(self) -> tuple[int, int]:
        """(height, width)."""
        height, width = self.labels.shape
        return height, width

    @property
    def part_names(self) -> list[str]:
        """Names of the classes found on anybody, by class id."""
        found = {part.id for person in self.persons for part in person.parts}
        return [NAMES[i] for i in sorted(found)]

    @classmethod
    def from_maps(
        cls,
        labels: NDArray[np.uint8],
        people: NDArray[np.uint8],
        confidence: NDArray[np.uint8],
        parser: ParserInfo,
        keypoints: NDArray[np.float32] | None = None,
    ) -> Parsing:
        """The record of a label map and a people map that agree on who is where.

        `labels`, `people` and `confidence` are (H, W) uint8; confidence is the winning class's
        probability times 255. `keypoints` is (N, 17, 3) float32, x, y, score; row n - 1 is person
        n's. People are renumbered by area, largest first. Raises ValueError where these contradict
        each other: that is a parser's bug, not a user's.
        """
        if not labels.shape == people.shape == confidence.shape:
            raise ValueError(f"maps differ in size: {labels.shape}, {people.shape}, {confidence.shape}")
        if labels.size and int(labels.max()) >= NUM_CLASSES:
            raise ValueError(f"label {int(labels.max())} is not a class id (0 to {NUM_CLASSES - 1})")
        if not np.array_equal(labels > 0, people > 0):
            raise ValueError("labels and people disagree on which pixels are somebody's")
        order = _order_by_area(people)
        count = max(order, default=0)
        if keypoints is not None and (keypoints.shape[1:] != (NUM_KEYPOINTS, 3) or len(keypoints) < count):
            raise ValueError(f"key points are {keypoints.shape}; ({count}, {NUM_KEYPOINTS}, 3) is expected")
        table = np.zeros(256, np.uint8)
        table[order] = np.arange(1, len(order) + 1)
        people = table[people]
        for array in (labels, people):
            array.setflags(write=False)
        poses = [()] * len(order) if keypoints is None else [_pose(keypoints[n - 1], labels.shape) for n in order]
        return cls(labels, people, _summarise(labels, people, confidence, poses), parser)


def _order_by_area(people: NDArray[np.uint8]) -> list[int]:
    """The numbers in use, largest area first."""
    areas = np.bincount(people.ravel(), minlength=256)
    areas[0] = 0
    order = np.argsort(-areas, kind="stable")
    return [int(number) for number in order[areas[order] > 0]]


def _pose(points: NDArray[np.float32], size: tuple[int, ...]) -> tuple[Keypoint, ...]:
    """One person's key points (17, 3), moved into the photo of `size` (height, width) where they lie outside."""
    highest = np.array([size[1] - 1, size[0] - 1, 1.0])
    inside = np.clip(points.astype(np.float64), 0, highest)
    return tuple(Keypoint(round(x, 1), round(y, 1), round(score, 4)) for x, y, score in inside.tolist())


def _summarise(
    labels: NDArray[np.uint8],
    people: NDArray[np.uint8],
    confidence: NDArray[np.uint8],
    poses: Sequence[tuple[Keypoint, ...]],
) -> tuple[Person, ...]:
    """Areas, boxes and scores of every (person, class), a band of rows at a time: the pixels in use take 40 bytes."""
    count = int(people.max(initial=0))
    kinds, (height, width) = (count + 1) * NUM_CLASSES, people.shape
    areas, sums = np.zeros(kinds, np.int64), np.zeros(kinds)
    on_row, on_column = np.zeros((kinds, height), np.bool_), np.zeros((kinds, width), np.bool_)
    band = max(1, BAND_PIXELS // max(1, width))
    for top in range(0, height, band):
        rows, columns = np.nonzero(people[top : top + band])
        rows += top
        key = people[rows, columns].astype(np.intp) * NUM_CLASSES + labels[rows, columns]
        areas += np.bincount(key, minlength=kinds)
        sums += np.bincount(key, weights=confidence[rows, columns], minlength=kinds)
        on_row[key, rows] = True
        on_column[key, columns] = True
    (y0, y1), (x0, x1) = _extent(on_row), _extent(on_column)
    persons = []
    for number in range(1, count + 1):
        ids = [i for i in range(1, NUM_CLASSES) if areas[number * NUM_CLASSES + i]]
        keys = [number * NUM_CLASSES + i for i in ids]
        parts = tuple(
            Part(i, int(areas[k]), (int(x0[k]), int(y0[k]), int(x1[k]), int(y1[k])), _score(sums[k], areas[k]))
            for i, k in zip(ids, keys, strict=True)
        )
        box = (int(x0[keys].min()), int(y0[keys].min()), int(x1[keys].max()), int(y1[keys].max()))
        area = int(areas[keys].sum())
        persons.append(Person(number, area, box, _score(sums[keys].sum(), area), parts, poses[number - 1]))
    return tuple(persons)


def _extent(present: NDArray[np.bool_]) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """(kinds, length) -> first position of each kind, and the one after its last; zeros where a kind is absent."""
    found = present.any(axis=1)
    first = np.where(found, present.argmax(axis=1), 0)
    last = np.where(found, present.shape[1] - present[:, ::-1].argmax(axis=1), 0)
    return first, last


def _score(total: float, area: int) -> float:
    return round(float(total) / 255 / int(area), 4)
