"""Score the served parser: `python -m training.evaluate --data FOLDER`.

Runs the compact parser itself, weights, runtime and precision as the service uses them. On the
validation photos: mean IoU over the classes, IoU by class, pixel accuracy, left and right confused,
key points, time, the worst ten photos (`--draw FOLDER` draws them). On 200 composed scenes: how
well people are told apart (panoptic quality).
"""

from __future__ import annotations

import argparse
import statistics
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image
from tqdm import tqdm

from humanparse.config import CHOICES, Settings
from humanparse.labels import CLASSES, NUM_CLASSES
from humanparse.parsers.compact.parser import CompactParser
from humanparse.records import Parsing
from training.dataset import COLOURS, Sample, read_samples
from training.panoptic import COUNT, PanopticScore, compose_scenes, known_pixels, score_people
from training.placing import SIDED
from training.scores import Hits, confused_sides, confusion, keypoint_hits, score_confusion

WORST = 10
Parse = Callable[[NDArray[np.uint8]], Parsing]


@dataclass
class Scores:
    """What is counted over photos and scenes; counts (20, 20) int64, rows truth, columns answer."""

    counts: NDArray[np.int64] = field(default_factory=lambda: np.zeros((NUM_CLASSES, NUM_CLASSES), np.int64))
    times_ms: list[float] = field(default_factory=list)
    by_photo: dict[str, float] = field(default_factory=dict)  # mean IoU over the classes in the photo
    keypoints: Hits = field(default_factory=Hits)
    people: PanopticScore | None = None
    scene_counts: NDArray[np.int64] = field(default_factory=lambda: np.zeros((NUM_CLASSES, NUM_CLASSES), np.int64))
    scene_times_ms: list[float] = field(default_factory=list)


def evaluate(samples: list[Sample], parse: Parse) -> Scores:
    """The scores of a way to parse on photos with labels; those of scenes are left out."""
    scores = Scores()
    for sample in tqdm(samples, unit="photo"):
        start = time.perf_counter()
        parsing = parse(sample.image)
        scores.times_ms.append((time.perf_counter() - start) * 1000)
        counts = confusion(parsing.labels, sample.labels)
        scores.counts += counts
        scores.by_photo[sample.name] = photo_iou(counts)
        scores.keypoints += largest_hits(parsing, sample)
    return scores


def photo_iou(counts: NDArray[np.int64]) -> float:
    """Mean IoU over the classes that are in the photo."""
    return float(score_confusion(counts).iou[counts.sum(axis=1) > 0].mean())


def largest_hits(parsing: Parsing, sample: Sample) -> Hits:
    """Key points of whoever covers most of the photo's person, against those given; no hit if it has none."""
    numbers = parsing.people[sample.person]
    if not sample.points[:, 2].any():
        return Hits()
    owner = int(np.bincount(numbers, minlength=256)[1:].argmax())
    found = parsing.persons[owner].keypoints if parsing.persons else ()
    points = np.array(found, np.float32) if found else np.full_like(sample.points, -np.inf)
    return keypoint_hits(points, sample.points, sample.person)


def evaluate_scenes(samples: list[Sample], parse: Parse, count: int, scores: Scores) -> None:
    """Add to `scores` those on `count` composed scenes."""
    scores.people = PanopticScore()
    for scene in tqdm(compose_scenes(samples, count), total=count, unit="scene"):
        start = time.perf_counter()
        parsing = parse(scene.image)
        scores.scene_times_ms.append((time.perf_counter() - start) * 1000)
        scores.people += score_people(parsing.people, scene.people, known_pixels(scene))
        scores.scene_counts += confusion(parsing.labels, scene.labels)


