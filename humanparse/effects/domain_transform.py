"""The domain transform's normalized convolution (Gastal and Oliveira, "Domain Transform for Edge-Aware Image
and Video Processing", 2011): smoothing that keeps edges, along rows, then along columns, three times.

Why not OpenCV's (`edgePreservingFilter`, `stylization`, `pencilSketch`): it holds some thirty float
maps of the photo's size at once, 129 bytes a pixel; it keeps pixel indices in float32, which above
2^24 of them (3 channels: 5.6 million pixels) no longer tells neighbours apart; `stylization` reads a
map that was never written, and a row beyond the end. Here a line is all that is held, in float64, the photo
between the passes is 16 bits a channel in place, and lines do not depend on each other, so that
any number of threads gives the same result.
"""

from __future__ import annotations

import math
from typing import Any, Final

import numba
import numpy as np
from numpy.typing import NDArray

from humanparse.effects.lines import each_line

ITERATIONS: Final = 3
UNIT: Final = 257  # of 16 bits in one level of 8


def radius_of(iteration: int, sigma_s: float) -> float:
    """Half the box's width in the transformed domain, equation 14 of the paper times the root of 3."""
    share = math.sqrt(3) * 2.0 ** (ITERATIONS - iteration - 1) / math.sqrt(4.0**ITERATIONS - 1)
    return math.sqrt(3) * sigma_s * share


def smooth(image: NDArray[np.uint8], sigma_s: float, sigma_r: float) -> NDArray[np.uint16]:
    """(H, W, 3) uint8 -> (H, W, 3) uint16, 257 to a level: even where colours differ by less than sigma_r.

    sigma_s: pixels. sigma_r: share of the whole range, above 0.
    """
    values = np.multiply(image, UNIT, dtype=np.uint16)
    slope = sigma_s / sigma_r / 255
    turned, turned_values = image.transpose(1, 0, 2), values.transpose(1, 0, 2)
    for iteration in range(ITERATIONS):
        radius = radius_of(iteration, sigma_s)
        each_line(image.shape[0], _smooth_lines, image, values, radius, slope)
        each_line(image.shape[1], _smooth_lines, turned, turned_values, radius, slope)
    return values


def measure_boxes(image: NDArray[np.uint8], sigma_s: float, sigma_r: float) -> NDArray[np.uint16]:
    """(H, W) uint16: over how many pixels of its row and of its column together a pixel would be smoothed.

    Many where the photo is even, few at edges: the tone of a pencil.
    """
    boxes = np.zeros(image.shape[:2], np.uint16)
    slope, radius = sigma_s / sigma_r / 255, radius_of(0, sigma_s)
    each_line(image.shape[0], _measure_lines, image, boxes, radius, slope)
    each_line(image.shape[1], _measure_lines, image.transpose(1, 0, 2), boxes.T, radius, slope)
    return boxes


@numba.njit(nogil=True)
def _place_line(guide: Any, slope: float, places: Any) -> None:
    """Where each pixel of a line lies in the transformed domain: differences of colour are distances."""
    places[0] = 0.0
    for i in range(1, len(guide)):
        apart = np.int64(0)
        for c in range(3):
            apart += abs(np.int64(guide[i, c]) - np.int64(guide[i - 1, c]))
        places[i] = places[i - 1] + 1.0 + slope * apart


@numba.njit(nogil=True)
def _smooth_lines(guide: Any, values: Any, radius: float, slope: float, first: int, end: int) -> None:
    length = guide.shape[1]
    places = np.empty(length)
    sums = np.empty((length + 1, 3))
    for line in range(first, end):
        _place_line(guide[line], slope, places)
        for c in range(3):
            sums[0, c] = 0.0
        for i in range(length):
            for c in range(3):
                sums[i + 1, c] = sums[i, c] + values[line, i, c]
        low, high = 0, 0
        for i in range(length):
            while places[low] <= places[i] - radius:
                low += 1
            while high < length and places[high] <= places[i] + radius:
                high += 1
            for c in range(3):
                values[line, i, c] = np.uint16((sums[high, c] - sums[low, c]) / (high - low) + 0.5)


@numba.njit(nogil=True)
def _measure_lines(guide: Any, boxes: Any, radius: float, slope: float, first: int, end: int) -> None:
    length = guide.shape[1]
    places = np.empty(length)
    for line in range(first, end):
        _place_line(guide[line], slope, places)
        low, high = 0, 0
        for i in range(length):
            while places[low] <= places[i] - radius:
                low += 1
            while high < length and places[high] <= places[i] + radius:
                high += 1
            boxes[line, i] += np.uint16(high - low)
