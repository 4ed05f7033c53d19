"""The sound of a video: its packets copied where the new file may hold them, else encoded anew."""

from __future__ import annotations

from fractions import Fraction
from typing import Any, Final

import av
from av.container import OutputContainer

from humanparse.video.streams import codec_name

HELD: Final = {
    # what players of these files can be expected to play; FFmpeg would write more
    "mp4": ("aac", "mp3", "ac3", "eac3", "opus", "flac", "alac"),
    "mov": ("aac", "mp3", "ac3", "eac3", "alac", "pcm_s16le", "pcm_s24le"),
    "webm": ("opus", "vorbis"),
    "matroska": (
        "aac",
        "mp3",
        "ac3",
        "eac3",
        "opus",
        "vorbis",
        "flac",
        "alac",
        "dts",
        "truehd",
        "pcm_s16le",
        "pcm_s24le",
    ),
}
ENCODERS: Final = {"mp4": "aac", "mov": "aac", "webm": "libopus", "matroska": "libopus"}
OPUS_RATE: Final = 48_000
BIT_RATE: Final = 128_000


class Sound:
    """The sound of one video on its way into another file.

    `how` is "copied", "encoded as ..." or "lost: ...", for people. start_s: what the video's times
    begin with, which is taken off.
    """

    def __init__(self, source: av.AudioStream, container: OutputContainer, start_s: Fraction) -> None:
        name = container.format.name
        self._container, self._start_s = container, start_s
        self._resampler: av.AudioResampler | None = None
        self._last = -1
        self._stream: Any
        codec = codec_name(source.codec_context) if source.codec_context else ""
        if codec in HELD.get(name, ()):
            self._stream, self.how = container.add_stream_from_template(source), "copied"
            return
        rate = OPUS_RATE if ENCODERS[name] == "libopus" else source.codec_context.sample_rate
        layout = "stereo" if source.codec_context.layout.nb_channels > 1 else "mono"
        self._stream = container.add_stream(ENCODERS[name], rate=rate, layout=layout)
        self._stream.bit_rate = BIT_RATE
        self._layout, self._rate = layout, rate
        self.how = f"encoded as {ENCODERS[name].removeprefix('lib')}, as a {name} file holds no {codec}"

    def write(self, packet: Any) -> None:
        """Take one packet; an empty one is the end."""
        if self.how == "copied":
            if packet.size and packet.dts is not None:
                self._copy(packet)
            return
        try:
            frames = packet.decode()
        except (av.error.InvalidDataError, av.error.EOFError):
            return
        for frame in frames:
            self._encode(frame)

    def finish(self) -> None:
        """Write what is still on its way."""
        if self.how != "copied":
            if self._resampler:
                self._encode(None)
            self._container.mux(self._stream.encode(None))

    def _copy(self, packet: Any) -> None:
        start = round(self._start_s / packet.time_base)
        packet.pts = packet.pts - start if packet.pts is not None else None
        # Broken files go back in time; a file that is written may not.
        self._last = packet.dts = max(packet.dts - start, self._last + 1 if self._last >= 0 else packet.dts - start)
        if packet.pts is not None and packet.pts < packet.dts:
            packet.pts = packet.dts
        packet.stream = self._stream
        self._container.mux(packet)

    def _encode(self, frame: Any) -> None:
        context = self._stream.codec_context
        if frame is not None and frame.pts is not None:
            frame.pts -= round(self._start_s / frame.time_base)
        if self._resampler is None:
            context.open(strict=False)
            self._resampler = av.AudioResampler(context.format, self._layout, self._rate, context.frame_size or None)
        for ready in self._resampler.resample(frame):
            self._container.mux(self._stream.encode(ready))
