"""Train the compact network: `python -m training.train --data FOLDER --run FOLDER`.

A run can be stopped at any time and goes on where it was: `last.pt` in the run's folder holds the
network, its moving average, the optimiser and the step. Progress: a bar, `log.csv`, `curve.png`
and `val_NNNNNN.png` (photo, truth, prediction).
"""

from __future__ import annotations

import argparse
import copy
import csv
import math
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import torch
from torch import Tensor, nn
from torch.utils.data import DataLoader, Dataset, Sampler
from tqdm import tqdm

from humanparse.layers import MIDDLE, SPREAD
from training.augment import change_light
from training.dataset import Sample, class_weights, read_samples, repeat_weights
from training.gloves import Gloved
from training.hard import repeat_hard
from training.losses import fields_loss, joints_loss, parts_loss, people_loss, sides_loss
from training.network import CompactNetwork, load_imagenet
from training.report import draw_curve, draw_samples, read_log
from training.scenes import make_scene
from training.scores import score_parts
from training.targets import make_targets
from training.validate import predict_labels

# (height, width) of a batch's frames: few, so that oneDNN's caches stay small; tall ones, so that whole people are seen
# as large as the parser will see them. Batches of larger frames have fewer: all cost about the same.
SIZES = ((512, 352), (384, 288), (512, 352), (512, 224), (352, 512))
USUAL_PIXELS = 384 * 288  # frames of so many pixels come in batches of `--batch`
WARMUP_STEPS = 100
DECAY_SHARE = 0.5  # of all steps: the learning rate is constant, then falls along a cosine
LOSSES = ("parts", "sides", "people", "joints", "fields")
ENCODER_RATE, DECODER_RATE = 4e-4, 1.5e-3


class Scenes(Dataset[dict[str, Tensor]]):
    """Endless scenes; the key (step, place in the batch) decides everything about one."""

    def __init__(self, samples: list[Sample], seed: int, hard: Path | None = None) -> None:
        self.samples, self.seed = samples, seed
        self.weights = repeat_weights(samples)
        if hard:
            self.weights *= repeat_hard(samples, hard)
            self.weights /= self.weights.sum()

    def __getitem__(self, key: tuple[int, int]) -> dict[str, Tensor]:
        step, place = key
        rng = np.random.default_rng((self.seed, step, place))
        cv2.setRNGSeed(int(rng.integers(2**31)))
        base = int(rng.choice(len(self.samples), p=self.weights))
        scene = make_scene(Gloved(self.samples, rng), base, SIZES[step % len(SIZES)], rng)
        image = change_light(scene.image, rng)
        arrays = {"image": image.transpose(2, 0, 1), **make_targets(scene)}
        return {name: torch.from_numpy(np.ascontiguousarray(array)) for name, array in arrays.items()}


class Steps(Sampler[list[tuple[int, int]]]):
    """Batches of keys from `start` to `end`, so that a resumed run sees what it would have seen."""

    def __init__(self, start: int, end: int, batch: int) -> None:
        self.start, self.end, self.batch = start, end, batch

    def __iter__(self) -> Iterator[list[tuple[int, int]]]:
        for step in range(self.start, self.end):
            height, width = SIZES[step % len(SIZES)]
            frames = max(2, min(self.batch, round(self.batch * USUAL_PIXELS / (height * width))))
            yield [(step, place) for place in range(frames)]

    def __len__(self) -> int:
        return self.end - self.start


def rate_at(step: int, total: int) -> float:
    """Learning-rate factor in [0, 1]: warm up, hold, fall along a cosine over the last share."""
    if step < WARMUP_STEPS:
        return (step + 1) / WARMUP_STEPS
    left = (total - step) / max(1.0, DECAY_SHARE * total)
    return 0.5 - 0.5 * math.cos(math.pi * min(1.0, max(0.0, left)))


def make_optimizer(network: CompactNetwork) -> torch.optim.AdamW:
    """AdamW with a lower rate for the pretrained encoder, no decay on norms and biases."""
    groups: list[dict[str, Any]] = []
    for encoder in (True, False):
        named = [(n, p) for n, p in network.named_parameters() if n.startswith("encoder.") == encoder]
        rate = ENCODER_RATE if encoder else DECODER_RATE
        groups.append({"params": [p for _, p in named if p.dim() > 1], "rate": rate, "weight_decay": 0.02})
        groups.append({"params": [p for _, p in named if p.dim() <= 1], "rate": rate, "weight_decay": 0.0})
    return torch.optim.AdamW(groups, lr=DECODER_RATE)


@torch.no_grad()
def follow(average: nn.Module, network: nn.Module, step: int) -> None:
    """Move the weight average towards the network; faster at first."""
    keep = min(0.998, (step + 1) / (step + 20))
    for mean, now in zip(average.state_dict().values(), network.state_dict().values(), strict=True):
        if mean.is_floating_point():
            mean.lerp_(now, 1 - keep)
        else:
            mean.copy_(now)


