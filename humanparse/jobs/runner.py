"""The threads of a service process that see to jobs: caretaker, callbacks, and in the embedded back end a worker."""

from __future__ import annotations

import atexit
import logging
import os
import threading
import time
from collections.abc import Callable
from typing import Final

from humanparse.errors import StorageError
from humanparse.jobs.caretaker import Caretaker
from humanparse.jobs.worker import Worker

log = logging.getLogger(__name__)

TELL_S: Final = 60.0  # between two lines of the log about the same trouble, which every round may meet
LOOK_S: Final = 0.5  # how often the worker looks for jobs that other processes accepted
CALL_S: Final = 2.0  # how often it looks for notices that are due
STOP_S: Final = 20.0  # longest wait for the photo at hand when the service stops


class Runner:
    """Starts its threads once in each process that asks; they stop with it, and leave no job behind."""

    def __init__(self, caretaker: Caretaker, worker: Worker | None, care_s: float) -> None:
        self._caretaker, self._worker, self._care_s = caretaker, worker, care_s
        self._lock = threading.Lock()
        self._process: int | None = None
        self._wake, self._over = threading.Event(), threading.Event()
        self._threads: list[threading.Thread] = []
        self._told: dict[str, tuple[str, float]] = {}  # what each step met last, and when that was logged

    def start(self) -> None:
        """See to jobs from now on; again in a process that was forked, where threads do not follow."""
        with self._lock:
            if self._process == os.getpid():
                return
            self._process = os.getpid()
            self._over.clear()
            loops = {"jobs-caretaker": self._care, "jobs-callbacks": self._call_back}
            if self._worker:
                loops["jobs-worker"] = self._work
            self._threads = [threading.Thread(target=loop, name=name, daemon=True) for name, loop in loops.items()]
            for thread in self._threads:
                thread.start()
        atexit.register(self.stop)

    def wake(self) -> None:
        """There is a new job; start if nobody has."""
        self.start()
        self._wake.set()

    def stop(self) -> None:
        """Stop between two photos; the job at hand goes back into the line, for whoever runs next."""
        with self._lock:
            if self._process != os.getpid():
                return
            self._process = None
            atexit.unregister(self.stop)
        self._over.set()
        self._wake.set()
        if self._worker:
            self._worker.stopping.set()
        for thread in self._threads:
            thread.join(STOP_S)
        if self._worker:
            self._worker.stopping.clear()

    def _work(self) -> None:
        assert self._worker is not None
        while not self._over.is_set():
            if not self._safely(self._work_once):
                self._wake.wait(LOOK_S)
                self._wake.clear()

    def _work_once(self) -> bool:
        """Do one job, if there is one."""
        assert self._worker is not None
        job = self._worker.claim_next()
        if job is not None:
            self._worker.run(job)
        return job is not None

    def _care(self) -> None:
        while not self._over.wait(self._care_s):
            self._safely(self._caretaker.look)

    def _call_back(self) -> None:
        while not self._over.wait(CALL_S):
            self._safely(self._caretaker.call_back)

    def _safely(self, step: Callable[[], bool | None]) -> bool:
        """Whatever goes wrong in one round, there is a next one."""
        try:
            return bool(step())
        except StorageError as error:
            words, now = f"{error.message} ({error.__cause__})", time.monotonic()
            before, told_at = self._told.get(step.__name__, ("", 0.0))
            if words != before or now - told_at > TELL_S:
                self._told[step.__name__] = words, now
                log.error(words)
        except Exception:
            log.exception("a round of the jobs failed")
        return False
