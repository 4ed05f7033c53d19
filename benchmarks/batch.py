"""Whether photos are parsed faster together: `python -m benchmarks.batch`.

The compact network alone, in the number format that the settings mean, at several batch sizes and both usual
input shapes; sizes take turns in every round, so that a noisy machine is unfair to all of them alike.
Milliseconds a photo: the median over the rounds, and the best.
"""

from __future__ import annotations

import argparse
import os
import statistics
import subprocess
import sys
import time

SIZES = (1, 2, 4, 8)
SHAPES = ((384, 512), (512, 512))  # of a 4:3 and of a square photo, (height, width)
ROWS: tuple[tuple[str, dict[str, str]], ...] = (
    # (what, environment)
    ("all CPU features", {}),
    ("held to AVX2", {"ONEDNN_MAX_CPU_ISA": "AVX2"}),
)


def measure(runs: int) -> list[tuple[tuple[int, int], dict[int, list[float]]]]:
    """Milliseconds a photo of every run, by input shape and batch size, in this process."""
    import numpy as np
    import openvino as ov

    from humanparse.config import Settings
    from humanparse.cpu import usable_cores
    from humanparse.parsers.compact import weights
    from humanparse.parsers.compact.graph import build_graph
    from humanparse.parsers.inference import choose_precision, latency_options

    core = ov.Core()
    settings = Settings.from_env()
    graph = build_graph(weights.read_weights(), int8=settings.precision in ("auto", "int8"))
    graph.reshape({"image": [-1, -1, -1, 3]})
    options = latency_options(choose_precision(settings.precision, ("bf16",)), settings.threads or usable_cores())
    request = core.compile_model(graph, "CPU", options).create_infer_request()
    found = []
    for shape in SHAPES:
        inputs = {size: np.random.default_rng(0).integers(0, 256, (size, *shape, 3), np.uint8) for size in SIZES}
        times: dict[int, list[float]] = {size: [] for size in SIZES}
        for run in range(2 + runs):
            for size, images in inputs.items():
                start = time.perf_counter()
                request.infer({"image": images})
                if run >= 2:
                    times[size].append((time.perf_counter() - start) * 1000 / size)
        found.append((shape, times))
    return found


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.batch", description=__doc__)
    parser.add_argument("--runs", type=int, default=20)
    parser.add_argument("--child", help=argparse.SUPPRESS)
    args = parser.parse_args()
    if args.child:
        for (height, width), times in measure(args.runs):
            cells = (f"{statistics.median(values):.1f} ({min(values):.1f})" for values in times.values())
            print(f"| {width}x{height}, {args.child} | " + " | ".join(cells) + " |", flush=True)
        return
    print("| input | " + " | ".join(f"batch of {size}" for size in SIZES) + " |")
    print("|---|" + "---:|" * len(SIZES), flush=True)
    for what, environ in ROWS:
        command = [sys.executable, "-m", "benchmarks.batch", "--child", what, "--runs", str(args.runs)]
        subprocess.run(command, env={**os.environ, **environ}, check=True)


if __name__ == "__main__":
    main()
