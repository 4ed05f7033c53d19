"""A photo as EfficientNet-Lite sees it: the middle square, scaled."""

from __future__ import annotations

from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

CROP_PADDING: Final = 32
"""The square is side / (side + 32) of the shorter side: `preprocessing.py` of Google's EfficientNet, and of
timm, which measures the published accuracy with it."""
ENLARGED: Final = 1.28
"""What is left to the bilinear step, as for ImageNet's own photos (375 pixels high) at 260 pixels.

The published step is bilinear without smoothing, right for ImageNet's sizes. A telephone's photo, ten
times as large, would be reduced to scattered pixels, so it comes to ImageNet's size by area first."""


def prepare(image: NDArray[np.uint8], side: int) -> NDArray[np.uint8]:
    """(H, W, 3) uint8 -> (side, side, 3) uint8."""
    height, width = image.shape[:2]
    square = max(1, int(side / (side + CROP_PADDING) * min(height, width)))
    top, left = (height - square + 1) // 2, (width - square + 1) // 2
    crop = image[top : top + square, left : left + square]
    middle = round(side * ENLARGED)
    if square > middle:
        crop = np.asarray(cv2.resize(crop, (middle, middle), interpolation=cv2.INTER_AREA), np.uint8)
    return np.asarray(cv2.resize(crop, (side, side), interpolation=cv2.INTER_LINEAR), np.uint8)
