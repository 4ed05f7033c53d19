"""What is seen of a service under load, now and then; whether it grows; and a picture of it."""

from __future__ import annotations

import statistics
import time
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

import numpy as np
import psutil
from scipy.stats import theilslopes

WARM_UP: Final = 0.4  # of the requests: until every size has been seen, and allocators and thread pools have settled
GROWTH: Final = 0.10  # of what there was after warm-up, that the rest may seem to add


@dataclass
class Samples:
    """What was seen after so many answers, of all workers together."""

    requests: list[int] = field(default_factory=list)
    seconds: list[float] = field(default_factory=list)
    worker_mib: list[float] = field(default_factory=list)
    all_mib: list[float] = field(default_factory=list)
    handles: list[int] = field(default_factory=list)
    threads: list[int] = field(default_factory=list)


def sample(master: psutil.Process, samples: Samples, done: int, began: float) -> None:
    """Add what is to be seen now, after `done` answers; `began` by `time.monotonic()`."""
    workers = master.children()
    family = {process.pid: process for process in workers}
    with suppress(psutil.Error):
        family |= {process.pid: process for process in master.children(recursive=True)}
    total = 0.0
    for process in family.values():
        with suppress(psutil.Error):
            total += process.memory_info().rss / (1 << 20)
    with suppress(psutil.Error):
        row = (
            sum(worker.memory_info().rss for worker in workers) / (1 << 20),
            sum(worker.num_fds() for worker in workers),
            sum(worker.num_threads() for worker in workers),
        )
        samples.requests.append(done)
        samples.seconds.append(time.monotonic() - began)
        samples.worker_mib.append(row[0])
        samples.all_mib.append(total)
        samples.handles.append(row[1])
        samples.threads.append(row[2])


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
    above.plot(samples.requests, samples.all_mib, label="workers and their decoders", linewidth=1)
    above.plot(samples.requests, samples.worker_mib, label="workers", linewidth=1)
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
