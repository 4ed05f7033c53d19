"""Decoding where a crash, or a bomb of time or memory, costs one request and not the service.

A decoder is a child process (`decoding_child.py`) that gets a file's bytes and sends back pixels. It
has no secret of ours, may open no further files and write none, and its memory is
bounded; CPU time is bounded for each photo, by a timer that kills it. Children start when first
needed, at most so many as the settings say, and are replaced after some hundreds of photos.

What that costs: docs/security.md. Errors cross the border as JSON, not as pickles: a child that
a file has taken over must not be able to run anything here.
"""

from __future__ import annotations

import json
import logging
import os
import signal
import socket
import subprocess
import sys
import threading
import time
import weakref
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final, NoReturn

import numpy as np
from numpy.typing import NDArray

from humanparse import errors
from humanparse.config import Settings
from humanparse.decoding_child import ANSWER, ORDER
from humanparse.images import read_image

log = logging.getLogger(__name__)

Decode = Callable[[bytes], NDArray[np.uint8]]
"""A file's bytes -> (H, W, 3) uint8 RGB, as `images.read_image`. Raises InputError, Busy."""

ROOT: Final = Path(__file__).resolve().parent.parent
PHOTOS_OF_A_LIFE: Final = 500  # then a child is replaced: what its allocator kept goes with it
START_S: Final = 60.0  # for a child's imports, on a machine under load
PATIENCE_S: Final = 1.0  # for a busy child; most photos take a few milliseconds, a second child 25 MB
SLACK: Final = 4.0  # wall-clock seconds that we grant for a second of CPU, on a machine under load
ERRORS: Final = {
    cls.code: cls
    for cls in (errors.UnreadableImage, errors.UnsupportedFormat, errors.TooManyPixels, errors.TooManyBytes)
}


def make_decode(settings: Settings) -> Decode:
    """The way to decode that the settings ask for; nothing is started yet."""
    return Decoders(settings) if settings.decode == "process" else _InThread(settings)


@dataclass(frozen=True)
class _InThread:
    settings: Settings

    def __call__(self, data: bytes) -> NDArray[np.uint8]:
        own = self.settings
        return read_image(data, max_bytes=own.max_bytes, max_pixels=own.max_pixels, max_side=own.max_side)


class Decoders:
    """A few child processes, each decoding one photo at a time. Safe across threads and forks."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._places = threading.BoundedSemaphore(settings.decoders)
        self._free = threading.Condition()
        self._working = 0  # photos that are being decoded
        self._idle: list[_Child] = []
        self._process = os.getpid()
        weakref.finalize(self, _end, self._idle, self._process)

    def __call__(self, data: bytes) -> NDArray[np.uint8]:
        own = self._settings
        if len(data) > own.max_bytes:  # before anything is sent anywhere
            message = f"The file has {len(data):,} bytes; at most {own.max_bytes:,} are allowed."
            raise errors.TooManyBytes(message, size=len(data), limit=own.max_bytes)
        if not data:
            raise errors.UnreadableImage("The file is empty.")
        if not self._places.acquire(timeout=own.queue_timeout_s):
            raise errors.Busy(f"No decoder came free within {own.queue_timeout_s:g} s; try again in 1 s.")
        try:
            child = self._take()
            try:
                image = child.decode(data, own)
            except errors.InputError:
                self._give(child)
                raise
            except BaseException:
                child.kill()
                raise
            self._give(child)
            return image
        finally:
            with self._free:
                self._working -= 1
                self._free.notify()
            self._places.release()

    def close(self) -> None:
        """End the children that have nothing to do."""
        with self._free:
            _end(self._idle, self._process)

    def _take(self) -> _Child:
        """A child that is idle; a new one where none is, or all have long been busy."""
        with self._free:
            if self._process != os.getpid():  # forked: the children are the other's
                self._process, self._idle, self._working = os.getpid(), [], 0
                weakref.finalize(self, _end, self._idle, self._process)
            if self._working:
                self._free.wait_for(lambda: self._idle or not self._working, PATIENCE_S)
            self._working += 1
            while self._idle:
                child = self._idle.pop()
                if child.alive():
                    return child
                child.kill()
        return _Child.start(self._settings)

    def _give(self, child: _Child) -> None:
        if child.ended or child.photos >= PHOTOS_OF_A_LIFE:
            child.kill()
            return
        with self._free:
            self._idle.append(child)


def _end(children: list[_Child], owner: int) -> None:
    while children and os.getpid() == owner:
        children.pop().kill()


@dataclass(eq=False)
class _Child:
    process: subprocess.Popen[bytes]
    line: socket.socket
    photos: int = 0
    ended: bool = field(default=False)

    @classmethod
    def start(cls, settings: Settings) -> _Child:
        """A child that is ready. Raises Busy where the machine has no room for one."""
        ours, theirs = socket.socketpair()
        command = [sys.executable, "-m", "humanparse.decoding_child", str(theirs.fileno()), str(settings.max_pixels)]
        calm = dict.fromkeys(("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MALLOC_ARENA_MAX"), "1")
        try:
            process = subprocess.Popen(
                command,
                cwd=ROOT,
                env=calm,  # nothing of ours: there are secrets among the settings
                pass_fds=[theirs.fileno()],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,  # libtiff prints what stands in the file
            )
        except OSError as exc:
            ours.close()
            raise errors.Busy("No decoder can be started now; try again in 1 s.") from exc
        finally:
            theirs.close()
        child = cls(process, ours)
        ours.settimeout(START_S)
        with suppress(OSError):
            if ours.recv(1) == b"!":
                return child
        child.kill()
        log.error("a decoder did not start: exit code %s", process.returncode)
        raise errors.Busy("No decoder can be started now; try again in 1 s.")

    def alive(self) -> bool:
        return self.process.poll() is None

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
                self._raise(bytes(self._receive(min(words, 1 << 16), deadline)))
            if max(height, width) > settings.max_side or not 0 < height * width <= settings.max_pixels:
                raise ConnectionError("a decoder sent what was not asked for")
            image = np.empty((height, width, 3), np.uint8)
            self._fill(image.data.cast("B"), deadline)
        except OSError as exc:  # TimeoutError and ConnectionError among them
            self._mourn(exc, settings.decode_timeout_s)
        return image

    def kill(self) -> None:
        self.ended = True
        self.line.close()
        self.process.kill()
        self.process.wait()

    def _mourn(self, cause: OSError, limit_s: float) -> NoReturn:
        """The child died over this file, or is stuck: say which."""
        late = isinstance(cause, TimeoutError)
        self.kill() if late else self._wait()
        code = self.process.returncode
        if late or code == -signal.SIGPROF:
            message = f"The file takes more than {limit_s:g} s of a processor to decode; that is the limit."
            raise errors.DecodeTimeout(message, limit=limit_s) from cause
        log.warning("a decoder ended over a file with exit code %s", code)
        raise errors.UnreadableImage("The file cannot be read: the decoder crashed over it.") from cause

    def _wait(self) -> None:
        with suppress(subprocess.TimeoutExpired):
            self.process.wait(1)
        self.kill()

    def _raise(self, text: bytes) -> NoReturn:
        problem = json.loads(text)
        raise ERRORS.get(problem["code"], errors.UnreadableImage)(problem["message"], **problem["context"])

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
