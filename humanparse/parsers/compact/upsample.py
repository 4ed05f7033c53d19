"""From scores on a coarse grid to the winner at every pixel of the photo.

Every plane of scores is enlarged bilinearly and the highest taken, but a plane is enlarged only
around the cells it wins, so that time and memory follow what is in the picture. (A plane that is
second in two neighbouring cells and would win a hair between them does not.)
"""

from __future__ import annotations

from typing import TypeVar, cast

import cv2
import numpy as np
from numpy.typing import NDArray

Number = TypeVar("Number", np.float32, np.uint8)

REACH = 2  # cells around a win within which a plane can still win a pixel


Scale = tuple[float, float]
"""Cells per pixel, (vertical, horizontal): the centre of pixel x lies at (x + 0.5) * scale - 0.5."""


def argmax_enlarged(scores: NDArray[np.float32], size: tuple[int, int], scale: Scale) -> NDArray[np.uint8]:
    """(H, W) uint8 index of the plane with the highest score at each pixel.

    scores (K, h, w) float32, K at most 255; size (H, W) of the answer. Cells beyond the photo's
    edge (padding) are not looked at.
    """
    height, width = size
    down, across = scale
    coarse = scores.argmax(axis=0).astype(np.uint8)
    winner = np.zeros(size, np.uint8)
    best = np.full(size, -np.inf, np.float32)
    for plane in np.flatnonzero(np.bincount(coarse.ravel())):
        x, y, w, h = cv2.boundingRect((coarse == plane).view(np.uint8))
        x0, x1 = max(0, int((x - REACH) / across)), min(width, int((x + w + REACH) / across) + 1)
        y0, y1 = max(0, int((y - REACH) / down)), min(height, int((y + h + REACH) / down) + 1)
        if x0 >= x1 or y0 >= y1:
            continue
        fine = enlarge(scores[plane], (y0, x0, y1, x1), scale)
        window = best[y0:y1, x0:x1]
        wins = fine > window
        np.copyto(window, fine, where=wins)
        winner[y0:y1, x0:x1][wins] = plane
    return winner


def enlarge(plane: NDArray[Number], window: tuple[int, int, int, int], scale: Scale) -> NDArray[Number]:
    """The pixels y0:y1, x0:x1 of `plane` (h, w) enlarged bilinearly, edges repeated."""
    y0, x0, y1, x1 = window
    down, across = scale
    matrix = np.array([[across, 0, (x0 + 0.5) * across - 0.5], [0, down, (y0 + 0.5) * down - 0.5]])
    flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
    wide = (x1 - x0, y1 - y0)
    return cast("NDArray[Number]", cv2.warpAffine(plane, matrix, wide, flags=flags, borderMode=cv2.BORDER_REPLICATE))
