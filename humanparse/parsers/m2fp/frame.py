"""A photo as M2FP sees it: resized, normalised and padded as the reference does it."""

from __future__ import annotations

from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray
from PIL import Image

SHORT_SIDE: Final = 640
LONG_SIDE: Final = 1333  # at most
MULTIPLE: Final = 32
MEAN: Final = np.array([123.675, 116.28, 103.53], np.float32)  # RGB, of ImageNet
SPREAD: Final = np.array([58.395, 57.12, 57.375], np.float32)


class Frame(NamedTuple):
    """(height, width) of the photo, of the photo inside the network's input, and of that input."""

    size: tuple[int, int]
    inner: tuple[int, int]
    padded: tuple[int, int]


def make_frame(size: tuple[int, int]) -> Frame:
    """The frame of a photo of `size`. Fewer than ninety inputs exist, since one side is 640 or the other 1333."""
    height, width = size
    scale = SHORT_SIDE / min(size)
    if max(size) * scale > LONG_SIDE:
        scale = LONG_SIDE / max(size)
    inner = max(1, int(height * scale + 0.5)), max(1, int(width * scale + 0.5))
    return Frame(size, inner, (_up(inner[0]), _up(inner[1])))


def prepare(image: NDArray[np.uint8]) -> tuple[NDArray[np.float32], Frame]:
    """(H, W, 3) uint8 RGB -> the input (1, 3, h, w) float32, h and w multiples of 32, and its frame.

    Pillow's bilinear filter, since the weights were learned from photos shrunk by it; the padding,
    right and below, is zero after normalisation.
    """
    frame = make_frame((image.shape[0], image.shape[1]))
    (height, width), padded = frame.inner, frame.padded
    small = np.asarray(Image.fromarray(image).resize((width, height), Image.Resampling.BILINEAR))
    tensor = np.zeros((1, 3, *padded), np.float32)
    for channel in range(3):
        np.subtract(small[..., channel], MEAN[channel], out=tensor[0, channel, :height, :width])
        tensor[0, channel, :height, :width] /= SPREAD[channel]
    return tensor, frame


def _up(side: int) -> int:
    return -(-side // MULTIPLE) * MULTIPLE
