"""Scene -> what the losses compare with, at the strides they use."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from humanparse.keypoints import NUM_KEYPOINTS
from humanparse.parsers.compact.graph import STRIDE
from humanparse.parsers.compact.grouping import OFFSET_UNIT
from training.dataset import IGNORE
from training.pose import ARM, LEG, SURE, limb_distances
from training.scenes import Scene

PARTS_STRIDE = 2  # parts are compared at twice the resolution of the output: glasses are thin
CLEAR = 0.012  # of the person's height: so much nearer is clearly nearer
NEAR = 0.1  # of it: further from both limbs there is nothing to learn
MIN_FIELD_SPAN = 12  # cells; the limbs of smaller people are too thin
PEAK = 0.999  # heat from which a cell is a key point or centre itself


def make_targets(scene: Scene) -> dict[str, NDArray[np.generic]]:
    """labels (H/2, W/2); at (H/4, W/4) heat, offset, fields (2, ...), owned, known, joints, joints_known (17, ...)."""
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
    known = (coarse != IGNORE) | (people > 0)
    return {
        "labels": scene.labels[::PARTS_STRIDE, ::PARTS_STRIDE],
        "heat": heat,
        "offset": offset,
        "owned": people > 0,
        "known": known,
        **joint_targets(scene, people, known),
        "fields": field_targets(scene, people),
    }


def joint_targets(scene: Scene, people: NDArray[np.uint8], known: NDArray[np.bool_]) -> dict[str, NDArray[np.generic]]:
    """joints (17, h, w) float32 in [0, 1], 1 at key points in sight; joints_known (17, h, w) bool, where to learn.

    people (h, w) uint8 and known (h, w) bool on the same grid. Nothing is learned where bystanders
    are, on people without key points, and around key points that are unsure or hidden.
    """
    height, width = people.shape
    heat = np.zeros((NUM_KEYPOINTS, height, width), np.float32)
    learn = np.repeat(known[None], NUM_KEYPOINTS, axis=0)
    for number, points in enumerate(scene.points, start=1):
        mine = people == number
        if not points[:, 2].any():
            learn[:, mine] = False
            continue
        span = np.ptp(points[:, 1]) / STRIDE
        sigma = float(np.clip(0.014 * span, 0.8, 3.0))
        near = cv2.dilate(mine.view(np.uint8), np.ones((3, 3), np.uint8))
        for joint, (px, py, confidence) in enumerate(points):
            x, y = (px + 0.5) / STRIDE - 0.5, (py + 0.5) / STRIDE - 0.5
            column, row = round(float(x)), round(float(y))
            inside = 0 <= column < width and 0 <= row < height
            if inside and confidence >= SURE and near[row, column]:
                window, distance = _around(x, y, 3 * sigma + 1, height, width)
                blob = np.exp(-(distance**2) / (2 * sigma**2))
                heat[joint][window] = np.maximum(heat[joint][window], blob)
                heat[joint, row, column] = 1.0
            else:
                window, distance = _around(x, y, max(3.0, 0.06 * span), height, width)
                learn[joint][window] &= distance > max(3.0, 0.06 * span)
    learn |= heat >= PEAK
    return {"joints": heat, "joints_known": learn}


def field_targets(scene: Scene, people: NDArray[np.uint8]) -> NDArray[np.int8]:
    """(2, h, w) int8, arms and legs: 1 where the left one is clearly nearer, -1 the right one, 0 for nothing to learn.

    By key points, on the bodies near those limbs, whatever they wear there. people (h, w) uint8.
    """
    fields = np.zeros((2, *people.shape), np.int8)
    for number, points in enumerate(scene.points, start=1):
        span = float(np.ptp(points[:, 1])) / STRIDE
        ys, xs = np.nonzero(people == number)
        if not len(ys) or span < MIN_FIELD_SPAN:
            continue
        cells = points.copy()
        cells[:, :2] = (points[:, :2] + 0.5) / STRIDE - 0.5
        for kind, bones in enumerate((ARM, LEG)):
            if (points[[i for side in bones for i in side], 2] < SURE).any():
                continue
            left, right = limb_distances(cells, bones, ys, xs)
            clear = (np.abs(left - right) > CLEAR * span) & (np.minimum(left, right) < NEAR * span)
            fields[kind, ys[clear], xs[clear]] = np.where(left < right, 1, -1)[clear]
    return fields


def _around(
    x: float, y: float, reach: float, height: int, width: int
) -> tuple[tuple[slice, slice], NDArray[np.float32]]:
    """The window of the cells within `reach` of (x, y), and each one's distance, in cells."""
    y0, y1 = int(np.clip(y - reach, 0, height)), int(np.clip(y + reach + 2, 0, height))
    x0, x1 = int(np.clip(x - reach, 0, width)), int(np.clip(x + reach + 2, 0, width))
    rows, columns = np.mgrid[y0:y1, x0:x1].astype(np.float32)
    return (slice(y0, y1), slice(x0, x1)), np.hypot(rows - y, columns - x)
