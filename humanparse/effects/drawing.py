"""Pencil, colour pencil and watercolour, made of the domain transform; a band of rows at a time around it."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from humanparse.effects.contract import Values
from humanparse.effects.domain_transform import UNIT, measure_boxes, smooth
from humanparse.effects.lines import bands


def pencil(image: NDArray[np.uint8], values: Values, out: NDArray[np.uint8], mask: NDArray[np.uint8] | None) -> None:
    """White where the photo is even, dark along its edges."""
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
    """Smoothed washes, darkened by how steeply the washes change."""
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
        shaded = piece * np.maximum(1 - steep, 0)
        out[rows] = (shaded[:count] * 255 + 0.5).astype(np.uint8)


def _tones(image: NDArray[np.uint8], values: Values) -> NDArray[np.uint8]:
    """(H, W) uint8: the pencil's grey."""
    boxes = measure_boxes(image, values["sigma_s"], values["sigma_r"])
    greys = np.minimum(np.arange(int(boxes.max()) + 1) * values["shade_factor"] * 255 + 0.5, 255).astype(np.uint8)
    tones = np.empty(image.shape[:2], np.uint8)
    for rows in bands(image):
        tones[rows] = greys[boxes[rows]]
    return tones
