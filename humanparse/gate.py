"""The line in front of the parser: one inside, a bounded number waiting in order, the rest told when to return."""

from __future__ import annotations

import math
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from humanparse.errors import Busy

FIRST_GUESS_S = 0.5  # how long one stay takes, until one has been seen
SMOOTHING = 0.2  # weight of the newest stay in the running mean


class Gate:
    """Lets one thread in at a time; `length` more may wait, each for at most `timeout_s`."""

    def __init__(self, length: int, timeout_s: float) -> None:
        self.length, self.timeout_s = length, timeout_s
        self._moved = threading.Condition()
        self._line: deque[object] = deque()  # who is inside comes first
        self._mean_stay_s = FIRST_GUESS_S

    @contextmanager
    def enter(self, tell: Callable[[int], None] | None = None) -> Iterator[None]:
        """Wait for a place and hold it. Raises Busy when the line is full or the wait too long.

        tell: hears how many are before us, whenever that changes; 0 once we are inside.
        """
        own = object()
        with self._moved:
            if len(self._line) > self.length:
                raise self._busy("Too many photos are waiting already")
            self._line.append(own)
        try:
            self._await_turn(own, tell)
            start = time.monotonic()
            try:
                yield
            finally:
                self._mean_stay_s += SMOOTHING * (time.monotonic() - start - self._mean_stay_s)
        finally:
            with self._moved:
                self._line.remove(own)
                self._moved.notify_all()

    def _await_turn(self, own: object, tell: Callable[[int], None] | None) -> None:
        deadline = time.monotonic() + self.timeout_s
        told = None
        while True:
            with self._moved:
                before = self._line.index(own)
                if before and before == told and not self._moved.wait(deadline - time.monotonic()):
                    raise self._busy(f"No place came free within {self.timeout_s:g} s")
                before = self._line.index(own)
            if tell and before != told:
                tell(before)  # outside the lock: it may take its time
            told = before
            if not before:
                return

    def _busy(self, reason: str) -> Busy:
        wait = max(1, math.ceil(len(self._line) * self._mean_stay_s))
        return Busy(f"{reason}; try again in {wait} s.", retry_after_s=wait)
