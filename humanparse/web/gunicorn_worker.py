"""gunicorn's threaded worker, with a time for the head of a request, and with our own words for what is no request.

Without the first a few clients that trickle would hold all threads: gunicorn waits 5 s for the first byte of a
connection, and then for ever.
"""

from __future__ import annotations

import json
import re
import socket
import threading
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Final

from gunicorn.workers.gthread import ThreadWorker

from humanparse import logs
from humanparse.web.access import HEADERS
from humanparse.web.errors import HTTP_CODES, problem
from humanparse.web.media_types import PROBLEM
from humanparse.web.patience import alarms

HEAD_S: Final = 15.0
BEAT_S: Final = 1.0
LONGEST_LOAD_S: Final = 900.0  # then a worker that still loads is taken for stuck
STATUS_LINE: Final = re.compile(rb"HTTP/1\.1 (\d{3}) ([^\r\n]*)")


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

    def handle_error(self, req: Any, client: Any, addr: Any, exc: Any) -> Any:
        """What cannot be read as HTTP never gets to Flask; it is answered in the same shape all the same."""
        request_id = uuid.uuid4().hex
        logs.begin(request_id=request_id)
        return super().handle_error(req, _Rewording(client, request_id), addr, exc)


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


class _Rewording:
    """A connection on which gunicorn's own page of an error goes out as ours."""

    def __init__(self, line: socket.socket, request_id: str) -> None:
        self._line, self._request_id = line, request_id

    def __getattr__(self, name: str) -> Any:
        return getattr(self._line, name)

    def sendall(self, data: bytes) -> None:
        found = STATUS_LINE.match(data)
        self._line.sendall(_reword(int(found[1]), found[2].decode("latin-1"), self._request_id) if found else data)


def _reword(status: int, reason: str, request_id: str) -> bytes:
    detail = f"This is not a request that can be read: {reason}."
    told = problem(status, HTTP_CODES.get(status, "http_error"), detail, request_id=request_id, title=reason)
    body = json.dumps(told).encode()
    headers = {
        "Connection": "close",
        "Content-Type": PROBLEM,
        "Content-Length": str(len(body)),
        "X-Request-ID": request_id,
        **HEADERS,
    }
    lines = [f"HTTP/1.1 {status} {reason}", *(f"{name}: {value}" for name, value in headers.items())]
    return "\r\n".join([*lines, "", ""]).encode("latin-1") + body
