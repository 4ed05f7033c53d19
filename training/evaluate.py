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
from training.dataset import read_names, read_sample
from training.scenes import SIDED
from training.validate import PartsScore, confusion, score_confusion


def evaluate(data: Path, split: str, parser: CompactParser) -> tuple[PartsScore, float, float]:
    """Score, left/right confusion and median milliseconds of `parser` on a list of photos."""
    counts, times = np.zeros((NUM_CLASSES, NUM_CLASSES), np.int64), []
    for name in tqdm(read_names(data, split), unit="photo", desc=split):
        sample = read_sample(data, name)
        start = time.perf_counter()
        parsing = parser.parse(sample.image)
        times.append((time.perf_counter() - start) * 1000)
        counts += confusion(parsing.labels, sample.labels)
    return score_confusion(counts), side_confusion(counts), statistics.median(times)


def side_confusion(counts: NDArray[np.int64]) -> float:
    """Share of limb and shoe pixels that were named by kind but on the other side."""
    swapped = sum(counts[a, b] + counts[b, a] for a, b in SIDED)
    named = swapped + sum(counts[a, a] + counts[b, b] for a, b in SIDED)
    return float(swapped / max(1, named))


def format_report(score: PartsScore, sides: float, median_ms: float, version: str) -> str:
    """A table in Markdown, worst class first, as the model card carries it."""
    lines = [
        f"Weights {version}.",
        "",
        "| measure | value |",
        "|---|---|",
        f"| mean IoU, classes that occur ({np.count_nonzero(~np.isnan(score.iou))} of 20) | {score.mean:.4f} |",
        f"| mean IoU, absent classes counted as 0 | {np.nan_to_num(score.iou).mean():.4f} |",
        f"| pixel accuracy | {score.pixel_accuracy:.4f} |",
        f"| left/right confused, of limb and shoe pixels named by kind | {sides:.4f} |",
        f"| median time of a photo, decoded photo to Parsing | {median_ms:.0f} ms |",
        "",
        "| class | IoU |",
        "|---|---|",
    ]
    order = np.argsort(np.nan_to_num(score.iou, nan=2.0))
    for index in order:
        value = "does not occur" if np.isnan(score.iou[index]) else f"{score.iou[index]:.3f}"
        lines.append(f"| {CLASSES[index].name} | {value} |")
    return "\n".join(lines)


def main(arguments: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(prog="python -m training.evaluate", description=__doc__)
    parser.add_argument("--data", type=Path, required=True, help="folder with photos/, labels/ and val.txt")
    parser.add_argument("--split", default="val", help="which list (default: val)")
    args = parser.parse_args(arguments)
    compact = CompactParser(Settings())
    compact.load()
    print(format_report(*evaluate(args.data, args.split, compact), compact.info.version))


if __name__ == "__main__":
    main()
