"""Key points of the data set: what they are, where they lie, and which side a limb's pixel is on.

`keypoints.json`: for each photo 17 COCO key points [x, y, confidence] in pixels of the photo, the
person's own left and right, and `ok` (false: two people, or the pose networks disagree).
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from humanparse.keypoints import LEFT_RIGHT, NUM_KEYPOINTS

Keypoints = NDArray[np.float32]
"""(17, 3): x, y in pixels, and confidence in [0, 1]; 0 means that nothing is known."""

SURE = 0.5  # confidence from which a key point is believed
ARM = ((5, 7, 9), (6, 8, 10))  # shoulder, elbow, wrist: left, right
LEG = ((11, 13, 15), (12, 14, 16))  # hip, knee, ankle
FOOT = ((15,), (16,))
LIMBS = ((14, 15, ARM), (16, 17, LEG), (18, 19, FOOT))  # left class, right class, its key points


@dataclass(frozen=True)
class Pose:
    """Key points of one photo's person, its box (x0, y0, x1, y1) in pixels, and whether to believe them."""

    points: Keypoints
    box: tuple[int, int, int, int]
    ok: bool


def read_poses(path: Path) -> dict[str, Pose]:
    """Poses by photo name; empty where there is no such file."""
    if not path.exists():
        return {}
    return {
        name: Pose(np.array(entry["keypoints"], np.float32), tuple(entry["box"]), bool(entry["ok"]))
        for name, entry in json.loads(path.read_text()).items()
    }


def no_pose() -> Keypoints:
    """Key points of which nothing is known."""
    return np.zeros((NUM_KEYPOINTS, 3), np.float32)


def flip_sides(points: Keypoints) -> Keypoints:
    """The same key points with left and right names swapped; coordinates stay."""
    swapped = points.copy()
    for left, right in LEFT_RIGHT:
        swapped[..., [left, right], :] = points[..., [right, left], :]
    return swapped


def trunk_length(points: Keypoints) -> float:
    """Pixels from the middle of the shoulders to the middle of the hips."""
    return float(np.linalg.norm(points[[5, 6], :2].mean(axis=0) - points[[11, 12], :2].mean(axis=0)))


def limb_sides(
    points: Keypoints, limb: tuple[tuple[int, ...], tuple[int, ...]], size: tuple[int, int], margin: float
) -> NDArray[np.int8]:
    """(H, W) int8: -1 nearer to the left limb, 1 to the right, 0 where the two differ by less than `margin` pixels.

    All 0 where a key point of either limb is unsure.
    """
    height, width = size
    if (points[[i for side in limb for i in side], 2] < SURE).any():
        return np.zeros(size, np.int8)
    distances = []
    for side in limb:
        line = np.full(size, 255, np.uint8)
        pixels = points[list(side), :2].round().astype(int)
        cv2.polylines(line, [np.clip(pixels, 0, (width - 1, height - 1))[:, None]], False, 0, 1)
        distances.append(cv2.distanceTransform(line, cv2.DIST_L2, 5))
    gap = distances[0] - distances[1]
    return np.where(np.abs(gap) < margin, 0, np.sign(gap)).astype(np.int8)