def cut_upper(sample: Sample, share: float) -> Sample:
    """The photo cut to the upper `share` of its person's height, as wide as high: a close-up; 1 leaves it whole."""
    if share >= 1:
        return sample
    ys, xs = np.nonzero(sample.person)
    span = int((ys.max() - ys.min()) * share)
    y0, y1 = max(0, ys.min() - span // 8), ys.min() + span
    middle = int(np.median(xs[ys < y1]))
    x0, x1 = max(0, middle - (y1 - y0) // 2), middle + (y1 - y0) // 2
    window = np.s_[y0:y1, x0:x1]
    image = np.ascontiguousarray(sample.image[window])
    return Sample(sample.name, image, sample.labels[window], sample.person[window])


def side_confusion(counts: NDArray[np.int64]) -> float:
    """Share of limb and shoe pixels that were named by kind but on the other side."""
    swapped = confused_sides(counts)
    named = swapped + sum(counts[a, a] + counts[b, b] for a, b in SIDED)
    return float(swapped / max(1, named))


def format_report(scores: Scores, version: str) -> str:
    """Tables in Markdown, worst class first, as the model card carries them."""
    counts, people, points = scores.counts, scores.people, scores.keypoints
    score, true = score_confusion(counts), counts.sum(axis=1) > 0
    iou = np.nan_to_num(score.iou)
    lines = [
        f"Weights {version}.",
        "",
        "| measure | value |",
        "|---|---|",
        f"| mean IoU over the 20 classes, absent ones as 0 | {iou.mean():.4f} |",
        f"| mean IoU over the {true.sum()} classes in the photos | {iou[true].mean():.4f} |",
        f"| pixel accuracy | {score.pixel_accuracy:.4f} |",
        f"| left/right confused, of limb and shoe pixels named by kind | {side_confusion(counts):.4f} |",
    ]
    if people is not None:
        parts = f"{people.segmentation:.4f} x {people.recognition:.4f}"
        lines.append(f"| people in composed scenes, panoptic quality (SQ x RQ) | {people.quality:.4f} ({parts}) |")
        scene_iou = np.nan_to_num(score_confusion(scores.scene_counts).iou)[scores.scene_counts.sum(axis=1) > 0]
        lines.append(f"| mean IoU over the {len(scene_iou)} classes in composed scenes | {scene_iou.mean():.4f} |")
        lines.append(f"| median time of a composed scene | {statistics.median(scores.scene_times_ms):.0f} ms |")
    if points.count:
        lines.append(
            f"| key points within 0.1 of the person's longer side (PCK) | {points.near_box / points.count:.4f} |"
        )
        lines.append(f"| key points within 0.2 of the trunk's length (PCK) | {points.near_trunk / points.count:.4f} |")
    lines.append(f"| median time of a photo, decoded photo to Parsing | {statistics.median(scores.times_ms):.0f} ms |")
    lines += ["", "| class | IoU |", "|---|---|"]
    for index in np.argsort(np.where(true, iou, 2.0)):
        value = f"{iou[index]:.3f}" if true[index] else "not in the photos"
        lines.append(f"| {CLASSES[index].name} | {value} |")
    worst = ", ".join(f"{name} ({scores.by_photo[name]:.2f})" for name in worst_photos(scores))
    return "\n".join([*lines, "", f"Worst photos (mean IoU over the classes in each): {worst}."])


def worst_photos(scores: Scores) -> list[str]:
    """Names of the photos with the lowest mean IoU, lowest first."""
    return sorted(scores.by_photo, key=lambda name: scores.by_photo[name])[:WORST]


def draw_worst(scores: Scores, samples: list[Sample], parse: Parse, out: Path) -> None:
    """NAME.png for each of the worst photos: itself, truth (ignored pixels white), answer."""
    out.mkdir(parents=True, exist_ok=True)
    named = {sample.name: sample for sample in samples}
    for name in worst_photos(scores):
        sample = named[name]
        answer = parse(sample.image).labels
        Image.fromarray(np.hstack([sample.image, COLOURS[sample.labels], COLOURS[answer]])).save(out / f"{name}.png")


def main(arguments: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(prog="python -m training.evaluate", description=__doc__)
    parser.add_argument("--data", type=Path, required=True, help="folder with photos/, labels/ and val.txt")
    parser.add_argument("--split", default="val", help="which list (default: val)")
    parser.add_argument("--upper", type=float, default=1.0, help="cut to this upper share of each person: close-ups")
    parser.add_argument("--scenes", type=int, default=COUNT, help=f"composed scenes of people (default: {COUNT})")
    parser.add_argument(
        "--glance", action="store_true", help="one look, without the mirror and without closer ones (detail=false)"
    )
    parser.add_argument(
        "--precision", default="auto", choices=CHOICES["precision"], help="what the network computes in"
    )
    parser.add_argument("--draw", type=Path, help="folder for pictures of the worst ten photos")
    parser.add_argument("--weights", type=Path, help="another weight file than the one in use")
    args = parser.parse_args(arguments)
    cv2.setNumThreads(1)
    compact = CompactParser(Settings(precision=args.precision), args.weights)
    compact.load()
    samples = read_samples(args.data, args.split)
    looked_at = [cut_upper(sample, args.upper) for sample in samples]
    parse = compact.glance if args.glance else compact.parse
    scores = evaluate(looked_at, parse)
    if args.scenes:
        evaluate_scenes(samples, parse, args.scenes, scores)
    print(format_report(scores, compact.info.version))
    if args.draw:
        draw_worst(scores, looked_at, parse, args.draw)


if __name__ == "__main__":
    main()
