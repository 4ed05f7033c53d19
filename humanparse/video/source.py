"""A video file -> upright RGB frames with their times, and the packets of its sound."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, suppress
from fractions import Fraction
from typing import IO, Any, Final

import av
import cv2
import numpy as np
from av.container import InputContainer
from av.stream import Disposition
from numpy.typing import NDArray

from humanparse.errors import TooManyPixels, UnreadableVideo, UnsupportedFormat, VideoTooLong
from humanparse.video.clips import Clip, Frame, Item, Limits, Packet
from humanparse.video.containers import AUDIO_CODECS, DECODERS, VIDEO_CODECS
from humanparse.video.options import Selection, VideoOptions

MICROSECONDS: Final = 1_000_000
DECODER_THREADS: Final = 2  # the parser wants the cores
USUAL_RATE: Final = Fraction(25)
_TURNS: Final = {90: cv2.ROTATE_90_COUNTERCLOCKWISE, 180: cv2.ROTATE_180, 270: cv2.ROTATE_90_CLOCKWISE}
"""PyAV's `VideoFrame.rotation` is counterclockwise (av_display_rotation_get)."""


class Source:
    """An open video file; `items` once, in a thread of its own if wanted. Raises InputError's kin for what is wrong.

    `beat` is called for every packet that is read, also where no frame comes of it.
    """

    lossy = False
    """May frames be left out where the parser is too slow?"""

    def __init__(
        self,
        container: InputContainer,
        options: VideoOptions,
        limits: Limits,
        clip: Clip,
    ) -> None:
        self._container, self._options, self._limits, self.clip = container, options, limits, clip
        self._video = _pictures(container)
        self._video.codec_context.thread_type = "AUTO"
        self._video.codec_context.thread_count = DECODER_THREADS
        self.audio = container.streams.audio[0] if options.sound and clip.audio else None
        self.damaged = 0
        self.beat: Callable[[], None] = lambda: None
        self._size: tuple[int, int] | None = None
        start_s = Fraction(container.start_time or 0, MICROSECONDS)
        self.start_s = start_s

    def items(self) -> Iterator[Item]:
        """Frames that the options take, and packets of sound, as they come in the file."""
        streams = [self._video, *([self.audio] if self.audio else [])]
        chosen, tick, last, seen = Selection(self._options), self.clip.time_base, -1, 0
        start, step = round(self.start_s / tick), max(1, round(1 / self.clip.rate / tick))
        for packet in _demux(self._container, streams):
            self.beat()
            if packet.stream is self.audio:
                yield packet
                continue
            for frame in self._decode(packet):
                seen += 1
                # Times that are missing are made up; those that go back (broken files) are pushed on.
                ticks = last + step if frame.pts is None else int(frame.pts) - start
                last = max(ticks, last + 1, 0)
                self._check(seen, frame, float(last * tick))
                if chosen.takes(float(last * tick)):
                    yield Frame(self._to_image(frame), last, float(last * tick))
        if not seen:
            raise UnreadableVideo("The video has no frame that can be decoded.")

    def close(self) -> None:
        self._container.close()

    def _decode(self, packet: Packet) -> list[av.VideoFrame]:
        """The frames of a packet; none of one that is damaged."""
        try:
            return list(packet.decode())
        except (av.error.InvalidDataError, av.error.PatchWelcomeError):
            self.damaged += 1
            return []
        except av.error.EOFError:
            return []
        except av.error.FFmpegError as exc:
            raise UnreadableVideo("The video cannot be decoded: it is damaged or of a rare kind.") from exc

    def _check(self, count: int, frame: av.VideoFrame, time_s: float) -> None:
        check_pixels(frame.width, frame.height, self._limits)
        check_length(count, time_s, self._limits)

    def _to_image(self, frame: av.VideoFrame) -> NDArray[np.uint8]:
        if self._size is None:
            self._size = square_size(frame.width, frame.height, self._video.sample_aspect_ratio, self._options.max_side)
            check_pixels(*self._size, self._limits)
        width, height = self._size
        picture = frame.reformat(width, height, "rgb24", interpolation="AREA" if width < frame.width else "BILINEAR")
        image = np.asarray(picture.to_ndarray(), np.uint8)
        turn = _TURNS.get(frame.rotation % 360)
        return np.ascontiguousarray(image if turn is None else cv2.rotate(image, turn), np.uint8)


@contextmanager
def open_video(
    file: IO[bytes] | str, options: VideoOptions, limits: Limits, reader: str | None = None
) -> Iterator[Source]:
    """A video file, looked through once so that the number of its frames is counted, not believed.

    Args:
        file: open, seekable; or a path.
        reader: FFmpeg's name of the only format to try; None tries all.

    Raises UnreadableVideo, UnsupportedFormat, TooManyPixels, VideoTooLong.
    """
    clip = look_through(file, options, limits, reader)
    with _open(file, reader, limits) as container:
        yield Source(container, options, limits, clip)


def look_through(file: IO[bytes] | str, options: VideoOptions, limits: Limits, reader: str | None = None) -> Clip:
    """What a video really has, by every packet of it; none is decoded. Arguments and errors as of `open_video`."""
    with _open(file, reader, limits) as container:
        return _look_through(container, options, limits, reader is not None)


def check_pixels(width: int, height: int, limits: Limits) -> None:
    """Raises TooManyPixels."""
    if limits.pixels is not None and width * height > limits.pixels:
        message = f"The video is {width}x{height}, {width * height:,} pixels; at most {limits.pixels:,} are allowed."
        raise TooManyPixels(message, width=width, height=height, limit=limits.pixels)


