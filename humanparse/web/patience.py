"""How long we put up with a client: uploads that trickle, answers that are not taken, connections that are gone.

Works below Flask, on the socket that WSGI servers pass along (gunicorn's and Werkzeug's do). A socket
whose time is over is shut down from a thread of its own, whatever other thread is blocked on it;
a timeout of the socket itself would begin anew with every byte that trickles in.
"""

from __future__ import annotations

import heapq
import itertools
import select
import socket
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from typing import IO, TYPE_CHECKING, Any, Final

from flask import request
from werkzeug.exceptions import ClientDisconnected

from humanparse.errors import ClientGone, SlowUpload

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

GRACE_S: Final = 20.0  # for a client to begin; from then on its rate counts
LARGEST_CHUNK: Final = 1 << 16
SOCKETS: Final = ("gunicorn.socket", "werkzeug.socket")  # keys of a request's environ
GONE: Final = getattr(select, "POLLRDHUP", 0) | select.POLLHUP | select.POLLERR


class Alarms:
    """Calls functions when their time has come, unless they are called off. One thread for all."""

    def __init__(self) -> None:
        self._ready = threading.Condition()
        self._heap: list[tuple[float, int]] = []
        self._calls: dict[int, Callable[[], None]] = {}
        self._numbers = itertools.count()
        self._thread: threading.Thread | None = None

    def set(self, after_s: float, call: Callable[[], None]) -> int:
        """A number to call it off by."""
        with self._ready:
            number = next(self._numbers)
            self._calls[number] = call
            heapq.heappush(self._heap, (time.monotonic() + after_s, number))
            if self._thread is None or not self._thread.is_alive():  # at first, and after a fork
                self._thread = threading.Thread(target=self._watch, name="alarms", daemon=True)
                self._thread.start()
            elif self._heap[0][1] == number:
                self._ready.notify()
        return number

    def off(self, number: int) -> bool:
        """Call it off; was it in time?"""
        with self._ready:
            return self._calls.pop(number, None) is not None

    def _watch(self) -> None:
        while True:
            with self._ready:
                while self._heap and self._heap[0][1] not in self._calls:
                    heapq.heappop(self._heap)  # called off
                left = self._heap[0][0] - time.monotonic() if self._heap else None
                if left is None or left > 0:
                    self._ready.wait(left)
                    continue
                call = self._calls.pop(heapq.heappop(self._heap)[1])
            with suppress(OSError):  # of a socket that is closed already
                call()


alarms: Final = Alarms()


class Patience:
    """A WSGI app around another: reads and writes of at least `bytes_per_s`, after a time of grace."""

    def __init__(self, app: WSGIApplication, bytes_per_s: int, grace_s: float = GRACE_S) -> None:
        self._app, self._bytes_per_s, self._grace_s = app, bytes_per_s, grace_s

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        line = socket_of(environ)
        if line is None:
            return self._app(environ, start_response)
        environ["wsgi.input"] = _Input(environ["wsgi.input"], line, self._bytes_per_s, self._grace_s)
        return _Output(self._app(environ, start_response), line, self._bytes_per_s, self._grace_s)


class _Input:
    """`wsgi.input` that raises SlowUpload once the client is behind its time."""

    def __init__(self, stream: IO[bytes], line: socket.socket, bytes_per_s: int, grace_s: float) -> None:
        self._stream, self._line = stream, line
        self._bytes_per_s, self._grace_s = bytes_per_s, grace_s
        self._chunk = max(1, min(LARGEST_CHUNK, int(bytes_per_s * grace_s / 4)))  # so the count is never far behind
        self._began: float | None = None
        self._received = 0

    def read(self, size: int = -1) -> bytes:
        pieces, left = [], size
        while left:
            piece = self._timed(self._stream.read, self._chunk if left < 0 else min(left, self._chunk))
            if not piece:
                break
            pieces.append(piece)
            left -= len(piece) if left > 0 else 0
        return b"".join(pieces)

    def readline(self, size: int = -1) -> bytes:
        return self._timed(self._stream.readline, self._chunk if size < 0 else size)

    def readlines(self, hint: int = -1) -> list[bytes]:
        del hint
        return list(self)

    def __iter__(self) -> Iterator[bytes]:
        return iter(self.readline, b"")

    def _timed(self, read: Callable[[int], bytes], size: int) -> bytes:
        self._began = self._began or time.monotonic()
        due = self._began + self._grace_s + self._received / self._bytes_per_s
        number = alarms.set(due - time.monotonic(), lambda: self._line.shutdown(socket.SHUT_RD))
        try:
            data = read(size)
        except OSError:
            raise
        except Exception as exc:  # the server's own, whichever that is
            with suppress(OSError):
                self._line.shutdown(socket.SHUT_RD)  # where the next request would begin, nobody knows
            raise ClientDisconnected("The body does not come in the chunks that HTTP asks for.") from exc
        finally:
            in_time = alarms.off(number)
        if not in_time:
            raise SlowUpload(
                f"The request arrives at less than {self._bytes_per_s:,} bytes a second; that is too slow."
            )
        self._received += len(data)
        return data


class _Output:
    """A response that the client has to take in its time; while we make the next piece, the clock stands.

    The time counts over all pieces: with a new grace for each, who takes one every 19 s would hold a thread for hours.
    """

    def __init__(self, pieces: Iterable[bytes], line: socket.socket, bytes_per_s: int, grace_s: float) -> None:
        self._pieces, self._iterator, self._line = pieces, iter(pieces), line
        self._bytes_per_s, self._grace_s = bytes_per_s, grace_s
        self._number: int | None = None
        self._left_s = grace_s
        self._given_at = 0.0

    def __iter__(self) -> Iterator[bytes]:
        return self

    def __next__(self) -> bytes:
        self._stop()
        piece = next(self._iterator)
        # What was taken faster than it must be is not saved up: else the end of a large file might trickle for hours.
        self._left_s = min(self._grace_s, self._left_s) + len(piece) / self._bytes_per_s
        self._given_at, allowed_s = time.monotonic(), self._left_s
        self._number = alarms.set(allowed_s, lambda: self._line.shutdown(socket.SHUT_RDWR))
        return piece

    def close(self) -> None:
        self._stop()
        close = getattr(self._pieces, "close", None)
        if close is not None:
            close()

    def _stop(self) -> None:
        if self._number is not None:
            alarms.off(self._number)
            self._number = None
            self._left_s -= time.monotonic() - self._given_at


def socket_of(environ: dict[str, Any]) -> socket.socket | None:
    """The connection of a request, where the server passes it along."""
    return next((environ[key] for key in SOCKETS if key in environ), None)


def is_gone(line: socket.socket) -> bool:
    """Has the other side hung up? (One that only stopped sending counts as gone, too, as it does for proxies.)"""
    poll = select.poll()
    try:
        poll.register(line.fileno(), GONE)
        return bool(poll.poll(0))
    except (OSError, ValueError):  # closed on our side
        return True


def make_check() -> Callable[[], None]:
    """For the current request: a function that raises ClientGone once its client has hung up."""
    line = socket_of(request.environ)

    def check() -> None:
        if line is not None and is_gone(line):
            raise ClientGone("The client has hung up.")

    return check
