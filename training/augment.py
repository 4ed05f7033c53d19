"""Photometric change: light, colour, blur, noise, JPEG. Labels never change here."""

from __future__ import annotations

from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray


def change_light(image: NDArray[np.uint8], rng: np.random.Generator) -> NDArray[np.uint8]:
    """A new (H, W, 3) uint8 RGB image in another light and by another camera."""
    if rng.random() < 0.85:
        image = _curves(image, rng)
    if rng.random() < 0.6:
        image = _saturation(image, float(rng.uniform(0.3, 1.5)))
    if rng.random() < 0.08:
        image = _saturation(image, 0.0)
    if rng.random() < 0.15:
        image = _uint8(cv2.GaussianBlur(image, (0, 0), float(rng.uniform(0.4, 1.6))))
    if rng.random() < 0.2:
        noise = np.empty(image.shape, np.int8)
        cv2.randn(noise, np.zeros(1), np.full(1, rng.uniform(2, 10)))
        image = _uint8(cv2.add(image, noise, dtype=cv2.CV_8U))
    if rng.random() < 0.3:
        quality = int(rng.integers(25, 90))
        packed = cv2.imencode(".jpg", image, [cv2.IMWRITE_JPEG_QUALITY, quality])[1]
        image = _uint8(cv2.imdecode(packed, cv2.IMREAD_COLOR))
    return image


def _curves(image: NDArray[np.uint8], rng: np.random.Generator) -> NDArray[np.uint8]:
    """Gamma, contrast and brightness, a little different in each channel, as one table."""
    ramp = np.linspace(0, 1, 256)[:, None]
    gamma = np.exp(rng.uniform(-0.5, 0.5))
    contrast = np.exp(rng.uniform(-0.35, 0.3))
    shift = rng.uniform(-0.15, 0.15)
    cast = np.exp(rng.normal(0, 0.06, 3))
    table = ((ramp**gamma - 0.5) * contrast + 0.5 + shift) * cast
    return _uint8(cv2.LUT(image, np.clip(table * 255, 0, 255).astype(np.uint8)[None]))


def _saturation(image: NDArray[np.uint8], amount: float) -> NDArray[np.uint8]:
    grey = np.array([[0.299, 0.587, 0.114]] * 3, np.float32)
    return _uint8(cv2.transform(image, amount * np.eye(3, dtype=np.float32) + (1 - amount) * grey))


def _uint8(array: Any) -> NDArray[np.uint8]:
    """OpenCV's result under its dtype."""
    return np.asarray(array, np.uint8)
