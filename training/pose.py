"""Key points of the data set: what they are, where they lie, and which side a limb's pixel is on.

`keypoints.json`: for each photo 17 COCO key points [x, y, confidence] in pixels of the photo, the
person's own left and right, and `ok` (false: two people, or the pose networks disagree).
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from humanparse.keypoints import LEFT_RIGHT, NUM_KEYPOINTS

Keypoints = NDArray[np.float32]
"""(17, 3): x, y in pixels, and confidence in [0, 1]; 0 means that nothing is known."""

Bones = tuple[tuple[int, ...], tuple[int, ...]]
"""Key points along a limb: the left one's, the right one's."""

ARM: Bones = ((5, 7, 9), (6, 8, 10))  # shoulder, elbow, wrist
LEG: Bones = ((11, 13, 15), (12, 14, 16))  # hip, knee, ankle
FOOT: Bones = ((15,), (16,))
LIMBS = ((14, 15, ARM), (16, 17, LEG), (18, 19, FOOT))  # left class, right class, their key points
SURE = 0.5  # confidence from which a key point is believed


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


def limb_sides(points: Keypoints, bones: Bones, size: tuple[int, int], margin: float) -> NDArray[np.int8]:
    """(H, W) int8: -1 nearer to the left limb, 1 to the right, 0 where the two differ by less than `margin` pixels.

    All 0 where a key point of either limb is unsure.
    """
    if (points[[i for side in bones for i in side], 2] < SURE).any():
        return np.zeros(size, np.int8)
    ys, xs = (grid.ravel() for grid in np.mgrid[: size[0], : size[1]])
    gap = limb_gap(points, bones, ys, xs).reshape(size)
    return np.where(np.abs(gap) < margin, 0, np.sign(gap)).astype(np.int8)


def limb_gap(
    points: NDArray[np.float32], bones: Bones, ys: NDArray[np.intp], xs: NDArray[np.intp]
) -> NDArray[np.float64]:
    """How much farther each place (y, x) is from the left limb than from the right; negative: the left is nearer."""
    left, right = limb_distances(points, bones, ys, xs)
    return left - right


def limb_distances(
    points: NDArray[np.float32], bones: Bones, ys: NDArray[np.intp], xs: NDArray[np.intp]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """How far each place (y, x) is from the left limb and from the right.

    points (17, 3): x, y, score, in the unit of the places.
    """
    places = np.stack([xs, ys], axis=1).astype(np.float64)

    def to(side: tuple[int, ...]) -> NDArray[np.float64]:
        joints = points[list(side), :2].astype(np.float64)
        pairs = list(pairwise(joints)) or [(joints[0], joints[0])]
        return np.asarray(np.min([_distance(places, start, end) for start, end in pairs], axis=0))

    return to(bones[0]), to(bones[1])


def _distance(places: NDArray[np.float64], start: NDArray[np.float64], end: NDArray[np.float64]) -> NDArray[np.float64]:
    """From each place (x, y) to the line between two points."""
    along = end - start
    length = float(along @ along)
    share = np.clip((places - start) @ along / length, 0, 1) if length else np.zeros(len(places))
    return np.asarray(np.linalg.norm(places - start - share[:, None] * along, axis=1))
