"""The decoders of a process: children that decode one photo at a time, as many as the settings allow."""

from __future__ import annotations

import os
import threading
import weakref
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from humanparse import errors
from humanparse.config import Settings
from humanparse.decoding.decoder import Decoder
from humanparse.images import check_bytes, read_image

Decode = Callable[[bytes], NDArray[np.uint8]]
"""A file's bytes -> (H, W, 3) uint8 RGB, as `images.read_image`. Raises InputError, Busy."""

PHOTOS_OF_A_LIFE: Final = 500  # then a child is replaced: what its allocator kept goes with it
PATIENCE_S: Final = 1.0  # for a busy child; most photos take a few milliseconds


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
        self._idle: list[Decoder] = []
        self._process = os.getpid()
        weakref.finalize(self, _end, self._idle, self._process)

    def __call__(self, data: bytes) -> NDArray[np.uint8]:
        own = self._settings
        check_bytes(data, own.max_bytes)  # before anything is sent anywhere
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

    def _take(self) -> Decoder:
        """A child that is idle; a new one where none is, or all have long been busy."""
        with self._free:
            if self._process != os.getpid():  # forked: the children are the other's
                self._process, self._idle, self._working = os.getpid(), [], 0
                weakref.finalize(self, _end, self._idle, self._process)
            self._free.wait_for(lambda: self._idle or not self._working, PATIENCE_S)
            self._working += 1
            while self._idle:
                child = self._idle.pop()
                if child.alive():
                    return child
                child.kill()
        return Decoder.start(self._settings)

    def _give(self, child: Decoder) -> None:
        if child.ended or child.photos >= PHOTOS_OF_A_LIFE:
            child.kill()
            return
        with self._free:
            self._idle.append(child)


def _end(children: list[Decoder], owner: int) -> None:
    while children and os.getpid() == owner:
        children.pop().kill()
