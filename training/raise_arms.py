"""Photos with arms raised, made from those where they hang: `python -m training.raise_arms --data DATA --out OUT`.

In the data set what is on top is a head, so a network learned from it takes raised hands for faces
or hair. Here an arm, sleeve and hand are cut out along the key points, the hole is filled, and upper
arm and forearm are turned about shoulder and elbow: up, sideways, over or behind the head. OUT gets
`photos/`, `labels/`, `keypoints.json` and `raised.txt`, as `training.train --raised` reads them.
"""

from __future__ import annotations

import argparse
import json
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image
from tqdm import tqdm

from humanparse.labels import NAMES
from training.dataset import IGNORE, Sample, cut_out, read_samples, write_labels
from training.pose import ARM, trunk_length

BOTH_SHARE = 0.35  # of the photos: both arms
BEHIND_SHARE = 0.35  # of the arms: behind the head
MIN_CONFIDENCE = 0.6  # of shoulder, elbow and wrist
HEADROOM = 0.4  # of the person's height, added on top of the photo
UPPER_WIDTH, LOWER_WIDTH = 0.17, 0.14  # radius of the limb with its sleeve, of the trunk's length
HAND = 0.5  # of the forearm's length, beyond the wrist
HEAD = [NAMES.index(name) for name in ("Face", "Hair", "Hat", "Sunglasses", "Scarf")]
SLEEVES = [NAMES.index(name) for name in ("UpperClothes", "Coat", "Dress", "Glove")]


def add_headroom(sample: Sample) -> Sample:
    """The photo continued upwards, by what is above the head mirrored again and again, so that raised arms fit."""
    ys = np.nonzero(sample.person.any(axis=1))[0]
    above, pad = max(2, int(ys.min()) - 4), max(0, int(HEADROOM * np.ptp(ys)) - int(ys.min()))
    image = np.concatenate([np.pad(sample.image[:above], ((pad, 0), (0, 0), (0, 0)), "reflect"), sample.image[above:]])
    labels = np.concatenate([np.pad(sample.labels[:above], ((pad, 0), (0, 0)), "reflect"), sample.labels[above:]])
    points = sample.points + np.array([0, pad, 0], np.float32)
    return Sample(sample.name, image, labels, cut_out(labels), points)


def raise_arm(sample: Sample, side: int, rng: np.random.Generator) -> Sample | None:
    """The photo with its person's left (side 0) or right (1) arm raised; None where the arm is not clear."""
    joints = ARM[side]
    shoulder, elbow, wrist = (sample.points[j, :2].astype(float) for j in joints)
    trunk = trunk_length(sample.points)
    upper, lower = np.linalg.norm(elbow - shoulder), np.linalg.norm(wrist - elbow)
    hangs = elbow[1] > shoulder[1] + 0.6 * upper and wrist[1] > shoulder[1] + 0.7 * upper
    if (sample.points[list(joints), 2] < MIN_CONFIDENCE).any() or not hangs or min(upper, lower) < 0.25 * trunk:
        return None
    mine = np.isin(sample.labels, [*SLEEVES, 14 + side])
    tip = wrist + HAND * (wrist - elbow)
    size = sample.labels.shape[0], sample.labels.shape[1]
    upper_piece = mine & capsule(shoulder, elbow, UPPER_WIDTH * trunk, size)
    lower_piece = mine & capsule(elbow, tip, LOWER_WIDTH * trunk, size)
    if lower_piece.sum() < 0.8 * LOWER_WIDTH * trunk * lower:
        return None
    ground, labels = remove_arm(sample, upper_piece | lower_piece, side)
    outward = np.sign(shoulder[0] - sample.points[[5, 6], 0].mean()) or 1.0
    tilt = rng.uniform(-25, 95)  # degrees of the upper arm, from straight up to the side
    bend = tilt - rng.choice((rng.uniform(-25, 30), rng.uniform(30, 120)))  # the forearm: stretched or bent to the head
    new_elbow = shoulder + upper * rng.uniform(0.85, 1.05) * pointing(tilt, outward)
    new_wrist = new_elbow + lower * rng.uniform(0.85, 1.05) * pointing(bend, outward)
    behind = rng.random() < BEHIND_SHARE
    keep = np.isin(sample.labels, HEAD) if behind else np.zeros(size, np.bool_)
    for piece, old, new in (
        (upper_piece, (shoulder, elbow), (shoulder, new_elbow)),
        (lower_piece, (elbow, wrist), (new_elbow, new_wrist)),
    ):
        matrix = similarity(old, new)
        moved = cv2.warpAffine(piece.astype(np.float32), matrix, size[::-1])
        moved = cv2.GaussianBlur(moved, (3, 3), 0) * ~keep
        photo = cv2.warpAffine(sample.image, matrix, size[::-1])
        ids = cv2.warpAffine(sample.labels, matrix, size[::-1], flags=cv2.INTER_NEAREST)
        ground = (photo * moved[..., None] + ground * (1 - moved[..., None])).astype(np.uint8)
        labels = np.where(moved > 0.5, ids, labels)
    points = sample.points.copy()
    points[joints[1], :2], points[joints[2], :2] = new_elbow, new_wrist
    return replace(sample, image=ground, labels=labels, person=cut_out(labels), points=points)


