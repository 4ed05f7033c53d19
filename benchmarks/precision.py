"""M2FP's number formats against float32: `python -m benchmarks.precision --weights FOLDER PHOTO...`.

For every photo and format: the share of pixels whose class, and whose person, is the same as in
float32. A format is offered only if the classes of at least 99.5 % of all pixels are equal. It says
something only for a network that is sure of what it sees: the published weights, or those of
`python -m training.m2fp`.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np
import openvino as ov

from humanparse.config import Settings
from humanparse.images import read_image
from humanparse.parsers.m2fp.parser import M2FPParser
from humanparse.records import Parsing

GATE = 0.995
NATIVE = {"f16": "FP16", "bf16": "BF16"}


def parse_all(photos: list[Path], weights: Path, precision: str) -> list[Parsing]:
    """Every photo's parsing by a parser of that precision."""
    settings = Settings(m2fp_dir=weights, precision=precision, m2fp_runtime="openvino")
    parser = M2FPParser(settings)
    parser.load()
    images = (
        read_image(photo.read_bytes(), max_bytes=settings.max_bytes, max_pixels=settings.max_pixels) for photo in photos
    )
    return [parser.parse(image) for image in images]


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.precision", description=__doc__)
    parser.add_argument("photos", nargs="+", type=Path, metavar="PHOTO")
    parser.add_argument("--weights", type=Path, required=True, help="model folder")
    parser.add_argument("--formats", nargs="+", choices=list(NATIVE), default=list(NATIVE))
    args = parser.parse_args()
    able = ov.Core().get_property("CPU", "OPTIMIZATION_CAPABILITIES")
    expected = parse_all(args.photos, args.weights, "f32")
    shown = np.mean([np.mean(parsing.labels > 0) for parsing in expected])
    people = sum(len(parsing.persons) for parsing in expected)
    print(f"float32 finds {people} people, {100 * shown:.0f} % of the pixels\n")
    print("| format | classes equal % | people equal % | least equal photo % | computed natively | offered |")
    print("|---|---:|---:|---:|---|---|")
    for name in args.formats:
        found = parse_all(args.photos, args.weights, name)
        pairs = list(zip(found, expected, strict=True))
        classes = [float(np.mean(one.labels == other.labels)) for one, other in pairs]
        persons = np.mean([np.mean((one.people > 0) == (other.people > 0)) for one, other in pairs])
        passed = np.mean(classes) >= GATE
        print(
            f"| {name} | {100 * np.mean(classes):.2f} | {100 * persons:.2f} | {100 * min(classes):.2f} "
            f"| {'yes' if NATIVE[name] in able else 'no'} | {'yes' if passed else 'NO'} |"
        )


if __name__ == "__main__":
    main()
