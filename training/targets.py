"""Scene -> what the losses compare with, at the strides they use."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from humanparse.parsers.compact.graph import STRIDE
from humanparse.parsers.compact.grouping import OFFSET_UNIT
from training.dataset import IGNORE
from training.scenes import Scene

PARTS_STRIDE = 2  # parts are compared at twice the resolution of the output: glasses are thin


def make_targets(scene: Scene) -> dict[str, NDArray[np.generic]]:
    """labels (H/2, W/2); heat, offset (2, ...), owned and known at (H/4, W/4)."""
    people = scene.people[STRIDE // 2 :: STRIDE, STRIDE // 2 :: STRIDE]
    height, width = people.shape
    heat = np.zeros((height, width), np.float32)
    offset = np.zeros((2, height, width), np.float32)
    rows, columns = np.mgrid[:height, :width].astype(np.float32)
    for number in range(1, int(people.max(initial=0)) + 1):
        mine = people == number
        area = int(mine.sum())
        if area == 0:
            continue
        y, x = rows[mine].mean(), columns[mine].mean()
        sigma = float(np.clip(0.08 * np.sqrt(area), 1.2, 5.0))
        blob = np.exp(-((rows - y) ** 2 + (columns - x) ** 2) / (2 * sigma**2))
        blob[round(float(y)), round(float(x))] = 1.0
        heat = np.maximum(heat, blob)
        offset[0][mine] = (y - rows[mine]) / OFFSET_UNIT
        offset[1][mine] = (x - columns[mine]) / OFFSET_UNIT
    coarse = scene.labels[STRIDE // 2 :: STRIDE, STRIDE // 2 :: STRIDE]
    return {
        "labels": scene.labels[::PARTS_STRIDE, ::PARTS_STRIDE],
        "heat": heat,
        "offset": offset,
        "owned": people > 0,
        "known": (coarse != IGNORE) | (people > 0),
    }