def check_length(frames: int, time_s: float, limits: Limits) -> None:
    """Raises VideoTooLong, which long durations are too."""
    if limits.frames is not None and frames > limits.frames:
        message = f"The video has more than {limits.frames:,} frames, which is the most that is allowed."
        raise VideoTooLong(message, limit=limits.frames)
    if limits.duration_s is not None and time_s > limits.duration_s:
        message = f"The video is longer than {limits.duration_s:g} s, which is the longest that is allowed."
        raise VideoTooLong(message, limit=limits.duration_s)


def square_size(width: int, height: int, pixel: Fraction | None, max_side: int | None) -> tuple[int, int]:
    """(width, height) with square pixels, no side over `max_side`; `pixel` is a stored one's width by its height."""
    shape = float(pixel) if pixel and 1 / 8 < pixel < 8 else 1.0
    wide, high = (width * shape, float(height)) if shape >= 1 else (float(width), height / shape)
    scale = min(1.0, max_side / max(wide, high)) if max_side else 1.0
    return max(1, round(wide * scale)), max(1, round(high * scale))


@contextmanager
def open_streams(
    file: IO[bytes] | str, reader: str | None, options: dict[str, str], timeout_s: float | None = None
) -> Iterator[InputContainer]:
    """What FFmpeg makes of a file or an address. Raises UnreadableVideo where that is nothing."""
    try:
        if not isinstance(file, str):
            file.seek(0)
        container: Any = av.open(file, format=reader, options=options, metadata_errors="ignore", timeout=timeout_s)
    except av.error.FileNotFoundError as exc:
        raise UnreadableVideo("There is no such file or camera.") from exc
    except (av.error.FFmpegError, ValueError, OSError) as exc:
        message = f"It cannot be read as a video ({type(exc).__name__}): damaged, cut short, or of another kind."
        raise UnreadableVideo(message) from exc
    with container:
        yield container


def _open(file: IO[bytes] | str, reader: str | None, limits: Limits) -> AbstractContextManager[InputContainer]:
    # Files that the file names outside itself are never opened: no protocol is allowed but the file's own.
    allowed = {}
    if reader:
        decoders = ",".join(DECODERS)
        allowed = {"format_whitelist": reader, "protocol_whitelist": "file", "codec_whitelist": decoders}
    if limits.pixels is not None:
        allowed["max_pixels"] = str(limits.pixels)  # for the decoders, which FFmpeg may use to look at the file
    return open_streams(file, reader, allowed)


def _look_through(container: InputContainer, options: VideoOptions, limits: Limits, strict: bool) -> Clip:
    """Every packet, none decoded: what the file really has. strict: codecs of VIDEO_CODECS and AUDIO_CODECS only."""
    video = _pictures(container)
    context = video.codec_context
    if context is None or (strict and codec_name(context) not in VIDEO_CODECS):
        name = codec_name(context) if context else "unknown"
        raise UnsupportedFormat(f"Its pictures are {name}; we take {', '.join(VIDEO_CODECS)}.", allowed=[*VIDEO_CODECS])
    check_pixels(context.width, context.height, limits)
    # Pixels that are not square make frames larger than they are stored.
    check_pixels(*square_size(context.width, context.height, video.sample_aspect_ratio, options.max_side), limits)
    tick = Fraction(video.time_base or Fraction(1, 90_000))
    start = round(Fraction(container.start_time or 0, MICROSECONDS) / tick)
    rate, times, last = _rate(video), [], -1
    for packet in _demux(container, [video]):
        if packet.size:
            last = last + max(1, round(1 / rate / tick)) if packet.pts is None else int(packet.pts) - start
            times.append(float(last * tick))
            check_length(len(times), times[-1], limits)
    if not times:
        raise UnreadableVideo("The video has no frames.")
    times.sort()
    chosen = Selection(options)
    count = sum(chosen.takes(time_s) for time_s in times)
    audio = container.streams.audio[0].codec_context if container.streams.audio else None
    if audio and strict and codec_name(audio) not in AUDIO_CODECS:
        audio = None
    return Clip(
        codec_name(context), context.width, context.height, rate, tick, count, len(times), video.frames,
        times[-1] - times[0], codec_name(audio) if audio else None,
    )  # fmt: skip


def codec_name(context: av.CodecContext) -> str:
    """The codec's own name: FFmpeg's decoders may have others (libdav1d reads av1)."""
    return str(getattr(context.codec, "canonical_name", context.name))


def _pictures(container: InputContainer) -> av.VideoStream:
    """The first stream of moving pictures; to FFmpeg the cover of an album is one, too. Raises UnreadableVideo."""
    for stream in container.streams.video:
        if not stream.disposition & Disposition.attached_pic:
            return stream
    raise UnreadableVideo("There are no moving pictures in the file.")


def _rate(video: av.VideoStream) -> Fraction:
    """Frames a second; 25 where the file says nothing that can be."""
    rate = video.average_rate or video.guessed_rate or USUAL_RATE
    return Fraction(rate).limit_denominator(100_000) if Fraction(1, 100) <= rate <= 1000 else USUAL_RATE


def _demux(container: InputContainer, streams: list[av.stream.Stream]) -> Iterator[Packet]:
    packets = container.demux(streams)
    while True:
        try:
            packet = next(packets)
        except StopIteration:
            return
        except av.error.FFmpegError as exc:
            # What came before the damage is good; the flush lets the decoder's last frames out.
            for stream in streams:
                with suppress(av.error.FFmpegError):
                    yield _flush(stream)
            del exc
            return
        yield packet


def _flush(stream: av.stream.Stream) -> Packet:
    packet = av.Packet()
    packet.stream = stream
    return packet
