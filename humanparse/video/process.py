"""A stranger's video in a process of its own, where a crash of FFmpeg costs that video and not the service.

The process (`child.py`) reads the old file and writes the new one; here are only frames to parse. It
has no setting and no secret of ours, opens those two files, and its memory and the
size of what it writes are bounded. One that crashes, or says nothing for `SILENCE_S`, is the end of its video.
"""

from __future__ import annotations

import logging
import socket
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from fractions import Fraction
from io import UnsupportedOperation
from pathlib import Path
from shutil import copyfileobj
from tempfile import TemporaryFile
from typing import IO, Any, Final, NoReturn

import numpy as np
from numpy.typing import NDArray

from humanparse import errors
from humanparse.apart import NO_ROOM, revive_error, start_apart
from humanparse.video.clips import Clip, Frame, Limits
from humanparse.video.line import Line, most_bytes
from humanparse.video.options import VideoOptions

log = logging.getLogger(__name__)

SILENCE_S: Final = 120.0  # of a process whose turn it is, on a machine under load
CLOSE_S: Final = 600.0  # for the end of a film: MP4 is written twice, so that it plays while it loads
LOOKS: Final = 2  # videos looked through at once; more wait
LOOK_WAIT_S: Final = 30.0
PROBLEMS: Final = (
    errors.UnreadableVideo, errors.UnsupportedFormat, errors.TooManyPixels, errors.VideoTooLong, errors.StorageError,
)  # fmt: skip
_places: Final = threading.BoundedSemaphore(LOOKS)


def look_from_afar(file: IO[bytes], options: VideoOptions, limits: Limits, reader: str) -> Clip:
    """`source.look_through` in a process of its own. Raises Busy besides."""
    if not _places.acquire(timeout=LOOK_WAIT_S):
        raise errors.Busy("Too many videos are looked at just now; try again in 5 s.", retry_after_s=5)
    try:
        with _child(file) as child:
            return child.begin(options, limits, reader)
    finally:
        _places.release()


@contextmanager
def film_from_afar(
    file: IO[bytes],
    options: VideoOptions,
    limits: Limits,
    reader: str,
    *,
    path: Path,
    format: str,
    most_bytes: int,
) -> Iterator[tuple[DistantFrames, DistantFilm]]:
    """Frames of a video, and the film that their coloured kin go into: at `path`, of a sink's `format`.

    The film is ended with the `with`. Its sound goes there by itself. Raises as `open_video` and `Sink` do.
    """
    with _child(file) as child:
        clip = child.begin(options, limits, reader, path, format, most_bytes)
        film = DistantFilm(child)
        yield DistantFrames(child, clip, limits), film
        film.close()


class DistantFrames:
    """As `source.Source`, without the sound."""

    lossy = False

    def __init__(self, child: _Child, clip: Clip, limits: Limits) -> None:
        self._child, self.clip, self._most_bytes = child, clip, most_bytes(limits)

    def items(self) -> Iterator[Frame]:
        """Frames as the process reads them. Raises InputError's kin, DecodeTimeout too."""
        while True:
            words, image = self._child.hear(self._child.line, self._most_bytes)
            if image is not None:
                yield Frame(image, int(words["ticks"]), float(words["time_s"]))
            elif "end" in words:
                return


class DistantFilm:
    """As `sink.Sink`, without the sound."""

    def __init__(self, child: _Child) -> None:
        self._child = child

    def write(self, image: NDArray[np.uint8], ticks: int) -> None:
        """Add a frame. Raises StorageError, for one before it maybe."""
        self._tell({"ticks": ticks}, np.ascontiguousarray(image))

    def write_sound(self, packet: Any) -> NoReturn:
        raise NotImplementedError("the sound stays where it is read")

    def close(self) -> None:
        """Wait until the film plays. Raises StorageError."""
        self._child.film.be_patient(CLOSE_S)
        self._tell({})
        self._child.hear(self._child.film)

    def _tell(self, words: dict[str, Any], image: NDArray[np.uint8] | None = None) -> None:
        child = self._child
        if child.film.has_news():  # nothing is said there of its own accord but what went wrong
            child.hear(child.film)
        try:
            child.film.send(words, image)
        except OSError as exc:
            child.mourn(exc)


