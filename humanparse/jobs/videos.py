"""A job's video -> the coloured one and its data, as files."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

import numpy as np
from numpy.typing import NDArray

from humanparse.config import Settings
from humanparse.errors import StorageError, TooManyBytes, UnsupportedFormat
from humanparse.jobs.records import Order
from humanparse.options import ParseOptions
from humanparse.records import Parsing
from humanparse.video import containers
from humanparse.video.clips import Clip, Limits
from humanparse.video.conversion import Film, Frames, Progress, convert
from humanparse.video.options import VideoOptions
from humanparse.video.process import film_from_afar, look_from_afar


def limits_of(settings: Settings) -> Limits:
    """What a video that strangers send may have."""
    return Limits(settings.video_pixels, settings.video_frames, settings.video_s)


def container_of(file: IO[bytes]) -> containers.Container | None:
    """The container of an open file, by its content; the file is at its beginning again."""
    file.seek(0)
    head = file.read(containers.HEAD)
    file.seek(0)
    return containers.recognise(head)


def container_wanted(file: IO[bytes]) -> containers.Container:
    """The same. Raises UnsupportedFormat where we know none."""
    container = container_of(file)
    if container is None:
        raise UnsupportedFormat(f"This is not a video of a type that we take: {containers.names()}.")
    return container


def look(file: IO[bytes], options: VideoOptions, settings: Settings, reader: str) -> Clip:
    """What a video really has. Raises InputError's kin, and Busy."""
    if settings.decode == "process":
        return look_from_afar(file, options, limits_of(settings), reader)
    from humanparse.video.source import look_through  # 10 MB of FFmpeg, which only this way needs in this process

    return look_through(file, options, limits_of(settings), reader)


def write_video(
    file: IO[bytes],
    order: Order,
    result: Path,
    data: Path,
    parse: Callable[[NDArray[np.uint8], ParseOptions], Parsing],
    settings: Settings,
    tell: Callable[[int], None],
) -> int:
    """Parse the video of an order into both files; returns the number of its frames.

    tell: called after each frame with their number so far; what it raises ends the work.
    Raises InputError's kin for what is wrong with the video, TooManyBytes where the result gets too large.
    """
    options = order.video or VideoOptions()
    reader = container_wanted(file).reader

    def check(progress: Progress) -> None:
        size, limit = sum(path.stat().st_size for path in (result, data)), settings.video_result_bytes
        if size > limit:
            raise TooManyBytes(
                f"The result has more than {limit:,} bytes; take fewer frames (every, fps), smaller ones (max_side), "
                "or include less.",
                limit=limit,
            )
        tell(progress.done)

    with _open(file, options, settings, reader, result, order.format) as (source, sink):
        try:
            with data.open("wb") as rows:
                done = convert(
                    source,
                    lambda image: parse(image, order.options),
                    order.options,
                    sink=sink,
                    data=rows,
                    numbers=options.numbers,
                    tell=check,
                )
        except OSError as exc:
            raise StorageError("The result of a job cannot be written.") from exc
    return done.done


@contextmanager
def _open(
    file: IO[bytes], options: VideoOptions, settings: Settings, reader: str, path: Path, format: str
) -> Iterator[tuple[Frames, Film]]:
    """Where frames come from and where they go, here or in a process of its own; the film plays after the `with`."""
    limits = limits_of(settings)
    if settings.decode == "process":
        most_bytes = 2 * settings.video_result_bytes  # behind the limit that is told, in case it is passed at once
        with film_from_afar(file, options, limits, reader, path=path, format=format, most_bytes=most_bytes) as both:
            yield both
        return
    from humanparse.video.sink import Sink
    from humanparse.video.source import open_video

    with open_video(file, options, limits, reader) as source:
        sink = Sink(path, format, source.clip.rate, source.clip.time_base, source.audio, source.start_s)
        try:
            yield source, sink
        finally:
            sink.close()
