"""Our end of one decoder: a child of the nursery that gets a file's bytes and sends back pixels."""

from __future__ import annotations

import atexit
import logging
import select
import signal
import socket
import threading
import time
from contextlib import suppress
from dataclasses import dataclass
from typing import Final, NoReturn

import numpy as np
from numpy.typing import NDArray

from humanparse import errors
from humanparse.apart import MOST_WORDS, NO_ROOM, read_words, revive_error
from humanparse.config import Settings
from humanparse.decoding.child import ANSWER, ORDER
from humanparse.decoding.nursery import WORD, Nursery

log = logging.getLogger(__name__)

START_S: Final = 60.0  # for the nursery's imports, on a machine under load
END_S: Final = 5.0  # for a child that was killed
SLACK: Final = 4.0  # wall-clock seconds that we grant for a second of CPU, on a machine under load
PROBLEMS: Final = (errors.UnreadableImage, errors.UnsupportedFormat, errors.TooManyPixels, errors.TooManyBytes)

_lock: Final = threading.Lock()
_nursery: Nursery | None = None  # of this process, or of the one that forked it


def share_nursery() -> None:
    """Start the nursery now, for this process and all that will be forked from it. Raises OSError."""
    with _lock:
        _the_nursery()


def _the_nursery() -> Nursery:
    """As it is, or a new one; the caller holds the lock, as for `_bury`. Raises OSError."""
    global _nursery
    if _nursery is None:
        _nursery = Nursery.start()
        atexit.register(_nursery.close)
    return _nursery


def _bury(nursery: Nursery) -> None:
    global _nursery
    log.warning("the process from which decoders are forked is gone; a new one is started")
    atexit.unregister(nursery.close)
    nursery.close()
    _nursery = None


def _order(max_pixels: int) -> tuple[socket.socket, socket.socket]:
    """A new child's line and leash, from a new nursery where the one there was is gone. Raises OSError."""
    with _lock:
        nursery = _the_nursery()
        try:
            return nursery.order(max_pixels)
        except ConnectionError:
            _bury(nursery)
        return _the_nursery().order(max_pixels)


@dataclass(eq=False)
class Decoder:
    """One child, which decodes one photo at a time."""

    line: socket.socket
    leash: socket.socket
    pid: int = 0
    photos: int = 0
    code: int | None = None
    ended: bool = False

    @classmethod
    def start(cls, settings: Settings) -> Decoder:
        """A child that is ready. Raises Busy where the machine has no room for one."""
        try:
            line, leash = _order(settings.max_pixels)
        except OSError as exc:
            raise errors.Busy(NO_ROOM) from exc
        child = cls(line, leash)
        line.settimeout(START_S)
        leash.settimeout(START_S)
        with suppress(OSError):
            child.pid = _word(leash)
            if line.recv(1) == b"!":
                return child
        log.error("a decoder did not start: exit code %s", child.kill())
        raise errors.Busy(NO_ROOM)

    def alive(self) -> bool:
        """An idle child says nothing; one that ended has closed its line, even before the nursery knows."""
        ends = select.poll()  # not `select`, which knows no file numbers over 1023
        for end in (self.line, self.leash):
            ends.register(end, select.POLLIN)
        return not ends.poll(0)

    def decode(self, data: bytes, settings: Settings) -> NDArray[np.uint8]:
        """One photo. Raises InputError; after `ended` the child is of no more use."""
        self.photos += 1
        deadline = time.monotonic() + SLACK * settings.decode_timeout_s + 1
        try:
            self._send(
                ORDER.pack(len(data), settings.max_pixels, settings.max_side, settings.decode_timeout_s), deadline
            )
            self._send(data, deadline)
            height, width, words = ANSWER.unpack(self._receive(ANSWER.size, deadline))
            if words:
                problem = self._receive(min(words, MOST_WORDS), deadline)
                raise revive_error(read_words(problem), PROBLEMS)
            if max(height, width) > settings.max_side or not 0 < height * width <= settings.max_pixels:
                raise ConnectionError("a decoder sent what was not asked for")
            image = np.empty((height, width, 3), np.uint8)
            self._fill(image.data.cast("B"), deadline)
        except OSError as exc:  # TimeoutError and ConnectionError among them
            self._mourn(exc, settings.decode_timeout_s)
        return image

    def kill(self) -> int | None:
        """End it if it has not ended; its exit code, None where nobody knows."""
        self.line.close()
        with self.leash:
            with suppress(OSError):
                self.leash.shutdown(socket.SHUT_WR)
            return self._wait(END_S)

    def _wait(self, limit_s: float) -> int | None:
        """Its exit code, as soon as it has one; None where it has none in time, or the nursery is gone."""
        self.ended = True
        if self.code is None:
            with suppress(OSError):
                self.leash.settimeout(limit_s)
                self.code = _word(self.leash)
        return self.code

    def _mourn(self, cause: OSError, limit_s: float) -> NoReturn:
        """The child died over this file, or is stuck: say which."""
        late = isinstance(cause, TimeoutError)
        code = None if late else self._wait(1)
        self.kill()
        if late or code == -signal.SIGPROF:
            message = f"The file takes more than {limit_s:g} s of a processor to decode; that is the limit."
            raise errors.DecodeTimeout(message, limit=limit_s) from cause
        log.warning("a decoder ended over a file with exit code %s", code)
        raise errors.UnreadableImage("The file cannot be read: the decoder crashed over it.") from cause

    def _send(self, data: bytes, deadline: float) -> None:
        view = memoryview(data)
        while view:
            self.line.settimeout(_left(deadline))
            view = view[self.line.send(view) :]

    def _receive(self, size: int, deadline: float) -> bytearray:
        data = bytearray(size)
        self._fill(memoryview(data), deadline)
        return data

    def _fill(self, view: memoryview, deadline: float) -> None:
        while view:
            self.line.settimeout(_left(deadline))
            got = self.line.recv_into(view)
            if not got:
                raise ConnectionError("the decoder is gone")
            view = view[got:]


def _left(deadline: float) -> float:
    left = deadline - time.monotonic()
    if left <= 0:
        raise TimeoutError("the decoder takes too long")
    return left


def _word(leash: socket.socket) -> int:
    """What the nursery says of a child: first its process number, at last its exit code. Raises OSError."""
    said = leash.recv(WORD.size, socket.MSG_WAITALL)
    if len(said) < WORD.size:
        raise ConnectionError("the nursery is gone, or could not fork")
    number: int = WORD.unpack(said)[0]
    return number
