"""Effects that look only so far around a pixel: each on a piece of the photo, (h, w, 3) uint8 RGB in and out."""

from __future__ import annotations

import math
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from humanparse.effects.contract import Values
from humanparse.effects.tiles import Place

SEPIA: Final = np.array([[0.393, 0.769, 0.189], [0.349, 0.686, 0.168], [0.272, 0.534, 0.131]], np.float32)
"""Rows red, green, blue of the result: the matrix that image programs share."""
EVEN_PASSES: Final = 2  # a cartoon's, of the bilateral filter
LINE_MEDIAN: Final = 5  # what is thinner is no line
LINE_DEPTH: Final = 6  # a line is darker than the mean around it by so many levels
RELIEF: Final = np.array([[-2, -1, 0], [-1, 0, 1], [0, 1, 2]], np.float32)

Picture = NDArray[np.uint8]


def grey(piece: Picture, values: Values, place: Place) -> Picture:
    del values, place
    return _three(cv2.cvtColor(piece, cv2.COLOR_RGB2GRAY))


def sepia(piece: Picture, values: Values, place: Place) -> Picture:
    del values, place
    return np.asarray(cv2.transform(piece, SEPIA), np.uint8)


def blur(piece: Picture, values: Values, place: Place) -> Picture:
    """Gauss; a wide one of a smaller picture, with what making it smaller and larger blurs taken off the width."""
    del place
    sigma, factor = values["sigma"], blur_factor(values)
    rest = math.sqrt(sigma**2 - (factor**2 / 4 if factor > 1 else 0)) / factor
    return _larger(_blur(_smaller(piece, factor), rest), factor, piece)


