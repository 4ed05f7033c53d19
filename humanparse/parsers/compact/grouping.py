"""Who is where: centres from the heat map, and each cell to the centre it points at.

After Panoptic-DeepLab (Cheng et al., 2020). Works on the network's output grid; `upsample` takes
it to the photo's size.
"""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from humanparse.parsers.compact.upsample import argmax_planes
from humanparse.records import MAX_PEOPLE

OFFSET_UNIT = 16.0  # cells in one unit of predicted offset (64 input pixels)
MIN_HEAT = 0.2  # probability from which a peak is a person; this and MAX_MISS_CELLS chosen on composed scenes
PEAK_RADIUS = 3  # cells; of two peaks nearer than this, the higher one stays
MIN_CELLS = 12  # a person of fewer cells is noise
MIN_LONE_CELLS = 150  # a patch that points at no centre is a person of its own from this size on
MAX_MISS_CELLS = 20.0  # a patch whose cells miss every centre by more than this points at none
FAR = np.float32(-1e6)


def group(output: NDArray[np.float32], somebody: NDArray[np.bool_]) -> tuple[NDArray[np.float32], NDArray[np.bool_]]:
    """Closeness of every cell to every person, and the cells that stay somebody's.

    output (3, h, w): centre logit, offset (dy, dx); somebody (h, w) bool. Returns closeness
    (N, h, w) float32, whose argmax over N says whose a cell is, and (h, w) bool without specks.
    N is 0 exactly where nobody stays.
    """
    heat = 1 / (1 + np.exp(-output[0]))
    rows, columns = np.mgrid[: heat.shape[0], : heat.shape[1]].astype(np.float32)
    target = rows + output[1] * OFFSET_UNIT, columns + output[2] * OFFSET_UNIT
    closeness = _closeness(find_centres(heat), *target)
    cells = _cells_won(closeness, somebody)
    closeness = closeness[cells >= MIN_CELLS]
    lone, kept = _split_lone_patches(closeness, somebody)
    room = MAX_PEOPLE - len(closeness)
    added = np.where(np.stack(lone[:room]), np.float32(0), FAR) if lone else closeness[:0]
    for patch in lone[room:]:
        kept &= ~patch
    closeness = np.concatenate([closeness, added])
    _spread(closeness, kept)
    return (closeness, kept) if kept.any() else (closeness[:0], kept)


def find_centres(heat: NDArray[np.float32]) -> NDArray[np.float32]:
    """(N, 2) float32 (y, x) cells of the peaks of `heat` (h, w), highest first, at most 255."""
    side = 2 * PEAK_RADIUS + 1
    highest = cv2.dilate(heat, np.ones((side, side), np.uint8))
    ys, xs = np.nonzero((heat == highest) & (heat >= MIN_HEAT))
    order = np.argsort(-heat[ys, xs], kind="stable")[:MAX_PEOPLE]
    return np.stack([ys[order], xs[order]], axis=1).astype(np.float32)


def _closeness(centres: NDArray[np.float32], y: NDArray[np.float32], x: NDArray[np.float32]) -> NDArray[np.float32]:
    """(N, h, w) minus the distance, in cells, from where each cell points to each centre."""
    planes = np.empty((len(centres), *y.shape), np.float32)
    for plane, (cy, cx) in zip(planes, centres, strict=True):
        np.negative(np.hypot(y - cy, x - cx), out=plane)
    return planes


def _spread(closeness: NDArray[np.float32], kept: NDArray[np.bool_]) -> None:
    """Give nobody's cells beside somebody the closeness of that neighbour, in place.

    A person's edge lies between its cells and nobody's, and what nobody's cells point at is chance.
    """
    mask = kept.astype(np.float32)
    share = cv2.blur(mask, (3, 3))
    edge = (share > 0) & ~kept
    for plane in closeness:
        plane[edge] = (cv2.blur(plane * mask, (3, 3))[edge]) / share[edge]


def _cells_won(closeness: NDArray[np.float32], somebody: NDArray[np.bool_]) -> NDArray[np.intp]:
    if not len(closeness):
        return np.zeros(0, np.intp)
    return np.bincount(argmax_planes(closeness)[somebody], minlength=len(closeness))


def _split_lone_patches(
    closeness: NDArray[np.float32], somebody: NDArray[np.bool_]
) -> tuple[list[NDArray[np.bool_]], NDArray[np.bool_]]:
    """Connected patches that point at no centre: people of their own if large, else dropped."""
    patches = cv2.connectedComponents(somebody.astype(np.uint8), connectivity=8)[1]
    cells = np.bincount(patches.ravel())
    miss = -closeness.max(axis=0) if len(closeness) else np.full(somebody.shape, np.inf)
    mean_miss = np.bincount(patches.ravel(), weights=miss.ravel()) / np.maximum(cells, 1)
    pointless = mean_miss > MAX_MISS_CELLS
    pointless[0] = False
    large = [patches == patch for patch in np.flatnonzero(pointless & (cells >= MIN_LONE_CELLS))]
    dropped = np.isin(patches, np.flatnonzero(pointless & (cells < MIN_LONE_CELLS)))
    return large, somebody & ~dropped
