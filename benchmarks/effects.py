"""Time and memory of every effect: `python -m benchmarks.effects`.

Each row is a process of its own. First the effect alone on a picture that lies in memory: time, and by how
much the process grew at most, per pixel (the result included, the picture not). Then the whole way, a JPEG
in and a JPEG out: the process's peak. OpenCV's own functions stand below for comparison; its oil painting is in
another wheel, opencv-contrib-python-headless in place of opencv-python-headless. `--soak 1000` instead sends
so many photos of changing sizes through the studio and tells memory on the way.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

SIZE = (3000, 4000)
OPENCV = ("cv2.stylization", "cv2.pencilSketch", "cv2.xphoto.oilPainting")
SOAK_SIZES = ((480, 640), (1080, 1440), (720, 1280), (1500, 1000), (333, 777))
SOAK_EFFECTS = ("pencil", "pencil_color", "oil", "watercolor")


def make_picture(size: tuple[int, int] = SIZE) -> Any:
    """NASA's astronaut, as large as wanted, with noise as a camera has it."""
    import cv2
    import numpy as np
    from skimage import data

    height, width = size
    astronaut = data.astronaut()  # type: ignore[no-untyped-call]
    picture = cv2.resize(astronaut, (width, height), interpolation=cv2.INTER_CUBIC)
    rng = np.random.default_rng(1)
    for top in range(0, height, 100):  # a band at a time: this process's peak is what is measured
        band = picture[top : top + 100]
        picture[top : top + 100] = cv2.add(band, rng.integers(0, 12, band.shape, np.uint8))
    return picture


def measure(name: str) -> dict[str, float]:
    """One row, in this process."""
    paint = _opencv(name) if name in OPENCV else _ours(name)
    picture = make_picture()
    paint(picture[:400, :300].copy())  # compiled, loaded
    before = _reset_peak()
    start = time.perf_counter()
    made = paint(picture)
    seconds = time.perf_counter() - start
    pixels = SIZE[0] * SIZE[1]
    row = {"seconds": seconds, "bytes a pixel": (_peak() - before) / pixels}
    del made
    if name not in OPENCV:
        row["whole way, MB"] = _whole_way(name, picture)
    return row


def _ours(name: str) -> Callable[[Any], Any]:
    from humanparse.effects import apply_effect, choose_values

    return lambda picture: apply_effect(name, picture, choose_values(name, {}, picture.shape[:2]))


def _opencv(name: str) -> Callable[[Any], Any]:
    import cv2

    return {
        "cv2.stylization": lambda picture: cv2.stylization(picture, sigma_s=60, sigma_r=0.45),
        "cv2.pencilSketch": lambda picture: cv2.pencilSketch(picture, sigma_s=60, sigma_r=0.07, shade_factor=0.04),
        "cv2.xphoto.oilPainting": lambda picture: vars(cv2)["xphoto"].oilPainting(picture, 16, 5),
    }[name]


def _whole_way(name: str, picture: Any) -> float:
    """Peak of the process in MB from a JPEG's bytes to a JPEG's bytes, with the effect on the background only."""
    import gc

    from humanparse.config import Settings
    from humanparse.encoding import encode_jpeg
    from humanparse.pipeline import Pipeline
    from humanparse.studio import Studio
    from humanparse.stylize_options import StylizeOptions

    data = encode_jpeg(picture)
    del picture
    gc.collect()
    settings = Settings(cache_bytes=0)
    options = StylizeOptions.from_strings({"effect": name, "only": "background"}, settings)
    Studio(settings, Pipeline(settings)).stylize(data, options)
    return _peak() / 1e6


def soak(count: int) -> None:
    """Memory after every tenth of `count` photos."""
    from humanparse.config import Settings
    from humanparse.encoding import encode_jpeg
    from humanparse.pipeline import Pipeline
    from humanparse.studio import Studio
    from humanparse.stylize_options import StylizeOptions

    settings = Settings(cache_bytes=0)
    studio = Studio(settings, Pipeline(settings))
    photos = [encode_jpeg(make_picture(size)) for size in SOAK_SIZES]
    where: tuple[dict[str, object], ...] = ({}, {"only": "background"}, {"except": "face"})
    print("| photos | resident MB |\n|---:|---:|")
    for index in range(count):
        effect = SOAK_EFFECTS[index % len(SOAK_EFFECTS)]
        given = {"effect": effect, **where[index % len(where)]}
        studio.stylize(photos[index % len(photos)], StylizeOptions.from_strings(given, settings))
        if (index + 1) % max(1, count // 10) == 0:
            print(f"| {index + 1} | {_status('VmRSS') / 1e6:.0f} |", flush=True)


def _reset_peak() -> int:
    """Bytes resident now; the peak is counted from here (Linux)."""
    Path("/proc/self/clear_refs").write_text("5")
    return _status("VmRSS")


def _peak() -> int:
    return _status("VmHWM")


def _status(key: str) -> int:
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith(f"{key}:"):
            return int(line.split()[1]) * 1024
    raise KeyError(key)


def main() -> None:
    import cv2

    from humanparse.effects import EFFECTS

    parser = argparse.ArgumentParser(prog="python -m benchmarks.effects", description=__doc__)
    parser.add_argument("--effect", action="append", help="only this one; may be given again")
    parser.add_argument("--soak", type=int, help="send so many photos through the studio instead")
    parser.add_argument("--child", help=argparse.SUPPRESS)
    args = parser.parse_args()
    if args.child:
        print(json.dumps(measure(args.child)))
        return
    if args.soak:
        soak(args.soak)
        return
    columns = ("seconds", "bytes a pixel", "whole way, MB")
    print(f"| {SIZE[1]} x {SIZE[0]} | " + " | ".join(columns) + " |\n|---|" + "---:|" * len(columns))
    theirs = [name for name in OPENCV if hasattr(cv2, name.split(".")[1])]
    for name in args.effect or (*EFFECTS, *theirs):
        command = [sys.executable, "-m", "benchmarks.effects", "--child", name]
        row = json.loads(subprocess.run(command, stdout=subprocess.PIPE, check=True).stdout)
        cells = (f"{row[c]:.{1 if c != 'whole way, MB' else 0}f}" if c in row else "" for c in columns)
        print(f"| {name} | " + " | ".join(cells) + " |", flush=True)


if __name__ == "__main__":
    main()
