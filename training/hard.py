"""Which photos are hard: on how many pixels the served parser takes one side for the other, as one JSON file.

`python -m training.hard --data FOLDER --pseudo FOLDER --out FILE`, then `training.train --hard FILE`.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from tqdm import tqdm

from humanparse.config import Settings
from humanparse.parsers.compact.parser import CompactParser
from training.dataset import Sample, read_samples
from training.scores import confused_sides, confusion

MOST = 3.0  # times as often as others
ALL = 1500  # pixels on the wrong side from which a photo comes so often


def repeat_hard(samples: list[Sample], file: Path) -> NDArray[np.float64]:
    """How many times as often each photo is drawn, 1 to MOST; photos that the file does not name: 1."""
    pixels = json.loads(file.read_text())
    return np.array([1 + (MOST - 1) * min(1.0, pixels.get(sample.name, 0) / ALL) for sample in samples])


def main(arguments: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(prog="python -m training.hard", description=__doc__)
    parser.add_argument("--data", type=Path, required=True, help="folder with photos/, labels/, train.txt ...")
    parser.add_argument("--pseudo", type=Path, help="folder made by training.pseudo: its photos, too")
    parser.add_argument("--out", type=Path, required=True, help="JSON file to write: name of a photo -> pixels")
    parser.add_argument("--limit", type=int, help="only the first N photos of each list, to try things")
    args = parser.parse_args(arguments)
    compact = CompactParser(Settings())
    compact.load()
    samples = read_samples(args.data, "train", limit=args.limit)
    samples += read_samples(args.data, "pseudo", args.pseudo, args.limit) if args.pseudo else []
    pixels = {
        sample.name: confused_sides(confusion(compact.parse(sample.image).labels, sample.labels))
        for sample in tqdm(samples, unit="photo")
    }
    args.out.write_text(json.dumps({name: count for name, count in pixels.items() if count}, indent=1) + "\n")
    print(f"{sum(count > 0 for count in pixels.values())} of {len(pixels)} photos have pixels on the wrong side")


if __name__ == "__main__":
    main()
