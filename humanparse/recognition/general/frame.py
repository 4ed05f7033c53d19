"""A photo as the general model sees it: shorter side 256, the middle 224, ImageNet's normalisation."""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray
from PIL import Image

SHORTER: Final = 256
SIDE: Final = 224
MEAN: Final = np.array([0.485, 0.456, 0.406], np.float32)
STD: Final = np.array([0.229, 0.224, 0.225], np.float32)


def prepare(image: NDArray[np.uint8]) -> NDArray[np.float32]:
    """(H, W, 3) uint8 RGB -> (3, 224, 224) float32, as torchvision's Resize, CenterCrop and Normalize make it."""
    height, width = image.shape[:2]
    if height <= width:
        size = max(1, int(SHORTER * width / height)), SHORTER
    else:
        size = SHORTER, max(1, int(SHORTER * height / width))
    # Only the part that the middle comes from, and Pillow's bilinear, which smooths as torchvision's does.
    left, top = round((size[0] - SIDE) / 2), round((size[1] - SIDE) / 2)
    across, down = width / size[0], height / size[1]
    box = (left * across, top * down, (left + SIDE) * across, (top + SIDE) * down)
    small = Image.fromarray(image).resize((SIDE, SIDE), Image.Resampling.BILINEAR, box=box)
    values = np.asarray(small, np.float32) / 255
    return np.ascontiguousarray(((values - MEAN) / STD).transpose(2, 0, 1))
