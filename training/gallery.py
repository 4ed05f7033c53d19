"""Overlays of any folder of photos, to look at: `python -m training.gallery FOLDER --out FOLDER`.

For each photo one PNG: the photo, the overlay as the service draws it, and the label map alone.
Nothing here decides anything: it is how we find out what the numbers do not say.
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
from utils import colorize, compose_overlay

SUFFIXES = (".jpg", ".jpeg", ".png", ".webp")


def find_photos(folder: Path) -> list[Path]:
    """The photos directly in `folder`, by name. Raises ValueError where there is none."""
    found = sorted(path for path in folder.iterdir() if path.suffix.lower() in SUFFIXES)
    if not found:
        raise ValueError(f"{folder} holds no photo ({', '.join(SUFFIXES)})")
    return found


def draw_panels(image: NDArray[np.uint8], parsing: Parsing, height: int) -> NDArray[np.uint8]:
    """(height, W, 3) uint8 RGB: photo, overlay and label map side by side, each `height` pixels tall."""
    overlay = compose_overlay(image, parsing.labels, parsing.people)
    panels = np.hstack([image, overlay, colorize(parsing.labels)])
    width = max(1, round(panels.shape[1] * height / panels.shape[0]))
    return np.asarray(cv2.resize(panels, (width, height), interpolation=cv2.INTER_AREA), np.uint8)


def draw_folder(photos: list[Path], out: Path, parser: CompactParser, height: int) -> None:
    """One PNG of panels in `out` for each photo, and a line about who was found."""
    settings = Settings()
    out.mkdir(parents=True, exist_ok=True)
    for path in photos:
        image = read_image(path.read_bytes(), max_bytes=settings.max_bytes, max_pixels=settings.max_pixels)
        parsing = parser.parse(image)
        Image.fromarray(draw_panels(image, parsing, height)).save(out / f"{path.stem}.png")
        print(f"{path.name}: {len(parsing.persons)} people, {', '.join(parsing.part_names) or 'nothing'}")


def main(arguments: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(prog="python -m training.gallery", description=__doc__)
    parser.add_argument("folder", type=Path, help="folder of photos")
    parser.add_argument("--out", type=Path, required=True, help="folder for the pictures; made if missing")
    parser.add_argument("--height", type=int, default=640, help="pixels of each picture (default: 640)")
    parser.add_argument("--weights", type=Path, help="another weight file than the one in use")
    args = parser.parse_args(arguments)
    compact = CompactParser(Settings(), args.weights)
    compact.load()
    draw_folder(find_photos(args.folder), args.out, compact, args.height)


if __name__ == "__main__":
    main()
