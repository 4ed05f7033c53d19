"""Query masks at the photo's size, without ever holding more than one row of them.

The reference resizes all masks to the photo's size before it chooses any: 0.8 GB a tensor at 1080p.
Here a row of a mask is made when it is needed, where the mask can be positive at all, and used at
once: for the score, and for painting. Resizing is the reference's, twice bilinear: from the
network's map to its input, of which the padding is cut off, and from there to the photo.
"""

from __future__ import annotations

from typing import Final, NamedTuple

import numba
import numpy as np
from numpy.typing import NDArray

from humanparse.parsers.m2fp.frame import Frame
from humanparse.parsers.m2fp.rows import HALF, ONE, ZERO, exp, share_out

SCORE_EPS: Final = 1e-6


class Axis(NamedTuple):
    """Bilinear resizing along one axis: of each position, two cells and the second's share; `cells` in all."""

    low: NDArray[np.uint32]
    high: NDArray[np.uint32]
    share: NDArray[np.float32]
    cells: int


class Zoom(NamedTuple):
    """From the network's map to the photo: rows and columns, each by way of the network's input."""

    rows: tuple[Axis, Axis]
    columns: tuple[Axis, Axis]


class Box(NamedTuple):
    """Rows and columns of the photo outside of which a mask is not positive: first, and after the last."""

    y0: int
    y1: int
    x0: int
    x1: int


def make_axis(source: int, target: int, used: int | None = None) -> Axis:
    """From `source` cells to the first `used` of `target`, ends repeated, as torch's `align_corners=False`."""
    scale = np.float32(source / target)
    place = np.maximum((np.arange(target if used is None else used, dtype=np.float32) + HALF) * scale - HALF, 0)
    low = np.minimum(place.astype(np.uint32), source - 1)  # unsigned: compiled loops then check for no negative ones
    high = np.minimum(low + 1, source - 1)
    return Axis(low.astype(np.uint32), high.astype(np.uint32), (place - low).astype(np.float32), source)


def make_zoom(cells: tuple[int, int], frame: Frame) -> Zoom:
    """From maps of `cells` (height, width) to the photo of `frame`."""
    rows, columns = (
        (make_axis(cells[i], frame.padded[i], frame.inner[i]), make_axis(frame.inner[i], frame.size[i])) for i in (0, 1)
    )
    return Zoom(rows, columns)


def find_boxes(masks: NDArray[np.float32], zoom: Zoom) -> list[Box]:
    """Of each of the masks (N, h, w), logits; all zeros for a mask that is nowhere positive."""
    boxes = []
    for mask in masks:
        positive = mask > 0
        y0, y1 = _reach(positive.any(axis=1), zoom.rows)
        x0, x1 = _reach(positive.any(axis=0), zoom.columns)
        boxes.append(Box(y0, y1, x0, x1))
    return boxes


def _reach(positive: NDArray[np.bool_], axes: tuple[Axis, Axis]) -> tuple[int, int]:
    """Positions of the photo that a positive cell has any share in: first, and after the last."""
    for axis in axes:
        positive = positive[axis.low] | positive[axis.high]
    found = np.flatnonzero(positive)
    return (int(found[0]), int(found[-1]) + 1) if len(found) else (0, 0)


def score_masks(masks: NDArray[np.float32], boxes: list[Box], zoom: Zoom, threads: int) -> NDArray[np.float64]:
    """(N,) mean probability of each mask's positive pixels, at the photo's size; 0 where there are none."""
    scores = np.zeros(len(masks))

    def work(first: int, end: int) -> None:
        for i in range(first, end):
            scores[i] = _score(masks[i], boxes[i], *flat(zoom))

    share_out(work, len(masks), 1, threads)
    return scores


def enlarge(mask: NDArray[np.float32], zoom: Zoom) -> NDArray[np.float32]:
    """One mask (h, w), logits, at the photo's size."""
    rows, columns = len(zoom.rows[1].low), len(zoom.columns[1].low)
    out = np.empty((rows, columns), np.float32)
    _enlarge(mask, Box(0, rows, 0, columns), *flat(zoom), out)
    return out


def flat(zoom: Zoom) -> tuple[Axis, Axis, Axis, Axis]:
    """As compiled loops take it: both axes of the rows, both of the columns."""
    return (*zoom.rows, *zoom.columns)


@numba.njit(nogil=True)
def fill_row(mask, y, x0, x1, rows1, rows2, columns1, columns2, narrow, middle, out):  # type: ignore[no-untyped-def]
    """out[0:x1-x0]: row `y` of the mask at the photo's size, columns x0 to x1.

    `narrow` and `middle` are room for a row of the map and of the network's input.
    """
    first, end = columns2.low[x0], columns2.high[x1 - 1] + 1
    # rows of the map that this row is made of, with their shares
    near, far, b = rows2.low[y], rows2.high[y], rows2.share[y]
    n0, n1, nb = rows1.low[near], rows1.high[near], rows1.share[near]
    f0, f1, fb = rows1.low[far], rows1.high[far], rows1.share[far]
    for i in range(columns1.low[first], columns1.high[end - 1] + 1):
        upper = (ONE - nb) * mask[n0, i] + nb * mask[n1, i]
        lower = (ONE - fb) * mask[f0, i] + fb * mask[f1, i]
        narrow[i] = (ONE - b) * upper + b * lower
    for i in range(first, end):
        share = columns1.share[i]
        middle[i] = (ONE - share) * narrow[columns1.low[i]] + share * narrow[columns1.high[i]]
    for x in range(x0, x1):
        share = columns2.share[x]
        out[x - x0] = (ONE - share) * middle[columns2.low[x]] + share * middle[columns2.high[x]]


@numba.njit(nogil=True)
def to_probability(row, power, count):  # type: ignore[no-untyped-def]
    """The sigmoid of the first `count` logits of `row`, in place; `power` is room for `exp`."""
    for i in range(count):
        row[i] = -row[i]
    exp(row, power, count)
    for i in range(count):
        row[i] = ONE / (ONE + row[i])


@numba.njit(nogil=True, fastmath={"reassoc", "contract", "nsz"})
def _score(mask, box, rows1, rows2, columns1, columns2):  # type: ignore[no-untyped-def]
    narrow, middle = np.empty(columns1.cells, np.float32), np.empty(columns2.cells, np.float32)
    width = box.x1 - box.x0
    row, power = np.empty(width, np.float32), np.empty(width, np.int32)
    total, count = 0.0, 0
    for y in range(box.y0, box.y1):
        fill_row(mask, y, box.x0, box.x1, rows1, rows2, columns1, columns2, narrow, middle, row)
        to_probability(row, power, width)
        part = ZERO
        for p in row:
            part += p if p > HALF else ZERO  # a positive logit
            count += 1 if p > HALF else 0
        total += np.float64(part)
    return total / (count + SCORE_EPS)


@numba.njit(nogil=True)
def _enlarge(mask, box, rows1, rows2, columns1, columns2, out):  # type: ignore[no-untyped-def]
    narrow, middle = np.empty(columns1.cells, np.float32), np.empty(columns2.cells, np.float32)
    for y in range(box.y0, box.y1):
        fill_row(mask, y, box.x0, box.x1, rows1, rows2, columns1, columns2, narrow, middle, out[y])
