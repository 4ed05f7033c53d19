"""Videos in a process of their own: the same frames, films and errors as here, and a crash costs one video."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from fractions import Fraction
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
import psutil
import pytest

from humanparse.errors import Busy, DecodeTimeout, InputError, StorageError, TooManyPixels, UnreadableVideo
from humanparse.options import ParseOptions
from humanparse.video import process
from humanparse.video.clips import Frame, Limits
from humanparse.video.containers import recognise
from humanparse.video.conversion import convert
from humanparse.video.options import VideoOptions
from humanparse.video.process import film_from_afar, look_from_afar
from humanparse.video.sink import Sink
from humanparse.video.source import look_through, open_video
from tests.video.crowds import ColourParser
from tests.video.films import packets_of, read_film, walk, write_film

ROOT = Path(__file__).parent.parent.parent
MOST = 1 << 30
LIMITS = Limits(pixels=1 << 23, frames=1000, duration_s=60.0)
OPTIONS = VideoOptions()
PARSE = ColourParser().parse
CALM = ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MALLOC_ARENA_MAX")


def children() -> list[psutil.Process]:
    return [child for child in psutil.Process().children() if "humanparse.video.child" in child.cmdline()]


@contextmanager
def afar(path: Path, out: Path, options: VideoOptions = OPTIONS, limits: Limits = LIMITS, format: str = "mp4",
         most_bytes: int = MOST) -> Iterator[Any]:  # fmt: skip
    with path.open("rb") as file:
        container = recognise(file.read(1024))
        assert container is not None
        with film_from_afar(file, options, limits, container.reader, path=out, format=format,
                            most_bytes=most_bytes) as both:  # fmt: skip
            yield both


def convert_afar(path: Path, out: Path, data: Path, **options: Any) -> None:
    with afar(path, out, VideoOptions(**options)) as (frames, film), data.open("wb") as rows:
        convert(frames, PARSE, ParseOptions(), sink=film, data=rows)


def convert_here(path: Path, out: Path, data: Path, **options: Any) -> None:
    with open_video(str(path), VideoOptions(**options), LIMITS) as source, data.open("wb") as rows:
        clip = source.clip
        sink = Sink(out, "mp4", clip.rate, clip.time_base, source.audio, source.start_s)
        convert(source, PARSE, ParseOptions(), sink=sink, data=rows)
        sink.close()


FILMS: dict[str, Callable[[Path], Path]] = {
    "with sound": lambda to: write_film(to / "a.mp4", walk(9), audio="aac"),
    "with sound that is encoded anew": lambda to: write_film(to / "a.mkv", walk(9), audio="pcm_s16le"),
    "turned": lambda to: write_film(to / "a.mp4", walk(5), rotation=90),
    "of odd sides": lambda to: write_film(to / "a.mp4", walk(5, (121, 203))),
    "uneven": lambda to: write_film(to / "a.mkv", walk(5), times=[0, 0.04, 0.5, 0.51, 2.0], audio="aac"),
    "that begins late": lambda to: write_film(to / "a.ts", walk(5), offset_s=3.0, audio="aac"),
    "of wide pixels": lambda to: write_film(to / "a.mp4", walk(5), pixel=Fraction(64, 45)),
}


@pytest.mark.parametrize("kind", FILMS)
def test_the_film_and_its_data_are_those_made_here(kind: str, tmp_path: Path) -> None:
    path = FILMS[kind](tmp_path)
    convert_here(path, tmp_path / "here.mp4", tmp_path / "here.jsonl")
    convert_afar(path, tmp_path / "afar.mp4", tmp_path / "afar.jsonl")
    assert (tmp_path / "afar.jsonl").read_bytes() == (tmp_path / "here.jsonl").read_bytes()
    (here, times), (afar, its_times) = read_film(tmp_path / "here.mp4"), read_film(tmp_path / "afar.mp4")
    assert np.array_equal(np.stack(here), np.stack(afar))
    assert times == its_times
    if "sound" in kind:
        assert packets_of(tmp_path / "here.mp4") == packets_of(tmp_path / "afar.mp4") != []
    assert not children()


def test_options_choose_frames_there_too(tmp_path: Path) -> None:
    path = write_film(tmp_path / "a.mp4", walk(10), audio="aac")
    chosen = {"every": 3, "max_side": 100, "sound": False}
    convert_here(path, tmp_path / "here.mp4", tmp_path / "here.jsonl", **chosen)
    convert_afar(path, tmp_path / "afar.mp4", tmp_path / "afar.jsonl", **chosen)
    assert (tmp_path / "afar.mp4").read_bytes() == (tmp_path / "here.mp4").read_bytes()
    assert len(read_film(tmp_path / "afar.mp4")[0]) == 4


@pytest.mark.parametrize("kind", FILMS)
def test_the_look_is_the_look_here(kind: str, tmp_path: Path) -> None:
    data = FILMS[kind](tmp_path).read_bytes()
    container = recognise(data)
    assert container is not None
    here = look_through(BytesIO(data), OPTIONS, LIMITS, container.reader)
    assert look_from_afar(BytesIO(data), OPTIONS, LIMITS, container.reader) == here


def test_the_file_is_read_from_its_beginning_wherever_it_stands(tmp_path: Path) -> None:
    path = write_film(tmp_path / "a.mp4", walk(4))
    with path.open("rb") as file:
        file.seek(100)
        assert look_from_afar(file, OPTIONS, LIMITS, "mov").frames == 4
        assert file.tell() == 100  # and ours is left where it was
        file.seek(0)
        assert file.read() == path.read_bytes()


def test_a_crowd_of_videos_is_looked_at_a_few_at_a_time(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    data = write_film(tmp_path / "a.mp4", walk(2)).read_bytes()
    monkeypatch.setattr(process, "LOOK_WAIT_S", 0.05)
    for _ in range(process.LOOKS):
        process._places.acquire()
    try:
        with pytest.raises(Busy) as caught:
            look_from_afar(BytesIO(data), OPTIONS, LIMITS, "mov")
    finally:
        for _ in range(process.LOOKS):
            process._places.release()
    assert caught.value.retry_after_s > 0
    assert look_from_afar(BytesIO(data), OPTIONS, LIMITS, "mov").frames == 2


def test_errors_are_those_of_here(tmp_path: Path) -> None:
    good = write_film(tmp_path / "a.mp4", walk(6)).read_bytes()
    wide = write_film(tmp_path / "wide.mp4", walk(2), pixel=Fraction(7)).read_bytes()
    for data, limits in (
        (b"", LIMITS),
        (good[:40], LIMITS),
        (good[: len(good) // 2], LIMITS),
        (good, Limits(pixels=100)),
        (good, Limits(frames=5)),
        (good, Limits(duration_s=0.1)),
        (wide, Limits(pixels=200 * 120)),
    ):
        path = tmp_path / "broken"
        path.write_bytes(data)
        with pytest.raises(InputError) as ours, path.open("rb") as file:
            look_through(file, OPTIONS, limits, "mov")
        with pytest.raises(InputError) as theirs:
            look_from_afar(BytesIO(data), OPTIONS, limits, "mov")
        assert type(theirs.value) is type(ours.value)
        assert (theirs.value.message, theirs.value.context) == (ours.value.message, ours.value.context)
    assert not children()


def test_pixels_that_are_not_square_count_as_they_are_parsed(tmp_path: Path) -> None:
    """A small frame that says its pixels are seven times as wide as high would be a large one."""
    path = write_film(tmp_path / "wide.mp4", walk(2), pixel=Fraction(7))
    with pytest.raises(TooManyPixels, match="1400x120"):
        look_through(str(path), OPTIONS, Limits(pixels=200 * 120))
    assert look_through(str(path), VideoOptions(max_side=200), Limits(pixels=200 * 120)).frames == 2


@pytest.mark.parametrize("when", ["at the first frame", "in the midst", "after the last"])
def test_a_killed_process_is_an_unreadable_video(when: str, tmp_path: Path) -> None:
    path, count = write_film(tmp_path / "a.mp4", walk(40), audio="aac"), 0
    fatal = {"at the first frame": 1, "in the midst": 20, "after the last": 40}[when]

    def parse(image: Any) -> Any:
        nonlocal count
        count += 1
        if count == fatal:
            os.kill(children()[0].pid, signal.SIGSEGV)  # as a decoder's own mistake would
        return PARSE(image)

    with pytest.raises(UnreadableVideo, match="crashed"), afar(path, tmp_path / "out.mp4") as (frames, film):
        convert(frames, parse, ParseOptions(), sink=film)
    assert not children()
    convert_afar(path, tmp_path / "out.mp4", tmp_path / "rows")  # and the next one is as any
    assert len(read_film(tmp_path / "out.mp4")[0]) == 40


def test_a_silent_process_is_given_up(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(process, "SILENCE_S", 2.0)
    path = write_film(tmp_path / "a.mp4", walk(40))

    def parse(image: Any) -> Any:
        children()[0].suspend()
        return PARSE(image)

    with pytest.raises(DecodeTimeout, match="2 s"), afar(path, tmp_path / "out.mp4") as (frames, film):
        convert(frames, parse, ParseOptions(), sink=film)
    assert not children()


def test_what_parsing_raises_ends_the_process_too(tmp_path: Path) -> None:
    path = write_film(tmp_path / "a.mp4", walk(40), audio="aac")

    def parse(_: Any) -> Any:
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError), afar(path, tmp_path / "out.mp4") as (frames, film):
        convert(frames, parse, ParseOptions(), sink=film)
    assert not children()


def test_a_film_that_cannot_be_written_says_so(tmp_path: Path) -> None:
    path = write_film(tmp_path / "a.mp4", walk(40))
    with pytest.raises(StorageError), afar(path, tmp_path / "nowhere" / "out.mp4"):
        pass
    with pytest.raises(StorageError), afar(path, tmp_path / "out.mp4", most_bytes=600) as (frames, film):
        convert(frames, PARSE, ParseOptions(), sink=film)
    assert not children()


def test_the_process_knows_no_secret_and_is_confined(tmp_path: Path) -> None:
    path = write_film(tmp_path / "a.mp4", walk(2))
    with afar(path, tmp_path / "out.mp4") as (frames, film):
        (child,) = children()
        assert set(child.environ()) <= {*CALM, "LC_CTYPE", "PWD"}
        lines = Path(f"/proc/{child.pid}/limits").read_text().splitlines()
        limits = {line[:26].strip(): line[26:].split()[0] for line in lines[1:]}
        assert int(limits["Max address space"]) < 8 << 30
        assert [limits[name] for name in ("Max core file size", "Max file size", "Max open files")] == [
            "0",
            str(MOST),
            "32",
        ]
        child.terminate()  # as all of a service's processes are told to: what was accepted is finished
        convert(frames, PARSE, ParseOptions(), sink=film)
    assert len(read_film(tmp_path / "out.mp4")[0]) == 2


def test_a_process_ends_with_whoever_started_it(tmp_path: Path) -> None:
    path = write_film(tmp_path / "a.mp4", walk(40))
    script = (
        "import sys, time; from pathlib import Path; from humanparse.video.process import film_from_afar;"
        "from humanparse.video.options import VideoOptions; from humanparse.video.clips import Limits;"
        "both = film_from_afar(open(sys.argv[1], 'rb'), VideoOptions(), Limits(pixels=1 << 20), 'mov',"
        " path=Path(sys.argv[2]), format='mp4', most_bytes=1 << 30);"
        "both.__enter__(); print('begun', flush=True); time.sleep(600)"
    )
    command = [sys.executable, "-c", script, str(path), str(tmp_path / "out.mp4")]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE) as starter:
        assert starter.stdout is not None
        assert starter.stdout.readline() == b"begun\n"
        (child,) = psutil.Process(starter.pid).children()
        starter.kill()
    child.wait(30)


def test_the_largest_frames_fit_into_its_memory(tmp_path: Path) -> None:
    """The limit on memory must not refuse what the limit on pixels allows."""
    slope = np.linspace(0, 255, 4096).astype(np.uint8)[None, :, None].repeat(2176, 0).repeat(3, 2)
    frames = [np.ascontiguousarray(np.roll(slope, 40 * t, 1)) for t in range(3)]
    path = write_film(tmp_path / "a.mp4", frames, audio="aac")
    pixels = frames[0].shape[0] * frames[0].shape[1]
    for format in ("mp4", "webm"):
        with afar(path, tmp_path / f"out.{format}", limits=Limits(pixels=pixels), format=format) as (taken, film):
            for frame in taken.items():
                assert isinstance(frame, Frame)
                film.write(frame.image, frame.ticks)
        assert len(read_film(tmp_path / f"out.{format}")[0]) == 3
