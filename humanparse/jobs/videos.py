"""A job's video -> the coloured one and its data, as files."""

from __future__ import annotations

from collections.abc import Callable
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
from humanparse.video.conversion import Progress, convert
from humanparse.video.options import VideoOptions
from humanparse.video.sink import Sink
from humanparse.video.source import Limits, open_video


def limits_of(settings: Settings) -> Limits:
    """What a video that strangers send may have."""
    return Limits(settings.video_pixels, settings.video_frames, settings.video_s)


def container_of(file: IO[bytes]) -> containers.Container | None:
    """The container of an open file, by its content; the file is at its beginning again."""
    file.seek(0)
    head = file.read(containers.HEAD)
    file.seek(0)
    return containers.recognise(head)


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
    container = container_of(file)
    if container is None:
        raise UnsupportedFormat(f"This is not a video of a type that we take: {containers.names()}.")

    def check(progress: Progress) -> None:
        size, limit = sum(path.stat().st_size for path in (result, data)), settings.video_result_bytes
        if size > limit:
            raise TooManyBytes(
                f"The result has more than {limit:,} bytes; take fewer frames (every, fps), smaller ones (max_side), "
                "or include less.",
                limit=limit,
            )
        tell(progress.done)

    with open_video(file, options, limits_of(settings), container.reader) as source:
        clip = source.clip
        sink = Sink(result, order.format, clip.rate, clip.time_base, source.audio, source.start_s)
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
        finally:
            sink.close()
    return done.done
