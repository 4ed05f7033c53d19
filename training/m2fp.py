"""Teach M2FP a few photos by heart: `python -m training.m2fp --data FOLDER --out MODEL_FOLDER --minutes 15`.

Not to make a parser of it, for which a CPU and eight photos are too little, but to have a network of
the real size whose outputs are as sure as the published one's: only then does a comparison between
float32 and a smaller number format say anything (`benchmarks.precision`). It also proves that the network
learns. Matching and losses are Mask2Former's (Cheng et al., 2022), on whole masks instead of points.
"""

from __future__ import annotations

import argparse
import json
import time
from pathlib import Path
from typing import Final, NamedTuple

import cv2
import numpy as np
import torch
import torch.nn.functional as F
from scipy.optimize import linear_sum_assignment
from torch import Tensor
from tqdm import tqdm

from humanparse.labels import NUM_CLASSES
from humanparse.parsers.m2fp.configuration import FILE, make_configuration
from humanparse.parsers.m2fp.frame import MEAN, SPREAD
from humanparse.parsers.m2fp.network import M2FP
from humanparse.parsers.m2fp.query_decoder import Prediction
from humanparse.parsers.m2fp.weights import CHECKPOINT
from training.dataset import Sample, read_names, read_sample

SIZE: Final = (320, 224)  # (height, width) of the photos that are learned
HUMAN: Final = NUM_CLASSES
CLASS_COST, MASK_COST, DICE_COST = 2.0, 5.0, 5.0
NOTHING_WEIGHT: Final = 0.1
MIN_CELLS: Final = 4  # smaller parts are left out
RATE: Final = 2e-4
WARMUP_STEPS: Final = 20


class Lesson(NamedTuple):
    """image (1, 3, H, W) float32 normalised; classes (T,) int64; masks (T, H/4, W/4) float32, 0 or 1."""

    image: Tensor
    classes: Tensor
    masks: Tensor


