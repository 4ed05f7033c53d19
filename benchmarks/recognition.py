"""Recognition against PyTorch eager and a plain Flask app: `python -m benchmarks.recognition`.

First the network alone, photo in memory. Then both services under gunicorn, on the same cores,
one after the other: 1, 8 and 32 clients that each send the next photo when they have the answer, none from the cache.
"""

from __future__ import annotations

import argparse
import os
import socket
import statistics
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

CLIENTS = (1, 8, 32)
WARM_UP = 5
EAGER = "PyTorch eager, f32"
NO_SETTINGS = "python:benchmarks"  # an empty module, or gunicorn reads our gunicorn.conf.py
SERVERS = {
    # what -> (arguments of gunicorn, address)
    "ours": (["-c", "gunicorn.conf.py", "app:app"], "/predict?cache=false"),
    "plain Flask, eager": (["-c", NO_SETTINGS, "-w", "1", "benchmarks.plain_recognition:app"], "/predict"),
}


def make_photo() -> bytes:
    """The cat of scikit-image, as a JPEG of 640 x 426."""
    import cv2
    from skimage import data

    picture = cv2.resize(data.chelsea(), (640, 426), interpolation=cv2.INTER_CUBIC)  # type: ignore[no-untyped-call]
    return bytes(cv2.imencode(".jpg", picture[..., ::-1], [cv2.IMWRITE_JPEG_QUALITY, 90])[1])


def compare_networks(runs: int) -> None:
    """Median milliseconds of a photo in memory; each in a process of its own: thread pools disturb each other."""
    print("| a photo in memory | ms | of eager |\n|---|---:|---:|")
    spent = {}
    for what in (EAGER, "ours, f32", "ours, auto"):
        command = [sys.executable, "-m", "benchmarks.recognition", "--network", what, "--runs", str(runs)]
        ended = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True)
        spent[what] = float(ended.stdout.splitlines()[-1])
        print(f"| {what} | {spent[what]:.1f} | {spent[what] / spent[EAGER]:.2f} |", flush=True)


def measure_network(what: str, runs: int) -> float:
    """Median milliseconds of one network, in this process."""
    from humanparse.config import Settings
    from humanparse.images import read_image
    from humanparse.recognition import make_recognizer

    image = read_image(make_photo(), max_bytes=1 << 25, max_pixels=1 << 25)
    run: Callable[[Any], Any]
    if what == EAGER:
        from benchmarks.plain_recognition import load_eager, run_eager

        run = partial(run_eager, load_eager())
    else:
        recognizer = make_recognizer("efficientnet-lite", Settings(precision=what.rpartition(" ")[2]))
        recognizer.load()
        run = recognizer.recognize
    times = []
    for _ in range(runs + WARM_UP):
        start = time.perf_counter()
        run(image)
        times.append((time.perf_counter() - start) * 1000)
    return statistics.median(times[WARM_UP:])


def compare_services(seconds: float) -> None:
    print("\n| service | clients | photos a second | median ms | p95 ms | server MB |\n|---|---:|---:|---:|---:|---:|")
    photo = make_photo()
    for what, (arguments, path) in SERVERS.items():
        with served(arguments) as (address, process):
            for clients in CLIENTS:
                times, span = load(f"{address}{path}", photo, clients, seconds)
                times.sort()
                row = (len(times) / span, statistics.median(times) * 1000, times[int(len(times) * 0.95)] * 1000)
                cells = " | ".join(f"{cell:.0f}" for cell in row)
                print(f"| {what} | {clients} | {cells} | {memory(process.pid) / 1e6:.0f} |", flush=True)


@contextmanager
def served(arguments: list[str]) -> Iterator[tuple[str, subprocess.Popen[bytes]]]:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    with TemporaryDirectory() as folder:
        environ = {
            **os.environ,
            "HUMANPARSE_QUEUE_LENGTH": "64",
            "HUMANPARSE_JOBS_DIR": f"{folder}/jobs",
            "HUMANPARSE_LOG_LEVEL": "ERROR",
        }
        command = [sys.executable, "-m", "gunicorn", *arguments, "-b", f"127.0.0.1:{port}", "--log-level", "error"]
        process = subprocess.Popen(command, env=environ, stdout=subprocess.DEVNULL)
        try:
            address = f"http://127.0.0.1:{port}"
            _await(address)
            yield address, process
        finally:
            process.terminate()
            process.wait(30)


def load(url: str, photo: bytes, clients: int, seconds: float) -> tuple[list[float], float]:
    """Seconds of every answer, and how long it took altogether."""
    import httpx

    times: list[float] = []
    end = time.perf_counter() + seconds
    start = time.perf_counter()

    def send() -> None:
        with httpx.Client(timeout=120) as client:
            while time.perf_counter() < end:
                began = time.perf_counter()
                client.post(url, files={"file": photo}).raise_for_status()
                times.append(time.perf_counter() - began)

    threads = [threading.Thread(target=send) for _ in range(clients)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return times, time.perf_counter() - start


def memory(pid: int) -> int:
    """Bytes resident of the process and its children, shared pages divided."""
    total = 0
    for path in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = path.read_text().rpartition(")")[2].split()
            if int(path.parent.name) == pid or int(fields[1]) == pid:
                rollup = (path.parent / "smaps_rollup").read_text()
                total += next(int(line.split()[1]) for line in rollup.splitlines() if line.startswith("Pss:")) * 1024
        except (OSError, StopIteration):
            continue
    return total


def _await(address: str) -> None:
    """Until a photo has been answered: the network is loaded then."""
    import httpx

    for _ in range(120):
        try:
            if httpx.post(f"{address}/predict", files={"file": make_photo()}, timeout=60).status_code == 200:
                return
        except httpx.HTTPError:
            pass
        time.sleep(0.5)
    raise RuntimeError("the service does not answer")


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.recognition", description=__doc__)
    parser.add_argument("--runs", type=int, default=50, help="photos of each network (default: 50)")
    parser.add_argument("--seconds", type=float, default=10, help="of each load (default: 10)")
    parser.add_argument("--network", help=argparse.SUPPRESS)
    args = parser.parse_args()
    if args.network:
        print(measure_network(args.network, args.runs))
        return
    compare_networks(args.runs)
    compare_services(args.seconds)


if __name__ == "__main__":
    main()
