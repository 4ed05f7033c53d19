"""Photometric change: light, colour, blur, noise, JPEG. Labels never change here."""

from __future__ import annotations

from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray


def change_light(image: NDArray[np.uint8], rng: np.random.Generator) -> NDArray[np.uint8]:
    """A new (H, W, 3) uint8 RGB image in another light and by another camera."""
    if rng.random() < 0.12:
        image = _coarsen(image, float(rng.uniform(0.3, 0.8)))
    if rng.random() < 0.85:
        image = _curves(image, rng)
    if rng.random() < 0.08:
        image = _darken(image, rng)
    if rng.random() < 0.6:
        image = _saturation(image, float(rng.uniform(0.3, 1.5)))
    if rng.random() < 0.08:
        image = _saturation(image, 0.0)
    if rng.random() < 0.15:
        image = _uint8(cv2.GaussianBlur(image, (0, 0), float(rng.uniform(0.4, 1.6))))
    if rng.random() < 0.05:
        image = _move(image, rng)
    if rng.random() < 0.2:
        noise = np.empty(image.shape, np.int8)
        cv2.randn(noise, np.zeros(1), np.full(1, rng.uniform(2, 10)))
        image = _uint8(cv2.add(image, noise, dtype=cv2.CV_8U))
    if rng.random() < 0.3:
        quality = int(rng.integers(20, 90))
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


def _darken(image: NDArray[np.uint8], rng: np.random.Generator) -> NDArray[np.uint8]:
    """Evening or indoors: dark, and as noisy as sensors are then."""
    table = (255 * np.linspace(0, 1, 256) ** rng.uniform(1.2, 2.0) * rng.uniform(0.3, 0.8)).astype(np.uint8)
    noise = np.empty(image.shape, np.int8)
    cv2.randn(noise, np.zeros(1), np.full(1, rng.uniform(2, 8)))
    return _uint8(cv2.add(cv2.LUT(image, table), noise, dtype=cv2.CV_8U))


def _coarsen(image: NDArray[np.uint8], share: float) -> NDArray[np.uint8]:
    """As if the photo had been `share` as wide and was enlarged."""
    small = cv2.resize(image, None, fx=share, fy=share, interpolation=cv2.INTER_AREA)
    return _uint8(cv2.resize(small, image.shape[1::-1], interpolation=cv2.INTER_LINEAR))


def _move(image: NDArray[np.uint8], rng: np.random.Generator) -> NDArray[np.uint8]:
    """Blur along a line of 3 to 9 pixels, as a moving camera makes."""
    length = int(rng.integers(1, 5))
    kernel = np.zeros((2 * length + 1, 2 * length + 1), np.float32)
    angle = rng.uniform(0, np.pi)
    tip = (round(length + length * np.cos(angle)), round(length + length * np.sin(angle)))
    cv2.line(kernel, (2 * length - tip[0], 2 * length - tip[1]), tip, 1.0)
    return _uint8(cv2.filter2D(image, -1, kernel / kernel.sum()))


def _saturation(image: NDArray[np.uint8], amount: float) -> NDArray[np.uint8]:
    grey = np.array([[0.299, 0.587, 0.114]] * 3, np.float32)
    return _uint8(cv2.transform(image, amount * np.eye(3, dtype=np.float32) + (1 - amount) * grey))


def _uint8(array: Any) -> NDArray[np.uint8]:
    """OpenCV's result under its dtype."""
    return np.asarray(array, np.uint8)
