"""What is said of a video and its frames; knows no library that reads them."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

LATE_PACKETS: Final = 2  # that a whole file may be short of what its header counts


@dataclass(frozen=True)
class Limits:
    """What a video may have at most; None is no limit. pixels: width times height of a frame."""

    pixels: int | None = None
    frames: int | None = None
    duration_s: float | None = None


@dataclass(frozen=True)
class Clip:
    """What is known of a video before it is decoded.

    frames: how many the options take, counted, or None for what has no end; packets: all that are there.
    declared: how many its header promises, 0 for none. duration_s: from the first frame to the last.
    rate: frames a second on average; time_base: seconds of one tick of its times. audio: codec of the sound, or None.
    """

    codec: str
    width: int
    height: int
    rate: Fraction
    time_base: Fraction
    frames: int | None = None
    packets: int = 0
    declared: int = 0
    duration_s: float = 0.0
    audio: str | None = None

    @property
    def cut_short(self) -> bool:
        """Has it fewer frames than its header promises?"""
        return self.packets + LATE_PACKETS < self.declared


@dataclass(frozen=True, eq=False)
class Frame:
    """image (H, W, 3) uint8 RGB, upright; `ticks` of the time base since the beginning, and the same in seconds."""

    image: NDArray[np.uint8]
    ticks: int
    time_s: float


Packet = Any  # av.Packet, whose types say less than it does
Item = Frame | Packet
"""What comes out of a source: a frame to parse, or a packet of sound to pass on."""
