"""A closer look at small people: each one's crop, enlarged, in place of what the whole photo showed.

In a photo of a street a person is a few dozen pixels tall to the network, less than it ever learned
to tell parts in. Measured on scenes composed of validation people 0.1 to 0.3 of the frame tall, see
docs/compact.md. One look costs about as much as half a photo.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

from humanparse.parsers.compact.graph import STRIDE
from humanparse.parsers.compact.reading import Infer, Reading, look

MAX_SIDE = 240  # pixels of the network's input; people whose longer side has more are large enough
MIN_SIDE = 16  # the same; less is a speck, and stays one when enlarged
MAX_LOOKS = 8  # the largest of the small ones, so that a crowd does not take for ever
LOOK_SIDE = 384  # pixels of the longer side of a crop as the network sees it
MARGIN = 0.2  # of the person's longer side, around its box: what is missing from it may be there
MIN_OVERLAP = 0.3  # of the person's pixels that somebody in the crop must cover to be the same one

Window = tuple[slice, slice]


class Small(NamedTuple):
    """A small person: its number, and the window (rows, columns) of the photo to look into."""

    number: int
    window: Window


def look_closer(image: NDArray[np.uint8], first: Reading, inner: tuple[int, int], infer: Infer) -> Reading:
    """`first` with the small people read again from their own crops.

    image (H, W, 3) uint8 RGB; inner: (height, width) at which the network saw it. People keep their
    numbers; nobody appears or vanishes.
    """
    size = image.shape[0], image.shape[1]
    small = list(find_small(first.whose, size, inner))
    if not small:
        return first
    keypoints = None if first.keypoints is None else first.keypoints.copy()
    closer = Reading(first.labels.copy(), first.people.copy(), first.confidence.copy(), keypoints, first.whose)
    for number, window in small:
        crop = np.ascontiguousarray(image[window])
        _replace(closer, number, window, look(crop, LOOK_SIDE, infer)[0])
    return closer


def find_small(whose: NDArray[np.intp], size: tuple[int, int], inner: tuple[int, int]) -> Iterator[Small]:
    """The people who need a closer look, largest first, at most MAX_LOOKS; `whose` as in Reading."""
    boxes = {number: cv2.boundingRect((whose == number).view(np.uint8)) for number in range(1, int(whose.max()) + 1)}
    sides = {number: max(w, h) * STRIDE for number, (_, _, w, h) in boxes.items()}
    wanted = [number for number, side in sides.items() if MIN_SIDE <= side <= MAX_SIDE]
    down, across = size[0] / inner[0] * STRIDE, size[1] / inner[1] * STRIDE  # pixels of the photo in a cell
    for number in sorted(wanted, key=lambda number: -sides[number])[:MAX_LOOKS]:
        x, y, w, h = boxes[number]
        margin = MARGIN * max(w, h)
        rows = slice(max(0, int((y - margin) * down)), min(size[0], int((y + h + margin) * down) + 1))
        columns = slice(max(0, int((x - margin) * across)), min(size[1], int((x + w + margin) * across) + 1))
        yield Small(number, (rows, columns))


def _replace(closer: Reading, number: int, window: Window, crop: Reading) -> None:
    """Write into `closer` what its window, looked at as a photo of its own, says about the person."""
    people = closer.people[window]
    mine = people == number
    covered = np.bincount(crop.people[mine], minlength=1)
    covered[0] = 0
    same = int(covered.argmax())
    if covered[same] < MIN_OVERLAP * max(1, int(mine.sum())):
        return
    seen = (crop.people == same) & (mine | (people == 0))
    gone = mine & ~seen & ~holes(seen)  # a hole in the closer look keeps what the first look saw there
    closer.labels[window][gone] = 0
    people[gone] = 0
    closer.labels[window][seen] = crop.labels[seen]
    closer.confidence[window][seen] = crop.confidence[seen]
    people[seen] = number
    if closer.keypoints is not None and crop.keypoints is not None:
        corner = np.array([window[1].start, window[0].start, 0], np.float32)
        closer.keypoints[number - 1] = crop.keypoints[same - 1] + corner


def holes(mask: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """(H, W) bool: where `mask` is not, but surrounds."""
    framed = cv2.copyMakeBorder((~mask).view(np.uint8), 1, 1, 1, 1, cv2.BORDER_CONSTANT, value=1)
    _, patches = cv2.connectedComponents(framed)
    outside = patches[0, 0]
    return np.asarray((patches[1:-1, 1:-1] != outside) & ~mask)
