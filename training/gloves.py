"""Gloves, which a dozen of the training photos show: painted onto bare hands.

A hand is the part of an arm that lies beyond the wrist, seen from the elbow.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import cv2
import numpy as np
from numpy.typing import NDArray

from humanparse.labels import NAMES
from training.dataset import Sample
from training.pose import SURE, Keypoints

SHARE = 0.15  # of the people: if their hands are bare, they get gloves
ARMS = (NAMES.index("Left-arm"), NAMES.index("Right-arm"))
GLOVE = NAMES.index("Glove")
FOREARMS = ((7, 9), (8, 10))  # elbow, wrist
REACH = 0.9  # of the forearm's length: no part of a hand is further from the wrist
MIN_FOREARM = 12.0  # pixels; shorter ones point at the camera, or are too small to tell
MIN_HAND = 40  # pixels
LONG_SHARE = 0.2  # of the gloves painted reach up the forearm


class Gloved(Sequence[Sample]):
    """The samples, but some of those that are looked at wear gloves."""

    def __init__(self, samples: Sequence[Sample], rng: np.random.Generator) -> None:
        self._samples, self._rng = samples, rng

    def __len__(self) -> int:
        return len(self._samples)

    def __getitem__(self, index: int) -> Sample:  # type: ignore[override]  # no slices
        sample = self._samples[index]
        return put_on(sample, self._rng) if self._rng.random() < SHARE else sample


def beyond_wrist(points: Keypoints, side: int, size: tuple[int, int], start: float) -> NDArray[np.bool_] | None:
    """(H, W) bool: pixels further along the forearm than `start` (0 elbow, 1 wrist) and not too far from the wrist.

    None where `side` (0 left, 1 right) is unsure or too short.
    """
    elbow, wrist = points[list(FOREARMS[side])]
    along = (wrist - elbow)[:2]
    length = float(np.hypot(*along))
    if min(elbow[2], wrist[2]) < SURE or length < MIN_FOREARM:
        return None
    ys, xs = np.mgrid[: size[0], : size[1]].astype(np.float32)
    share = ((xs - elbow[0]) * along[0] + (ys - elbow[1]) * along[1]) / length**2
    away = np.hypot(xs - wrist[0], ys - wrist[1]) / length
    return np.asarray((share >= start) & (away < max(REACH, 1 - start)))


def put_on(sample: Sample, rng: np.random.Generator) -> Sample:
    """The sample with gloves of one colour painted on its bare hands, labels too; itself where no hand is clear."""
    image, labels = sample.image.copy(), sample.labels.copy()
    long = rng.random() < LONG_SHARE
    start = float(rng.uniform(0.3, 0.85) if long else rng.uniform(0.85, 1.05))
    colour = _colour(rng)
    for side, arm in enumerate(ARMS):
        near = beyond_wrist(sample.points, side, (labels.shape[0], labels.shape[1]), start)
        if near is None:
            continue
        hand = near & (labels == arm)
        if np.count_nonzero(hand) >= MIN_HAND:
            _paint(image, hand, colour, rng)
            labels[hand] = GLOVE
    return replace(sample, image=image, labels=labels)


def _colour(rng: np.random.Generator) -> NDArray[np.float32]:
    """RGB in [0, 255]: mostly black or brown, as leather is, sometimes anything."""
    if rng.random() < 0.5:
        return np.full(3, rng.uniform(15, 60), np.float32) + rng.uniform(-6, 6, 3).astype(np.float32)
    if rng.random() < 0.4:
        return (rng.uniform(40, 150) * np.array([1.0, rng.uniform(0.55, 0.8), rng.uniform(0.3, 0.6)])).astype(
            np.float32
        )
    return rng.uniform(10, 245, 3).astype(np.float32)


def _paint(
    image: NDArray[np.uint8], where: NDArray[np.bool_], colour: NDArray[np.float32], rng: np.random.Generator
) -> None:
    """Colour the pixels in place; their light and shade stay, stronger or weaker, sometimes as a knit."""
    x, y, w, h = cv2.boundingRect(where.view(np.uint8))
    window = np.s_[max(0, y - 2) : y + h + 2, max(0, x - 2) : x + w + 2]
    skin, mask = image[window], where[window]
    light = skin.astype(np.float32) @ np.array([0.299, 0.587, 0.114], np.float32)
    shade = (np.maximum(light, 1) / max(1.0, float(light[mask].mean()))) ** np.float32(rng.uniform(0.7, 1.8))
    if rng.random() < 0.3:
        ys, xs = np.mgrid[: mask.shape[0], : mask.shape[1]]
        angle, period = rng.uniform(0, np.pi), rng.uniform(2.5, 6)
        wave = np.sin(2 * np.pi * (xs * np.cos(angle) + ys * np.sin(angle)) / period)
        shade = shade * (1 + rng.uniform(0.1, 0.35) * wave).astype(np.float32)
    shine = np.float32(rng.uniform(0, 40)) * np.maximum(shade - 1.15, 0)
    glove = np.clip(colour * shade[..., None] + shine[..., None], 0, 255)
    soft = cv2.GaussianBlur(mask.astype(np.float32), (0, 0), 0.7)[..., None]
    image[window] = (skin * (1 - soft) + glove * soft).astype(np.uint8)
