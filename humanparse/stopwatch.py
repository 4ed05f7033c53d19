"""Where a photo's time goes: milliseconds by stage, for the answer and for the metrics."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager, ExitStack, contextmanager
from typing import TypeVar

from humanparse import telemetry

T = TypeVar("T")


class Stopwatch:
    """Milliseconds spent in named stages; of a stage within another, only the inner one is told."""

    def __init__(self) -> None:
        self.timing_ms: dict[str, float] = {}
        self._inner_s = 0.0  # in stages within the one at hand

    @contextmanager
    def stage(self, name: str, parser: str = "") -> Iterator[None]:
        """`parser`: whose work the stage is, where it is one's."""
        start, before = time.perf_counter(), self._inner_s
        self._inner_s = 0.0
        try:
            yield
        finally:
            whole = time.perf_counter() - start
            spent = whole - self._inner_s
            self._inner_s = before + whole
            self.timing_ms[name] = round(self.timing_ms.get(name, 0.0) + spent * 1000, 2)
            telemetry.stage_ended(name, spent, parser)

    @contextmanager
    def wait_for(self, place: AbstractContextManager[T]) -> Iterator[T]:
        """Be in `place`; what it takes to get there is the stage `wait`."""
        with ExitStack() as inside:
            with self.stage("wait"):
                entered = inside.enter_context(place)
            yield entered


def with_total(timing_ms: Mapping[str, float]) -> dict[str, float]:
    """Milliseconds by stage, and their `total`."""
    return {**timing_ms, "total": round(sum(timing_ms.values()), 2)}
