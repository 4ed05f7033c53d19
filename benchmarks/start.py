"""From nothing to the first answer, and what is installed for it: `python -m benchmarks.start`.

Each row is a new process, medians of a few: importing the app, a command's help, `python app.py` until its first parsed
photo, gunicorn until the same. Then the disk that the packages of each requirements file take, with all that they need;
with --download, which asks pip's index for every one of them, also what comes over the net for it.
"""

from __future__ import annotations

import argparse
import os
import re
import signal
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from importlib.metadata import PackageNotFoundError, distribution
from pathlib import Path

import httpx
from packaging.requirements import Requirement

from benchmarks.jobs import free_port
from benchmarks.parse import make_photo

ROOT = Path(__file__).resolve().parent.parent
LISTS = ("requirements-slim.txt", "requirements.txt")


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.start", description=__doc__)
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--download", action="store_true", help="fetch every package, too, and tell their size")
    args = parser.parse_args()
    photo = make_photo()
    rows: dict[str, Callable[[], float]] = {
        "`python -m humanparse --help`": lambda: timed([sys.executable, "-m", "humanparse", "--help"]),
        "import of the app": lambda: timed([sys.executable, "-c", "import app"]),
        "`python -m humanparse parse`, one photo": lambda: parse_once(photo),
        "`python app.py`, until its first parsed photo": lambda: serve([sys.executable, "app.py"], photo),
        "gunicorn, until its first parsed photo": lambda: serve([sys.executable, "-m", "gunicorn", "app:app"], photo),
    }
    print("| from a standing start | s |\n|---|---:|")
    for what, run in rows.items():
        print(f"| {what} | {statistics.median(run() for _ in range(args.runs)):.2f} |", flush=True)
    columns = ["packages", "MB", *(["download MB"] if args.download else [])]
    print(f"\n| installed | {' | '.join(columns)} |\n|---|" + "---:|" * len(columns))
    for name in LISTS:
        count, size = installed(ROOT / name)
        sizes = [size, *([downloaded(ROOT / name)] if args.download else [])]
        print(f"| {name} | {count} |" + "".join(f" {size / 1e6:.0f} |" for size in sizes), flush=True)


def timed(command: list[str]) -> float:
    start = time.perf_counter()
    subprocess.run(command, cwd=ROOT, check=True, capture_output=True)
    return time.perf_counter() - start


def parse_once(photo: bytes) -> float:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "photo.jpg"
        path.write_bytes(photo)
        return timed([sys.executable, "-m", "humanparse", "parse", str(path), "--out", folder])


def serve(command: list[str], photo: bytes) -> float:
    """Seconds from the start of the service to its first answer with people in it."""
    port = free_port()
    address = f"http://127.0.0.1:{port}"
    with tempfile.TemporaryDirectory() as folder:
        own = {f"HUMANPARSE_{name}_DIR": f"{folder}/{name}" for name in ("RESULTS", "JOBS", "CACHE")}
        environ = {**os.environ, **own, "HUMANPARSE_PORT": str(port), "HUMANPARSE_LOG_LEVEL": "ERROR"}
        if "gunicorn" in command:
            command = [*command, "-b", f"127.0.0.1:{port}"]
        start = time.perf_counter()
        process = subprocess.Popen(command, cwd=ROOT, env=environ, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        try:
            while True:
                try:
                    answer = httpx.post(f"{address}/api/parse", content=photo, timeout=60)
                    assert answer.json()["num_persons"], answer.text[:200]
                    return time.perf_counter() - start
                except httpx.TransportError:
                    time.sleep(0.01)
        finally:
            process.send_signal(signal.SIGTERM)
            process.wait()


def installed(file: Path) -> tuple[int, int]:
    """Packages that a requirements file brings, theirs included, and the bytes of their files."""
    names = re.findall(r"^([A-Za-z0-9_.-]+)==", file.read_text(), re.MULTILINE)
    seen: dict[str, int] = {}
    while names:
        name = re.sub(r"[-_.]+", "-", names.pop()).lower()
        if name in seen:
            continue
        try:
            package = distribution(name)
        except PackageNotFoundError:
            continue
        files = [package.locate_file(entry) for entry in package.files or ()]
        seen[name] = sum(Path(str(path)).stat().st_size for path in files if Path(str(path)).is_file())
        wanted = [Requirement(line) for line in package.requires or ()]
        names += [one.name for one in wanted if one.marker is None or one.marker.evaluate({"extra": ""})]
    return len(seen), sum(seen.values())


def downloaded(file: Path) -> int:
    """Bytes that pip fetches for a requirements file on a fresh machine."""
    with tempfile.TemporaryDirectory() as folder:
        command = [sys.executable, "-m", "pip", "download", "-q", "--no-cache-dir", "-r", str(file), "-d", folder]
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
        return sum(path.stat().st_size for path in Path(folder).iterdir())


if __name__ == "__main__":
    main()