class _Child:
    """The process, and the two ends of its sockets that are ours."""

    def __init__(self, process: subprocess.Popen[bytes], line: Line, film: Line) -> None:
        self.process, self.line, self.film = process, line, film
        self._mourning = threading.Lock()
        self._fate: errors.HumanParseError | None = None

    def begin(
        self,
        options: VideoOptions,
        limits: Limits,
        reader: str,
        path: Path | None = None,
        format: str = "",
        most_bytes: int = 0,
    ) -> Clip:
        """Say what is to be done; the clip is the first answer."""
        order = {
            "options": asdict(options),
            "limits": asdict(limits),
            "reader": reader,
            "path": None if path is None else str(path.absolute()),
            "format": format,
            "most_bytes": most_bytes,
        }
        try:
            self.line.send(order)
        except OSError as exc:
            self.mourn(exc)
        clip = self.hear(self.line)[0]["clip"]
        return Clip(**{**clip, "rate": Fraction(clip["rate"]), "time_base": Fraction(clip["time_base"])})

    def hear(self, line: Line, most_bytes: int = 0) -> tuple[dict[str, Any], NDArray[np.uint8] | None]:
        """The next words, and a frame. Raises what they say went wrong, or what became of the process."""
        try:
            words, image = line.receive(most_bytes)
            problem = revive_error(words["problem"], PROBLEMS) if "problem" in words else None
        except OSError as exc:
            self.mourn(exc)
        if problem:
            raise problem
        return words, image

    def mourn(self, cause: OSError) -> NoReturn:
        """It died over this file, or is stuck: say which, the same to both threads that ask."""
        with self._mourning:
            if self._fate is None:
                self._fate = self._post_mortem(isinstance(cause, TimeoutError))
        raise self._fate from cause

    def _post_mortem(self, late: bool) -> errors.HumanParseError:
        self.end()
        log.warning("a video's process ended over its file: %s", "silent" if late else self.process.returncode)
        if late:
            message = f"The video's decoder has said nothing for {SILENCE_S:g} s; that is the limit."
            return errors.DecodeTimeout(message, limit=SILENCE_S)
        return errors.UnreadableVideo("The video cannot be read: the decoder crashed over it.")

    def end(self) -> None:
        self.process.kill()
        self.process.wait()


@contextmanager
def _child(file: IO[bytes]) -> Iterator[_Child]:
    """A process that has the file and waits for its order. Raises Busy where the machine has no room for one."""
    try:
        pairs = socket.socketpair(), socket.socketpair()
    except OSError as exc:
        raise errors.Busy(NO_ROOM) from exc
    ours, theirs = [pair[0] for pair in pairs], [pair[1] for pair in pairs]
    line, film = (Line(end, SILENCE_S) for end in ours)
    child = None
    try:
        with _on_disk(file) as number:
            numbers = [*(end.fileno() for end in theirs), number]
            child = _Child(_start(numbers), line, film)
        for end in theirs:
            end.close()
        yield child
    finally:
        if child:
            child.end()
        for end in (*ours, *theirs):
            end.close()


def _start(numbers: list[int]) -> subprocess.Popen[bytes]:
    try:
        return start_apart("humanparse.video.child", numbers)
    except OSError as exc:
        raise errors.Busy(NO_ROOM) from exc


@contextmanager
def _on_disk(file: IO[bytes]) -> Iterator[int]:
    """The descriptor of a file that another process can open: of this one, or of a copy if it is in memory."""
    try:
        number = file.fileno()
    except (OSError, UnsupportedOperation):
        with TemporaryFile() as copy:
            file.seek(0)
            copyfileobj(file, copy)
            copy.flush()
            yield copy.fileno()
    else:
        file.flush()
        yield number
