"""Throughput and memory of the service under gunicorn: `python -m benchmarks.serving` (make bench-serving).

Ours and the naive app (benchmarks/naive.py) with 1, 2 and 4 workers, each asked by 1, 4 and 16 clients that
send the next photo when they have their answer; the cache is off. Beside them, on the same cores, what the
parser alone can do (parsing a decoded photo, no server), and the whole way of a photo without a server
(decode, parse, compose, encode). Rounds go through all rows in turn, so that a busy machine is busy for all;
the tables show medians over the rounds. Memory is PSS, master and workers together, under load.

The clients are threads with httpx in a process of their own. They only send bytes and count: locust would do
it too, but brings gevent and sixteen more packages, and a plugin that pytest loads into every test run.
"""

from __future__ import annotations

import argparse
import json
import os
import signal
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import httpx
import psutil

from benchmarks.alone import alone
from benchmarks.jobs import free_port
from benchmarks.parse import make_photo
from humanparse.cpu import usable_cores
from humanparse.memory import family, pss_of

ROOT = Path(__file__).resolve().parent.parent
KINDS = {
    # row -> gunicorn's arguments
    "ours": ["-c", "gunicorn.conf.py", "app:app"],
    "naive": ["-c", "python:benchmarks.naive_settings", "-k", "sync", "benchmarks.naive:app"],
}
PATIENCE_S = 120


@dataclass
class Row:
    """What was measured for one kind, number of workers and number of clients, in every round."""

    photos_a_second: list[float] = field(default_factory=list)
    p50_ms: list[float] = field(default_factory=list)
    p99_ms: list[float] = field(default_factory=list)
    refused: int = 0
    pss_mb: list[float] = field(default_factory=list)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=10.0, help="of load for each row and round")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--workers", type=int, nargs="+", default=[1, 2, 4])
    parser.add_argument("--clients", type=int, nargs="+", default=[1, 4, 16])
    parser.add_argument("--kinds", nargs="+", choices=KINDS, default=list(KINDS))
    parser.add_argument("--threads", type=int, help="request threads of our workers, other than gunicorn.conf.py's")
    parser.add_argument("--photo", type=Path, help="a photo of your own (default: two astronauts, 640x480)")
    parser.add_argument("--plot", type=Path, help="write the plot there")
    parser.add_argument("--child", nargs=3, metavar=("ADDRESS", "CLIENTS", "SECONDS"), help=argparse.SUPPRESS)
    args = parser.parse_args()
    if args.child:
        address, clients, seconds = args.child
        print(json.dumps(ask(address, sys.stdin.buffer.read(), int(clients), float(seconds))))
        return
    photo = args.photo.read_bytes() if args.photo else make_photo()
    rows: dict[tuple[str, int, int], Row] = {}
    without: dict[str, list[float]] = {}
    for place in range(args.rounds):
        for what, value in alone(photo, args.seconds).items():
            without.setdefault(what, []).append(value)
        for kind in args.kinds:
            for workers in args.workers:
                measure(kind, workers, args, photo, rows)
        print(f"round {place + 1} of {args.rounds} done, load {os.getloadavg()[0]:.1f}", file=sys.stderr, flush=True)
    print(write_tables(rows, without))
    if args.plot:
        from benchmarks.serving_plot import plot

        plot({key: statistics.median(row.photos_a_second) for key, row in rows.items()}, memory_of(rows), args.plot)


def measure(
    kind: str, workers: int, args: argparse.Namespace, photo: bytes, rows: dict[tuple[str, int, int], Row]
) -> None:
    """One server, asked by each number of clients in turn."""
    threads = ["--threads", str(args.threads)] if args.threads and kind == "ours" else []
    with serving([*KINDS[kind][:-1], "-w", str(workers), *threads, KINDS[kind][-1]], photo) as (address, process):
        for clients in args.clients:
            row = rows.setdefault((kind, workers, clients), Row())
            command = [sys.executable, "-m", "benchmarks.serving", "--child", address, str(clients), str(args.seconds)]
            with watching(process, row):
                child = subprocess.run(command, cwd=ROOT, input=photo, stdout=subprocess.PIPE, check=True)
            told = json.loads(child.stdout)
            row.photos_a_second.append(told["photos_a_second"])
            row.p50_ms.append(told["p50_ms"])
            row.p99_ms.append(told["p99_ms"])
            row.refused += told["refused"]


