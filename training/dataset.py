"""Photos with 20-class label maps, kept in memory, and where they lie.

Layout of the data folder (see training/README.md): `photos/NAME.jpg`, `labels/NAME.png` (palette
PNG, value = class id, 255 = ignore), `train.txt` and `val.txt` with one NAME a line.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image

from humanparse.labels import NUM_CLASSES

IGNORE = 255
REPEAT_SHARE = 0.25  # classes in fewer photos than this share are drawn more often
BAG_REACH_PX = 15  # ignored pixels this near to the body on both sides belong to the cut-out


@dataclass(frozen=True)
class Sample:
    """A photo (H, W, 3) uint8 RGB, its labels (H, W) uint8 and its person's cut-out (H, W) bool."""

    name: str
    image: NDArray[np.uint8]
    labels: NDArray[np.uint8]
    person: NDArray[np.bool_]


def read_names(folder: Path, split: str) -> list[str]:
    """The names of `split` ("train" or "val"), in the order of its list."""
    return (folder / f"{split}.txt").read_text().split()


def read_sample(folder: Path, name: str) -> Sample:
    """One photo with its labels, from disk."""
    image = np.asarray(Image.open(folder / "photos" / f"{name}.jpg").convert("RGB"))
    labels = np.asarray(Image.open(folder / "labels" / f"{name}.png"))
    return Sample(name, image, labels, cut_out(labels))


def cut_out(labels: NDArray[np.uint8]) -> NDArray[np.bool_]:
    """The pixels that move with the person: its parts, and what is ignored inside its outline."""
    body = (labels > 0) & (labels != IGNORE)
    kernel = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * BAG_REACH_PX + 1,) * 2)
    closed = cv2.morphologyEx(body.astype(np.uint8), cv2.MORPH_CLOSE, kernel) > 0
    return np.asarray(body | (closed & (labels == IGNORE)))


def repeat_weights(samples: list[Sample]) -> NDArray[np.float64]:
    """How often to draw each photo: by its rarest class, square root of the shortage (LVIS)."""
    present = np.array([np.bincount(s.labels.ravel(), minlength=256)[:NUM_CLASSES] > 30 for s in samples])
    share = np.maximum(present.mean(axis=0), 1e-3)
    factor = np.sqrt(np.maximum(1.0, REPEAT_SHARE / share))
    weights = np.where(present, factor, 1.0).max(axis=1)
    return np.asarray(weights / weights.sum())


def class_weights(samples: list[Sample], power: float = 0.35) -> NDArray[np.float32]:
    """(20,) loss weights, pixel share to the power `-power`, mean 1 over the pixels."""
    counts = np.zeros(256)
    for sample in samples:
        counts += np.bincount(sample.labels.ravel(), minlength=256)
    share = counts[:NUM_CLASSES] / counts[:NUM_CLASSES].sum()
    weights = np.maximum(share, 5e-4) ** -power
    return np.asarray(weights / (weights * share).sum(), dtype=np.float32)
