"""Every benchmark, small, into one report: `python -m benchmarks.everything --out bench` (make bench).

Each runs as the command that its document names, with less of everything, one after the other; what it prints goes into
`report.md`, what it draws lies beside it. One that cannot run here (no browser, no redis-server, no old M2FP stack)
is named with its reason; one that fails is shown with what it said, and the whole ends with 1.
"""

from __future__ import annotations

import argparse
import importlib.util
import os
import platform
import shutil
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from pathlib import Path

from humanparse.cpu import usable_cores

ROOT = Path(__file__).resolve().parent.parent
LIMIT_S = 900


@dataclass(frozen=True)
class Benchmark:
    """A command, what it is about, and what must be there for it."""

    title: str
    command: str
    plot: str = ""  # the option's value, where it draws
    missing: Callable[[], str] = lambda: ""


def no_browser() -> str:
    found = any(map(shutil.which, ("chromium", "chromium-browser", "google-chrome")))
    return "" if found and importlib.util.find_spec("playwright") else "no Chromium or no playwright"


def no_redis() -> str:
    return "" if shutil.which("redis-server") else "no redis-server"


def no_torch() -> str:
    return "" if importlib.util.find_spec("torch") else "no torch"


BENCHMARKS = (
    Benchmark("One photo, stage by stage", "benchmarks.parse --runs 15"),
    Benchmark("Start and size", "benchmarks.start --runs 2"),
    Benchmark("What an answer is encoded to", "benchmarks.encoding"),
    Benchmark("Under gunicorn", "benchmarks.serving --rounds 1 --seconds 4 --workers 1 2", "serving.png"),
    Benchmark("Videos", "benchmarks.video --frames 40 --runs 1"),
    Benchmark("The page", "benchmarks.page --times 10", missing=no_browser),
    Benchmark("Jobs through Celery", "benchmarks.jobs --jobs 40", missing=no_redis),
    Benchmark("M2FP", "benchmarks.m2fp --ours --sizes 512x512 --runs 2", "m2fp.png", no_torch),
    Benchmark("Deformable attention's sampling", "benchmarks.sampling --runs 5", missing=no_torch),
    Benchmark("Several photos at once", "benchmarks.batch --runs 5"),
    Benchmark("Recognition", "benchmarks.recognition --runs 15 --seconds 3", missing=no_torch),
    Benchmark("The studio", "benchmarks.effects --soak 60"),
    Benchmark("Memory under mixed load", "benchmarks.soak --requests 300", "soak.png"),
    Benchmark("Colours", "benchmarks.palette"),
    Benchmark("The code itself", "benchmarks.codebase"),
)


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.everything", description=__doc__)
    parser.add_argument("--out", type=Path, default=ROOT / "bench", help="folder of the report (%(default)s)")
    args = parser.parse_args()
    args.out.mkdir(parents=True, exist_ok=True)
    parts, failed = [heading()], []
    for benchmark in BENCHMARKS:
        print(f"{benchmark.title} ...", file=sys.stderr, flush=True)
        text, ok = run(benchmark, args.out)
        parts.append(f"## {benchmark.title}\n\n{text}")
        if not ok:
            failed.append(benchmark.title)
        (args.out / "report.md").write_text("\n\n".join(parts) + "\n")
    print(f"{args.out / 'report.md'}: {len(BENCHMARKS)} benchmarks, {len(failed)} failed {failed or ''}")
    sys.exit(bool(failed))


def heading() -> str:
    load = os.getloadavg()[0]
    return (
        f"# Benchmarks, small\n\n{date.today()}, {usable_cores()} cores ({platform.machine()}), Python "
        f"{platform.python_version()}, load {load:.1f} at the start. Small runs are noisy: docs/performance.md has the "
        "whole ones, each with its command."
    )


def run(benchmark: Benchmark, out: Path) -> tuple[str, bool]:
    """Its part of the report, and whether it ran or could not be expected to."""
    missing = benchmark.missing()
    if missing:
        return f"Not run: {missing}.", True
    plot = f" --plot {out / benchmark.plot}" if benchmark.plot else ""
    command = [sys.executable, "-m", *f"{benchmark.command}{plot}".split()]
    start = time.monotonic()
    try:
        ended = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=LIMIT_S)
    except subprocess.TimeoutExpired:
        return f"`{benchmark.command}` took more than {LIMIT_S} s.", False
    lines = [f"`python -m {benchmark.command}`, {time.monotonic() - start:.0f} s", "", ended.stdout.strip()]
    if ended.returncode:
        lines += [f"\nEnded with {ended.returncode}:\n", "```text", ended.stderr.strip()[-2000:], "```"]
    elif benchmark.plot and (out / benchmark.plot).exists():
        lines += ["", f"![{benchmark.title}]({benchmark.plot})"]
    return "\n".join(lines), ended.returncode == 0


if __name__ == "__main__":
    main()
