"""Does it stay flat? 3000 requests of mixed size, kind and parser, good and bad, by 8 clients, at a real gunicorn.

    python -m benchmarks.soak [--requests 3000] [--clients 8] [--plot docs/soak.png] [--json FILE]

Records memory (RSS of the worker; with its decoders), file handles and threads, and fails (exit code 1)
where one of them grows: by the slope of the part after warm-up, robust (Theil-Sen) and with its
confidence interval, not by a single number. Fails, too, on an answer that nobody should get.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from io import BytesIO
from pathlib import Path
from typing import Any, Final

import httpx
import numpy as np
import psutil
from PIL import Image
from scipy.stats import theilslopes

from humanparse.config import Settings
from humanparse.parsers import PARSERS, make_parser

ROOT: Final = Path(__file__).resolve().parent.parent
WARM_UP: Final = 0.4  # of the requests: until every size has been seen, and allocators and thread pools have settled
GROWTH: Final = 0.10  # of what there was after warm-up, that the rest may seem to add
SIZES: Final = ((96, 64), (480, 640), (640, 480), (720, 1280), (1080, 1920), (1000, 300), (2000, 3000))
TIMEOUT_S: Final = 300.0


@dataclass
class Samples:
    """What was seen after so many answers."""

    requests: list[int] = field(default_factory=list)
    seconds: list[float] = field(default_factory=list)
    worker_mib: list[float] = field(default_factory=list)
    all_mib: list[float] = field(default_factory=list)
    handles: list[int] = field(default_factory=list)
    threads: list[int] = field(default_factory=list)


def photos() -> list[tuple[bytes, str]]:
    """(file, name of its kind), good ones."""
    chance, made = np.random.default_rng(0), []
    for index, (height, width) in enumerate(SIZES):
        rough = chance.integers(0, 256, (height // 40 + 1, width // 40 + 1, 3), np.uint8)
        picture = Image.fromarray(rough).resize((width, height), Image.Resampling.BICUBIC)
        for name in ("JPEG", "PNG", "WEBP") if height < 1000 else ("JPEG",):
            stream = BytesIO()
            picture.save(stream, name)
            made.append((stream.getvalue(), f"{name.lower()} {width}x{height} {index}"))
    return made


class Mix:
    """Requests drawn at random, the same for the same seed."""

    def __init__(self, seed: int, parsers: list[str]) -> None:
        self._chance, self._parsers, self._good, self._lock = random.Random(seed), parsers, photos(), threading.Lock()

    def next(self) -> tuple[str, dict[str, Any], tuple[int, ...]]:
        """(path, arguments of httpx, the statuses that it may have)."""
        with self._lock:
            chance = self._chance
            data, _ = chance.choice(self._good)
            data += chance.randbytes(8)  # behind the last pixel: a photo that no cache knows
            kind = chance.random()
            query = {"parser": chance.choice(self._parsers), "overlay": chance.choice(("png", "jpeg", "none"))}
            cut = bytearray(data[: chance.randrange(len(data))])
            if kind < 0.45:
                return "/api/parse", {"params": query, "content": data}, (200,)
            if kind < 0.55:
                query["include"] = chance.choice(("rle", "masks", "polygons", "label_map,people_map", "keypoints"))
                return "/api/parse", {"params": query, "files": {"image": ("photo", data)}}, (200,)
            if kind < 0.62:
                params = {"format": chance.choice(("coco", "yolo", "webp", "masks"))}
                return "/api/parse", {"params": params, "content": data}, (200,)
            if kind < 0.67:
                files = [("image", ("photo", data)), ("image", ("bad", bytes(cut)))]
                return "/api/parse/batch", {"params": {"overlay": "none"}, "files": files}, (200,)
            if kind < 0.72:
                return "/api/jobs", {"params": {"overlay": "none"}, "content": data}, (202,)
            if kind < 0.77:
                return "/upload", {"files": {"image": ("photo", data)}}, (303,)
            if kind < 0.92:
                return "/api/parse", {"content": bytes(cut)}, (200, 400, 415)
            if kind < 0.96:
                return "/api/parse", {"params": {"alpha": "2"}, "content": data}, (422,)
            return "/api/parse", {"json": {"image": "no base64"}}, (400,)


@contextmanager
def service(folder: Path, environ: dict[str, str]) -> Iterator[tuple[str, psutil.Process]]:
    """http://... of a gunicorn with one worker, and that worker."""
    import socket

    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    folders = {f"HUMANPARSE_{name.upper()}_DIR": str(folder / name) for name in ("jobs", "results", "cache")}
    command = [sys.executable, "-m", "gunicorn", "-w", "1", "-b", f"127.0.0.1:{port}", "--access-logfile", "/dev/null"]
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen(
            [*command, "app:app"], cwd=ROOT, env={**os.environ, **folders, **environ}, stdout=log, stderr=log
        )
        try:
            address, end = f"http://127.0.0.1:{port}", time.monotonic() + 120
            while time.monotonic() < end:
                with suppress(httpx.TransportError):
                    if httpx.get(f"{address}/readyz", timeout=60).status_code == 200:
                        break
                time.sleep(0.1)
            yield address, psutil.Process(process.pid).children()[0]
        finally:
            process.terminate()
            process.wait(60)