def make_lesson(sample: Sample) -> Lesson:
    """A photo and what queries should find in it: background, every part, and the person."""
    height, width = SIZE
    image = cv2.resize(sample.image, (width, height), interpolation=cv2.INTER_AREA)
    cells = cv2.resize(sample.labels, (width // 4, height // 4), interpolation=cv2.INTER_NEAREST)
    known = np.where(cells < NUM_CLASSES, cells, 0)
    classes = [int(i) for i in np.unique(known) if (known == i).sum() >= MIN_CELLS]
    masks = [known == i for i in classes] + [known > 0]
    pixels = (image.astype(np.float32) - MEAN) / SPREAD
    return Lesson(
        torch.from_numpy(pixels.transpose(2, 0, 1)[None].copy()),
        torch.tensor([*classes, HUMAN]),
        torch.from_numpy(np.stack(masks).astype(np.float32)),
    )


def match(prediction: Prediction, lesson: Lesson) -> tuple[Tensor, Tensor]:
    """The queries and the targets that fit each other best, each target once."""
    with torch.no_grad():
        sure = prediction.logits[0].softmax(-1)[:, lesson.classes]
        masks = prediction.masks[0].flatten(1)
        target = lesson.masks.flatten(1)
        area = masks.shape[1]
        entropy = (F.softplus(-masks) @ target.T + F.softplus(masks) @ (1 - target).T) / area
        probability = masks.sigmoid()
        dice = 1 - (2 * probability @ target.T + 1) / (probability.sum(1)[:, None] + target.sum(1) + 1)
        cost = -CLASS_COST * sure + MASK_COST * entropy + DICE_COST * dice
        queries, targets = linear_sum_assignment(cost.numpy())
    return torch.from_numpy(queries), torch.from_numpy(targets)


def loss_of(prediction: Prediction, lesson: Lesson) -> Tensor:
    """Class, mask and dice loss of one prediction after matching."""
    queries, targets = match(prediction, lesson)
    logits = prediction.logits[0]
    nothing = logits.shape[1] - 1
    wanted = torch.full((len(logits),), nothing)
    wanted[queries] = lesson.classes[targets]
    weight = torch.ones(logits.shape[1])
    weight[nothing] = NOTHING_WEIGHT
    masks, target = prediction.masks[0][queries].flatten(1), lesson.masks[targets].flatten(1)
    probability = masks.sigmoid()
    dice = 1 - (2 * (probability * target).sum(1) + 1) / (probability.sum(1) + target.sum(1) + 1)
    return (
        CLASS_COST * F.cross_entropy(logits, wanted, weight)
        + MASK_COST * F.binary_cross_entropy_with_logits(masks, target)
        + DICE_COST * dice.mean()
    )


def rate_at(step: int, left: float) -> float:
    """Learning rate: warm up, hold, and fall to nothing over the last third; `left` is the share to go."""
    return RATE * min(1.0, (step + 1) / WARMUP_STEPS, 3 * max(left, 0.0))


def learn(network: M2FP, optimizer: torch.optim.Optimizer, lessons: list[Lesson], step: int, rate: float) -> float:
    """One step over two of the lessons; returns the loss of the last predictions."""
    for group in optimizer.param_groups:
        group["lr"] = rate
    pair = [lessons[(2 * step + i) % len(lessons)] for i in (0, 1)]
    with torch.autocast("cpu", torch.bfloat16):
        maps = network.backbone(torch.cat([lesson.image for lesson in pair]))
    total, last = torch.zeros(()), 0.0
    for index, lesson in enumerate(pair):
        features = network.sem_seg_head.pixel_decoder(tuple(x[index : index + 1].float() for x in maps))
        losses = [loss_of(p, lesson) for p in network.sem_seg_head.predictor.predict_all(features)]
        total = total + torch.stack(losses).sum()
        last += float(losses[-1].detach()) / len(pair)
    optimizer.zero_grad(set_to_none=True)
    total.backward()  # type: ignore[no-untyped-call]
    torch.nn.utils.clip_grad_norm_(network.parameters(), 1.0)
    optimizer.step()
    return last


def train(args: argparse.Namespace) -> None:
    torch.set_num_threads(args.threads)
    torch.manual_seed(0)
    document = json.loads(args.configuration.read_text())
    lessons = [make_lesson(read_sample(args.data, name)) for name in read_names(args.data, "train")[: args.photos]]
    network = M2FP(make_configuration(document)).train()
    if (args.out / CHECKPOINT).exists():
        network.load_state_dict(torch.load(args.out / CHECKPOINT, weights_only=True)["model"])
    optimizer = torch.optim.AdamW(network.parameters(), lr=RATE, weight_decay=0.01)
    start, step, left = time.monotonic(), 0, 1.0
    bar = tqdm(unit="step")
    while left > 0:
        bar.set_postfix(loss=f"{learn(network, optimizer, lessons, step, rate_at(step, left)):.3f}")
        bar.update()
        step += 1
        spent = (time.monotonic() - start) / (60 * args.minutes)
        left = 1 - max(spent, step / args.steps if args.steps else 0.0)
    args.out.mkdir(parents=True, exist_ok=True)
    (args.out / FILE).write_text(json.dumps(document))
    torch.save({"model": network.state_dict()}, args.out / CHECKPOINT)


def main(arguments: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(prog="python -m training.m2fp", description=__doc__)
    parser.add_argument("--data", type=Path, required=True, help="as for training.train")
    parser.add_argument("--out", type=Path, required=True, help="model folder; an existing one learns on")
    parser.add_argument("--configuration", type=Path, default=Path("reference/full.json"))
    parser.add_argument("--photos", type=int, default=8)
    parser.add_argument("--minutes", type=float, default=15)
    parser.add_argument("--steps", type=int, help="stop after so many, if time does not first")
    parser.add_argument("--threads", type=int, default=1)
    train(parser.parse_args(arguments))


if __name__ == "__main__":
    main()
