"""The process in which FFmpeg reads a stranger's video: started by `process.py` only.

    python -m humanparse.video.child LINE FILM FILE

LINE and FILM are sockets, FILE the video, open. Over LINE comes what is to be done, and frames go out;
over FILM frames come back coloured and go into the new file, and the sound, which never left this
process, goes between them as it did in the old one. It ends when the other end of a socket is closed.
"""

from __future__ import annotations

import os
import socket
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import asdict
from pathlib import Path
from queue import SimpleQueue
from typing import IO, Any, Final

from humanparse.apart import confine, outlive_signals, plain_error
from humanparse.errors import HumanParseError
from humanparse.video.clips import Clip, Frame, Limits
from humanparse.video.line import Line, most_bytes
from humanparse.video.options import VideoOptions
from humanparse.video.sink import Sink
from humanparse.video.source import look_through, open_video

ALIVE_S: Final = 1.0  # between two signs of life while no frame is taken
BYTES_A_PIXEL: Final = 400  # the decoder's and the encoder's frames, of the largest kind, some tens each
ROOM: Final = 1 << 30  # beside that: threads, packets, and what does not grow with the frame
FRAME: Final = object()  # a frame's place between the packets of sound
END: Final = object()


def main() -> None:
    line, film = (Line(socket.socket(fileno=int(number))) for number in sys.argv[1:3])
    # Opened anew, for a place in the file that is ours alone.
    with open(f"/proc/self/fd/{sys.argv[3]}", "rb") as file, suppress(OSError):  # noqa: PTH123
        order = line.receive()[0]
        limits = Limits(**order["limits"])
        outlive_signals()
        confine(ROOM + BYTES_A_PIXEL * (limits.pixels or 0), order["most_bytes"], files=32)
        try:
            if order["path"] is None:
                clip = look_through(file, VideoOptions(**order["options"]), limits, order["reader"])
                line.send({"clip": plain_clip(clip)})
            else:
                _convert(order, limits, file, line, film)
        except HumanParseError as error:
            line.send({"problem": plain_error(error)})
        line.receive()  # nothing comes: they have heard it, and close


def plain_clip(clip: Clip) -> dict[str, Any]:
    """A clip as JSON can hold it."""
    return {**asdict(clip), "rate": str(clip.rate), "time_base": str(clip.time_base)}


def _convert(order: dict[str, Any], limits: Limits, file: IO[bytes], line: Line, film: Line) -> None:
    with open_video(file, VideoOptions(**order["options"]), limits, order["reader"]) as source:
        clip = source.clip
        sink = Sink(Path(order["path"]), order["format"], clip.rate, clip.time_base, source.audio, source.start_s)
        line.send({"clip": plain_clip(clip)})
        places: SimpleQueue[Any] = SimpleQueue()
        writer = threading.Thread(target=_write, args=(places, film, sink, most_bytes(limits)), daemon=True)
        writer.start()
        source.beat = _Pulse(line)
        for item in source.items():
            if isinstance(item, Frame):
                places.put(FRAME)
                line.send({"ticks": item.ticks, "time_s": item.time_s}, item.image)
            else:
                places.put(item)
        places.put(END)
        line.send({"end": True})
        writer.join()


class _Pulse:
    """Tells now and then that we are alive."""

    def __init__(self, line: Line) -> None:
        self._line, self._told = line, time.monotonic()

    def __call__(self) -> None:
        if time.monotonic() - self._told > ALIVE_S:
            self._told = time.monotonic()
            self._line.send({"alive": True})


def _write(places: SimpleQueue[Any], film: Line, sink: Sink, frame_bytes: int) -> None:
    """Coloured frames and sound into the new file, in the order of the old one. Ends the process where it cannot."""
    try:
        failed = False
        for place in _until_end(places):
            words, image = film.receive(frame_bytes) if place is FRAME else ({}, None)
            if failed:  # what is told is heard before the next frame is sent, or at the end
                continue
            try:
                if image is not None:
                    sink.write(image, words["ticks"])
                else:
                    sink.write_sound(place)
            except HumanParseError as error:
                failed = True
                film.send({"problem": plain_error(error)})
        film.receive()  # they have no more either
        if not failed:
            _close(sink, film)
    except BaseException:  # in a thread of its own, where nobody else would notice
        os._exit(1)


def _close(sink: Sink, film: Line) -> None:
    try:
        sink.close()
    except HumanParseError as error:
        film.send({"problem": plain_error(error)})
    else:
        film.send({"done": True})


def _until_end(places: SimpleQueue[Any]) -> Iterator[Any]:
    while (place := places.get()) is not END:
        yield place


if __name__ == "__main__":
    main()
