"""Photos with 20-class label maps, kept in memory, and where they lie.

Layout of the data folder (see training/README.md): `photos/NAME.jpg`, `labels/NAME.png` (palette
PNG, value = class id, 255 = ignore), `train.txt` and `val.txt` with one NAME a line, and
`keypoints.json` if there are key points. What is made from it (pseudo labels, raised arms) lies in
folders of the same layout; what such a folder lacks is read from the data folder.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image
from tqdm import tqdm

from humanparse.labels import NUM_CLASSES, PALETTE
from training.pose import Keypoints, no_pose, read_poses

IGNORE = 255
RARITY = 0.35  # how much more the pixels of rare classes count: 0 not at all, 1 as often as the class is rarer
COLOURS = np.vstack([PALETTE, np.full((256 - NUM_CLASSES, 3), 255, np.uint8)])
"""(256, 3) uint8 RGB: the classes' own colours, everything else (ignored) white."""
REPEAT_SHARE = 0.25  # classes in fewer photos than this share are drawn more often
BAG_REACH_PX = 15  # ignored pixels this near to the body on both sides belong to the cut-out


@dataclass(frozen=True)
class Sample:
    """A photo (H, W, 3) uint8 RGB, its labels (H, W) uint8, its person's cut-out (H, W) bool and key points."""

    name: str
    image: NDArray[np.uint8]
    labels: NDArray[np.uint8]
    person: NDArray[np.bool_]
    points: Keypoints = field(default_factory=no_pose)


def write_labels(path: Path, labels: NDArray[np.uint8]) -> None:
    """Write labels (H, W) uint8 as a palette PNG, ignored pixels white."""
    picture = Image.fromarray(labels).convert("P")
    picture.putpalette(COLOURS.ravel().tolist())
    picture.save(path)


def read_names(folder: Path, split: str) -> list[str]:
    """The names of `split` ("train" or "val"), in the order of its list."""
    return (folder / f"{split}.txt").read_text().split()


def read_samples(folder: Path, split: str, made: Path | None = None, limit: int | None = None) -> list[Sample]:
    """The photos of a list of `made` (default: of `folder`), with what `made` lacks read from `folder`."""
    made = made or folder
    poses = {**read_poses(folder / "keypoints.json"), **read_poses(made / "keypoints.json")}
    samples = []
    for name in tqdm(read_names(made, split)[:limit], desc=split, unit="photo"):
        photos = made if (made / "photos" / f"{name}.jpg").exists() else folder
        sample = read_sample(photos, name, made)
        pose = poses.get(name)
        samples.append(replace(sample, points=pose.points) if pose is not None and pose.ok else sample)
    return samples


def read_sample(folder: Path, name: str, labelled: Path | None = None) -> Sample:
    """One photo with its labels (of the folder `labelled`, if another), from disk, without key points."""
    image = np.asarray(Image.open(folder / "photos" / f"{name}.jpg").convert("RGB"))
    labels = np.asarray(Image.open((labelled or folder) / "labels" / f"{name}.png"))
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


def class_weights(samples: list[Sample]) -> NDArray[np.float32]:
    """(20,) loss weights, pixel share to the power -RARITY, mean 1 over the pixels."""
    counts = np.zeros(256)
    for sample in samples:
        counts += np.bincount(sample.labels.ravel(), minlength=256)
    share = counts[:NUM_CLASSES] / counts[:NUM_CLASSES].sum()
    weights = np.maximum(share, 5e-4) ** -RARITY
    return np.asarray(weights / (weights * share).sum(), dtype=np.float32)
