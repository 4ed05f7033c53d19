"""200 jobs through two Celery workers, one of them killed half-way: do they all end, once each?

Starts redis-server, the service under gunicorn and the workers as processes of their own, with the
real parser, in a folder of their own: `python -m benchmarks.jobs`.
"""

from __future__ import annotations

import argparse
import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections import Counter
from contextlib import ExitStack
from pathlib import Path

import cv2
import numpy as np

from humanparse.client import Client, Job, Result
from humanparse.jobs.redis_store import RedisStore

ROOT = Path(__file__).resolve().parent.parent
LEASE_S = 3.0


def main() -> int:
    """Run it and print what became of the jobs; 1 if any was lost or ended twice."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--jobs", type=int, default=200)
    parser.add_argument("--workers", type=int, default=2)
    args = parser.parse_args()
    redis_port = free_port()
    with tempfile.TemporaryDirectory() as folder, ExitStack() as running:
        address, workers = start(running, Path(folder), args.workers, redis_port)
        with Client(address) as client:
            wait_ready(client)
            begun = time.monotonic()
            jobs = [client.submit(photo(place), overlay="none") for place in range(args.jobs)]
            accepted_s = time.monotonic() - begun
            while sum(client.job(job).ended for job in jobs[: args.jobs // 2 + 1]) <= args.jobs // 2:
                time.sleep(0.2)
            os.killpg(workers[0].pid, signal.SIGKILL)
            ended = [client.wait(job) for job in jobs]
            took_s = time.monotonic() - begun
            print(f"jobs: {len(ended)}; accepted in {accepted_s:.1f} s; all ended after {took_s:.1f} s")
            store = RedisStore(broker(redis_port))
            again = sum(job.attempts > 1 for each in ended if (job := store.get(each.id)))
            print(f"in the hands of the worker that was killed: {again}")
            return report(client, Path(folder), ended)


def report(client: Client, folder: Path, ended: list[Job]) -> int:
    """Print what became of the jobs; 0 if all is well."""
    states = Counter(job.state for job in ended)
    right = sum(_width(client, job) == 64 + place for place, job in enumerate(ended))
    results = Counter(path.parent.name for path in folder.glob("jobs/*/result-*"))
    once = sum(results[job.id] == 1 for job in ended)
    print(f"states: {dict(states)}; results that are the photo's own: {right}; with exactly one result: {once}")
    return 0 if states["succeeded"] == right == once == len(ended) else 1


def _width(client: Client, job: Job) -> int:
    result = client.result(job)
    return result.width if isinstance(result, Result) else 0


def photo(place: int) -> bytes:
    """A PNG of its own width, by which its result is known."""
    noise = np.random.default_rng(place).integers(0, 256, (6, 8, 3), np.uint8)
    return bytes(cv2.imencode(".png", cv2.resize(noise, (64 + place, 240)))[1].tobytes())


def start(running: ExitStack, folder: Path, workers: int, redis_port: int) -> tuple[str, list[subprocess.Popen[bytes]]]:
    """Redis, service and workers; they end with `running`."""
    port = free_port()
    environ = {
        **os.environ,
        "HUMANPARSE_BROKER_URL": broker(redis_port),
        "HUMANPARSE_JOBS_DIR": str(folder / "jobs"),
        "HUMANPARSE_JOBS_QUEUE": "1000",
        "HUMANPARSE_JOB_LEASE_S": str(LEASE_S),
        "HUMANPARSE_THREADS": "1",
        "HUMANPARSE_LOG_LEVEL": "ERROR",
    }
    redis = [
        "redis-server",
        "--bind",
        "127.0.0.1",
        "--port",
        str(redis_port),
        "--appendonly",
        "yes",
        "--dir",
        str(folder),
    ]
    service = [sys.executable, "-m", "gunicorn", "-w", "1", "-b", f"127.0.0.1:{port}", "--access-logfile", os.devnull]
    worker = [sys.executable, "-m", "celery", "-q", "-A", "humanparse.tasks", "worker", "-l", "error", "-n"]
    commands = [redis, [*service, "app:app"], *([*worker, f"w{place}@%h"] for place in range(workers))]
    quiet = {
        "cwd": ROOT,
        "env": environ,
        "stdout": subprocess.DEVNULL,
        "stderr": subprocess.DEVNULL,
        "start_new_session": True,
    }
    processes = [subprocess.Popen(command, **quiet) for command in commands]  # type: ignore[call-overload]
    for process in processes:
        running.callback(stop, process)
    return f"http://127.0.0.1:{port}", processes[2:]


def broker(redis_port: int) -> str:
    return f"redis://127.0.0.1:{redis_port}/0"


def stop(process: subprocess.Popen[bytes]) -> None:
    if process.poll() is None:
        os.killpg(process.pid, signal.SIGTERM)
        process.wait(30)


def wait_ready(client: Client) -> None:
    end = time.monotonic() + 60
    while time.monotonic() < end:
        try:
            if client.ready():
                return
        except Exception:  # it is not up yet
            time.sleep(0.2)
    sys.exit("the service did not start")


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


if __name__ == "__main__":
    sys.exit(main())
