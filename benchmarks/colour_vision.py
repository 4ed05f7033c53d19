"""Colours as eyes see them, normal and colour-blind ones, and how far apart they are then.

Colour blindness is simulated at full severity with the matrices of Machado, Oliveira and Fernandes, "A
Physiologically-based Model for Simulation of Color Vision Deficiency", IEEE TVCG 15(6), 2009, applied to linear RGB.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

import numpy as np
from numpy.typing import NDArray
from skimage.color import deltaE_ciede2000, rgb2lab

Floats = NDArray[np.float64]

VISIONS: Final[Mapping[str, Floats]] = {
    "normal": np.eye(3),
    "protanopia": np.array(
        [[0.152286, 1.052583, -0.204868], [0.114503, 0.786281, 0.099216], [-0.003882, -0.048116, 1.051998]]
    ),
    "deuteranopia": np.array(
        [[0.367322, 0.860646, -0.227968], [0.280085, 0.672501, 0.047413], [-0.011820, 0.042940, 0.968881]]
    ),
    "tritanopia": np.array(
        [[1.255528, -0.076749, -0.178779], [-0.078411, 0.930809, 0.147602], [0.004733, 0.691367, 0.303900]]
    ),
}
"""Linear RGB as each kind of eye sees it: Machado et al. 2009, severity 1.0."""


def simulate(colours: NDArray[np.uint8], vision: str) -> Floats:
    """CIE L*a*b* (N, 3) of (N, 3) uint8 sRGB colours as seen with `vision`, a key of VISIONS."""
    encoded = colours / 255
    linear = np.where(encoded <= 0.04045, encoded / 12.92, ((encoded + 0.055) / 1.055) ** 2.4)
    seen = np.clip(linear @ VISIONS[vision].T, 0, 1)
    seen = np.where(seen <= 0.0031308, seen * 12.92, 1.055 * seen ** (1 / 2.4) - 0.055)
    return np.asarray(rgb2lab(seen), np.float64)


def distances(colours: NDArray[np.uint8], vision: str) -> Floats:
    """(N, N) CIEDE2000 between (N, 3) uint8 sRGB colours as seen with `vision`, a key of VISIONS."""
    lab = simulate(colours, vision)
    # Row by row: all pairs of the search's candidates at once would not fit in memory.
    return np.stack([_from_one(row, lab) for row in lab])


def _from_one(one: Floats, lab: Floats) -> Floats:
    apart = deltaE_ciede2000(np.broadcast_to(one, lab.shape), lab)  # type: ignore[no-untyped-call]
    return np.asarray(apart, np.float64)
