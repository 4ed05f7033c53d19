"""Oil painting: every pixel gets the mean colour of the commonest brightness around it (Holzmann, 1988).

The same as `xphoto.oilPainting` of OpenCV's contrib build. Why not that: it looks through 256 counts for every pixel,
however few brightnesses are told apart, and takes three times as long (docs/memory.md).
"""

from __future__ import annotations

from typing import Any

import cv2
import numba
import numpy as np
from numpy.typing import NDArray

from humanparse.effects.contract import Values
from humanparse.effects.lines import each_line


def oil(image: NDArray[np.uint8], values: Values, out: NDArray[np.uint8], mask: NDArray[np.uint8] | None) -> None:
    """`size`: pixels on each side of a pixel that are looked at. `levels`: brightnesses that are told apart."""
    ratio = max(1, round(256 / values["levels"]))
    table = np.rint(np.arange(256) / ratio).astype(np.uint8)
    bins = cv2.LUT(cv2.cvtColor(image, cv2.COLOR_RGB2GRAY), table)
    wanted = np.ones(image.shape[0], np.bool_) if mask is None else mask.any(axis=1)
    each_line(image.shape[0], _paint_rows, image, bins, wanted, out, int(values["size"]), int(table[-1]) + 1)


@numba.njit(nogil=True)
def _paint_rows(image: Any, bins: Any, wanted: Any, out: Any, size: int, levels: int, first: int, end: int) -> None:
    height, width = bins.shape
    for y in range(first, end):
        if not wanted[y]:
            continue
        counts = np.zeros(levels, np.int32)
        sums = np.zeros((levels, 3), np.int32)
        top, bottom = max(y - size, 0), min(y + size + 1, height)
        for x in range(-size, width):
            arriving, leaving = x + size, x - size - 1
            if arriving < width:
                for i in range(top, bottom):
                    level = bins[i, arriving]
                    counts[level] += 1
                    for c in range(3):
                        sums[level, c] += image[i, arriving, c]
            if leaving >= 0:
                for i in range(top, bottom):
                    level = bins[i, leaving]
                    counts[level] -= 1
                    for c in range(3):
                        sums[level, c] -= image[i, leaving, c]
            if x >= 0:
                best = 0
                for level in range(1, levels):
                    if counts[level] > counts[best]:
                        best = level
                for c in range(3):
                    out[y, x, c] = np.uint8(round(sums[best, c] / counts[best]))
