"""Lines in front of what can be had by a few at a time: first come, first served, of bounded length.

Whoever waits asks now and then whether it is still worth it (`check`), so that a client that hung up
does not keep its place.
"""

from __future__ import annotations

import math
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from typing import Final

from humanparse import metrics
from humanparse.errors import Busy

FIRST_GUESS_S: Final = 0.5  # how long one stay takes, until one has been seen
SMOOTHING: Final = 0.2  # weight of the newest stay in the running mean
CHECK_S: Final = 0.2  # how often one who waits asks

Check = Callable[[], None]
"""Raises what there is to raise where going on is of no use any more."""

Tell = Callable[[int], None]
"""Hears how many are before us, whenever that changes; 0 once we are inside."""

Enter = Callable[[], AbstractContextManager[None]]
"""The way from a place in the line to the place where one photo is worked on; anew for each piece of work."""


def always() -> None:
    """The check of those who wait in any case."""


class Gate:
    """Lets `places` threads in at a time; `length` more may wait, each for at most `timeout_s`."""

    def __init__(self, length: int, timeout_s: float, places: int = 1, counted: bool = False) -> None:
        """`counted`: the metrics tell of this line."""
        self.length, self.timeout_s, self.places = length, timeout_s, places
        self._waiting = metrics.QUEUE_WAITING.track_inprogress if counted else nullcontext
        self._running = metrics.QUEUE_RUNNING.track_inprogress if counted else nullcontext
        self._lock = threading.Lock()
        self._inside = 0
        self._line: deque[threading.Event] = deque()
        self._mean_stay_s = FIRST_GUESS_S
        if counted:
            metrics.QUEUE_PLACES.inc(length)

    @contextmanager
    def enter(self, check: Check = always, until: float = math.inf, tell: Tell | None = None) -> Iterator[None]:
        """Wait for a place and hold it.

        until: when to give up, by `time.monotonic()`, where that is before `timeout_s` is over.
        Raises Busy when the line is full or the wait too long, and whatever `check` raises.
        """
        with self._waiting():
            self._wait(check, min(until, time.monotonic() + self.timeout_s), tell or _nobody_hears)
        start = time.monotonic()
        try:
            if tell:
                tell(0)
            with self._running():
                yield
        finally:
            self._mean_stay_s += SMOOTHING * (time.monotonic() - start - self._mean_stay_s)
            self._leave()

    def _wait(self, check: Check, until: float, tell: Tell) -> None:
        turn = threading.Event()
        with self._lock:
            if self._inside < self.places:
                self._inside += 1
                return
            if len(self._line) >= self.length:
                raise self._busy("Too many photos are waiting already")
            self._line.append(turn)
        told = 0
        try:
            while True:
                before = self._before(turn)
                if before not in (0, told):
                    tell(before)  # outside the lock: it may take its time
                told = before
                if turn.wait(min(CHECK_S, max(0.0, until - time.monotonic()))):
                    return
                check()
                if time.monotonic() >= until:
                    raise self._busy(f"No place came free within {self.timeout_s:g} s")
        except BaseException:
            with self._lock:
                given = turn not in self._line
                if not given:
                    self._line.remove(turn)
            if given:  # at the last moment, after all
                self._leave()
            raise

    def _before(self, turn: threading.Event) -> int:
        """How many are inside or stand before us; 0 if it is our turn."""
        with self._lock:
            return self._line.index(turn) + self._inside if turn in self._line else 0

    def _leave(self) -> None:
        """The place goes to the first of the line."""
        with self._lock:
            if self._line:
                self._line.popleft().set()
            else:
                self._inside -= 1

    def _busy(self, reason: str) -> Busy:
        present = self._inside + len(self._line)
        wait = math.ceil(present * self._mean_stay_s / self.places)
        return Busy(f"{reason}; try again in {wait} s.", retry_after_s=wait)


def _nobody_hears(before: int) -> None:
    """For those who wait and do not want to know how long."""
