"""How large a parser makes its maps: finer than the network's own by far would be invention, and slow."""

from __future__ import annotations

from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

MAX_FINE_PIXELS: Final = 4_000_000


def fine_size(size: tuple[int, int], max_pixels: int = MAX_FINE_PIXELS) -> tuple[int, int]:
    """`size` (height, width), or a whole fraction of it that has at most `max_pixels`."""
    height, width = size
    divisor = 1
    while -(-height // divisor) * -(-width // divisor) > max_pixels:
        divisor += 1
    return -(-height // divisor), -(-width // divisor)


def repeat(array: NDArray[np.uint8], size: tuple[int, int]) -> NDArray[np.uint8]:
    """A map (h, w) of `fine_size(size)` with its pixels repeated to `size` (height, width)."""
    if array.shape == size:
        return array
    height, width = size
    return np.asarray(cv2.resize(array, (width, height), interpolation=cv2.INTER_NEAREST), np.uint8)
