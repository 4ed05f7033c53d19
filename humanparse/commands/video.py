"""Videos from the command line: `video IN --out OUT`; IN is a file, the address of a stream, or a camera's number."""

from __future__ import annotations

import argparse
import signal
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from fractions import Fraction
from pathlib import Path
from types import FrameType

from tqdm import tqdm

from humanparse.checks import read_settings
from humanparse.commands.parse_options import add_parse_options, read_parse_options
from humanparse.commands.troubles import describe_trouble
from humanparse.config import Settings
from humanparse.errors import HumanParseError, InputError, InvalidOption
from humanparse.options import ParseOptions
from humanparse.pipeline import Pipeline
from humanparse.video.clips import Limits
from humanparse.video.containers import FORMATS
from humanparse.video.conversion import Progress, convert
from humanparse.video.live import LiveSource, is_live, shown
from humanparse.video.options import VideoOptions
from humanparse.video.sink import Sink, format_of
from humanparse.video.source import Source, open_video

INTERRUPTED = 130  # what shells say of a program that Ctrl-C ended


def define_video(video: argparse.ArgumentParser) -> None:
    video.set_defaults(run=_convert)
    video.add_argument("source", metavar="IN", help="a file, rtsp://... or another stream, or a camera's number")
    video.add_argument("--out", type=Path, help=f"file to write: {', '.join(FORMATS)}")
    video.add_argument("--data", type=Path, metavar="JSONL", help="what was seen, one line of JSON for each frame")
    video.add_argument("--every", type=int, default=1, metavar="N", help="take every N-th frame only")
    video.add_argument("--fps", type=float, metavar="F", help="take at most F frames a second")
    video.add_argument("--max-side", type=int, metavar="PIXELS", help="make frames smaller first: faster")
    video.add_argument("--seconds", type=float, metavar="S", help="of a camera or stream: end after so long")
    video.add_argument("--tries", type=int, default=6, metavar="N", help="of a stream: to connect again (default: 6)")
    video.add_argument("--no-sound", action="store_true", help="leave the sound out")
    video.add_argument("--no-numbers", action="store_true", help="draw no numbers on people")
    add_parse_options(video, "what else the data tells")


def _convert(args: argparse.Namespace) -> int:
    if args.out is None and args.data is None:
        raise InvalidOption("Say where to: --out VIDEO, --data JSONL, or both.")
    settings = read_settings()
    chosen = VideoOptions(args.every, args.fps, args.max_side, not args.no_numbers, not args.no_sound)
    options = read_parse_options(args, settings)
    format = format_of(args.out) if args.out else ""
    _check_paths(args)
    pipeline = Pipeline(settings)
    pipeline.load(options.parser)
    try:
        return _run(args, settings, chosen, options, pipeline, format)
    except (HumanParseError, OSError) as error:
        whose = f"{shown(args.source)}: " if isinstance(error, InputError) else ""
        print(whose + describe_trouble(error), file=sys.stderr)
        return 1


def _run(
    args: argparse.Namespace,
    settings: Settings,
    chosen: VideoOptions,
    options: ParseOptions,
    pipeline: Pipeline,
    format: str,
) -> int:
    with ExitStack() as opened:
        source = _open(args, chosen, settings, opened)
        clip = source.clip
        sink = None
        if args.out:
            audio = source.audio if isinstance(source, Source) else None
            start_s = source.start_s if isinstance(source, Source) else Fraction(0)
            sink = Sink(args.out, format, clip.rate, clip.time_base, audio, start_s)
            opened.callback(sink.close)
        data = opened.enter_context(args.data.open("wb")) if args.data else None
        interrupted = opened.enter_context(_until_interrupted(source))
        bar = opened.enter_context(tqdm(total=clip.frames, unit="frame", disable=None, file=sys.stderr))

        def tell(progress: Progress) -> None:
            bar.set_postfix_str(f"people={progress.now}" + (f", left out={progress.dropped}" if source.lossy else ""))
            bar.update()

        done = convert(
            source,
            lambda image: pipeline.parse_frame(image, options),
            options,
            sink=sink,
            data=data,
            numbers=chosen.numbers,
            tell=tell,
            stopping=lambda: bool(interrupted),
        )
    for warning in _warnings(source, sink):
        print(warning, file=sys.stderr)
    written = " and ".join(str(path) for path in (args.out, args.data) if path)
    left_out = f", {done.dropped} left out" if done.dropped else ""
    frames = "1 frame" if done.done == 1 else f"{done.done} frames"
    people = "1 person" if done.people == 1 else f"{done.people} people"
    print(f"{written}: {frames}{left_out}, {people}" + (", interrupted" if interrupted else ""))
    return INTERRUPTED if interrupted else 0


def _open(args: argparse.Namespace, chosen: VideoOptions, settings: Settings, opened: ExitStack) -> Source | LiveSource:
    limits = Limits(pixels=settings.video_pixels)
    if not is_live(args.source):
        return opened.enter_context(open_video(args.source, chosen, limits))

    def tell(words: str) -> None:
        tqdm.write(words, file=sys.stderr)

    return LiveSource(args.source, chosen, limits, tries=args.tries, seconds=args.seconds, tell=tell)


def _warnings(source: Source | LiveSource, sink: Sink | None) -> Iterator[str]:
    if source.clip.cut_short:
        yield f"The file is cut short: {source.clip.packets} of {source.clip.declared} frames are there."
    if source.damaged:
        yield f"{source.damaged} pieces of the file are damaged; their frames are missing."
    if sink and sink.sound not in ("none", "copied"):
        yield f"The sound is {sink.sound}."


@contextmanager
def _until_interrupted(source: Source | LiveSource) -> Iterator[list[int]]:
    """A list that holds something once Ctrl-C or SIGTERM came: then the file is ended, so that it plays.

    Whoever is in a hurry presses Ctrl-C again.
    """
    came: list[int] = []

    def note(number: int, frame: FrameType | None) -> None:
        if came:
            raise KeyboardInterrupt
        came.append(number)
        if isinstance(source, LiveSource):
            source.stop()
        del frame

    before = {number: signal.signal(number, note) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield came
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _check_paths(args: argparse.Namespace) -> None:
    given = Path(args.source).resolve()
    for path in (args.out, args.data):
        if path is not None and path.resolve() == given:
            raise InvalidOption(f"{path} is the video itself; write to another file.")
    if args.out is not None and args.out == args.data:
        raise InvalidOption("--out and --data are the same file.")
