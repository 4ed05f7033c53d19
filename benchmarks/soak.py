"""Does it stay flat? 3000 requests of mixed size, kind and parser, good and bad, by 8 clients, at a real gunicorn.

    python -m benchmarks.soak [--requests 3000 | --minutes 60] [--clients 8] [--workers 1] [--m2fp]
                              [--plot docs/soak.png] [--json FILE]

Records memory (RSS of the workers; with their decoders), file handles and threads, and fails (exit code 1)
where one of them grows: by the slope of the part after warm-up, robust (Theil-Sen) and with its
confidence interval, not by a single number. Fails, too, on an answer that nobody should get, on a worker that
died, and on an accepted job that did not end well, once.

--m2fp: with the small M2FP of the tests, made-up weights, so that both kinds of parsers run side by side.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import httpx
import psutil

from benchmarks.jobs import free_port
from benchmarks.soak_mix import Followers, Mix, hang_up
from benchmarks.soak_samples import Samples, growth, plot, sample
from humanparse.config import Settings
from humanparse.parsers import PARSERS, make_parser

ROOT: Final = Path(__file__).resolve().parent.parent
SAMPLES: Final = 400  # of a run that is measured in minutes; else one in half a second
TIMEOUT_S: Final = 300.0


@contextmanager
def service(folder: Path, environ: dict[str, str], workers: int) -> Iterator[tuple[str, psutil.Process]]:
    """http://... of a gunicorn, and its master."""
    port = free_port()
    folders = {f"HUMANPARSE_{name.upper()}_DIR": str(folder / name) for name in ("jobs", "results", "cache")}
    command = [sys.executable, "-m", "gunicorn", "-w", str(workers), "-b", f"127.0.0.1:{port}"]
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
            yield address, psutil.Process(process.pid)
        finally:
            process.terminate()
            process.wait(60)


def make_m2fp(folder: Path) -> dict[str, str]:
    """Weights of a small M2FP that mean nothing, and the setting that names them."""
    import torch

    from humanparse.parsers.m2fp.configuration import make_configuration
    from humanparse.parsers.m2fp.network import M2FP
    from reference.random_weights import write

    document = json.loads((ROOT / "reference" / "small.json").read_text())
    with torch.device("meta"):
        state = M2FP(make_configuration(document)).state_dict()
    write(folder, document, {key: tuple(value.shape) for key, value in state.items()}, 0)
    return {"HUMANPARSE_M2FP_DIR": str(folder)}


@dataclass
class Tally:
    """What was seen of a run."""

    samples: Samples
    statuses: Counter[str]
    wrong: list[str]
    jobs: int = 0
    errors_logged: int = 0


def run(
    requests: int, minutes: float, clients: int, environ: dict[str, str], seed: int = 0, workers: int = 1,
    m2fp: bool = False,
) -> Tally:  # fmt: skip
    """`minutes`, where it is not 0, counts instead of `requests`."""
    samples, statuses, wrong, over = Samples(), Counter[str](), list[str](), threading.Event()
    lock, given, done, followers = threading.Lock(), [0], [0], Followers()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        environ = {**environ, **(make_m2fp(folder / "m2fp") if m2fp else {})}
        settings = Settings.from_env({**os.environ, **environ})
        parsers = [name for name in PARSERS if make_parser(name, settings).available() is None]
        mix = Mix(seed, parsers)
        with service(folder, environ, workers) as (address, master):
            began = time.monotonic()
            end = began + minutes * 60 if minutes else float("inf")
            pids = {process.pid for process in master.children()}

            def watch() -> None:
                while not over.wait(minutes * 60 / SAMPLES if minutes else 0.5):
                    sample(master, samples, done[0], began)

            def work() -> None:
                with httpx.Client(base_url=address, timeout=TIMEOUT_S) as client:
                    while time.monotonic() < end:
                        with lock:
                            if not minutes and given[0] >= requests:
                                return
                            given[0] += 1
                        status = visit(client, mix, followers, wrong)
                        with lock:
                            done[0] += 1
                            statuses[str(status)] += 1

            watcher = threading.Thread(target=watch)
            threads = [watcher, *(threading.Thread(target=work) for _ in range(clients))]
            for thread in threads:
                thread.start()
            for thread in threads[1:]:
                thread.join()
            over.set()
            watcher.join()
            with httpx.Client(base_url=address, timeout=TIMEOUT_S) as client:
                followers.end(client)
            if {process.pid for process in master.children()} != pids:
                wrong.append("a worker died")
        lines = (folder / "log").read_text(errors="replace").splitlines()
        wrong += [line for line in lines if "Traceback" in line or "SIGKILL" in line][:5]
        errors_logged = sum('"level": "error"' in line for line in lines)
    return Tally(samples, statuses, wrong + followers.told, followers.jobs, errors_logged)


def visit(client: httpx.Client, mix: Mix, followers: Followers, wrong: list[str]) -> int | str:
    """One request and what follows it; the status, 0 for none."""
    ask = mix.next()
    try:
        if ask.method == "GONE":
            hang_up(str(client.base_url), ask.arguments["content"])
            return "hung up"
        answer = client.request(ask.method, ask.path, **ask.arguments)
        if answer.status_code not in ask.allowed:
            if answer.status_code != 503 or "Retry-After" not in answer.headers:
                wrong.append(f"{ask.method} {ask.path}: {answer.status_code}, not one of {ask.allowed}")
        elif ask.follow:
            followers.follow(ask.follow, client, answer)
    except (httpx.TransportError, OSError, ValueError, LookupError) as error:
        wrong.append(f"{ask.method} {ask.path}: {error!r}")
        return 0
    return answer.status_code


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--requests", type=int, default=3000)
    parser.add_argument("--minutes", type=float, default=0, help="for so long, however many requests that are")
    parser.add_argument("--clients", type=int, default=8)
    parser.add_argument("--workers", type=int, default=1)
    parser.add_argument("--m2fp", action="store_true", help="with a small M2FP of made-up weights")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--plot", type=Path)
    parser.add_argument("--json", type=Path, metavar="FILE", help="keep what was seen there")
    parser.add_argument("--env", action="append", default=[], metavar="NAME=VALUE", help="of the service")
    args = parser.parse_args()
    began = time.monotonic()
    environ = dict(pair.split("=", 1) for pair in args.env)
    seen = run(args.requests, args.minutes, args.clients, environ, args.seed, args.workers, args.m2fp)
    samples, wrong = seen.samples, seen.wrong
    count = sum(seen.statuses.values())
    print(f"{count} requests in {time.monotonic() - began:.0f} s: {dict(seen.statuses.most_common())}")
    print(f"{seen.jobs} jobs seen to their end, {seen.errors_logged} errors in the log")
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
        args.json.write_text(json.dumps({**vars(samples), "statuses": seen.statuses, "wrong": wrong}))
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
