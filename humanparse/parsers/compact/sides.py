"""Left and right of arms, legs and shoes, by the person's own key points.

A pixel of a shoe looks the same on both feet; which foot it is on is easier said of an ankle, whose
place tells it apart from the other. So where a limb of one side is clearly nearer, its side wins.
"""

from __future__ import annotations

from itertools import pairwise
from typing import Final

import numpy as np
from numpy.typing import NDArray

Bones = tuple[tuple[int, ...], tuple[int, ...]]
"""Key points along a limb: the left one's, the right one's."""

ARM: Final[Bones] = ((5, 7, 9), (6, 8, 10))  # shoulder, elbow, wrist
LEG: Final[Bones] = ((11, 13, 15), (12, 14, 16))  # hip, knee, ankle
FOOT: Final[Bones] = ((15,), (16,))
LIMBS: Final = ((14, 15, ARM), (16, 17, LEG), (18, 19, FOOT))  # left class, right class, their key points
MIN_SCORE = 0.3  # of all the key points of both limbs
CLEAR_SHARE = 0.02  # of the person's height: by so much one limb must be nearer


def settle_sides(
    logits: NDArray[np.float32], whose: NDArray[np.intp], keypoints: NDArray[np.float32]
) -> NDArray[np.float32]:
    """The logits (20, h, w) with the two sides of a limb exchanged wherever the other side's limb is clearly nearer.

    whose (h, w): the person of each cell, 0 nobody; keypoints (N, 17, 3): x, y in cells and score.
    """
    settled = logits.copy()
    top = logits.argmax(axis=0)
    for left, right, bones in LIMBS:
        rows, columns = np.nonzero(((top == left) | (top == right)) & (whose > 0))
        owners = whose[rows, columns]
        for number in np.unique(owners):
            points = keypoints[number - 1]
            if points[[i for side in bones for i in side], 2].min() < MIN_SCORE:
                continue
            ys, xs = rows[owners == number], columns[owners == number]
            gap = limb_gap(points, bones, ys, xs)
            clear = np.abs(gap) > CLEAR_SHARE * np.ptp(np.nonzero((whose == number).any(axis=1))[0])
            wrong = clear & ((gap < 0) != (top[ys, xs] == left))
            ys, xs = ys[wrong], xs[wrong]
            settled[left, ys, xs], settled[right, ys, xs] = logits[right, ys, xs], logits[left, ys, xs]
    return settled


def limb_gap(
    points: NDArray[np.float32], bones: Bones, ys: NDArray[np.intp], xs: NDArray[np.intp]
) -> NDArray[np.float64]:
    """How much farther each place (y, x) is from the left limb than from the right; negative: the left is nearer.

    points (17, 3): x, y, score, in the unit of the places.
    """
    places = np.stack([xs, ys], axis=1).astype(np.float64)
    distances = []
    for side in bones:
        joints = points[list(side), :2].astype(np.float64)
        pairs = list(pairwise(joints)) or [(joints[0], joints[0])]
        distances.append(np.min([_distance(places, start, end) for start, end in pairs], axis=0))
    return np.asarray(distances[0] - distances[1])


def _distance(places: NDArray[np.float64], start: NDArray[np.float64], end: NDArray[np.float64]) -> NDArray[np.float64]:
    """From each place (x, y) to the line between two points."""
    along = end - start
    length = float(along @ along)
    share = np.clip((places - start) @ along / length, 0, 1) if length else np.zeros(len(places))
    return np.asarray(np.linalg.norm(places - start - share[:, None] * along, axis=1))
