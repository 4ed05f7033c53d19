"""Frames and sound -> a video file that plays: H.264 in MP4, MOV and Matroska, VP9 in WebM."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path
from typing import Any, Final

import av
import cv2
import numpy as np
from av.video.reformatter import ColorPrimaries, ColorRange, Colorspace, ColorTrc
from numpy.typing import NDArray

from humanparse.errors import InvalidOption, StorageError
from humanparse.video.containers import FORMATS
from humanparse.video.sound import Sound

SMOOTHEST: Final = 240
_H264: Final = ("libx264", {"preset": "veryfast", "crf": "21"})
_VP9: Final = ("libvpx-vp9", {"deadline": "realtime", "cpu-used": "6", "row-mt": "1", "crf": "33", "b": "0"})
_BT709: Final = 1  # ITU-T H.273: matrix, primaries and transfer have the same number
ENCODER_THREADS: Final = 2  # the parser wants the cores


class Sink:
    """A video file being written. `write` in the order of time, then `close`: the file plays from then on."""

    def __init__(
        self,
        path: Path,
        format: str,
        rate: Fraction,
        time_base: Fraction,
        audio: av.AudioStream | None = None,
        start_s: Fraction = Fraction(0),
    ) -> None:
        """format: one of FORMATS's values. rate: frames a second, about. audio: of the file that is read."""
        codec, options = _VP9 if format == "webm" else _H264
        self._time_base = time_base
        moved = {"movflags": "faststart"} if format in ("mp4", "mov") else {}
        try:
            path.open("wb").close()  # FFmpeg itself opens it much later
            self._container = av.open(str(path), "w", format=format, container_options=moved)
        except (av.error.FFmpegError, OSError) as exc:
            raise StorageError(f"{path.name} cannot be written: {exc.strerror}.") from exc
        whole = min(max(rate, Fraction(1)), Fraction(SMOOTHEST)).limit_denominator(1001)
        self._stream: Any = self._container.add_stream(codec, rate=whole, options=options)
        context: Any = self._stream.codec_context
        context.pix_fmt, context.time_base, context.thread_count = "yuv420p", time_base, ENCODER_THREADS
        context.colorspace = context.color_primaries = context.color_trc = _BT709
        context.color_range = ColorRange.MPEG
        self._sound: Sound | None = None
        self.sound = "none"
        if audio is not None:
            self._add_sound(audio, start_s)
        self._sized = False
        self._early: list[Any] = []

    def write(self, image: NDArray[np.uint8], ticks: int) -> None:
        """Add a frame, (H, W, 3) uint8 RGB, shown from `ticks` of the time base on; odd sides get one more pixel."""
        height, width = image.shape[:2]
        if height % 2 or width % 2:
            image = cv2.copyMakeBorder(image, 0, height % 2, 0, width % 2, cv2.BORDER_REPLICATE)  # type: ignore[assignment]
        if not self._sized:
            self._stream.width, self._stream.height = image.shape[1], image.shape[0]
            self._sized = True
        frame = av.VideoFrame.from_ndarray(np.ascontiguousarray(image), format="rgb24").reformat(
            format="yuv420p",
            dst_colorspace=Colorspace.ITU709,
            dst_color_range=ColorRange.MPEG,
            dst_color_trc=ColorTrc.BT709,
            dst_color_primaries=ColorPrimaries.BT709,
        )
        frame.pts, frame.time_base = ticks, self._time_base
        self._encode(frame)
        early, self._early = self._early, []
        for packet in early:
            self.write_sound(packet)

    def write_sound(self, packet: Any) -> None:
        """Add a packet of sound; one that cannot be written is the end of the sound, not of the film."""
        if self._sound and not self._sized:
            self._early.append(packet)  # the file's head is written with its first packet, and needs the size
        elif self._sound:
            try:
                self._sound.write(packet)
            except (av.error.FFmpegError, OSError) as exc:
                self._give_up_sound(exc)

    def close(self) -> None:
        """End the file; from now on it plays. Raises StorageError."""
        try:
            if self._sized:
                self._encode(None)
                if self._sound:
                    self._sound.finish()
        except (av.error.FFmpegError, OSError) as exc:
            raise StorageError("The video cannot be written to its end.") from exc
        finally:
            try:
                self._container.close()
            except (av.error.FFmpegError, OSError) as exc:
                raise StorageError("The video cannot be written to its end.") from exc

    def _add_sound(self, audio: av.AudioStream, start_s: Fraction) -> None:
        try:
            self._sound = Sound(audio, self._container, start_s)
            self.sound = self._sound.how
        except (av.error.FFmpegError, ValueError, AttributeError) as exc:
            self._give_up_sound(exc)

    def _give_up_sound(self, exc: Exception) -> None:
        self._sound, self.sound = None, f"lost: it cannot be copied or encoded ({type(exc).__name__})"

    def _encode(self, frame: av.VideoFrame | None) -> None:
        try:
            self._container.mux(self._stream.encode(frame))
        except (av.error.FFmpegError, OSError) as exc:
            raise StorageError(f"The video cannot be written ({type(exc).__name__}): is the disk full?") from exc


def format_of(path: Path) -> str:
    """The format of a file to write, by its suffix. Raises InvalidOption."""
    format = FORMATS.get(path.suffix.lower())
    if format is None:
        message = f"{path.name} has to end in one of {', '.join(FORMATS)}."
        raise InvalidOption(message, option="out", allowed=list(FORMATS))
    return format
