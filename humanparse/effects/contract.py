"""What an effect is, and what it can be told."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from humanparse.values import read_number

Values = Mapping[str, float]
Paint = Callable[[NDArray[np.uint8], Values, NDArray[np.uint8], "NDArray[np.uint8] | None"], None]
"""image (H, W, 3) uint8 RGB, values, out (the same shape, to be filled), mask (H, W) uint8 or None."""

USUAL_SIDE: Final = 720
"""Defaults in pixels are for photos whose shorter side has so many; they grow and shrink with the photo, so
that a large photo looks as a small one does."""


@dataclass(frozen=True)
class Parameter:
    """One number that an effect can be told: default, lowest, highest, meaning in English and Chinese; in pixels
    or not; whole or not."""

    name: str
    default: float
    low: float
    high: float
    help: str
    help_zh: str
    pixels: bool = False
    whole: bool = False

    def default_for(self, size: tuple[int, int]) -> float:
        """The default for a photo of `size` (height, width)."""
        value = self.default * min(size) / USUAL_SIDE if self.pixels else self.default
        value = min(max(value, self.low), self.high)
        return float(round(value)) if self.whole else value

    def read(self, value: object) -> float:
        """The number that `value` is. Raises InvalidOption."""
        return read_number(self.name, value, self.low, self.high, self.whole)


@dataclass(frozen=True)
class Effect:
    """One effect: its English and Chinese name, what it makes, how it is painted, what it can be told."""

    name: str
    name_zh: str
    help: str
    paint: Paint
    parameters: tuple[Parameter, ...] = ()
