"""Scenes of several people, pasted together from photos of one.

A scene is a base photo or a backdrop without people, cut to the frame, with cut-out people from
other photos in front of it: nearer ones larger and later, so that occlusion and truncation come out
as they do in the street; sometimes something in front of them all, as a table is.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from training.backdrops import backdrop
from training.dataset import IGNORE, Sample
from training.placing import Placed, Point, Size, place
from training.pose import Keypoints

CROWDS = (0.04, 0.54, 0.13, 0.10, 0.07, 0.05, 0.03, 0.02, 0.02)  # share of the scenes with 0, 1, 2, ... people
EMPTY_SHARE = 0.35  # of the groups: nobody of the base photo is in sight, as in scenes with 0 people
BACKDROP_SHARE = 0.3  # of those: a picture that never had people in it
FAR_SHARE = 0.15  # of the groups: everybody is small
SHADOW_SHARE = 0.35  # of the people pasted
SHADOW_REACH = 0.1  # of the person's height
TONE_SHARE = 0.6  # of the people pasted: their colours are moved towards the scene's
MIN_BASE_SPAN = 0.5  # of the frame's height: a base photo shrunk further would leave the frame empty
BARRIER_SHARE = 0.12  # of the scenes with people
MIN_VISIBLE = 40  # pixels of a person that must stay in sight for it to count


@dataclass(frozen=True)
class Scene:
    """image (H, W, 3) uint8, labels (H, W) uint8 with 255 = ignore, people (H, W) uint8 0..N.

    points (N, 17, 3) float32: x, y in pixels of the frame and confidence, hidden ones too.
    """

    image: NDArray[np.uint8]
    labels: NDArray[np.uint8]
    people: NDArray[np.uint8]
    points: Keypoints


def make_scene(
    samples: Sequence[Sample], base: int, size: Size, rng: np.random.Generator, crowd: int | None = None
) -> Scene:
    """A scene of `size` (height, width) over photo `base`, with `crowd` people (default: by chance)."""
    if crowd is None:
        crowd = int(rng.choice(len(CROWDS), p=CROWDS))
    if crowd == 1 and rng.random() > 0.15:
        spans = [_lone_span(size, rng)]
        spots = [_anchor(size, spans[0], rng)]
        empty = False
    else:
        spans, spots = arrange(size, crowd, rng)
        empty = crowd == 0 or rng.random() < EMPTY_SHARE
    pasted = list(zip(spans, spots, strict=True))
    if empty or spans[0] < MIN_BASE_SPAN * size[0]:
        ground = _empty_ground(samples[base], size, rng)
        points = []
    else:
        ground = place(samples[base], size, *pasted.pop(0), rng, fill=True)
        points = [ground.points]
    image, labels = ground.image.copy(), ground.labels.copy()
    people = ground.person.astype(np.uint8)
    for span, spot in pasted:
        other = place(samples[int(rng.integers(len(samples)))], size, span, spot, rng, fill=False)
        points.append(other.points)
        _paste(image, other, span, rng)
        np.copyto(labels, other.labels, where=other.person)
        np.copyto(people, np.uint8(len(points)), where=other.person)
    if crowd and rng.random() < BARRIER_SHARE:
        image, hidden = _barrier(image, samples[int(rng.integers(len(samples)))], rng)
        labels, people = np.where(hidden, np.uint8(0), labels), np.where(hidden, np.uint8(0), people)
    people, kept = _renumber(people, labels)
    found = np.stack([points[i] for i in kept]) if kept else np.zeros((0, 17, 3), np.float32)
    return Scene(image, labels, people, found)


def arrange(size: Size, crowd: int, rng: np.random.Generator) -> tuple[list[float], list[Point]]:
    """Heights in pixels, farthest first, and the middles (y, x) of `crowd` people standing together."""
    height, width = size
    if rng.random() < FAR_SHARE:
        common = rng.uniform(np.log(0.1), np.log(0.3))
    else:
        common = rng.uniform(np.log(0.28), np.log(1.5))
    spread = rng.uniform(0.05, 0.4)
    spans = np.sort(np.clip(np.exp(common + rng.normal(0, spread, crowd)), 0.05, 2.5) * height)
    slots = (rng.permutation(crowd) + 0.5 + rng.uniform(-0.35, 0.35, crowd)) / max(1, crowd)
    together = rng.uniform(0.6, 1.05)  # how much of the frame's width they share
    xs = width * (0.5 + (slots - 0.5) * together + rng.uniform(-0.5, 0.5) * (1 - min(1.0, together)))
    if crowd and np.median(spans) < 0.8 * height:  # feet on one ground, the nearer the lower
        ground = height * rng.uniform(0.75, 1.05)
        ys = ground - spans / 2 + (spans - np.mean(spans)) * rng.uniform(0, 0.4)
    else:  # heads on one level, cut off below
        ys = height * rng.uniform(0.02, 0.3) + spans / 2
    ys = ys + rng.normal(0, 0.04, crowd) * height
    return [float(s) for s in spans], [(float(y), float(x)) for y, x in zip(ys, xs, strict=True)]


def _lone_span(size: Size, rng: np.random.Generator) -> float:
    """Height in pixels at which a photo's only person appears: mostly whole, sometimes close up."""
    low, high = (0.7, 1.05) if rng.random() < 0.75 else (1.05, 3.0)
    return float(size[0] * np.exp(rng.uniform(np.log(low), np.log(high))))


