"""From the network's maps to label map, people map, confidence and key points of the photo."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

from humanparse.labels import NUM_CLASSES
from humanparse.parsers.compact.frame import Frame, choose_smaller, prepare
from humanparse.parsers.compact.graph import STRIDE
from humanparse.parsers.compact.grouping import group
from humanparse.parsers.compact.posing import find_keypoints, in_pixels
from humanparse.parsers.compact.sides import settle_sides
from humanparse.parsers.compact.upsample import argmax_enlarged, argmax_planes, enlarge
from humanparse.parsers.sizes import fine_size, repeat

NOBODY = np.array([10.0] + [-10.0] * (NUM_CLASSES - 1), np.float32)[:, None, None]
"""(20, 1, 1) logits of a cell that is background for sure."""
NEVER = np.float32(-30.0)  # a logit that loses against any other
MIN_PATCH_CELLS = 4  # smaller patches are noise: leaving them out gains 0.1 to 0.2 points of IoU, and calm overlays


class Maps(NamedTuple):
    """What the network says at stride 4 of a frame, float32: parts (20, h, w), people (3, h, w), joints (17, h, w)."""

    parts: NDArray[np.float32]
    people: NDArray[np.float32]
    joints: NDArray[np.float32] | None = None  # weights made before version 2 have none

    def cut(self, cells: tuple[int, int]) -> Maps:
        """The upper left `cells` (height, width), without the padding."""
        window = np.s_[:, : cells[0], : cells[1]]
        return Maps(self.parts[window], self.people[window], None if self.joints is None else self.joints[window])


Infer = Callable[[NDArray[np.uint8]], Maps]
"""Padded (h, w, 3) uint8 RGB -> what the network says of it."""


class Reading(NamedTuple):
    """What is in a photo: labels, people (numbers, 0 nobody) and confidence, each (H, W) uint8.

    keypoints (N, 17, 3) float32, x, y in pixels and score, row n - 1 person n's, or None; whose
    (h, w) the person of each cell of the network's grid, 0 nobody.
    """

    labels: NDArray[np.uint8]
    people: NDArray[np.uint8]
    confidence: NDArray[np.uint8]
    keypoints: NDArray[np.float32] | None
    whose: NDArray[np.intp]


def look(image: NDArray[np.uint8], long_side: int, infer: Infer) -> tuple[Reading, tuple[int, int]]:
    """What a photo shows at this many pixels of its longer side; a close-up is looked at again from further away.

    image (H, W, 3) uint8 RGB. Second: the (height, width) seen at.
    """
    frame = prepare(image, long_side)
    maps = infer(frame.padded)
    smaller = choose_smaller(maps.parts, long_side)
    if smaller is not None:
        frame = prepare(image, smaller)
        maps = infer(frame.padded)
    return read_out(maps, frame, (image.shape[0], image.shape[1])), frame.inner


def read_out(maps: Maps, frame: Frame, size: tuple[int, int]) -> Reading:
    """The network's maps of `frame` -> what is in a photo of `size` (height, width)."""
    maps = maps.cut((-(-frame.inner[0] // STRIDE), -(-frame.inner[1] // STRIDE)))
    logits = drop_specks(maps.parts)
    somebody = argmax_planes(logits) > 0
    closeness, kept = group(maps.people, somebody)
    logits = np.where(somebody & ~kept, NOBODY, logits)
    whose = (
        np.where(kept, argmax_planes(closeness).astype(np.intp) + 1, 0)
        if len(closeness)
        else np.zeros_like(kept, np.intp)
    )
    logits = settle_sides(logits, whose)
    keypoints = None
    if maps.joints is not None:
        keypoints = find_keypoints(maps.joints, whose, len(closeness))
        keypoints = in_pixels(keypoints, (frame.inner[0] / STRIDE / size[0], frame.inner[1] / STRIDE / size[1]))
    fine = fine_size(size)
    scale = frame.inner[0] / STRIDE / fine[0], frame.inner[1] / STRIDE / fine[1]
    labels = argmax_enlarged(logits, fine, scale)
    people = argmax_enlarged(closeness, fine, scale) + np.uint8(1) if len(closeness) else np.zeros_like(labels)
    people[labels == 0] = 0
    confidence = enlarge(_highest_probability(logits), (0, 0, *fine), scale)
    return Reading(repeat(labels, size), repeat(people, size), repeat(confidence, size), keypoints, whose)


def drop_specks(logits: NDArray[np.float32]) -> NDArray[np.float32]:
    """The logits (20, h, w) with every patch of a class of fewer than MIN_PATCH_CELLS given to the next best class."""
    cleaned = logits.copy()
    top = argmax_planes(logits)
    for index in np.flatnonzero(np.bincount(top.ravel())):
        _, patches, stats, _ = cv2.connectedComponentsWithStats((top == index).view(np.uint8), connectivity=8)
        small = stats[:, cv2.CC_STAT_AREA] < MIN_PATCH_CELLS
        small[0] = False  # what is not of this class
        cleaned[index][small[patches]] = NEVER
    return cleaned


def _highest_probability(logits: NDArray[np.float32]) -> NDArray[np.uint8]:
    """(h, w) uint8: the softmax probability of the winning class, times 255."""
    highest = logits.max(axis=0)
    total = np.exp(logits - highest).sum(axis=0)
    return np.asarray(np.round(255 / total), np.uint8)
