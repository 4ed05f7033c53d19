"""One photo put into a frame: scaled, turned, flipped, with its labels, its cut-out and its key points.

Left and right are the person's own, so a flip swaps the sided classes and key points.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from humanparse.labels import CLASSES
from training.dataset import IGNORE, Sample
from training.pose import Keypoints, flip_sides

SIDED = tuple((c.id, c.twin) for c in CLASSES if c.twin is not None and c.id < c.twin)
FLIP = np.arange(256, dtype=np.uint8)
for _left, _right in SIDED:
    FLIP[_left], FLIP[_right] = _right, _left

Size = tuple[int, int]
"""(height, width) of a frame in pixels."""
Point = tuple[float, float]
"""(y, x) in pixels of the frame."""


@dataclass(frozen=True)
class Placed:
    """A photo in the frame: image (H, W, 3) uint8, labels (H, W) uint8, person (H, W) bool, key points (17, 3)."""

    image: NDArray[np.uint8]
    labels: NDArray[np.uint8]
    person: NDArray[np.bool_]
    points: Keypoints


def place(sample: Sample, size: Size, span: float, anchor: Point, rng: np.random.Generator, fill: bool) -> Placed:
    """The photo warped so that its person is `span` pixels tall with its box's middle at `anchor`.

    With `fill` the frame beyond the photo is one colour (nobody) or the photo mirrored (ignored).
    """
    height, width = size
    ys, xs = np.nonzero(sample.person[::4, ::4])
    top, bottom, left, right = ys.min() * 4, ys.max() * 4 + 4, xs.min() * 4, xs.max() * 4 + 4
    scale = span / (bottom - top)
    stretch = np.exp(rng.uniform(-0.1, 0.1))
    angle = _angle(rng)
    cos, sin = np.cos(np.radians(angle)) * scale, np.sin(np.radians(angle)) * scale
    flip = rng.random() < 0.5
    matrix = np.array([[cos * stretch, -sin, 0.0], [sin * stretch, cos, 0.0]])
    if flip:
        matrix[:, 0] *= -1
    centre = np.array([(left + right) / 2, (top + bottom) / 2])
    matrix[:, 2] = np.array([anchor[1], anchor[0]]) - matrix[:, :2] @ centre
    wide = (width, height)
    border = int(rng.choice([cv2.BORDER_REFLECT_101, cv2.BORDER_CONSTANT])) if fill else cv2.BORDER_CONSTANT
    shade = [int(v) for v in rng.integers(0, 256, 3)]
    image = _warp_photo(sample.image, matrix, scale, wide, border, shade)
    outside = 0 if border == cv2.BORDER_CONSTANT else IGNORE
    labels = _warp_map(sample.labels, matrix, wide, outside)
    person = _warp_map(sample.person.astype(np.uint8), matrix, wide, 0)
    points = sample.points.copy()
    points[:, :2] = sample.points[:, :2] @ matrix[:, :2].T.astype(np.float32) + matrix[:, 2].astype(np.float32)
    return Placed(image, FLIP[labels] if flip else labels, person > 0, flip_sides(points) if flip else points)


def _angle(rng: np.random.Generator) -> float:
    """Degrees: nearly upright, sometimes leaning, seldom lying."""
    kind = rng.random()
    if kind < 0.9:
        return float(rng.normal(0, 7))
    return float(rng.uniform(-40, 40) if kind < 0.98 else rng.uniform(-110, 110))


def _warp_photo(
    image: NDArray[np.uint8],
    matrix: NDArray[np.float64],
    scale: float,
    wide: tuple[int, int],
    border: int,
    shade: list[int],
) -> NDArray[np.uint8]:
    while scale < 0.5:  # linear interpolation would alias
        image = np.asarray(cv2.resize(image, None, fx=0.5, fy=0.5, interpolation=cv2.INTER_AREA), np.uint8)
        matrix, scale = matrix * (2, 2, 1), scale * 2
    warped = cv2.warpAffine(image, matrix, wide, flags=cv2.INTER_LINEAR, borderMode=border, borderValue=shade)
    return np.asarray(warped, np.uint8)


def _warp_map(
    ids: NDArray[np.uint8], matrix: NDArray[np.float64], wide: tuple[int, int], outside: int
) -> NDArray[np.uint8]:
    warped = cv2.warpAffine(
        ids, matrix, wide, flags=cv2.INTER_NEAREST, borderMode=cv2.BORDER_CONSTANT, borderValue=outside
    )
    return np.asarray(warped, np.uint8)
