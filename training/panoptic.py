"""How well people are told apart: `python -m training.panoptic --data DATA --out FOLDER` draws the scenes.

The 200 scenes are composed from validation photos, always the same for the same seed: two to eight
people, near and far, in front of each other, cut off by the frame. Panoptic quality after Kirillov
et al. (2019), of people as one class, whatever they wear.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image
from tqdm import tqdm

from humanparse.exports import PEOPLE_PALETTE
from training.dataset import IGNORE, Sample, read_samples, write_labels
from training.scenes import Scene, make_scene

SEED = 20
COUNT = 200
SIZES = ((480, 640), (640, 480))  # (height, width), in turn
LARGEST_CROWD = 8


@dataclass(frozen=True)
class PanopticScore:
    """Matched people (IoU above 0.5) with the sum of their IoU, people found too many, people missed."""

    matched: int = 0
    overlap: float = 0.0
    extra: int = 0
    missed: int = 0

    def __add__(self, other: PanopticScore) -> PanopticScore:
        return PanopticScore(
            self.matched + other.matched,
            self.overlap + other.overlap,
            self.extra + other.extra,
            self.missed + other.missed,
        )

    @property
    def segmentation(self) -> float:
        """SQ: mean IoU of the matched."""
        return self.overlap / max(1, self.matched)

    @property
    def recognition(self) -> float:
        """RQ: F1 of finding people."""
        return self.matched / max(1.0, self.matched + self.extra / 2 + self.missed / 2)

    @property
    def quality(self) -> float:
        """PQ = SQ x RQ."""
        return self.segmentation * self.recognition


def compose_scenes(samples: list[Sample], count: int = COUNT, seed: int = SEED) -> Iterator[Scene]:
    """`count` scenes of 2 to 8 people, from photos that were never trained on."""
    for number in range(count):
        rng = np.random.default_rng((seed, number))
        crowd = int(rng.integers(2, LARGEST_CROWD + 1))
        yield make_scene(samples, int(rng.integers(len(samples))), SIZES[number % len(SIZES)], rng, crowd)


def score_people(found: NDArray[np.uint8], truth: NDArray[np.uint8], known: NDArray[np.bool_]) -> PanopticScore:
    """found and truth (H, W) uint8 numbers, 0 nobody; known (H, W) bool, the pixels that count.

    People found mostly on unknown pixels (bystanders of the base photo) are neither right nor wrong.
    """
    pairs = np.bincount(truth[known].astype(np.intp) * 256 + found[known], minlength=65536).reshape(256, 256)
    areas, true_areas = pairs.sum(axis=0), pairs.sum(axis=1)
    whole = np.bincount(found.ravel(), minlength=256)
    union = areas[None] + true_areas[:, None] - pairs
    iou = pairs[1:, 1:] / np.maximum(union[1:, 1:], 1)
    hits = iou > 0.5  # at most one for each person on either side
    counted = (areas[1:] > 0.5 * whole[1:]) & (whole[1:] > 0)
    extra = int((counted & ~hits.any(axis=0)).sum())
    missed = int(((true_areas[1:] > 0) & ~hits.any(axis=1)).sum())
    return PanopticScore(int(hits.sum()), float(iou[hits].sum()), extra, missed)


def known_pixels(scene: Scene) -> NDArray[np.bool_]:
    """(H, W) bool: where the scene's labels say something."""
    return np.asarray(scene.labels != IGNORE)


def main(arguments: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(prog="python -m training.panoptic", description=__doc__)
    parser.add_argument("--data", type=Path, required=True, help="folder with photos/, labels/ and val.txt")
    parser.add_argument("--out", type=Path, required=True, help="folder for NNN.png, NNN.labels.png, NNN.people.png")
    parser.add_argument("--count", type=int, default=COUNT)
    args = parser.parse_args(arguments)
    args.out.mkdir(parents=True, exist_ok=True)
    cv2.setNumThreads(1)
    scenes = compose_scenes(read_samples(args.data, "val"), args.count)
    for number, scene in enumerate(tqdm(scenes, total=args.count, unit="scene")):
        Image.fromarray(scene.image).save(args.out / f"{number:03d}.png")
        write_labels(args.out / f"{number:03d}.labels.png", scene.labels)
        Image.fromarray(PEOPLE_PALETTE[scene.people]).save(args.out / f"{number:03d}.people.png")


if __name__ == "__main__":
    main()