def sample(worker: psutil.Process, samples: Samples, done: int, began: float) -> None:
    family = [worker]
    with suppress(psutil.Error):
        family += worker.children(recursive=True)
    total = 0.0
    for process in family:
        with suppress(psutil.Error):
            total += process.memory_info().rss / (1 << 20)
    samples.requests.append(done)
    samples.seconds.append(time.monotonic() - began)
    samples.worker_mib.append(worker.memory_info().rss / (1 << 20))
    samples.all_mib.append(total)
    samples.handles.append(worker.num_fds())
    samples.threads.append(worker.num_threads())


def run(requests: int, clients: int, environ: dict[str, str], seed: int = 0) -> tuple[Samples, Counter[str], list[str]]:
    """What was seen, how often each status came, and the answers that should not have been."""
    samples, statuses, wrong = Samples(), Counter[str](), list[str]()
    parsers = [name for name in PARSERS if make_parser(name, Settings.from_env()).available() is None]
    mix, lock, given, done = Mix(seed, parsers), threading.Lock(), [0], [0]
    with tempfile.TemporaryDirectory() as folder, service(Path(folder), environ) as (address, worker):
        began = time.monotonic()

        def work() -> None:
            with httpx.Client(base_url=address, timeout=TIMEOUT_S) as client:
                while True:
                    with lock:
                        if given[0] >= requests:
                            return
                        given[0] += 1
                    path, arguments, allowed = mix.next()
                    try:
                        answer = client.post(path, **arguments)
                        status, truthful = answer.status_code, "Retry-After" in answer.headers
                    except httpx.TransportError as error:
                        status, truthful = 0, False
                        wrong.append(f"{path}: {error!r}")
                    with lock:
                        done[0] += 1
                        statuses[str(status)] += 1
                        if status not in allowed and not (status == 503 and truthful) and status:
                            wrong.append(f"{path}: {status}, not one of {allowed}")
                        if done[0] % max(1, requests // 300) == 0:
                            sample(worker, samples, done[0], began)

        threads = [threading.Thread(target=work) for _ in range(clients)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        log = (Path(folder) / "log").read_text()
        wrong += [line for line in log.splitlines() if "Traceback" in line or "SIGKILL" in line][:5]
    return samples, statuses, wrong


def growth(samples: Samples, name: str) -> tuple[float, float, float, bool]:
    """(level after warm-up, what the rest added by the slope, the same by its lower bound, is that too much?)."""
    start = int(len(samples.requests) * WARM_UP)
    x, y = np.array(samples.requests[start:]), np.array(getattr(samples, name)[start:], float)
    slope, _, low, _ = theilslopes(y, x, 0.95)
    span, level = float(x[-1] - x[0]), float(statistics.median(y[: max(3, len(y) // 5)]))
    return level, slope * span, low * span, bool(low * span > max(GROWTH * level, 3))


def plot(samples: Samples, path: Path) -> None:
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot

    figure, (above, below) = pyplot.subplots(2, 1, sharex=True, figsize=(8, 5))
    above.plot(samples.requests, samples.all_mib, label="worker and its decoders", linewidth=1)
    above.plot(samples.requests, samples.worker_mib, label="worker", linewidth=1)
    below.plot(samples.requests, samples.handles, label="file handles", linewidth=1)
    below.plot(samples.requests, samples.threads, label="threads", linewidth=1)
    above.set_ylabel("RSS, MiB")
    below.set_xlabel("requests answered")
    for axes in (above, below):
        axes.axvline(samples.requests[int(len(samples.requests) * WARM_UP)], color="grey", linestyle=":")
        axes.set_ylim(bottom=0)
        axes.legend(loc="lower right")
    figure.tight_layout()
    figure.savefig(path, dpi=100)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--requests", type=int, default=3000)
    parser.add_argument("--clients", type=int, default=8)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--plot", type=Path)
    parser.add_argument("--json", type=Path, metavar="FILE", help="keep what was seen there")
    parser.add_argument("--env", action="append", default=[], metavar="NAME=VALUE", help="of the service")
    args = parser.parse_args()
    began = time.monotonic()
    samples, statuses, wrong = run(
        args.requests, args.clients, dict(pair.split("=", 1) for pair in args.env), args.seed
    )
    print(f"{sum(statuses.values())} answers in {time.monotonic() - began:.0f} s: {dict(statuses.most_common())}")
    failed = bool(wrong)
    names: list[tuple[str, Callable[[float], str]]] = [
        ("worker_mib", "{:.0f} MiB".format), ("all_mib", "{:.0f} MiB".format),
        ("handles", "{:.0f}".format), ("threads", "{:.0f}".format),
    ]  # fmt: skip
    for name, show in names:
        level, slope, low, grows = growth(samples, name)
        failed |= grows
        peak = show(max(getattr(samples, name)))
        verdict = "GROWS" if grows else "flat"
        print(f"{name:10} {show(level)} after warm-up, then {slope:+.1f} (at least {low:+.1f}), peak {peak}: {verdict}")
    for line in wrong[:20]:
        print(f"NOT AS PROMISED: {line}")
    if args.plot:
        plot(samples, args.plot)
    if args.json:
        args.json.write_text(json.dumps(vars(samples)))
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
