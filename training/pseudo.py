"""Pseudo labels for photos that have tags instead of label maps: `python -m training.pseudo --data DATA --out OUT`.

The parser looks at every photo of `unlabelled.txt` at several scales, as it is and mirrored (sides
swapped back), and the probabilities are averaged. Only classes that the photo's tags allow count;
pixels that stay unsure are ignored (255); limbs and shoes take the side of the nearer key points
where those are clear. Photos whose key points are not to be believed, or do not lie on the person
found, are left out. OUT gets `labels/NAME.png` and `pseudo.txt`, as `training.train --pseudo` reads.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image
from tqdm import tqdm

from humanparse.config import Settings
from humanparse.labels import NUM_CLASSES
from humanparse.parsers.compact.frame import prepare
from humanparse.parsers.compact.graph import STRIDE
from humanparse.parsers.compact.parser import CompactParser
from humanparse.parsers.compact.upsample import enlarge
from training.dataset import IGNORE, read_names, write_labels
from training.placing import FLIP
from training.pose import LIMBS, SURE, Pose, limb_sides, read_poses
from training.tags import allowed_classes

SIDES = (384, 512, 640)  # longer sides, in pixels, at which the photo is looked at
MIN_PROBABILITY = 0.6
MIN_SURE_SHARE = 0.6  # of the person's pixels; photos below it are left out
MIN_ON_BODY = 0.8  # share of the sure key points that must lie on the person found
BOX_MARGIN = 0.08  # of the person's height: what is found further outside its box is somebody else
CLEAR_SHARE = 0.02  # of the person's height: by so much one limb must be nearer to decide a side


def average_probability(parser: CompactParser, image: NDArray[np.uint8]) -> NDArray[np.float32]:
    """(20, H/2, W/2) float32 in [0, 1]: the mean over scales and mirror images."""
    half = -(-image.shape[0] // 2), -(-image.shape[1] // 2)
    total = np.zeros((NUM_CLASSES, *half), np.float32)
    for side in SIDES:
        for mirrored in (False, True):
            looked_at = np.ascontiguousarray(image[:, ::-1]) if mirrored else image
            frame = prepare(looked_at, side)
            logits = parser.infer(frame.padded).parts
            odds = np.exp(logits - logits.max(axis=0))
            odds /= odds.sum(axis=0)
            if mirrored:
                odds = odds[FLIP[:NUM_CLASSES]]
            cells = -(-frame.inner[0] // STRIDE), -(-frame.inner[1] // STRIDE)
            scale = frame.inner[0] / STRIDE / half[0], frame.inner[1] / STRIDE / half[1]
            for index in range(NUM_CLASSES):
                plane = enlarge(np.ascontiguousarray(odds[index, : cells[0], : cells[1]]), (0, 0, *half), scale)
                total[index] += plane[:, ::-1] if mirrored else plane
    return total / np.float32(2 * len(SIDES))


def choose_labels(
    probability: NDArray[np.float32], allowed: NDArray[np.bool_], size: tuple[int, int]
) -> tuple[NDArray[np.uint8], NDArray[np.float32]]:
    """(H, W) uint8 best allowed class and its probability among the allowed; probability (20, h, w)."""
    odds = probability * allowed[:, None, None]
    odds /= np.maximum(odds.sum(axis=0), 1e-6)
    height, width = size
    best = np.full(size, -1.0, np.float32)
    labels = np.zeros(size, np.uint8)
    for index in np.flatnonzero(allowed):
        plane = cv2.resize(odds[index], (width, height), interpolation=cv2.INTER_LINEAR)
        wins = plane > best
        best[wins], labels[wins] = plane[wins], index
    return labels, best


def settle_sides(labels: NDArray[np.uint8], sure: NDArray[np.bool_], pose: Pose) -> NDArray[np.uint8]:
    """`labels` with limbs and shoes on the side of the nearer key points; ignored where both are unsure."""
    settled = labels.copy()
    margin = CLEAR_SHARE * (pose.box[3] - pose.box[1])
    for left, right, points in LIMBS:
        limb = (labels == left) | (labels == right)
        sides = limb_sides(pose.points, points, (labels.shape[0], labels.shape[1]), margin)
        settled[limb & (sides < 0)] = left
        settled[limb & (sides > 0)] = right
        settled[limb & (sides == 0) & ~sure] = IGNORE
    return settled


def is_limb(labels: NDArray[np.uint8]) -> NDArray[np.bool_]:
    return np.isin(labels, [index for left, right, _ in LIMBS for index in (left, right)])


def find_person(people: NDArray[np.uint8], pose: Pose) -> NDArray[np.bool_]:
    """(H, W) bool: where the photo's person may be, its box without the other people found in it.

    people (H, W) uint8 numbers, 0 nobody; the person is whoever has most pixels in the box.
    """
    x0, y0, x1, y1 = pose.box
    margin = int(BOX_MARGIN * (y1 - y0))
    near = np.zeros(people.shape, np.bool_)
    near[max(0, y0 - margin) : y1 + margin, max(0, x0 - margin) : x1 + margin] = True
    counts = np.bincount(people[near], minlength=2)
    main = int(counts[1:].argmax()) + 1
    return np.asarray(near & ((people == 0) | (people == main)))


def pseudo_labels(
    probability: NDArray[np.float32], allowed: NDArray[np.bool_], pose: Pose, near: NDArray[np.bool_]
) -> NDArray[np.uint8] | None:
    """(H, W) uint8 with 255 = ignore, or None for a photo that is better left out; `near` as from find_person."""
    size = near.shape[0], near.shape[1]
    labels, best = choose_labels(probability, allowed, size)
    body = (labels > 0) & near
    if not body.any():
        return None
    points = pose.points[pose.points[:, 2] >= SURE, :2].round().astype(int)
    points = np.clip(points, 0, (size[1] - 1, size[0] - 1))
    around = cv2.dilate(body.astype(np.uint8), np.ones((9, 9), np.uint8))
    if len(points) < 4 or around[points[:, 1], points[:, 0]].mean() < MIN_ON_BODY:
        return None
    sure = best >= MIN_PROBABILITY
    if sure[body].mean() < MIN_SURE_SHARE:
        return None
    # A limb's two sides share its probability, so limbs are sure when both together are.
    limbs = is_limb(labels)
    both = sum(probability[[left, right]].sum(axis=0) for left, right, _ in LIMBS[:2])
    both = np.maximum(both, probability[[18, 19]].sum(axis=0))
    both = cv2.resize(both.astype(np.float32), (size[1], size[0]), interpolation=cv2.INTER_LINEAR)
    settled = settle_sides(labels, sure, pose)
    settled[~sure & ~(limbs & (both >= MIN_PROBABILITY))] = IGNORE
    settled[(labels > 0) & ~near] = IGNORE
    return settled


def main(arguments: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(prog="python -m training.pseudo", description=__doc__)
    parser.add_argument("--data", type=Path, required=True, help="folder with photos/, unlabelled.txt, tags.json ...")
    parser.add_argument("--out", type=Path, required=True, help="folder for labels/ and pseudo.txt")
    parser.add_argument("--limit", type=int, help="only the first N photos, to try things")
    parser.add_argument("--weights", type=Path, help="another weight file than the one in use")
    args = parser.parse_args(arguments)
    compact = CompactParser(Settings(), args.weights)
    compact.load()
    tags, poses = json.loads((args.data / "tags.json").read_text()), read_poses(args.data / "keypoints.json")
    (args.out / "labels").mkdir(parents=True, exist_ok=True)
    kept = []
    for name in tqdm(read_names(args.data, "unlabelled")[: args.limit], unit="photo"):
        pose = poses.get(name)
        if pose is None or not pose.ok:
            continue
        image = np.asarray(Image.open(args.data / "photos" / f"{name}.jpg").convert("RGB"))
        near = find_person(compact.parse(image).people, pose)
        labels = pseudo_labels(average_probability(compact, image), allowed_classes(tags.get(name, ())), pose, near)
        if labels is None:
            continue
        write_labels(args.out / "labels" / f"{name}.png", labels)
        kept.append(name)
    (args.out / "pseudo.txt").write_text("\n".join(kept) + "\n")
    print(f"kept {len(kept)} photos")


if __name__ == "__main__":
    main()
