"""Small videos, made here: walking rectangles, a tone, and whatever else a test needs wrong with them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np
from numpy.typing import NDArray

from tests.video.crowds import BLACK, GREEN, Body, draw

RATE = 10
SIZE = (120, 200)


def walk(count: int = 12, size: tuple[int, int] = SIZE) -> list[NDArray[np.uint8]]:
    """Two people who walk towards each other, in a red and a green shirt; (H, W, 3) uint8 RGB each."""
    both = Body(10, trousers=BLACK), Body(160, shirt=GREEN, trousers=BLACK)
    ways = ([replace(both[0], x=10 + 4 * t), replace(both[1], x=160 - 4 * t)] for t in range(count))
    return [draw(bodies, size)[0] for bodies in ways]


def write_film(
    path: Path,
    frames: Sequence[NDArray[np.uint8]],
    *,
    times: Sequence[float] | None = None,
    codec: str = "libx264",
    audio: str | None = None,
    audio_rate: int = 48_000,
    format: str | None = None,
    pixel: Fraction | None = None,
    rotation: int = 0,
    offset_s: float = 0.0,
) -> Path:
    """A file of these frames at RATE, or at `times` seconds; with a tone as long as the film in the codec `audio`.

    rotation: degrees counterclockwise that a player has to turn the frames. offset_s: what the times begin with.
    """
    tick = Fraction(1, 1000)
    times = [index / RATE for index in range(len(frames))] if times is None else times
    with av.open(str(path), "w", format=format) as container:
        stream: Any = container.add_stream(codec, rate=RATE)
        height, width = frames[0].shape[:2]
        stream.width, stream.height, stream.pix_fmt = width, height, "yuv444p" if height % 2 or width % 2 else "yuv420p"
        if codec == "mjpeg":
            stream.pix_fmt = "yuvj420p"
        stream.codec_context.time_base = tick
        if pixel:
            stream.sample_aspect_ratio = pixel
        if rotation:
            stream.set_display_rotation(rotation)
        sound: Any = container.add_stream(audio, rate=audio_rate, layout="mono") if audio else None
        for image, time_s in zip(frames, times, strict=True):
            frame = av.VideoFrame.from_ndarray(image, format="rgb24")
            frame.pts, frame.time_base = round((time_s + offset_s) * 1000), tick
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
        if sound:
            for ready in _tone(times[-1] + 1 / RATE, audio_rate, sound.codec_context, offset_s):
                container.mux(sound.encode(ready))
            container.mux(sound.encode(None))
    return path


def _tone(seconds: float, rate: int, context: Any, offset_s: float) -> list[av.AudioFrame]:
    wave = (np.sin(np.arange(int(seconds * rate)) * 2 * np.pi * 440 / rate) * 8000).astype(np.int16)
    frame = av.AudioFrame.from_ndarray(wave[None], format="s16", layout="mono")
    frame.sample_rate, frame.pts, frame.time_base = rate, round(offset_s * rate), Fraction(1, rate)
    context.open(strict=False)
    resampler = av.AudioResampler(context.format, context.layout, rate, context.frame_size or None)
    return [*resampler.resample(frame), *resampler.resample(None)]


def read_film(path: Path) -> tuple[list[NDArray[np.uint8]], list[float]]:
    """Frames and their times."""
    with av.open(str(path)) as container:
        decoded = list(container.decode(video=0))
        return [np.asarray(f.to_ndarray(format="rgb24"), np.uint8) for f in decoded], [float(f.time) for f in decoded]


def packets_of(path: Path, kind: str = "audio") -> list[tuple[float, bytes]]:
    """(time, bytes) of every packet of the first stream of a kind."""
    with av.open(str(path)) as container:
        stream = getattr(container.streams, kind)[0]
        return [(float(p.pts * p.time_base), bytes(p)) for p in container.demux(stream) if p.size]


def audio_codec(path: Path) -> str | None:
    with av.open(str(path)) as container:
        return container.streams.audio[0].codec_context.codec.canonical_name if container.streams.audio else None
