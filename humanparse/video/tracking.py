"""Who is who from frame to frame: every person of a frame gets the number that the same person had before.

In two rounds, each solved as a linear assignment, so that the whole of a frame fits best:

1. by overlap: the mask of then, moved on by the speed of then and with the camera, on the masks of now (IoU);
2. those that are left over by nearness and looks: boxes for people who move more than their own
   width from frame to frame, and for those who were hidden or away for a while and come back.

Looks are colour histograms of the upper and the lower half of a person: enough to tell two people
apart who pass each other, not two in the same clothes. Nobody is recognised by the face.
Knows arrays and times, no video. The way of SORT and its followers (arXiv:1602.00763, 1703.07402), on masks.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final

import lap
import numpy as np
from numpy.typing import NDArray

from humanparse.records import Person
from humanparse.video.camera import Camera

KEEP_S: Final = 3.0  # how long somebody who is not seen is remembered
GRID: Final = 320  # masks are compared at no more than so many cells a side
MIN_IOU: Final = 0.15  # less is no overlap; two people side by side in an embrace have about as much
MIN_LOOKS: Final = 0.45  # Bhattacharyya coefficient; of the same person from frame to frame it is above 0.8
BACK_LOOKS: Final = 0.82  # for those who were away: the same person seldom has less, two seldom more
REACH: Final = 0.75  # body heights that somebody may move unseen between two frames
SPEED: Final = 0.75  # and body heights more for every second away: a brisk walk
LONGEST_GLIDE_S: Final = 0.7  # people are thought to go on as they went for so long, then to stand
BINS: Final = 8  # of each of red, green and blue
UNKNOWN_LOOKS: Final = 0.5  # of people too small for the grid
FORBIDDEN: Final = 1e4


@dataclass
class _Track:
    """Somebody seen before. `cells` are (n, 2) rows and columns of the grid; `box` (4,) and `speed` (2,) in pixels.

    camera: where the camera looked then; the speed is their own, without the camera's.
    """

    id: int
    seen_at: float
    box: NDArray[np.float64]
    cells: NDArray[np.intp]
    looks: NDArray[np.float64]
    camera: NDArray[np.float64]
    speed: NDArray[np.float64] = field(default_factory=lambda: np.zeros(2))

    def moved(self, now: float, camera: NDArray[np.float64]) -> NDArray[np.float64]:
        """How far they are likely to have come since they were seen: x and y in pixels."""
        return self.speed * min(now - self.seen_at, LONGEST_GLIDE_S) + camera - self.camera


@dataclass(frozen=True)
class _Seen:
    """The people of one frame: row i is person i of the frame's list."""

    boxes: NDArray[np.float64]
    looks: NDArray[np.float64]
    cells: list[NDArray[np.intp]]
    grid: NDArray[np.uint8]
    numbers: NDArray[np.intp]


