"""A film through all of it: frames in, frames, sound and data out, whatever stops it."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator
from fractions import Fraction
from io import BytesIO
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from humanparse.errors import InvalidOption, ParserError, StorageError
from humanparse.options import ParseOptions
from humanparse.records import Parsing
from humanparse.video.clips import Frame, Limits
from humanparse.video.conversion import QUEUE, Progress, convert
from humanparse.video.options import VideoOptions
from humanparse.video.sink import Sink, format_of
from humanparse.video.source import open_video
from tests.video.crowds import ColourParser
from tests.video.films import RATE, audio_codec, packets_of, read_film, walk, write_film

PLAIN = ParseOptions(alpha=0.0, outline=False)  # the film comes out as it went in
parse: Callable[[NDArray[np.uint8]], Parsing] = ColourParser().parse


def run(
    path: Path, out: Path, options: ParseOptions = PLAIN, numbers: bool = False, **chosen: Any
) -> tuple[Progress, list[dict[str, Any]], str]:
    """Progress, rows of data, what became of the sound."""
    data = BytesIO()
    with open_video(str(path), VideoOptions(**chosen), Limits()) as source:
        sink = Sink(out, format_of(out), source.clip.rate, source.clip.time_base, source.audio, source.start_s)
        done = convert(source, parse, options, sink=sink, data=data, numbers=numbers)
        sink.close()
    return done, [json.loads(line) for line in data.getvalue().splitlines()], sink.sound


@pytest.mark.parametrize("name", ["a.mp4", "a.mov", "a.mkv", "a.webm"])
def test_what_goes_in_comes_out_at_its_times_and_in_its_colours(tmp_path: Path, name: str) -> None:
    drawn, times = walk(10), [0, 0.1, 0.2, 0.25, 0.7, 0.9, 1.0, 1.4, 1.5, 2.0]
    done, rows, _ = run(write_film(tmp_path / "in.mp4", drawn, times=times), tmp_path / name)
    images, told = read_film(tmp_path / name)
    assert (done.done, done.people, len(rows)) == (10, 2, 10)
    assert told == pytest.approx(times, abs=0.002)
    assert [row["time"] for row in rows] == pytest.approx(times, abs=0.002)
    for image, true in zip(images, drawn, strict=True):
        assert np.abs(image.astype(int) - true).mean() < 8  # another matrix or range of colours would be far off


def test_the_data_of_each_frame_has_people_by_lasting_numbers(tmp_path: Path) -> None:
    options = ParseOptions(include=frozenset(["rle"]))
    _, rows, _ = run(write_film(tmp_path / "in.mp4", walk(30)), tmp_path / "out.mp4", options, numbers=True)
    assert [row["frame"] for row in rows] == list(range(30))
    assert rows[3]["image"] == {"width": 200, "height": 120}
    assert rows[3]["parser"]["name"] == "crowd"
    lefts = {}
    for row in rows:
        for person in row["people"]:
            assert person["parts"][0]["rle"]["size"] == [120, 200]
            assert 1 <= person["number"] <= len(row["people"])
            lefts.setdefault(person["id"], []).append(person["box"][0])
    assert set(lefts) == {1, 2}
    for boxes in lefts.values():  # they pass each other, and each goes on the way they came
        way = 4 if boxes[0] < 100 else -4
        assert boxes[-1] == pytest.approx(boxes[0] + 29 * way, abs=2)
        assert all(abs(x - boxes[0] - way * t) <= 20 for t, x in enumerate(boxes) if len(boxes) == 30)


def test_people_are_coloured_and_numbered(tmp_path: Path) -> None:
    drawn = walk(3)
    run(write_film(tmp_path / "in.mp4", drawn), tmp_path / "out.mp4", ParseOptions(), numbers=True)
    image = read_film(tmp_path / "out.mp4")[0][1].astype(int)
    changed = np.abs(image - drawn[1]).max(axis=2) > 60
    assert changed[35:55, 15:30].mean() > 0.5  # the red one's shirt
    assert changed[10:29, 10:40].any()  # the number above
    assert changed[100:].mean() < 0.02


@pytest.mark.parametrize(
    ("audio", "name", "kept", "how"),
    [
        ("aac", "out.mp4", "aac", "copied"),
        ("aac", "out.mkv", "aac", "copied"),
        ("libopus", "out.webm", "opus", "copied"),
        ("libmp3lame", "out.mp4", "mp3", "copied"),
        ("aac", "out.webm", "opus", "encoded as opus, as a webm file holds no aac"),
        ("pcm_s16le", "out.mp4", "aac", "encoded as aac, as a mp4 file holds no pcm_s16le"),
    ],
)
def test_the_sound_is_copied_or_else_encoded(tmp_path: Path, audio: str, name: str, kept: str, how: str) -> None:
    path = write_film(tmp_path / "in.mkv", walk(20), audio=audio, offset_s=0.5)
    _, _, said = run(path, tmp_path / name)
    assert said == how
    assert audio_codec(tmp_path / name) == kept
    before, after = packets_of(path), packets_of(tmp_path / name)
    if how == "copied":
        assert [data for _, data in after] == [data for _, data in before]
        assert after[5][0] == pytest.approx(before[5][0] - before[0][0] + after[0][0], abs=0.01)
    assert after[-1][0] - after[0][0] == pytest.approx(2.0, abs=0.15)
    assert after[0][0] == pytest.approx(0, abs=0.1)


def test_no_sound_where_none_is_wanted_or_there(tmp_path: Path) -> None:
    path = write_film(tmp_path / "in.mkv", walk(3), audio="aac")
    assert run(path, tmp_path / "a.mp4", sound=False)[2] == "none"
    assert audio_codec(tmp_path / "a.mp4") is None
    assert run(write_film(tmp_path / "silent.mp4", walk(3)), tmp_path / "b.mp4")[2] == "none"


def test_few_frames_keep_the_whole_sound(tmp_path: Path) -> None:
    path = write_film(tmp_path / "in.mkv", walk(20), audio="aac")
    done, _, _ = run(path, tmp_path / "out.mp4", every=7)
    assert done.done == 3
    assert packets_of(tmp_path / "out.mp4")[-1][0] == pytest.approx(packets_of(path)[-1][0], abs=0.05)


def test_odd_sides_get_one_pixel_more_and_data_speaks_of_the_true_ones(tmp_path: Path) -> None:
    path = write_film(tmp_path / "in.mp4", walk(2, (121, 201)))
    _, rows, _ = run(path, tmp_path / "out.mp4")
    assert rows[0]["image"] == {"width": 201, "height": 121}
    assert read_film(tmp_path / "out.mp4")[0][0].shape == (122, 202, 3)


class Endless:
    """Frames without end; `made` counts them."""

    def __init__(self, lossy: bool = False) -> None:
        self.lossy, self.made = lossy, 0

    def items(self) -> Iterator[Frame]:
        image = walk(1)[0]
        while True:
            self.made += 1
            yield Frame(image, self.made * 100, self.made / RATE)


def make_sink(path: Path) -> Sink:
    return Sink(path, "mp4", Fraction(RATE), Fraction(1, 1000))


def test_what_was_parsed_when_it_is_stopped_is_a_film_that_plays(tmp_path: Path) -> None:
    sink, data, told = make_sink(tmp_path / "out.mp4"), BytesIO(), []
    done = convert(Endless(), parse, PLAIN, sink=sink, data=data, tell=told.append, stopping=lambda: len(told) >= 7)
    sink.close()
    assert done.done == 7
    assert len(read_film(tmp_path / "out.mp4")[0]) == len(data.getvalue().splitlines()) == 7
    assert no_threads()


def no_threads() -> bool:
    return not [thread for thread in threading.enumerate() if thread.name.startswith("video-")]


def test_queues_are_short_where_the_parser_is_slow() -> None:
    source, enough = Endless(), []
    convert(source, parse, PLAIN, data=BytesIO(), tell=enough.append, stopping=lambda: len(enough) >= 3)
    assert source.made <= 3 + QUEUE + 3


def test_a_source_that_does_not_wait_loses_frames_and_no_time() -> None:
    source, ready, seen = Endless(lossy=True), threading.Event(), []

    def slow(image: NDArray[np.uint8]) -> Parsing:
        before = source.made
        while source.made < before + 5:
            ready.wait(0.001)
        seen.append(source.made)
        return parse(image)

    done = convert(source, slow, PLAIN, data=BytesIO(), stopping=lambda: len(seen) >= 4)
    assert done.done == 4
    assert done.dropped >= 12
    assert no_threads()


@pytest.mark.parametrize("where", ["source", "parser", "sink", "data"])
def test_whatever_fails_is_raised_and_every_thread_ends(
    tmp_path: Path, where: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Failing(Endless):
        def items(self) -> Iterator[Frame]:
            yield next(super().items())
            raise ParserError("of source")

    def fail(*_: Any) -> Any:
        raise {"parser": ParserError, "sink": StorageError, "data": OSError}[where](f"of {where}")

    sink, data = make_sink(tmp_path / "x.mp4"), BytesIO()
    if where == "sink":
        monkeypatch.setattr(sink, "write", fail)
    full: Any = SimpleNamespace(write=fail) if where == "data" else data
    source = Failing() if where == "source" else Endless()
    with pytest.raises((ParserError, OSError, StorageError), match=f"of {where}"):
        convert(source, fail if where == "parser" else parse, PLAIN, sink=sink, data=full)
    assert no_threads()


def test_files_that_cannot_be_written_are_said(tmp_path: Path) -> None:
    with pytest.raises(InvalidOption, match=r"\.mp4"):
        format_of(tmp_path / "out.gif")
    with pytest.raises(StorageError):
        make_sink(tmp_path / "no" / "such" / "folder.mp4").write(walk(1)[0], 0)