def _anchor(size: Size, span: float, rng: np.random.Generator) -> Point:
    """Where the middle of the person's box goes, (y, x); a tall one shows some part of itself."""
    height, width = size
    slack = abs(height - span) / 2
    y = height / 2 + rng.uniform(-1, 1) * (slack + 0.06 * height)
    x = width * (0.5 + rng.uniform(-0.42, 0.42))
    return float(y), float(x)


def _empty_ground(sample: Sample, size: Size, rng: np.random.Generator) -> Placed:
    """A frame without people: a backdrop, or what lies beside the photo's person."""
    if rng.random() < BACKDROP_SHARE:
        nobody = np.zeros(size, np.uint8)
        return Placed(backdrop(size, rng), nobody, nobody > 0, np.zeros((17, 3), np.float32))
    span = float(size[0] * np.exp(rng.uniform(np.log(0.6), np.log(1.8))))
    y, _ = _anchor(size, span, rng)
    away = 0.15 * span + rng.uniform(0.3, 0.6) * size[1]  # half a person's width, and then some
    ground = place(sample, size, span, (y, size[1] / 2 + float(rng.choice((-away, away)))), rng, fill=True)
    labels = np.where(ground.person, np.uint8(IGNORE), ground.labels)  # whom the frame still shows is nobody's lesson
    return Placed(ground.image, labels, np.zeros(size, np.bool_), ground.points)


def _paste(image: NDArray[np.uint8], other: Placed, span: float, rng: np.random.Generator) -> None:
    """Put a cut-out person on the image, in place, soft at the edge; sometimes in its light, with its shadow."""
    x, y, w, h = cv2.boundingRect(other.person.view(np.uint8))
    if not w:
        return
    reach = 3 + int(SHADOW_REACH * span)
    window = np.s_[max(0, y - reach) : y + h + reach, max(0, x - reach) : x + w + reach]
    ground, theirs, mask = image[window], other.image[window], other.person[window]
    if rng.random() < SHADOW_SHARE:
        ground = _shade(ground, mask, span, rng)
    if rng.random() < TONE_SHARE:
        theirs = _match_tone(theirs, mask, image, rng.uniform(0, 0.8))
    soft = cv2.GaussianBlur(mask.view(np.uint8) * np.uint8(255), (3, 3), 0)[..., None].astype(np.uint16)
    image[window] = (theirs * soft + ground * (255 - soft) + 127) // 255


def _shade(
    ground: NDArray[np.uint8], mask: NDArray[np.bool_], span: float, rng: np.random.Generator
) -> NDArray[np.uint8]:
    """A new image, darker beside the person, as its shadow is."""
    dx, dy = np.clip((rng.normal(0, 0.05), rng.normal(0.02, 0.03)), -SHADOW_REACH, SHADOW_REACH) * span
    shift = np.array([[1, 0, dx], [0, 1, dy]])
    dark = cv2.warpAffine(mask.astype(np.float32), shift, mask.shape[::-1])
    dark = cv2.blur(dark, (2 * max(1, int(0.02 * span)) + 1,) * 2)[..., None]
    return np.asarray(ground * (1 - rng.uniform(0.15, 0.6) * dark), np.uint8)


def _match_tone(
    theirs: NDArray[np.uint8], mask: NDArray[np.bool_], image: NDArray[np.uint8], share: float
) -> NDArray[np.uint8]:
    """Shift a cut-out's mean colour by `share` of the way to the scene's, as one light would."""
    shift = (image.reshape(-1, 3)[::7].mean(axis=0) - theirs[mask].mean(axis=0)) * share
    return np.asarray(np.clip(theirs + shift, 0, 255), np.uint8)


def _barrier(
    image: NDArray[np.uint8], sample: Sample, rng: np.random.Generator
) -> tuple[NDArray[np.uint8], NDArray[np.bool_]]:
    """A table, wall or car in front: a slanting strip of something else, and the (H, W) bool it hides."""
    height, width = image.shape[:2]
    y0, y1 = (height * rng.uniform(0.55, 1.0, 2)).astype(int)
    x0, x1 = (0, width) if rng.random() < 0.6 else np.sort(width * rng.random(2)).astype(int)
    below = height if rng.random() < 0.7 else int(min(height, max(y0, y1) + 0.2 * height))
    outline = np.array([[x0, y0], [x1, y1], [x1, below], [x0, below]])
    hidden = np.zeros((height, width), np.uint8)
    cv2.fillPoly(hidden, [outline], 1)
    if rng.random() < 0.3:
        front = backdrop((height, width), rng)
    else:
        away = float(rng.choice((-1, 1))) * width * rng.uniform(0.8, 1.0)
        front = place(
            sample, (height, width), height * rng.uniform(1, 2), (height / 2, width / 2 + away), rng, True
        ).image
    return np.where(hidden[..., None] > 0, front, image), hidden > 0


def _renumber(people: NDArray[np.uint8], labels: NDArray[np.uint8]) -> tuple[NDArray[np.uint8], list[int]]:
    """Numbers 1..N without those of whom next to nothing is in sight, and who is left, counted from 0."""
    seen = np.bincount(people[labels > 0].ravel(), minlength=256)
    table = np.zeros(256, np.uint8)
    kept = [n for n in range(1, 256) if seen[n] >= MIN_VISIBLE]
    table[kept] = np.arange(1, len(kept) + 1)
    return table[people], [n - 1 for n in kept]