def remove_arm(sample: Sample, arm: NDArray[np.bool_], side: int) -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
    """Photo and labels without the arm: beside the trunk the ground grows in, on it what it covered is ignored."""
    body = np.zeros(arm.shape, np.uint8)
    corners = sample.points[[5, 6, 12, 11], :2]
    cv2.fillConvexPoly(body, cv2.convexHull(corners.round().astype(np.int32)), 1)
    on_trunk = body > 0
    skin = sample.labels == 14 + side
    hole = (arm & ~on_trunk) | (skin & arm)
    wide = cv2.dilate(hole.astype(np.uint8), np.ones((9, 9), np.uint8)) > 0
    others = (sample.labels > 0) & ~arm & (sample.labels != IGNORE)
    wide &= ~others | hole
    x, y, w, h = cv2.boundingRect(wide.view(np.uint8))
    window = np.s_[max(0, y - 12) : y + h + 12, max(0, x - 12) : x + w + 12]
    image, labels = sample.image.copy(), sample.labels.copy()
    image[window] = cv2.inpaint(image[window], wide[window].astype(np.uint8), 4, cv2.INPAINT_TELEA)
    near_others = cv2.dilate(others.astype(np.uint8), np.ones((15, 15), np.uint8)) > 0
    labels[hole] = np.where(on_trunk | near_others, IGNORE, 0)[hole]
    return image, labels


def capsule(
    start: NDArray[np.float64], end: NDArray[np.float64], radius: float, size: tuple[int, int]
) -> NDArray[np.bool_]:
    """(H, W) bool: pixels at most `radius` from the line between two points (x, y)."""
    drawn = np.zeros(size, np.uint8)
    ends = [tuple(int(v) for v in np.round(p)) for p in (start, end)]
    cv2.line(drawn, ends[0], ends[1], 1, max(1, round(2 * radius)))
    return drawn > 0


def pointing(degrees: float, outward: float) -> NDArray[np.float64]:
    """Unit vector (x, y): 0 degrees up, 90 away from the body."""
    return np.array([np.sin(np.radians(degrees)) * outward, -np.cos(np.radians(degrees))])


def similarity(old: tuple[NDArray[np.float64], ...], new: tuple[NDArray[np.float64], ...]) -> NDArray[np.float64]:
    """(2, 3) matrix that turns, scales and moves the two old points (x, y) onto the new ones."""
    before, after = complex(*(old[1] - old[0])), complex(*(new[1] - new[0]))
    turn = after / before
    linear = np.array([[turn.real, -turn.imag], [turn.imag, turn.real]])
    return np.hstack([linear, (new[0] - linear @ old[0])[:, None]])


def raise_arms(sample: Sample, rng: np.random.Generator) -> Sample | None:
    """The photo with one arm or both raised, or None."""
    sides = [0, 1] if rng.random() < BOTH_SHARE else [int(rng.integers(2))]
    made: Sample | None = None
    for side in sides:
        made = raise_arm(made or add_headroom(sample), side, rng) or made
    return made


def main(arguments: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(prog="python -m training.raise_arms", description=__doc__)
    parser.add_argument("--data", type=Path, required=True, help="folder with photos/, labels/, keypoints.json ...")
    parser.add_argument("--out", type=Path, required=True, help="folder to fill")
    parser.add_argument("--pseudo", type=Path, help="folder made by training.pseudo: its photos, too")
    parser.add_argument("--limit", type=int, help="only the first N photos of each list, to try things")
    parser.add_argument("--seed", type=int, default=0)
    args = parser.parse_args(arguments)
    samples = read_samples(args.data, "train", limit=args.limit)
    samples += read_samples(args.data, "pseudo", args.pseudo, args.limit) if args.pseudo else []
    for name in ("photos", "labels"):
        (args.out / name).mkdir(parents=True, exist_ok=True)
    poses = {}
    for number, sample in enumerate(tqdm(samples, unit="photo")):
        made = raise_arms(sample, np.random.default_rng((args.seed, number)))
        if made is None:
            continue
        name = f"{sample.name}-raised"
        Image.fromarray(made.image).save(args.out / "photos" / f"{name}.jpg", quality=92)
        write_labels(args.out / "labels" / f"{name}.png", made.labels)
        ys, xs = np.nonzero(made.person)
        box = [int(v) for v in (xs.min(), ys.min(), xs.max() + 1, ys.max() + 1)]
        poses[name] = {"keypoints": made.points.round(2).tolist(), "box": box, "ok": True}
    (args.out / "keypoints.json").write_text(json.dumps(poses))
    (args.out / "raised.txt").write_text("\n".join(poses) + "\n")
    print(f"made {len(poses)} photos")


if __name__ == "__main__":
    main()
