"""What label maps and key points score; no network here."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from humanparse.labels import CLASSES, NUM_CLASSES
from training.dataset import IGNORE
from training.placing import SIDED
from training.pose import SURE, Keypoints, trunk_length


@dataclass(frozen=True)
class PartsScore:
    """Intersection over union by class, NaN where a class is neither in truth nor in answer."""

    iou: NDArray[np.float64]
    pixel_accuracy: float

    @property
    def mean(self) -> float:
        return float(np.nanmean(self.iou))

    def __str__(self) -> str:
        named = " ".join(f"{c.name}={v:.2f}" for c, v in zip(CLASSES, self.iou, strict=True))
        return f"mIoU {self.mean:.4f}, pixels {self.pixel_accuracy:.4f}: {named}"


def confusion(predicted: NDArray[np.uint8], truth: NDArray[np.uint8]) -> NDArray[np.int64]:
    """(20, 20) counts, rows truth, columns answer, ignored pixels left out."""
    known = truth != IGNORE
    pairs = truth[known].astype(np.int64) * NUM_CLASSES + predicted[known]
    return np.bincount(pairs, minlength=NUM_CLASSES**2).reshape(NUM_CLASSES, NUM_CLASSES)


def confused_sides(counts: NDArray[np.int64]) -> int:
    """Pixels of limbs and shoes named by kind but on the other side; counts (20, 20), rows truth, columns answer."""
    return int(sum(counts[left, right] + counts[right, left] for left, right in SIDED))


def score_confusion(counts: NDArray[np.int64]) -> PartsScore:
    """IoU by class from summed counts."""
    hit = np.diag(counts).astype(float)
    union = counts.sum(0) + counts.sum(1) - hit
    iou = np.where(union > 0, hit / np.maximum(union, 1), np.nan)
    return PartsScore(iou, float(hit.sum() / max(1, counts.sum())))


def score_parts(predicted: list[NDArray[np.uint8]], truth: list[NDArray[np.uint8]]) -> PartsScore:
    """IoU over all photos together, as CIHP and LIP count it."""
    counts = np.zeros((NUM_CLASSES, NUM_CLASSES), np.int64)
    for answer, labels in zip(predicted, truth, strict=True):
        counts += confusion(answer, labels)
    return score_confusion(counts)


@dataclass(frozen=True)
class Hits:
    """Key points asked for, and how many of them were found near enough (PCK), by two yardsticks."""

    count: int = 0
    near_box: int = 0  # within 0.1 of the longer side of the person's box
    near_trunk: int = 0  # within 0.2 of the way from the middle of the shoulders to that of the hips

    def __add__(self, other: Hits) -> Hits:
        return Hits(self.count + other.count, self.near_box + other.near_box, self.near_trunk + other.near_trunk)


def keypoint_hits(found: Keypoints, truth: Keypoints, person: NDArray[np.bool_]) -> Hits:
    """Of the sure key points of `truth`, those that `found` has in the right place; person (H, W) bool."""
    asked = truth[:, 2] >= SURE
    ys, xs = np.nonzero(person)
    side = max(np.ptp(ys), np.ptp(xs)) + 1
    away = np.linalg.norm(found[asked, :2] - truth[asked, :2], axis=1)
    return Hits(int(asked.sum()), int((away <= 0.1 * side).sum()), int((away <= 0.2 * trunk_length(truth)).sum()))
