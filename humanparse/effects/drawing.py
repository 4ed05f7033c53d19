"""Pencil, colour pencil and watercolour, made of the domain transform; a band of rows at a time around it."""

from __future__ import annotations

from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from humanparse.effects.contract import Values
from humanparse.effects.domain_transform import UNIT, measure_boxes, smooth
from humanparse.effects.lines import bands

LINE_SHARE: Final = 8  # of sigma_s: a line is what is darker than the mean of so much around it
DARKEST: Final = 0.3  # of a wash's own colour, at its edges


def pencil(image: NDArray[np.uint8], values: Values, out: NDArray[np.uint8], mask: NDArray[np.uint8] | None) -> None:
    """White where the photo is bright and even, lines along its edges, shades and strokes where it is dark or rough."""
    del mask
    tones = _tones(image, values)
    for rows in bands(image):
        out[rows] = tones[rows][..., None]


def pencil_color(
    image: NDArray[np.uint8], values: Values, out: NDArray[np.uint8], mask: NDArray[np.uint8] | None
) -> None:
    """The pencil's tones as brightness under the photo's own colours."""
    del mask
    tones = _tones(image, values)
    for rows in bands(image):
        colours = cv2.cvtColor(np.ascontiguousarray(image[rows]), cv2.COLOR_RGB2YCrCb)
        colours[..., 0] = tones[rows]
        out[rows] = cv2.cvtColor(colours, cv2.COLOR_YCrCb2RGB)


def watercolor(
    image: NDArray[np.uint8], values: Values, out: NDArray[np.uint8], mask: NDArray[np.uint8] | None
) -> None:
    """Smoothed washes, darker at their edges, where pigment gathers: by how steeply the washes change."""
    del mask
    washes = smooth(image, values["sigma_s"], values["sigma_r"])
    height = image.shape[0]
    for rows in bands(image):
        piece = washes[rows.start : min(rows.stop + 1, height)].astype(np.float32) / (255 * UNIT)
        count = rows.stop - rows.start
        across, down = np.zeros_like(piece), np.zeros_like(piece)
        across[:, :-1] = piece[:, 1:] - piece[:, :-1]
        down[: len(piece) - 1] = piece[1:] - piece[:-1]
        steep = np.sqrt(across * across + down * down).sum(axis=2, keepdims=True)
        shaded = piece * np.maximum(1 - np.float32(values["edges"]) * steep, DARKEST)
        out[rows] = (shaded[:count] * 255 + 0.5).astype(np.uint8)


def hatch(image: NDArray[np.uint8], sigma_s: float, sigma_r: float, shade_factor: float) -> NDArray[np.uint8]:
    """(H, W) uint8: dark strokes along edges and in what is rough, as OpenCV's `pencilSketch` has them."""
    boxes = measure_boxes(image, sigma_s, sigma_r)
    greys = np.minimum(np.arange(int(boxes.max()) + 1) * shade_factor * 255 + 0.5, 255).astype(np.uint8)
    strokes = np.empty(image.shape[:2], np.uint8)
    for rows in bands(image):
        strokes[rows] = greys[boxes[rows]]
    return strokes


def _tones(image: NDArray[np.uint8], values: Values) -> NDArray[np.uint8]:
    """(H, W) uint8: the pencil's grey: lines, times shades of the photo's darkness, times as many strokes as wanted.

    OpenCV's pencil is the strokes alone: skin is as dark as hair there, and black hair is white.
    """
    tones = hatch(image, values["sigma_s"], values["sigma_r"], values["shade_factor"])
    light = np.asarray(cv2.cvtColor(image, cv2.COLOR_RGB2GRAY), np.uint8)
    side = 2 * round(3 * values["sigma_s"] / LINE_SHARE) + 1
    around = cv2.stackBlur(light, (side, side))
    shades = 1 - np.float32(values["shading"]) * (1 - np.arange(256, dtype=np.float32) / 255) ** 1.5
    for rows in bands(image):
        lines = np.minimum((light[rows] + np.float32(1)) / (around[rows] + np.float32(1)), 1)
        strokes = 1 - np.float32(values["hatching"] / 255) * (255 - tones[rows])
        tones[rows] = (lines * shades[light[rows]] * strokes * 255 + 0.5).astype(np.uint8)
    return tones
