"""Label maps from the PyTorch network, and how they score."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from torch import nn

from humanparse.labels import CLASSES, NUM_CLASSES
from humanparse.parsers.compact.graph import MIDDLE, SPREAD
from humanparse.parsers.compact.parser import LONG_SIDE, prepare
from training.dataset import IGNORE


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


@torch.no_grad()
def predict_labels(network: nn.Module, image: NDArray[np.uint8], long_side: int = LONG_SIDE) -> NDArray[np.uint8]:
    """(H, W) uint8 labels of one photo, one pass."""
    height, width = image.shape[:2]
    padded, inner = prepare(image, long_side)
    x = torch.from_numpy((padded.astype(np.float32) - MIDDLE) / SPREAD).permute(2, 0, 1)[None]
    with torch.autocast("cpu", torch.bfloat16):
        logits = network(x.contiguous(memory_format=torch.channels_last))[0].float()
    logits = F.interpolate(logits, scale_factor=4.0, mode="bilinear", align_corners=False)
    labels = logits[0, :, : inner[0], : inner[1]].argmax(0).numpy().astype(np.uint8)
    return np.asarray(cv2.resize(labels, (width, height), interpolation=cv2.INTER_NEAREST), np.uint8)