def ask(address: str, photo: bytes, clients: int, seconds: float) -> dict[str, float]:
    """Ask with so many clients at once; counted is what was answered after the first fifth of the time."""
    start = time.monotonic()
    begin, end = start + seconds / 5, start + seconds

    def client(_: int) -> tuple[list[float], int]:
        times, refused = [], 0
        with httpx.Client(timeout=PATIENCE_S) as http:
            while (asked := time.monotonic()) < end:
                answer = http.post(f"{address}/api/parse", content=photo, headers={"Content-Type": "image/jpeg"})
                now = time.monotonic()
                if answer.status_code != 200:
                    refused += 1
                    time.sleep(0.1)
                elif begin <= now < end:
                    times.append((now - asked) * 1000)
        return times, refused

    with ThreadPoolExecutor(clients) as pool:
        found = list(pool.map(client, range(clients)))
    times = sorted(ms for each, _ in found for ms in each) or [float("nan")]
    return {
        "photos_a_second": len(times) / (end - begin),
        "p50_ms": times[len(times) // 2],
        "p99_ms": times[min(len(times) - 1, int(len(times) * 0.99))],
        "refused": sum(refused for _, refused in found),
    }


@contextmanager
def serving(arguments: list[str], photo: bytes) -> Iterator[tuple[str, psutil.Process]]:
    """gunicorn, from when it is ready and every worker has parsed until it has ended."""
    address = f"127.0.0.1:{free_port()}"
    with tempfile.TemporaryDirectory() as folder:
        folders = {f"HUMANPARSE_{name}_DIR": f"{folder}/{name}" for name in ("RESULTS", "JOBS", "CACHE")}
        environ = {**os.environ, **folders, "HUMANPARSE_CACHE_BYTES": "0", "HUMANPARSE_LOG_LEVEL": "ERROR"}
        command = [sys.executable, "-m", "gunicorn", *arguments[:-1], "-b", address, "--log-level", "error"]
        server = subprocess.Popen([*command, arguments[-1]], cwd=ROOT, env=environ, start_new_session=True)
        try:
            wait_ready(f"http://{address}", server)
            ask(f"http://{address}", photo, 8, 2.0)
            yield f"http://{address}", psutil.Process(server.pid)
        finally:
            os.killpg(server.pid, signal.SIGTERM)
            server.wait(PATIENCE_S)


@contextmanager
def watching(process: psutil.Process, row: Row) -> Iterator[None]:
    """Notes the largest PSS of the server and its workers meanwhile, looking each second."""
    over = threading.Event()
    most = [0]

    def look() -> None:
        while not over.wait(1.0):
            most[0] = max(most[0], pss_of(family(process)))

    thread = threading.Thread(target=look)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()
        row.pss_mb.append(max(most[0], pss_of(family(process))) / 1e6)


def wait_ready(address: str, server: subprocess.Popen[bytes]) -> None:
    end = time.monotonic() + PATIENCE_S
    while time.monotonic() < end and server.poll() is None:
        try:
            if httpx.get(f"{address}/readyz", timeout=PATIENCE_S).status_code == 200:
                return
        except httpx.TransportError:
            time.sleep(0.1)
    sys.exit("the server did not start")


def memory_of(rows: dict[tuple[str, int, int], Row]) -> dict[tuple[str, int], float]:
    """Megabytes by kind and workers: the most of any number of clients, the median of the rounds."""
    found: dict[tuple[str, int], float] = {}
    for (kind, workers, _), row in rows.items():
        found[kind, workers] = max(found.get((kind, workers), 0.0), statistics.median(row.pss_mb))
    return found


def write_tables(rows: dict[tuple[str, int, int], Row], without: dict[str, list[float]]) -> str:
    """As Markdown."""
    lines = [f"{usable_cores()} cores, load {os.getloadavg()[0]:.1f} at the end", ""]
    lines += ["| without a server | photos a second |", "|---|---:|"]
    lines += [f"| {what} | {statistics.median(values):.1f} |" for what, values in without.items()]
    best = max(statistics.median(values) for what, values in without.items() if what.startswith("parser"))
    lines += ["", "| | workers | clients | photos a second | of the parser alone | median ms | 99 % ms | refused |"]
    lines += ["|---|---:|---:|---:|---:|---:|---:|---:|"]
    for (kind, workers, clients), row in rows.items():
        rate, p50, p99 = (statistics.median(each) for each in (row.photos_a_second, row.p50_ms, row.p99_ms))
        cells = (kind, workers, clients, f"{rate:.1f}", f"{rate / best:.0%}", f"{p50:.0f}", f"{p99:.0f}", row.refused)
        lines.append(f"| {' | '.join(map(str, cells))} |")
    lines += ["", "| | workers | PSS MB | times that of one |", "|---|---:|---:|---:|"]
    memory = memory_of(rows)
    for (kind, workers), megabytes in memory.items():
        one = memory.get((kind, 1), float("nan"))
        lines.append(f"| {kind} | {workers} | {megabytes:.0f} | {megabytes / one:.2f} |")
    return "\n".join(lines)


if __name__ == "__main__":
    main()
