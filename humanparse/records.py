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

import cv2
import numpy as np
from numpy.typing import NDArray

from humanparse.keypoints import NUM_KEYPOINTS
from humanparse.labels import NAMES, NUM_CLASSES

BAND_PIXELS = 1_000_000  # looked at together
MIN_BAND = 16  # rows
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
        if labels.max() >= NUM_CLASSES:
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
    areas = np.bincount(people.ravel())
    areas[0] = 0
    order = np.argsort(-areas, kind="stable")
    return [int(number) for number in order[areas[order] > 0]]


def _pose(points: NDArray[np.float32], size: tuple[int, ...]) -> tuple[Keypoint, ...]:
    """One person's key points (17, 3), moved into the photo of `size` (height, width) where they lie outside."""
    highest = np.array([size[1] - 1, size[0] - 1, 1.0])
    inside = np.clip(points.astype(np.float64), 0, highest)
    return tuple(Keypoint(round(x, 1), round(y, 1), round(score, 4)) for x, y, score in inside.tolist())


class _Tally:
    """Areas, sums of confidence and extents of every (person, class), counted window by window."""

    def __init__(self, people: int) -> None:
        kinds = (people + 1, NUM_CLASSES)
        self.areas, self.sums = np.zeros(kinds, np.int64), np.zeros(kinds, np.int64)
        self.first = np.full((*kinds, 2), np.iinfo(np.int64).max)  # x, y
        self.beyond = np.zeros((*kinds, 2), np.int64)

    def add(
        self, labels: NDArray[np.uint8], people: NDArray[np.uint8], confidence: NDArray[np.uint8], top: int
    ) -> None:
        """Count rows from `top` on. All OpenCV, four times as fast as counting with indices."""
        for number in _values(people):
            mine = (people == np.uint8(number)).view(np.uint8)
            x, y, w, h = cv2.boundingRect(mine)
            window = np.s_[y : y + h, x : x + w]
            ids = labels[window] * mine[window]
            for index in _values(ids):
                part = (ids == np.uint8(index)).view(np.uint8)
                px, py, pw, ph = cv2.boundingRect(part)
                area = cv2.countNonZero(part)
                self.areas[number, index] += area
                self.sums[number, index] += round(cv2.mean(confidence[window], part)[0] * area)
                x0, y0 = x + px, top + y + py
                self.first[number, index] = np.minimum(self.first[number, index], (x0, y0))
                self.beyond[number, index] = np.maximum(self.beyond[number, index], (x0 + pw, y0 + ph))

    def box(self, number: int, ids: Sequence[int]) -> Box:
        x0, y0 = self.first[number, ids].min(axis=0).tolist()
        x1, y1 = self.beyond[number, ids].max(axis=0).tolist()
        return x0, y0, x1, y1


def _summarise(
    labels: NDArray[np.uint8],
    people: NDArray[np.uint8],
    confidence: NDArray[np.uint8],
    poses: Sequence[tuple[Keypoint, ...]],
) -> tuple[Person, ...]:
    """The people with their parts. The more there are, the narrower the bands that are looked at: few are in each."""
    tally, (height, width) = _Tally(len(poses)), people.shape
    rows = max(MIN_BAND, min(BAND_PIXELS // width, height // max(1, len(poses))))
    for top in range(0, height, rows):
        band = np.s_[top : top + rows]
        tally.add(labels[band], people[band], confidence[band], top)
    persons = []
    for number, pose in enumerate(poses, 1):
        areas, sums = tally.areas[number], tally.sums[number]
        ids = np.flatnonzero(areas).tolist()
        parts = tuple(Part(i, int(areas[i]), tally.box(number, [i]), _score(sums[i], areas[i])) for i in ids)
        area, box = int(areas.sum()), tally.box(number, ids)
        persons.append(Person(number, area, box, _score(sums.sum(), area), parts, pose))
    return tuple(persons)


def _values(array: NDArray[np.uint8]) -> list[int]:
    """What is in an (h, w) uint8 array, but for 0."""
    counts = np.ravel(cv2.calcHist([array], [0], None, [256], [0, 256]))
    return [int(value) for value in np.flatnonzero(counts) if value]


def _score(total: int, area: int) -> float:
    return round(int(total) / 255 / int(area), 4)
