"""Effects that look only so far around a pixel, in tiles: memory is that of one tile, whatever the photo's size.

A tile is computed with a margin as wide as the effect looks, and cut out, so that no seam can be
told: the result is the same as in one piece, which tests state as a law.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from humanparse.effects.contract import Paint, Values

SIDE: Final = 768  # of a tile without its margin


class Place(NamedTuple):
    """Where a piece lies in the photo: its first row and column, and the photo's (height, width)."""

    top: int
    left: int
    size: tuple[int, int]


Piece = Callable[[NDArray[np.uint8], Values, Place], NDArray[np.uint8]]
"""A piece of the photo (h, w, 3) uint8, values, its place -> the same piece with the effect."""


def in_tiles(
    piece: Piece,
    reach: Callable[[Values], int] = lambda values: 0,
    multiple: Callable[[Values], int] = lambda values: 1,
    side: int = SIDE,
) -> Paint:
    """The whole effect of `piece`.

    reach: how many pixels away may change a pixel. multiple: what tiles have to begin at multiples of, and their
    margins with them.
    """

    def paint(image: NDArray[np.uint8], values: Values, out: NDArray[np.uint8], mask: NDArray[np.uint8] | None) -> None:
        height, width = image.shape[:2]
        unit = multiple(values)
        margin = -(-reach(values) // unit) * unit
        step = max(side // unit, 1) * unit
        for top in range(0, height, step):
            bottom = min(top + step, height)
            for left in range(0, width, step):
                right = min(left + step, width)
                if mask is not None and not mask[top:bottom, left:right].any():
                    continue
                y0, x0 = max(top - margin, 0), max(left - margin, 0)
                seen = image[y0 : bottom + margin, x0 : right + margin]
                done = piece(np.ascontiguousarray(seen), values, Place(y0, x0, (height, width)))
                out[top:bottom, left:right] = done[top - y0 : bottom - y0, left - x0 : right - x0]

    return paint
