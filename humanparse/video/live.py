"""A camera or a stream: frames for as long as there are any, the newest first of all.

What comes faster than it is parsed is left out. Times are those of arrival: a camera's own clock
begins anew with every connection. There is no sound.
"""

from __future__ import annotations

import re
import threading
import time
from collections.abc import Callable, Iterator
from fractions import Fraction
from typing import Any, Final

import av
import cv2
import numpy as np
from numpy.typing import NDArray

from humanparse.errors import UnreadableVideo
from humanparse.video.clips import Clip, Frame, Item, Limits
from humanparse.video.options import Selection, VideoOptions
from humanparse.video.source import Source, check_pixels
from humanparse.video.streams import USUAL_RATE, open_streams

SCHEMES: Final = ("rtsp", "rtsps", "rtmp", "rtmps", "udp", "rtp", "srt", "tcp")
SILENCE_S: Final = 10.0  # without a picture, then the connection is taken for lost
WAITS_S: Final = (0.5, 1.0, 2.0, 4.0, 8.0, 15.0)  # before each further try to connect
TICK: Final = Fraction(1, 90_000)
OPTIONS: Final = {
    # what is lost on the way is lost by UDP; TCP costs a little time and loses nothing
    "rtsp": {"rtsp_transport": "tcp", "fflags": "nobuffer"},
}


def is_live(given: str) -> bool:
    """Is it a camera's number, or an address that has no end?"""
    return given.isdecimal() or given.partition("://")[0].lower() in SCHEMES


class LiveSource:
    """A camera or stream by its number or address; connects again where it falls silent, `tries` times in a row."""

    lossy = True

    def __init__(
        self,
        given: str,
        options: VideoOptions,
        limits: Limits,
        *,
        tries: int = len(WAITS_S),
        seconds: float | None = None,
        tell: Callable[[str], None] = lambda words: None,
    ) -> None:
        """seconds: end after so long. tell: what a person should know, that the connection is lost for example."""
        self._given, self._options, self._limits = given, options, limits
        self._tries, self._seconds, self._tell = tries, seconds, tell
        self._stopped = threading.Event()
        self._first_s: float | None = None
        self._shape: tuple[int, ...] | None = None
        self.damaged = 0
        with self._connect() as container:
            video = container.streams.video[0]
            check_pixels(video.codec_context.width, video.codec_context.height, limits)
            rate = Fraction(video.average_rate or video.guessed_rate or USUAL_RATE).limit_denominator(1000)
            self.clip = Clip(video.codec_context.name, video.width, video.height, rate, TICK)

    def stop(self) -> None:
        """End soon: before the next frame, or the next try to connect."""
        self._stopped.set()

    def items(self) -> Iterator[Item]:
        """Frames as they come. Ends where the source does not come back. Raises UnreadableVideo if it never came."""
        chosen, failed = Selection(self._options), 0
        while not self._stopped.is_set():
            try:
                for frame in self._frames(chosen):
                    failed = 0
                    yield frame
                    if self._is_over(frame.time_s):
                        return
                said = "it ended"
            except (av.error.FFmpegError, OSError, UnreadableVideo) as exc:
                said = str(exc)
            if self._stopped.is_set() or failed >= self._tries:
                break
            wait_s = WAITS_S[min(failed, len(WAITS_S) - 1)]
            failed += 1
            self._tell(f"{shown(self._given)}: no pictures ({said}); try {failed} of {self._tries} in {wait_s:g} s")
            self._stopped.wait(wait_s)
        if self._first_s is None and not self._stopped.is_set():
            raise UnreadableVideo("It sends no pictures.")

    def _frames(self, chosen: Selection) -> Iterator[Frame]:
        last = -1
        with self._connect() as container:
            source = Source(
                container, VideoOptions(max_side=self._options.max_side, sound=False), self._limits, self.clip
            )
            for item in source.items():
                now = time.monotonic()
                self._first_s = now if self._first_s is None else self._first_s
                time_s = now - self._first_s
                if self._stopped.is_set():
                    return
                if not chosen.takes(time_s):
                    continue
                last = max(last + 1, round(time_s / TICK))
                yield Frame(self._fit(item.image), last, time_s)

    def _fit(self, image: NDArray[np.uint8]) -> NDArray[np.uint8]:
        """The size of the first frame, whatever a camera that came back sends."""
        self._shape = self._shape or image.shape
        if image.shape == self._shape:
            return image
        return np.asarray(cv2.resize(image, (self._shape[1], self._shape[0]), interpolation=cv2.INTER_AREA), np.uint8)

    def _is_over(self, time_s: float) -> bool:
        return self._stopped.is_set() or (self._seconds is not None and time_s >= self._seconds)

    def _connect(self) -> Any:
        scheme = self._given.partition("://")[0].lower()
        if self._given.isdecimal():
            return open_streams(f"/dev/video{self._given}", "v4l2", {}, SILENCE_S)
        return open_streams(self._given, None, dict(OPTIONS.get(scheme, {})), SILENCE_S)


def shown(address: str) -> str:
    """An address without the name and password that may stand in it."""
    return re.sub(r"//[^/@]*@", "//", address)
