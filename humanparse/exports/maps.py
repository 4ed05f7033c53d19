"""Label map and people map as palette PNGs: the pixel values are the ids, the palette only shows them."""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

from humanparse.encoding import encode_palette_png
from humanparse.labels import PALETTE
from humanparse.records import Parsing

PEOPLE_PALETTE: Final[NDArray[np.uint8]] = np.vstack(
    [np.zeros((1, 3), np.uint8), np.random.default_rng(20).integers(64, 256, (255, 3), np.uint8)]
)
"""(256, 3) uint8 RGB: nobody black, every number a colour, so that the people map can be looked at."""


def label_map_png(parsing: Parsing, palette: NDArray[np.uint8] = PALETTE) -> bytes:
    """8-bit palette PNG of the photo's size; pixel value = class id. `palette` (20, 3) uint8 RGB."""
    return encode_palette_png(parsing.labels, palette)


def people_map_png(parsing: Parsing) -> bytes:
    """8-bit palette PNG of the photo's size; pixel value = person number, 0 nobody."""
    return encode_palette_png(parsing.people, PEOPLE_PALETTE)
