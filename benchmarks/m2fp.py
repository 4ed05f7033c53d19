"""M2FP, the old stack's own pipeline and ours in turn: `python -m benchmarks.m2fp` (`make bench-m2fp`).

Same photos, same weights (random ones of the real shape: cost does not depend on their values). Every
measurement is a process of its own, from the file's path to the answer, decoding included; medians of
all runs after the warm-up, memory is the process's peak resident set. The old stack needs
`reference/install.sh` first; without it, or with --ours, only ours is measured.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
SIZES = {"512x512": (512, 512), "720p": (1280, 720), "1080p": (1920, 1080), "12 MP": (4000, 3000)}  # width, height
AVX2 = {"ONEDNN_MAX_CPU_ISA": "AVX2"}
GIB = 1 << 30


def make_photos(folder: Path, names: list[str]) -> dict[str, Path]:
    """JPEG files of NASA's astronaut, cut and enlarged to each size."""
    import cv2
    from skimage import data

    astronaut = data.astronaut()[..., ::-1]  # type: ignore[no-untyped-call]
    photos = {}
    for name in names:
        width, height = SIZES[name]
        rows = min(512, 512 * height // width)
        photos[name] = folder / f"{name.replace(' ', '')}.jpg"
        cv2.imwrite(str(photos[name]), cv2.resize(astronaut[:rows], (width, height), interpolation=cv2.INTER_CUBIC))
    return photos


def measure_ours(photo: Path, weights: Path, warm_up: int, runs: int) -> dict[str, Any]:
    """Seconds of each run and peak memory, in this process."""
    from humanparse.config import Settings
    from humanparse.images import read_image
    from humanparse.parsers import make_parser

    settings = Settings.from_env({**os.environ, "HUMANPARSE_M2FP_DIR": str(weights)})
    parser = make_parser("m2fp", settings)
    start = time.perf_counter()
    parser.load()
    load_s = time.perf_counter() - start
    seconds = []
    for _ in range(warm_up + runs):
        start = time.perf_counter()
        parser.parse(read_image(photo.read_bytes(), max_bytes=settings.max_bytes, max_pixels=settings.max_pixels))
        seconds.append(time.perf_counter() - start)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024  # Linux counts in KiB
    return {"seconds": seconds[warm_up:], "peak_bytes": peak, "load_seconds": load_s}


def run_child(command: list[str], environ: dict[str, str], limit_bytes: int | None) -> dict[str, Any] | None:
    """A measurement in a process of its own; None where it died, most likely for want of memory."""

    def limit() -> None:
        if limit_bytes is not None:
            resource.setrlimit(resource.RLIMIT_AS, (limit_bytes, limit_bytes))

    child = subprocess.run(
        command, cwd=ROOT, env={**os.environ, **environ}, capture_output=True, text=True, preexec_fn=limit
    )
    lines = child.stdout.strip().splitlines()
    if child.returncode or not lines:
        print(child.stderr[-2000:], file=sys.stderr)
        return None
    result: dict[str, Any] = json.loads(lines[-1])
    return {**result, "median": statistics.median(result["seconds"])}


def compare(args: argparse.Namespace, photos: dict[str, Path]) -> list[dict[str, Any]]:
    """One row a size and CPU: {"size", "cpu", "old": {...} or None, "ours": {...}}."""
    rows = []
    counts = ["--runs", str(args.runs), "--warm-up", str(args.warm_up)]
    for cpu, environ in (("all CPU features", {}), ("held to AVX2", AVX2)):
        for name, photo in photos.items():
            common = ["--weights", str(args.weights), *counts, str(photo)]
            old = None
            if not args.ours:
                command = [str(args.old_python), "-m", "reference.bench_worker", *common]
                old = run_child(command, environ, args.old_limit_gib * GIB)
            ours = run_child([sys.executable, "-m", "benchmarks.m2fp", "--child", *common], environ, None)
            rows.append({"size": name, "cpu": cpu, "old": old, "ours": ours})
            print(row_text(rows[-1]), flush=True)
    return rows


def row_text(row: dict[str, Any]) -> str:
    """A line of the table; a dash where a side was not measured or died."""
    old, ours = row["old"], row["ours"]
    cells = [row["size"], row["cpu"]]
    for side in (old, ours):
        cells += [f"{side['median']:.2f}", f"{side['peak_bytes'] / 1e9:.2f}"] if side else ["-", "-"]
    both = old and ours
    cells.append(f"{old['median'] / ours['median']:.1f}" if both else "-")
    cells.append(f"{ours['peak_bytes'] / old['peak_bytes']:.2f}" if both else "-")
    return "| " + " | ".join(cells) + " |"


def draw(rows: list[dict[str, Any]], path: Path) -> None:
    """Bars of time and memory, old beside ours, all CPU features."""
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot

    rows = [row for row in rows if row["cpu"] == "all CPU features"]
    figure, axes = pyplot.subplots(1, 2, figsize=(10, 4), layout="constrained")
    for axis, key, scale, title in (
        (axes[0], "median", 1.0, "seconds a photo (median)"),
        (axes[1], "peak_bytes", 1e9, "peak memory, GB"),
    ):
        for shift, side, label in ((-0.2, "old", "old stack"), (0.2, "ours", "ours")):
            values = [row[side][key] / scale if row[side] else 0.0 for row in rows]
            bars = axis.bar([i + shift for i in range(len(rows))], values, 0.38, label=label)
            axis.bar_label(bars, [f"{value:.2f}" if value else "no result" for value in values], fontsize=8)
        axis.set_xticks(range(len(rows)), [row["size"] for row in rows])
        axis.set_title(title)
        axis.legend()
    figure.savefig(path, dpi=110)


def prepare_weights(folder: Path) -> None:
    """Random weights of the real shape, and their converted form, unless they are there."""
    if not (folder / "pytorch_model.pt").exists():
        subprocess.run([sys.executable, "-m", "reference.random_weights", str(folder)], cwd=ROOT, check=True)
    from humanparse.parsers.m2fp.runtime import converted

    converted(folder)


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.m2fp", description=__doc__)
    parser.add_argument("--sizes", nargs="+", choices=list(SIZES), default=list(SIZES))
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--warm-up", type=int, default=1)
    parser.add_argument(
        "--weights", type=Path, default=ROOT / "runs" / "m2fp-random", help="model folder; made if absent"
    )
    parser.add_argument("--old-python", type=Path, default=ROOT / ".reference-env" / "bin" / "python")
    parser.add_argument("--old-limit-gib", type=int, default=16, help="address space the old stack may take")
    parser.add_argument("--ours", action="store_true", help="leave the old stack out")
    parser.add_argument("--plot", type=Path, help="write a plot here")
    parser.add_argument("--child", action="store_true", help=argparse.SUPPRESS)
    parser.add_argument("photo", nargs="?", type=Path, help=argparse.SUPPRESS)
    args = parser.parse_args()
    if args.child:
        print(json.dumps(measure_ours(args.photo, args.weights, args.warm_up, args.runs)))
        return
    if not args.ours and not args.old_python.exists():
        print(f"{args.old_python} is not there; run reference/install.sh for the old half.", file=sys.stderr)
        args.ours = True
    prepare_weights(args.weights)
    print("| photo | CPU | old s | old GB | ours s | ours GB | times faster | share of memory |")
    print("|---|---|---:|---:|---:|---:|---:|---:|")
    with tempfile.TemporaryDirectory() as folder:
        rows = compare(args, make_photos(Path(folder), args.sizes))
    if args.plot:
        draw(rows, args.plot)


if __name__ == "__main__":
    main()
