"""gunicorn's threaded worker, with a time for the head of a request: else a few clients that trickle hold all threads.

(gunicorn waits 5 s for the first byte of a connection, and then for ever.)
"""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Final

from gunicorn.workers.gthread import ThreadWorker

from humanparse.web.patience import alarms

HEAD_S: Final = 15.0
BEAT_S: Final = 1.0
LONGEST_LOAD_S: Final = 900.0  # then a worker that still loads is taken for stuck


class Worker(ThreadWorker):  # type: ignore[misc]  # gunicorn has no types
    """See gunicorn: `handle` runs in a thread for every request; `handle_request` once its head has been read."""

    def handle(self, conn: Any) -> Any:
        conn.alarm = alarms.set(HEAD_S, lambda: conn.sock.shutdown(socket.SHUT_RD))
        try:
            return super().handle(conn)
        finally:
            alarms.off(conn.alarm)

    def handle_request(self, req: Any, conn: Any) -> Any:
        alarms.off(conn.alarm)
        return super().handle_request(req, conn)


@contextmanager
def signs_of_life(worker: Any, longest_s: float = LONGEST_LOAD_S) -> Iterator[None]:
    """Tell gunicorn's master meanwhile that the worker lives: it does so itself only once it serves."""
    over, end = threading.Event(), time.monotonic() + longest_s

    def beat() -> None:
        while not over.wait(BEAT_S) and time.monotonic() < end:
            worker.notify()

    thread = threading.Thread(target=beat, name="signs-of-life", daemon=True)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()
