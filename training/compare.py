"""Two versions of the weights side by side: `python -m training.compare FOLDER --before FILE --out SHEET.png`.

One row a photo: before, after, each as label map with people's outlines and no photo below, so that
the sheet may be shown where the photos may not.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image

from humanparse.config import Settings
from humanparse.images import read_image
from humanparse.parsers.compact.parser import CompactParser
from humanparse.records import Parsing
from training.gallery import find_photos
from utils import compose_overlay

GAP = 8  # pixels between the pictures
PAPER = 255  # grey value where nobody is


def draw_map(parsing: Parsing, width: int) -> NDArray[np.uint8]:
    """(H, width, 3) uint8 RGB: the label map on white, people outlined."""
    paper = np.full((*parsing.size, 3), PAPER, np.uint8)
    drawn = compose_overlay(paper, parsing.labels, parsing.people, alpha=1)
    height = max(1, round(width * drawn.shape[0] / drawn.shape[1]))
    return np.asarray(cv2.resize(drawn, (width, height), interpolation=cv2.INTER_AREA), np.uint8)


def draw_sheet(photos: list[Path], parsers: list[CompactParser], width: int) -> NDArray[np.uint8]:
    """(H, W, 3) uint8 RGB: a row for each photo, a column for each parser."""
    settings = Settings()
    rows = []
    for path in photos:
        image = read_image(path.read_bytes(), max_bytes=settings.max_bytes, max_pixels=settings.max_pixels)
        maps = [draw_map(parser.parse(image), width) for parser in parsers]
        row = [cv2.copyMakeBorder(m, 0, GAP, 0, GAP, cv2.BORDER_CONSTANT, value=(128, 128, 128)) for m in maps]
        rows.append(np.hstack(row))
    return np.asarray(np.vstack(rows), np.uint8)


def main(arguments: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(prog="python -m training.compare", description=__doc__)
    parser.add_argument("folder", type=Path, help="folder of photos")
    parser.add_argument("--before", type=Path, required=True, help="weight file of the earlier version")
    parser.add_argument("--after", type=Path, help="weight file of the later one (default: the one in use)")
    parser.add_argument("--out", type=Path, required=True, help="PNG to write")
    parser.add_argument("--width", type=int, default=480, help="pixels of each picture (default: 480)")
    args = parser.parse_args(arguments)
    parsers = [CompactParser(Settings(), file) for file in (args.before, args.after)]
    for made in parsers:
        made.load()
    Image.fromarray(draw_sheet(find_photos(args.folder), parsers, args.width)).save(args.out, optimize=True)


if __name__ == "__main__":
    main()
