"""The line in front of the parser: one inside, a bounded number waiting, the rest told when to return."""

from __future__ import annotations

import math
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

from humanparse import metrics
from humanparse.errors import Busy

FIRST_GUESS_S = 0.5  # how long one stay takes, until one has been seen
SMOOTHING = 0.2  # weight of the newest stay in the running mean


class Gate:
    """Lets one thread in at a time; `length` more may wait, each for at most `timeout_s`."""

    def __init__(self, length: int, timeout_s: float) -> None:
        self.length, self.timeout_s = length, timeout_s
        self._inside = threading.Lock()
        self._count = threading.Lock()
        self._present = 0
        self._mean_stay_s = FIRST_GUESS_S
        metrics.QUEUE_PLACES.inc(length)

    @contextmanager
    def enter(self) -> Iterator[None]:
        """Wait for a place and hold it. Raises Busy when the line is full or the wait too long."""
        with self._count:
            if self._present > self.length:
                raise self._busy("Too many photos are waiting already")
            self._present += 1
        try:
            with metrics.QUEUE_WAITING.track_inprogress():
                entered = self._inside.acquire(timeout=self.timeout_s)
            if not entered:
                raise self._busy(f"No place came free within {self.timeout_s:g} s")
            start = time.monotonic()
            try:
                with metrics.QUEUE_RUNNING.track_inprogress():
                    yield
            finally:
                self._inside.release()
                self._mean_stay_s += SMOOTHING * (time.monotonic() - start - self._mean_stay_s)
        finally:
            with self._count:
                self._present -= 1

    def _busy(self, reason: str) -> Busy:
        wait = max(1, math.ceil(self._present * self._mean_stay_s))
        return Busy(f"{reason}; try again in {wait} s.", retry_after_s=wait)
