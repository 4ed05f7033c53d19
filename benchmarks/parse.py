"""Time and memory of one photo, from request to answer: `python -m benchmarks.parse`.

Each row is a process of its own that serves the real app in-process and posts the same 640x480
JPEG again and again; rows differ in the CPU features that OpenVINO may use and in the threads.
Medians over all requests after a warm-up; memory is the process's peak resident set.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import statistics
import subprocess
import sys
import time
from pathlib import Path

ROWS: tuple[tuple[str, dict[str, str]], ...] = (
    # (what, environment)
    ("all CPU features", {}),
    ("held to AVX2", {"ONEDNN_MAX_CPU_ISA": "AVX2"}),
    ("held to AVX2, one thread", {"ONEDNN_MAX_CPU_ISA": "AVX2", "HUMANPARSE_THREADS": "1"}),
)
STAGES = ("decode", "parse", "compose", "encode")
WARM_UP = 5


def make_photo() -> bytes:
    """NASA's astronaut twice, side by side, as a 640x480 JPEG."""
    import cv2
    import numpy as np
    from skimage import data

    astronaut = data.astronaut()  # type: ignore[no-untyped-call]
    one = cv2.resize(astronaut[:, :450], (320, 480), interpolation=cv2.INTER_AREA)
    pair = np.hstack([one, one[:, ::-1]])[..., ::-1]
    return bytes(cv2.imencode(".jpg", pair, [cv2.IMWRITE_JPEG_QUALITY, 90])[1])


def measure(photo: bytes, runs: int) -> dict[str, float]:
    """Medians in milliseconds and peak memory in MB, in this process."""
    from app import create_app
    from humanparse.config import Settings

    client = create_app(Settings.from_env()).test_client()
    start = time.perf_counter()
    client.get("/readyz")
    load_ms = (time.perf_counter() - start) * 1000
    totals, stages = [], []
    for _ in range(WARM_UP + runs):
        start = time.perf_counter()
        response = client.post("/api/parse", data=photo, content_type="image/jpeg")
        totals.append((time.perf_counter() - start) * 1000)
        stages.append(response.get_json()["timing_ms"])
    row = {stage: statistics.median(s[stage] for s in stages[WARM_UP:]) for stage in STAGES}
    row["request to answer"] = statistics.median(totals[WARM_UP:])
    row["load"] = load_ms
    row["peak MB"] = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    return row


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.parse", description=__doc__)
    parser.add_argument("--photo", type=Path, help="a photo of your own (default: two astronauts, 640x480)")
    parser.add_argument("--runs", type=int, default=50)
    parser.add_argument("--child", action="store_true", help=argparse.SUPPRESS)
    args = parser.parse_args()
    if args.child:
        print(json.dumps(measure(sys.stdin.buffer.read(), args.runs)))
        return
    photo = args.photo.read_bytes() if args.photo else make_photo()
    columns = ("request to answer", *STAGES, "load", "peak MB")
    print("| | " + " | ".join(columns) + " |")
    print("|---|" + "---:|" * len(columns))
    for what, environ in ROWS:
        command = [sys.executable, "-m", "benchmarks.parse", "--child", "--runs", str(args.runs)]
        environ = {**os.environ, **environ, "HUMANPARSE_CACHE_BYTES": "0"}  # the same photo, parsed each time
        child = subprocess.run(command, input=photo, env=environ, stdout=subprocess.PIPE, check=True)
        row = json.loads(child.stdout)
        print(f"| {what} | " + " | ".join(f"{row[c]:.0f}" for c in columns) + " |", flush=True)


if __name__ == "__main__":
    main()
