"""A photo as the network sees it: scaled, padded, and how far away to look from."""

from __future__ import annotations

from typing import NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

from humanparse.labels import NAMES
from humanparse.layers import MIDDLE
from humanparse.parsers.compact.graph import STRIDE
from humanparse.parsers.compact.upsample import argmax_planes

LONG_SIDE = 512  # pixels of the network's input; chosen on the validation photos
# A network that learned from whole people is lost where a face fills the frame, so close-ups are
# looked at a second time from further away. On the upper 0.22, 0.35 and 0.5 of the validation
# people, mean IoU over the classes in sight rose from 0.36 to 0.48, 0.46 to 0.48 and 0.52 to 0.54
# (`python -m training.evaluate --upper 0.22`).
FACE = NAMES.index("Face")
TALL_FACE, GOOD_FACE = 80, 62  # pixels of the network's input
MIN_FACE_CELLS = 20
SMALLER_SIDES = (384, 320, 256, 192)
MAX_ENLARGE = 4.0  # tiny photos are enlarged at most so much
BIN = 64  # input sides are padded to multiples of this: few shapes, so the runtime's caches stay small


class Frame(NamedTuple):
    """A photo as the network sees it, and the (height, width) of the photo inside the padding."""

    padded: NDArray[np.uint8]
    inner: tuple[int, int]


def prepare(image: NDArray[np.uint8], long_side: int = LONG_SIDE) -> Frame:
    """The photo scaled so that its longer side is `long_side` pixels, padded to the next bin."""
    height, width = image.shape[:2]
    scale = min(long_side / max(height, width), MAX_ENLARGE)
    inner = max(1, round(height * scale)), max(1, round(width * scale))
    method = cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR
    small = cv2.resize(image, inner[::-1], interpolation=method)
    below, right = -inner[0] % BIN, -inner[1] % BIN
    padded = cv2.copyMakeBorder(small, 0, below, 0, right, cv2.BORDER_CONSTANT, value=(int(MIDDLE),) * 3)
    return Frame(np.asarray(padded, np.uint8), inner)


def choose_smaller(logits: NDArray[np.float32], long_side: int = LONG_SIDE) -> int | None:
    """The longer side at which to look at a close-up again, or None where faces have a usual size.

    logits (20, h, w) of a first look with a longer side of `long_side` pixels. Faces are measured by
    the median height of their patches.
    """
    faces = (argmax_planes(logits) == FACE).view(np.uint8)
    stats = cv2.connectedComponentsWithStats(faces, connectivity=8)[2][1:]
    heights = stats[stats[:, cv2.CC_STAT_AREA] >= MIN_FACE_CELLS, cv2.CC_STAT_HEIGHT] * STRIDE
    if not len(heights) or np.median(heights) <= TALL_FACE:
        return None
    wanted = long_side * GOOD_FACE / float(np.median(heights))
    return min(SMALLER_SIDES, key=lambda side: abs(side - wanted))
