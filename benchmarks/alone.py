"""What these cores can do without a server: the parser alone, and the whole way of a photo.

As processes side by side, sharing the cores between them in each way that they divide: one process on all
cores, and one for each core. A row is the best of the ways.
"""

from __future__ import annotations

import multiprocessing
import time

from humanparse.cpu import usable_cores

WARM_UP = 5


def alone(photo: bytes, seconds: float) -> dict[str, float]:
    """Photos a second by what was done."""
    cores = usable_cores()
    ways = sorted({1, cores})
    return {
        f"{what}, {processes} x {max(1, cores // processes)} threads": _together(
            photo, what, processes, max(1, cores // processes), seconds
        )
        for what in ("parser", "whole way")
        for processes in ways
    }


def _together(photo: bytes, what: str, processes: int, threads: int, seconds: float) -> float:
    context = multiprocessing.get_context("spawn")
    barrier = context.Barrier(processes)
    with context.Pool(processes, _share, (barrier,)) as pool:
        return sum(pool.starmap(_run, [(photo, what, threads, seconds)] * processes, chunksize=1))


def _share(barrier: object) -> None:
    globals()["_barrier"] = barrier


def _run(photo: bytes, what: str, threads: int, seconds: float) -> float:
    from humanparse.answers import describe_answer
    from humanparse.config import Settings
    from humanparse.images import read_image
    from humanparse.options import ParseOptions
    from humanparse.pipeline import Pipeline

    settings = Settings(threads=threads)
    pipeline, options = Pipeline(settings), ParseOptions()
    parser = pipeline.load()
    image = read_image(photo, max_bytes=settings.max_bytes, max_pixels=settings.max_pixels)

    def step() -> None:
        if what == "parser":
            parser.parse(image)
        else:
            describe_answer(pipeline.parse(photo, options))

    for _ in range(WARM_UP):
        step()
    globals()["_barrier"].wait()
    done, start = 0, time.monotonic()
    while time.monotonic() - start < seconds:
        step()
        done += 1
    return done / (time.monotonic() - start)
