"""Frames a second of a video, and what each part of it costs: `python -m benchmarks.video`.

A pan over a photo of two people, made here, goes through the whole conversion (decode, parse, track,
draw, encode, H.264 to H.264) several times; the parts are measured alone on the same frames. Sizes
alternate, medians are told; what the process costs that a job's video is read and written in, in turn with
the same without it and without parsing; memory is the process's resident set at a tenth of the last run and at
its end, and the peak.
"""

from __future__ import annotations

import argparse
import resource
import statistics
import tempfile
import time
from collections.abc import Callable
from contextlib import ExitStack
from fractions import Fraction
from pathlib import Path
from typing import Any, cast

import av
import cv2
import numpy as np

from benchmarks.parse import make_photo
from humanparse.config import Settings
from humanparse.images import read_image
from humanparse.options import ParseOptions
from humanparse.pipeline import Pipeline
from humanparse.video.clips import Frame, Limits
from humanparse.video.conversion import Film, Frames, Progress, convert
from humanparse.video.options import VideoOptions
from humanparse.video.process import film_from_afar
from humanparse.video.sink import Sink
from humanparse.video.source import open_video
from humanparse.video.tracking import Tracker

SIZES = ((640, 360), (1280, 720))
RATE = 25


def make_film(path: Path, size: tuple[int, int], count: int) -> None:
    """`count` frames of a pan, there and back every four seconds."""
    width, height = size
    photo = read_image(make_photo(), max_bytes=1 << 30, max_pixels=1 << 30)
    wide = cv2.resize(photo, (width * 5 // 4, width * 5 // 4 * 3 // 4), interpolation=cv2.INTER_LINEAR)
    with av.open(str(path), "w") as container:
        stream: Any = container.add_stream("libx264", rate=RATE, options={"preset": "veryfast"})
        stream.width, stream.height, stream.pix_fmt = width, height, "yuv420p"
        for t in range(count):
            x = round(width / 8 * (1 - np.cos(t * 2 * np.pi / (4 * RATE))))
            view = np.ascontiguousarray(wide[:height, x : x + width], np.uint8)
            container.mux(stream.encode(av.VideoFrame.from_ndarray(view, format="rgb24")))
        container.mux(stream.encode(None))


def run(film: Path, out: Path, pipeline: Pipeline, tell: Callable[[Progress], None]) -> float:
    """Frames a second of one conversion."""
    options, start = ParseOptions(), time.perf_counter()
    with open_video(str(film), VideoOptions(), Limits()) as source:
        sink = Sink(out, "mp4", source.clip.rate, source.clip.time_base)
        done = convert(source, lambda image: pipeline.parse_frame(image, options), options, sink=sink, tell=tell)
        sink.close()
    return done.done / (time.perf_counter() - start)


def measure_parts(film: Path, out: Path, pipeline: Pipeline) -> dict[str, float]:
    """Median milliseconds a frame of each part alone."""
    spent: dict[str, list[float]] = {"decode": [], "parse": [], "track": [], "encode": []}
    tracker, options = Tracker(), ParseOptions()
    sink = Sink(out, "mp4", Fraction(RATE), Fraction(1, 90_000))
    with open_video(str(film), VideoOptions(), Limits()) as source:
        last = time.perf_counter()
        for item in source.items():
            if not isinstance(item, Frame):
                continue
            times = [last, time.perf_counter()]
            parsing = pipeline.parse_frame(item.image, options)
            times.append(time.perf_counter())
            tracker.update(parsing.people, parsing.persons, item.image, item.time_s)
            times.append(time.perf_counter())
            sink.write(item.image, round(item.time_s * 90_000))
            last = time.perf_counter()
            times.append(last)
            for name, start, end in zip(spent, times, times[1:], strict=False):
                spent[name].append((end - start) * 1000)
    sink.close()
    return {name: statistics.median(values) for name, values in spent.items()}


def copy(film: Path, out: Path, isolated: bool) -> float:
    """Milliseconds a frame of a film that is decoded and encoded and nothing else, here or in a process of its own."""
    start, count, limits = time.perf_counter(), 0, Limits(pixels=1 << 23)
    with film.open("rb") as file, ExitStack() as opened:
        if isolated:
            both = film_from_afar(file, VideoOptions(), limits, "mov", path=out, format="mp4", most_bytes=1 << 32)
            frames, sink = cast(tuple[Frames, Film], opened.enter_context(both))
        else:
            source = opened.enter_context(open_video(file, VideoOptions(), limits, "mov"))
            own = Sink(out, "mp4", source.clip.rate, source.clip.time_base)
            opened.callback(own.close)
            frames, sink = source, own
        for frame in frames.items():
            sink.write(frame.image, frame.ticks)
            count += 1
    return (time.perf_counter() - start) * 1000 / count


def resident_mb() -> float:
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * resource.getpagesize() / 1e6


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--frames", type=int, default=150)
    arguments.add_argument("--runs", type=int, default=3)
    args = arguments.parse_args()
    pipeline = Pipeline(Settings.from_env())
    parser = pipeline.load()
    memory: dict[str, float] = {}

    def tell(progress: Progress) -> None:
        if progress.done in (args.frames // 10, args.frames):
            memory["early" if progress.done < args.frames else "late"] = resident_mb()

    with tempfile.TemporaryDirectory() as name:
        films, out = {size: Path(name) / f"{size[0]}.mp4" for size in SIZES}, Path(name) / "out.mp4"
        for size, film in films.items():
            make_film(film, size, args.frames)
        rates: dict[tuple[int, int], list[float]] = {size: [] for size in SIZES}
        for _ in range(args.runs):
            for size, film in films.items():
                rates[size].append(run(film, out, pipeline, tell))
        print(f"parser: {parser.info.name}; {args.frames} frames, {args.runs} runs each, medians")
        for size, film in films.items():
            parts = ", ".join(f"{part} {ms:.1f}" for part, ms in measure_parts(film, out, pipeline).items())
            print(f"{size[0]}x{size[1]}: {statistics.median(rates[size]):.1f} frames a second; alone, ms: {parts}")
        for size, film in films.items():
            each = [[copy(film, out, isolated) for isolated in (False, True)] for _ in range(args.runs)]
            here, afar = (statistics.median(values) for values in zip(*each, strict=True))
            print(f"{size[0]}x{size[1]}: a frame decoded and encoded here {here:.1f} ms, in a process {afar:.1f} ms")
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e3
    print(f"resident, last run: {memory['early']:.0f} MB at a tenth, {memory['late']:.0f} at the end; peak {peak:.0f}")


if __name__ == "__main__":
    main()
