"""What this process and one that handles a video say to each other: JSON, and behind it the pixels of a frame."""

from __future__ import annotations

import json
import select
import socket
import struct
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from humanparse.apart import MOST_WORDS, read_words
from humanparse.video.clips import Limits

HEAD: Final = struct.Struct("<QQ")  # bytes of JSON, bytes of pixels
FRAME_BYTES_A_PIXEL: Final = 24  # RGB, eight times over: what holds frames to the limits is where they are made


class Line:
    """One end of a socket. Everything raises OSError where the other end is gone, TimeoutError where it is silent."""

    def __init__(self, end: socket.socket, timeout_s: float | None = None) -> None:
        self._end = end
        end.settimeout(timeout_s)

    def be_patient(self, timeout_s: float) -> None:
        """From now on wait so long."""
        self._end.settimeout(timeout_s)

    def send(self, words: dict[str, Any], image: NDArray[np.uint8] | None = None) -> None:
        """Words, and an image (H, W, 3) uint8 with them."""
        if image is not None:
            words = {**words, "size": image.shape[:2]}
        text = json.dumps(words).encode()
        self._end.sendall(HEAD.pack(len(text), 0 if image is None else image.nbytes) + text)
        if image is not None:
            self._end.sendall(image.data.cast("B"))

    def receive(self, most_bytes: int = 0) -> tuple[dict[str, Any], NDArray[np.uint8] | None]:
        """What `send` was given; an image of at most so many bytes."""
        words_bytes, bytes_ = HEAD.unpack(self._read(HEAD.size))
        if words_bytes > MOST_WORDS or bytes_ > most_bytes:
            raise ConnectionError("the other process sent what was not asked for")
        words = read_words(self._read(words_bytes))
        if not bytes_:
            return words, None
        match words.get("size"):
            case [int(height), int(width)] if min(height, width) > 0 and height * width * 3 == bytes_:
                return words, np.frombuffer(self._read(bytes_), np.uint8).reshape(height, width, 3)
        raise ConnectionError("the other process sent a frame that is none")

    def has_news(self) -> bool:
        """Has the other end sent something, or gone?"""
        return bool(select.select([self._end], [], [], 0)[0])

    def close(self) -> None:
        self._end.close()

    def _read(self, size: int) -> bytearray:
        data = bytearray(size)
        view = memoryview(data)
        while view:
            got = self._end.recv_into(view)
            if not got:
                raise ConnectionError("the other process is gone")
            view = view[got:]
        return data


def most_bytes(limits: Limits) -> int:
    """How large a frame of a video within these limits may be."""
    return FRAME_BYTES_A_PIXEL * (limits.pixels or 0)
