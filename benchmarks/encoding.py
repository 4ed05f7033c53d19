"""Time and size of what an answer is encoded to: `python -m benchmarks.encoding`.

Our PNG beside OpenCV's and Pillow's, of an overlay and of its label map, in turn on one core; JPEG and WebP for
comparison. Medians. The photo is the one of `benchmarks.parse`, or yours.
"""

from __future__ import annotations

import argparse
import io
import statistics
import time
from collections.abc import Callable
from pathlib import Path

import cv2
from PIL import Image

from benchmarks.parse import make_photo
from humanparse.config import Settings
from humanparse.encoding import encode_jpeg, encode_palette_png, encode_png, encode_webp
from humanparse.labels import PALETTE
from humanparse.options import ParseOptions
from humanparse.pipeline import Pipeline

ROUNDS = 15


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.encoding", description=__doc__)
    parser.add_argument("--photo", type=Path, help="a photo of your own (default: two astronauts, 640x480)")
    args = parser.parse_args()
    cv2.setNumThreads(1)
    photo = args.photo.read_bytes() if args.photo else make_photo()
    answer = Pipeline(Settings()).parse(photo, ParseOptions())
    overlay, labels = answer.overlay, answer.parsing.labels
    up = [cv2.IMWRITE_PNG_COMPRESSION, 1, cv2.IMWRITE_PNG_FILTER, cv2.IMWRITE_PNG_FILTER_UP]
    ways: dict[str, Callable[[], bytes]] = {
        "overlay, PNG": lambda: encode_png(overlay),
        "overlay, PNG by OpenCV": lambda: cv2.imencode(".png", overlay[..., ::-1].copy(), up)[1].tobytes(),
        "overlay, PNG by Pillow": lambda: pillow_png(Image.fromarray(overlay), compress_level=1),
        "label map, PNG": lambda: encode_palette_png(labels, PALETTE),
        "label map, PNG by Pillow": lambda: pillow_png(Image.fromarray(labels)),
        "overlay, JPEG": lambda: encode_jpeg(overlay),
        "overlay, WebP": lambda: encode_webp(overlay),
    }
    times: dict[str, list[float]] = {what: [] for what in ways}
    for _ in range(ROUNDS):
        for what, encode in ways.items():
            start = time.perf_counter()
            encode()
            times[what].append((time.perf_counter() - start) * 1000)
    height, width = labels.shape
    print(f"| {width}x{height} | ms | kB |\n|---|---:|---:|")
    for what, encode in ways.items():
        print(f"| {what} | {statistics.median(times[what]):.1f} | {len(encode()) / 1000:.0f} |")


def pillow_png(picture: Image.Image, **options: int) -> bytes:
    stream = io.BytesIO()
    picture.save(stream, "PNG", **options)
    return stream.getvalue()


if __name__ == "__main__":
    main()