class Run:
    """One training run: its folder and everything that `last.pt` brings back."""

    def __init__(self, folder: Path, start: Path | None) -> None:
        self.folder, self.step = folder, 0
        folder.mkdir(parents=True, exist_ok=True)
        self.network = CompactNetwork()
        load_imagenet(self.network)
        if start is not None:
            from training.export import load_exported

            load_exported(self.network, start, new=("joints.",))
        self.network.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
        self.average = copy.deepcopy(self.network).eval()
        self.optimizer = make_optimizer(self.network)
        if (folder / "last.pt").exists():
            saved = torch.load(folder / "last.pt", weights_only=True)
            self.network.load_state_dict(saved["network"])
            self.average.load_state_dict(saved["average"])
            self.optimizer.load_state_dict(saved["optimizer"])
            self.step = saved["step"]

    def save(self) -> None:
        """Write `last.pt` whole or not at all."""
        state = {
            "network": self.network.state_dict(),
            "average": self.average.state_dict(),
            "optimizer": self.optimizer.state_dict(),
            "step": self.step,
        }
        torch.save(state, self.folder / "last.tmp")
        (self.folder / "last.tmp").replace(self.folder / "last.pt")

    def log(self, row: dict[str, float | str]) -> None:
        path = self.folder / "log.csv"
        fresh = not path.exists()
        with path.open("a", newline="") as file:
            writer = csv.DictWriter(file, ["step", "loss", *LOSSES, "miou"])
            if fresh:
                writer.writeheader()
            writer.writerow(row)


def train(args: argparse.Namespace) -> None:
    torch.set_num_threads(args.threads)
    cv2.setNumThreads(1)
    torch.manual_seed(args.seed)
    samples = read_samples(args.data, "train", limit=args.limit)
    checks = read_samples(args.data, "val", limit=args.limit)
    weights = torch.from_numpy(class_weights(samples))
    for folder, split in ((args.pseudo, "pseudo"), (args.raised, "raised")):
        samples += read_samples(args.data, split, folder, args.limit) if folder else []
    run = Run(args.run, args.start)
    loader = DataLoader(
        Scenes(samples, args.seed, args.hard),
        batch_sampler=Steps(run.step, args.steps, args.batch),
        num_workers=args.workers,
        prefetch_factor=4 if args.workers else None,
    )
    recent: list[list[float]] = []
    bar = tqdm(loader, initial=run.step, total=args.steps, unit="step", mininterval=5)
    for batch in bar:
        losses = learn(run, batch, weights, args.rate * rate_at(run.step, args.steps))
        run.step += 1
        recent.append(losses)
        bar.set_postfix({name: f"{loss:.3f}" for name, loss in zip(LOSSES, losses, strict=True)})
        if run.step % 50 == 0:
            mean = np.mean(recent, axis=0)
            recent.clear()
            run.log({"step": run.step, "loss": mean.sum(), **dict(zip(LOSSES, mean, strict=True)), "miou": ""})
        if run.step % args.validate_every == 0 or run.step == args.steps:
            check(run, checks)
        if run.step % args.save_every == 0 or run.step == args.steps:
            run.save()


def learn(run: Run, batch: dict[str, Tensor], weights: Tensor, rate: float) -> list[float]:
    """One step; returns the losses in the order of LOSSES."""
    for group in run.optimizer.param_groups:
        group["lr"] = group["rate"] * rate
    run.network.train()
    image = ((batch["image"].float() - MIDDLE) / SPREAD).contiguous(memory_format=torch.channels_last)
    with torch.autocast("cpu", torch.bfloat16):
        logits, output, joints, fields = run.network.learn(image)
    losses = [
        parts_loss(logits, batch["labels"].long(), weights),
        sides_loss(logits, batch["labels"].long()),
        people_loss(output, batch["heat"], batch["offset"], batch["owned"], batch["known"]),
        joints_loss(joints, batch["joints"], batch["joints_known"]),
        fields_loss(fields, batch["fields"]),
    ]
    run.optimizer.zero_grad(set_to_none=True)
    torch.stack(losses).sum().backward()  # type: ignore[no-untyped-call]
    nn.utils.clip_grad_norm_(run.network.parameters(), 5.0)
    run.optimizer.step()
    follow(run.average, run.network, run.step)
    return [float(loss.detach()) for loss in losses]


def check(run: Run, checks: list[Sample]) -> None:
    """Score the weight average on the validation photos and draw the curve and some of them."""
    predicted = [predict_labels(run.average, sample.image) for sample in checks]
    score = score_parts(predicted, [sample.labels for sample in checks])
    run.log({"step": run.step, "miou": score.mean})
    tqdm.write(f"step {run.step}: {score}")
    draw_curve(read_log(run.folder / "log.csv"), run.folder / "curve.png")
    draw_samples(checks[:6], predicted[:6], run.folder / f"val_{run.step:06d}.png")


def main(arguments: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(prog="python -m training.train", description=__doc__)
    parser.add_argument("--data", type=Path, required=True, help="folder with photos/, labels/, train.txt, val.txt")
    parser.add_argument("--run", type=Path, required=True, help="folder of this run; an existing one goes on")
    parser.add_argument("--start", type=Path, help="exported weights to start from instead of ImageNet's")
    parser.add_argument("--pseudo", type=Path, help="folder made by training.pseudo: photos to learn from, too")
    parser.add_argument("--raised", type=Path, help="folder made by training.raise_arms: photos to learn from, too")
    parser.add_argument("--hard", type=Path, help="file made by training.hard: photos to look at more often")
    parser.add_argument("--rate", type=float, default=1.0, help="factor on the learning rate (less after --start)")
    parser.add_argument("--steps", type=int, default=6000)
    parser.add_argument("--batch", type=int, default=8)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--workers", type=int, default=1, help="processes that make scenes; 0: none of their own")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--save-every", type=int, default=100)
    parser.add_argument("--validate-every", type=int, default=500)
    parser.add_argument("--limit", type=int, help="use only the first N photos of each list, to try things")
    train(parser.parse_args(arguments))


if __name__ == "__main__":
    main()