class Tracker:
    """Gives people numbers that they keep: from 1, never given twice, without an upper end."""

    def __init__(self) -> None:
        self._tracks: list[_Track] = []
        self._next_id = 1
        self._camera = Camera()

    def update(
        self, people: NDArray[np.uint8], persons: Sequence[Person], image: NDArray[np.uint8], time_s: float
    ) -> list[int]:
        """The numbers of a frame's people, in the order of `persons`; all different.

        Args:
            people: (H, W) uint8, the frame's own numbers of its people, 0 nobody.
            persons: who is in it; `number` is that of `people`.
            image: (H, W, 3) uint8 RGB.
            time_s: when; later than the frame before.
        """
        self._tracks = [track for track in self._tracks if time_s - track.seen_at <= KEEP_S]
        self._camera.look(image, people)
        if not persons:
            return []
        step = max(1, -(-max(people.shape) // GRID))
        seen = _look_at(people, persons, image, step)
        likeness = _likeness(self._tracks, seen.looks)
        found: dict[int, int] = {}  # person's row -> track's row
        for fit in (self._overlap(seen, likeness, step, time_s), self._nearness(seen, likeness, step, time_s)):
            fit[list(found.values()), :] = 0
            fit[:, list(found)] = 0
            found |= _assign(fit)
        ids = []
        for row in range(len(persons)):
            if row in found:
                self._follow(self._tracks[found[row]], seen, row, time_s)
                ids.append(self._tracks[found[row]].id)
            else:
                ids.append(self._next_id)
                track = _Track(
                    self._next_id, time_s, seen.boxes[row], seen.cells[row], seen.looks[row], self._camera.place
                )
                self._tracks.append(track)
                self._next_id += 1
        return ids

    def _overlap(self, seen: _Seen, likeness: NDArray[np.float64], step: int, now: float) -> NDArray[np.float64]:
        """(tracks, persons) in [0, 1]: how well masks lie on each other; 0 where they do not."""
        areas = np.bincount(seen.grid.ravel(), minlength=256)
        fit = np.zeros(likeness.shape)
        for row, track in enumerate(self._tracks):
            if len(track.cells) == 0:
                continue
            shift = np.rint(track.moved(now, self._camera.place)[::-1] / step).astype(np.intp)
            cells = track.cells + shift
            inside = np.all((cells >= 0) & (cells < seen.grid.shape), axis=1)
            under = np.bincount(seen.grid[tuple(cells[inside].T)], minlength=256)[seen.numbers]
            iou = under / (len(cells) + areas[seen.numbers] - under)
            # The better they overlap, the less alike they need to look: light changes, and so does what is hidden.
            same = (iou >= MIN_IOU) & (likeness[row] >= MIN_LOOKS * (1 - iou))
            fit[row] = np.where(same, (iou + likeness[row]) / 2, 0)
        return fit

    def _nearness(self, seen: _Seen, likeness: NDArray[np.float64], step: int, now: float) -> NDArray[np.float64]:
        """(tracks, persons) in [0, 1]: how likely somebody came from where they were; 0 where they cannot have."""
        fit = np.zeros(likeness.shape)
        last = max((track.seen_at for track in self._tracks), default=now)
        for row, track in enumerate(self._tracks):
            centre = (track.box[:2] + track.box[2:]) / 2 + track.moved(now, self._camera.place)
            height = np.maximum(max(track.box[3] - track.box[1], 2 * step), seen.boxes[:, 3] - seen.boxes[:, 1])
            away = np.hypot(*((seen.boxes[:, :2] + seen.boxes[:, 2:]) / 2 - centre).T)
            near = 1 - away / (height * (REACH + SPEED * (now - track.seen_at)))
            wanted = MIN_LOOKS if track.seen_at == last else BACK_LOOKS
            fit[row] = np.where((near > 0) & (likeness[row] >= wanted), (near + likeness[row]) / 2, 0)
        return fit

    def _follow(self, track: _Track, seen: _Seen, row: int, now: float) -> None:
        box, span = seen.boxes[row], now - track.seen_at
        if span > 0:
            moved = (box[:2] + box[2:] - track.box[:2] - track.box[2:]) / 2 - (self._camera.place - track.camera)
            track.speed = (track.speed + moved / span) / 2 if span <= LONGEST_GLIDE_S else np.zeros(2)
        if seen.looks[row].any():
            track.looks = 0.8 * track.looks + 0.2 * seen.looks[row] if track.looks.any() else seen.looks[row]
        track.box, track.cells, track.seen_at, track.camera = box, seen.cells[row], now, self._camera.place


def _look_at(people: NDArray[np.uint8], persons: Sequence[Person], image: NDArray[np.uint8], step: int) -> _Seen:
    """Masks on the grid, and looks: (persons, 2 * BINS ** 3), square roots of shares, each row of length 1 or 0."""
    grid = people[::step, ::step]
    numbers = np.array([person.number for person in persons], np.intp)
    boxes = np.array([person.box for person in persons], np.float64).reshape(-1, 4)
    rows, columns = np.nonzero(grid)
    whose = grid[rows, columns].astype(np.intp)
    middle = np.zeros(256)
    middle[numbers] = (boxes[:, 1] + boxes[:, 3]) / 2 / step
    colours = image[::step, ::step][rows, columns].astype(np.intp) * BINS // 256
    key = whose * 2 + (rows >= middle[whose])
    for channel in range(3):
        key = key * BINS + colours[:, channel]
    counts = np.bincount(key, minlength=256 * 2 * BINS**3).reshape(256, -1)[numbers]
    looks = np.sqrt(counts / np.maximum(counts.sum(axis=1, keepdims=True), 1))
    order = np.argsort(whose, kind="stable")
    ends = np.searchsorted(whose[order], [numbers, numbers + 1])
    both = np.stack([rows, columns], 1)[order]
    cells = [both[start:end] for start, end in ends.T]
    return _Seen(boxes, looks, cells, grid, numbers)


def _likeness(tracks: list[_Track], looks: NDArray[np.float64]) -> NDArray[np.float64]:
    """(tracks, persons) in [0, 1]: how alike they look."""
    known = np.array([track.looks for track in tracks]).reshape(-1, looks.shape[1])
    alike = np.minimum(known @ looks.T, 1)
    return np.where(np.outer(known.any(axis=1), looks.any(axis=1)), alike, UNKNOWN_LOOKS)


def _assign(fit: NDArray[np.float64]) -> dict[int, int]:
    """Column -> row of the pairs that fit best together; none of those that do not fit at all."""
    if fit.size == 0 or not fit.any():
        return {}
    cost = np.where(fit > 0, 1 - fit, FORBIDDEN)
    _, chosen, _ = lap.lapjv(cost, extend_cost=True, cost_limit=FORBIDDEN / 2)
    return {int(column): row for row, column in enumerate(chosen) if column >= 0}
