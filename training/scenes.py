"""Scenes of several people, pasted together from photos of one.

A scene is a base photo, scaled, turned, cut to the frame, with cut-out people from other photos in
front of it: nearer ones larger and later, so that occlusion and truncation come out as they do in
the street. Left and right are the person's own, so a flip swaps the sided classes.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from humanparse.labels import CLASSES
from training.dataset import IGNORE, Sample

SIDED = tuple((c.id, c.twin) for c in CLASSES if c.twin is not None and c.id < c.twin)
FLIP = np.arange(256, dtype=np.uint8)
for _left, _right in SIDED:
    FLIP[_left], FLIP[_right] = _right, _left

BESIDE_SHARE = 0.08  # of the frames: the base photo's person is out of sight
MIN_VISIBLE = 40  # pixels of a person that must stay in sight for it to count


@dataclass(frozen=True)
class Scene:
    """image (H, W, 3) uint8, labels (H, W) uint8 with 255 = ignore, people (H, W) uint8 0..N."""

    image: NDArray[np.uint8]
    labels: NDArray[np.uint8]
    people: NDArray[np.uint8]


def make_scene(samples: list[Sample], base: int, size: tuple[int, int], rng: np.random.Generator) -> Scene:
    """A scene of `size` (height, width) over photo `base`, with 0 to 3 people pasted in."""
    crowd = int(rng.choice(4, p=(0.5, 0.2, 0.2, 0.1)))
    span = _person_span(size, crowd, rng)
    anchor = _anchor(size, span, rng)
    if rng.random() < BESIDE_SHARE:
        anchor = _beside(size, span, anchor, rng)
    image, labels, person = _place(samples[base], size, span, anchor, rng, fill=True)
    people = person.astype(np.uint8)
    spans = np.sort(span * np.exp(rng.uniform(-0.9, 0.35, crowd)))
    for number, other_span in enumerate(spans, start=2):
        other = samples[int(rng.integers(len(samples)))]
        anchor = _anchor(size, other_span, rng)
        theirs, their_labels, mask = _place(other, size, other_span, anchor, rng, fill=False)
        soft = cv2.GaussianBlur(mask.astype(np.float32), (3, 3), 0)[..., None]
        if rng.random() < 0.5:
            theirs = _match_tone(theirs, mask, image)
        image = np.where(soft > 0, (theirs * soft + image * (1 - soft)).astype(np.uint8), image)
        labels = np.where(mask, their_labels, labels)
        people = np.where(mask, np.uint8(number), people)
    return Scene(image, labels, _renumber(people, labels))


def _person_span(size: tuple[int, int], crowd: int, rng: np.random.Generator) -> float:
    """Height in pixels at which the photo's person appears: mostly whole, sometimes close up."""
    if rng.random() < 0.75:
        low, high = (0.7, 1.05) if crowd == 0 else (0.55, 0.95)
    else:
        low, high = 1.05, 3.0
    return float(size[0] * np.exp(rng.uniform(np.log(low), np.log(high))))


def _anchor(size: tuple[int, int], span: float, rng: np.random.Generator) -> tuple[float, float]:
    """Where the middle of the person's box goes, (y, x); a tall one shows some part of itself."""
    height, width = size
    slack = abs(height - span) / 2
    y = height / 2 + rng.uniform(-1, 1) * (slack + 0.06 * height)
    x = width * (0.5 + rng.uniform(-0.42, 0.42))
    return float(y), float(x)


def _beside(
    size: tuple[int, int], span: float, anchor: tuple[float, float], rng: np.random.Generator
) -> tuple[float, float]:
    """An anchor outside the frame: what lies beside the person is nobody, however it looks."""
    away = 0.15 * span + rng.uniform(0.3, 0.6) * size[1]  # half a person's width, and then some
    return anchor[0], size[1] / 2 + float(rng.choice((-away, away)))


def _place(
    sample: Sample,
    size: tuple[int, int],
    span: float,
    anchor: tuple[float, float],
    rng: np.random.Generator,
    fill: bool,
) -> tuple[NDArray[np.uint8], NDArray[np.uint8], NDArray[np.bool_]]:
    """The photo warped so that its person is `span` pixels tall around `anchor`."""
    height, width = size
    ys, xs = np.nonzero(sample.person[::4, ::4])
    top, bottom, left, right = ys.min() * 4, ys.max() * 4 + 4, xs.min() * 4, xs.max() * 4 + 4
    scale = span / (bottom - top)
    stretch = np.exp(rng.uniform(-0.1, 0.1))
    angle = rng.normal(0, 7) if rng.random() < 0.9 else rng.uniform(-40, 40)
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
    return image, FLIP[labels] if flip else labels, person > 0


def _warp_photo(
    image: NDArray[np.uint8],
    matrix: NDArray[np.float64],
    scale: float,
    wide: tuple[int, int],
    border: int,
    shade: list[int],
) -> NDArray[np.uint8]:
    if scale < 0.5:  # linear interpolation would alias
        image = np.asarray(cv2.resize(image, None, fx=0.5, fy=0.5, interpolation=cv2.INTER_AREA), np.uint8)
        matrix = matrix * (2, 2, 1)
    warped = cv2.warpAffine(image, matrix, wide, flags=cv2.INTER_LINEAR, borderMode=border, borderValue=shade)
    return np.asarray(warped, np.uint8)


def _warp_map(
    ids: NDArray[np.uint8], matrix: NDArray[np.float64], wide: tuple[int, int], outside: int
) -> NDArray[np.uint8]:
    warped = cv2.warpAffine(
        ids, matrix, wide, flags=cv2.INTER_NEAREST, borderMode=cv2.BORDER_CONSTANT, borderValue=outside
    )
    return np.asarray(warped, np.uint8)


def _match_tone(theirs: NDArray[np.uint8], mask: NDArray[np.bool_], image: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Shift a cut-out's mean colour half-way to the scene's, as one light would."""
    if mask.sum() < MIN_VISIBLE:
        return theirs
    shift = (image.reshape(-1, 3)[::7].mean(axis=0) - theirs[mask].mean(axis=0)) * 0.4
    return np.asarray(np.clip(theirs + shift, 0, 255), np.uint8)


def _renumber(people: NDArray[np.uint8], labels: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Numbers 1..N without those of whom next to nothing is in sight."""
    seen = np.bincount(people[labels > 0].ravel(), minlength=256)
    table = np.zeros(256, np.uint8)
    kept = [n for n in range(1, 256) if seen[n] >= MIN_VISIBLE]
    table[kept] = np.arange(1, len(kept) + 1)
    return table[people]