def blur_factor(values: Values) -> int:
    """How much smaller the picture is that a wide blur is made of; its tiles begin at multiples of this."""
    return max(1, int(values["sigma"]) // 6)


def blur_reach(values: Values) -> int:
    return math.ceil(3 * values["sigma"]) + 1 + 3 * blur_factor(values)


def sharpen_reach(values: Values) -> int:
    return math.ceil(3 * values["sigma"]) + 1


def pixelate(piece: Picture, values: Values, place: Place) -> Picture:
    """The mean of every square; those at the right and lower edge are what is left of one."""
    del place
    block = int(values["block"])
    height, width = piece.shape[:2]
    rows, columns = np.arange(0, height, block), np.arange(0, width, block)
    sums = np.add.reduceat(np.add.reduceat(piece, rows, axis=0, dtype=np.uint32), columns, axis=1)
    tall, wide = np.diff(np.append(rows, height)), np.diff(np.append(columns, width))
    means = (sums / (tall[:, None] * wide)[..., None] + 0.5).astype(np.uint8)
    return np.asarray(means.repeat(tall, axis=0).repeat(wide, axis=1))


def cartoon(piece: Picture, values: Values, place: Place) -> Picture:
    """Colours evened out by a bilateral filter, few brightnesses of them, under lines where it is darker than around.

    Wide radii work on a smaller picture: the filter's time grows with the radius' square, and what is finer than the
    radius is not in the result.
    """
    del place
    factor = cartoon_factor(values)
    even, radius = _smaller(piece, factor), int(values["radius"]) // factor
    for _ in range(EVEN_PASSES):
        even = np.asarray(cv2.bilateralFilter(even, 2 * radius + 1, 40, radius), np.uint8)
    light = cv2.medianBlur(cv2.cvtColor(even, cv2.COLOR_RGB2GRAY), LINE_MEDIAN)
    block = 2 * radius + 3
    paper = cv2.adaptiveThreshold(light, 255, cv2.ADAPTIVE_THRESH_MEAN_C, cv2.THRESH_BINARY, block, LINE_DEPTH)
    colours = cv2.cvtColor(_larger(even, factor, piece), cv2.COLOR_RGB2Lab)
    # brightness alone: each channel by itself would make coloured patches of what is nearly grey
    colours[..., 0] = _few(np.ascontiguousarray(colours[..., 0], np.uint8), int(values["levels"]))
    lines = _three(_larger(np.asarray(paper, np.uint8), factor, piece))
    return np.asarray(cv2.multiply(cv2.cvtColor(colours, cv2.COLOR_Lab2RGB), lines, scale=1 / 255), np.uint8)


def cartoon_factor(values: Values) -> int:
    """How much smaller the picture is that a cartoon is made of; its tiles begin at multiples of this."""
    return max(1, int(values["radius"]) // 3)


def cartoon_reach(values: Values) -> int:
    factor = cartoon_factor(values)
    radius = int(values["radius"]) // factor
    return factor * (EVEN_PASSES * radius + LINE_MEDIAN // 2 + radius + 3)


def pixelate_unit(values: Values) -> int:
    return int(values["block"])


def edges(piece: Picture, values: Values, place: Place) -> Picture:
    """Dark where brightness changes, white elsewhere."""
    del place
    light = _blur(np.asarray(cv2.cvtColor(piece, cv2.COLOR_RGB2GRAY), np.uint8), values["sigma"])
    across, down = (cv2.Sobel(light, cv2.CV_32F, *axis, scale=0.25) for axis in ((1, 0), (0, 1)))
    # not cv2.magnitude: its last bit depends on where in memory a row lies, and so the tiles would show
    steep = np.sqrt(np.square(across) + np.square(down)) * np.float32(values["strength"] * max(1.0, values["sigma"]))
    return _three(255 - np.minimum(steep, 255).astype(np.uint8))


def edges_reach(values: Values) -> int:
    return sharpen_reach(values) + 1


def emboss(piece: Picture, values: Values, place: Place) -> Picture:
    del place
    light = cv2.cvtColor(piece, cv2.COLOR_RGB2GRAY)
    relief = cv2.filter2D(light, cv2.CV_32F, RELIEF * np.float32(values["strength"] / 2), delta=128)
    return _three(np.clip(relief, 0, 255).astype(np.uint8))


def sharpen(piece: Picture, values: Values, place: Place) -> Picture:
    del place
    strength = values["strength"]
    return np.asarray(cv2.addWeighted(piece, 1 + strength, _blur(piece, values["sigma"]), -strength, 0), np.uint8)


def posterize(piece: Picture, values: Values, place: Place) -> Picture:
    del place
    return _few(piece, int(values["levels"]))


def invert(piece: Picture, values: Values, place: Place) -> Picture:
    del values, place
    return 255 - piece


def vignette(piece: Picture, values: Values, place: Place) -> Picture:
    """Darker by the square of the distance from the middle; half the diagonal is 1."""
    height, width = place.size
    y = (np.arange(piece.shape[0], dtype=np.float32) + place.top + 0.5) / height * 2 - 1
    x = (np.arange(piece.shape[1], dtype=np.float32) + place.left + 0.5) / width * 2 - 1
    far = (y[:, None] ** 2 + x**2) / 2
    return (piece * (1 - np.float32(values["strength"]) * far**1.5)[..., None] + 0.5).astype(np.uint8)


def _blur(piece: Picture, sigma: float) -> Picture:
    side = 2 * math.ceil(3 * sigma) + 1
    return np.asarray(cv2.GaussianBlur(piece, (side, side), sigma, borderType=cv2.BORDER_REPLICATE), np.uint8)


def _smaller(piece: Picture, factor: int) -> Picture:
    """The means of squares; those at the right and lower edge are filled up with the edge."""
    height, width = piece.shape[:2]
    filled = cv2.copyMakeBorder(piece, 0, -height % factor, 0, -width % factor, cv2.BORDER_REPLICATE)
    size = filled.shape[1] // factor, filled.shape[0] // factor
    return np.asarray(cv2.resize(filled, size, interpolation=cv2.INTER_AREA), np.uint8)


def _larger(small: Picture, factor: int, like: Picture) -> Picture:
    """`small` as large as `like` again, bilinear."""
    large = cv2.resize(small, (small.shape[1] * factor, small.shape[0] * factor), interpolation=cv2.INTER_LINEAR)
    return np.ascontiguousarray(large[: like.shape[0], : like.shape[1]], np.uint8)


def _few(piece: Picture, levels: int) -> Picture:
    steps = np.round(np.arange(256) * (levels - 1) / 255) * 255 / (levels - 1)
    return np.asarray(cv2.LUT(piece, np.round(steps).astype(np.uint8)), np.uint8)


def _three(light: cv2.typing.MatLike) -> Picture:
    return np.asarray(cv2.cvtColor(light, cv2.COLOR_GRAY2RGB), np.uint8)
