"""Pictures without people, to stand behind them: those that scikit-image carries with free licences.

Read from the package while training, never copied: chelsea, coffee, brick, grass and gravel are CC0,
rocket (SpaceX), hubble_deep_field and moon (NASA) are in the public domain, by the package's own list.
"""

from __future__ import annotations

from functools import cache

import cv2
import numpy as np
from numpy.typing import NDArray

NAMES = ("chelsea", "coffee", "brick", "grass", "gravel", "rocket", "hubble_deep_field", "moon")


@cache
def pictures() -> tuple[NDArray[np.uint8], ...]:
    """Each (H, W, 3) uint8 RGB."""
    from skimage import data

    found = (np.asarray(getattr(data, name)(), np.uint8) for name in NAMES)
    return tuple(p if p.ndim == 3 else np.repeat(p[..., None], 3, axis=2) for p in found)


def backdrop(size: tuple[int, int], rng: np.random.Generator) -> NDArray[np.uint8]:
    """(height, width, 3) uint8 RGB: a random crop of one picture, at a random scale, perhaps mirrored."""
    picture = pictures()[int(rng.integers(len(NAMES)))]
    share = rng.uniform(0.3, 1.0)
    wide = int(min(picture.shape[1], picture.shape[0] * size[1] / size[0]) * share)
    tall = int(wide * size[0] / size[1])
    y = int(rng.integers(picture.shape[0] - tall + 1))
    x = int(rng.integers(picture.shape[1] - wide + 1))
    crop = picture[y : y + tall, x : x + wide]
    crop = crop[:, ::-1] if rng.random() < 0.5 else crop
    return np.asarray(cv2.resize(np.ascontiguousarray(crop), size[::-1], interpolation=cv2.INTER_AREA), np.uint8)
