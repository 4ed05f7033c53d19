"""Score the served parser: `python -m training.evaluate --data FOLDER`.

Runs the compact parser itself, weights, runtime and precision as the service uses them, over the
fixed validation list, and prints mean IoU over the classes, IoU by class, pixel accuracy and time.
"""

from __future__ import annotations

import argparse
import statistics
import time
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from tqdm import tqdm

from humanparse.config import Settings
from humanparse.labels import CLASSES, NUM_CLASSES
from humanparse.parsers.compact.parser import CompactParser
from training.dataset import Sample, read_names, read_sample
from training.placing import SIDED
from training.validate import confusion, score_confusion


def evaluate(data: Path, split: str, parser: CompactParser, upper: float = 1.0) -> tuple[NDArray[np.int64], float]:
    """(20, 20) counts, rows truth, columns answer, and median milliseconds, of `parser` on a list of photos."""
    counts, times = np.zeros((NUM_CLASSES, NUM_CLASSES), np.int64), []
    for name in tqdm(read_names(data, split), unit="photo", desc=split):
        sample = cut_upper(read_sample(data, name), upper)
        start = time.perf_counter()
        parsing = parser.parse(sample.image)
        times.append((time.perf_counter() - start) * 1000)
        counts += confusion(parsing.labels, sample.labels)
    return counts, statistics.median(times)


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
    swapped = sum(counts[a, b] + counts[b, a] for a, b in SIDED)
    named = swapped + sum(counts[a, a] + counts[b, b] for a, b in SIDED)
    return float(swapped / max(1, named))


def format_report(counts: NDArray[np.int64], median_ms: float, version: str) -> str:
    """A table in Markdown, worst class first, as the model card carries it."""
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
        f"| median time of a photo, decoded photo to Parsing | {median_ms:.0f} ms |",
        "",
        "| class | IoU |",
        "|---|---|",
    ]
    for index in np.argsort(np.where(true, iou, 2.0)):
        value = f"{iou[index]:.3f}" if true[index] else "not in the photos"
        lines.append(f"| {CLASSES[index].name} | {value} |")
    return "\n".join(lines)


def main(arguments: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(prog="python -m training.evaluate", description=__doc__)
    parser.add_argument("--data", type=Path, required=True, help="folder with photos/, labels/ and val.txt")
    parser.add_argument("--split", default="val", help="which list (default: val)")
    parser.add_argument("--upper", type=float, default=1.0, help="cut to this upper share of each person: close-ups")
    args = parser.parse_args(arguments)
    compact = CompactParser(Settings())
    compact.load()
    print(format_report(*evaluate(args.data, args.split, compact, args.upper), compact.info.version))


if __name__ == "__main__":
    main()
