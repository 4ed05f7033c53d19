"""The process that decodes. It knows file formats and a socket, and ends when the other end of that is closed."""

from __future__ import annotations

import json
import signal
import socket
import struct
from typing import Final

from humanparse.apart import confine, plain_error
from humanparse.errors import InputError
from humanparse.images import read_image

ORDER: Final = struct.Struct("<QQQd")  # bytes of the file, max_pixels, max_side, seconds of CPU
ANSWER: Final = struct.Struct("<QQQ")  # height, width, 0; or 0, 0, bytes of a problem in JSON
BYTES_A_PIXEL: Final = 32  # the worst seen is 24: an RGBA photo with a profile, its copies, and the rows to be sent
ROOM: Final = 768 << 20  # beside that: the file, and what decoders need that does not grow with the photo


def serve(line: socket.socket, max_pixels: int) -> None:
    """Decode what comes along the line, until it is closed."""
    signal.signal(signal.SIGPROF, signal.SIG_DFL)
    confine(ROOM + BYTES_A_PIXEL * max_pixels, file_bytes=0, files=16)
    line.sendall(b"!")
    while True:
        order = _receive(line, ORDER.size)
        if not order:
            return
        size, max_pixels, max_side, cpu_s = ORDER.unpack(order)
        data = _receive(line, size)
        signal.setitimer(signal.ITIMER_PROF, cpu_s)  # nobody handles SIGPROF: it ends us, in the midst of any C code
        try:
            image = read_image(data, max_bytes=size, max_pixels=max_pixels, max_side=max_side)
        except InputError as error:
            words = json.dumps(plain_error(error)).encode()
            answer: list[bytes | memoryview] = [ANSWER.pack(0, 0, len(words)), words]
        else:
            answer = [ANSWER.pack(image.shape[0], image.shape[1], 0), image.data.cast("B")]
        signal.setitimer(signal.ITIMER_PROF, 0)
        del data
        for part in answer:
            line.sendall(part)
        image, answer = None, []  # type: ignore[assignment]  # while we wait, we hold nothing


def _receive(line: socket.socket, size: int) -> bytes:
    """So many bytes; none where the other end is closed."""
    data = bytearray(size)
    view = memoryview(data)
    while view:
        got = line.recv_into(view)
        if not got:
            return b""
        view = view[got:]
    return bytes(data)
