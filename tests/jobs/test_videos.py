"""A video as a job: from one end to the other, stopped in the middle, and in whatever state it comes."""

from __future__ import annotations

import json
import signal
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import psutil
import pytest
from numpy.typing import NDArray

from humanparse.config import Settings
from humanparse.errors import Busy, NotFound, ParserError
from humanparse.jobs import changes, records
from humanparse.jobs.records import CANCELLED, FAILED, QUEUED, SUCCEEDED, VIDEO, Job
from humanparse.jobs.sqlite_store import SqliteStore
from humanparse.options import ParseOptions
from humanparse.pipeline import Pipeline
from humanparse.records import Parsing
from humanparse.video.options import VideoOptions
from tests.jobs.conftest import Parts
from tests.video.crowds import ColourParser
from tests.video.films import audio_codec, read_film, walk, write_film

COUNT = 12


class Hooked(Pipeline):
    """Finds coloured shirts; does something before each frame."""

    def __init__(self, settings: Settings) -> None:
        super().__init__(settings, lambda name, own: ColourParser(own))
        self.frames, self.before = 0, lambda: None

    def parse_frame(self, image: NDArray[np.uint8], options: ParseOptions) -> Parsing:
        self.frames += 1
        self.before()
        return super().parse_frame(image, options)


@pytest.fixture(params=["thread", "process"])
def settings(request: pytest.FixtureRequest, settings: Settings) -> Settings:
    """Both ways to decode: all that follows holds for either."""
    return replace(settings, decode=request.param)


@pytest.fixture
def hooked(settings: Settings) -> Hooked:
    return Hooked(settings)


@pytest.fixture
def parts(settings: Settings, hooked: Hooked) -> Parts:
    return Parts(settings, SqliteStore(settings.jobs_dir), hooked)


@pytest.fixture(scope="module")
def film(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    return write_film(tmp_path_factory.mktemp("film") / "in.mp4", walk(COUNT), audio="aac").read_bytes()


def submit(parts: Parts, data: bytes, format: str = "mp4", **options: Any) -> Job:
    order = {"kind": VIDEO, "format": format, "names": ("in.mp4",), "total": COUNT, "video": VideoOptions(**options)}
    return parts.submit(data, **order)


def work(parts: Parts) -> Job:
    job = parts.claim()
    parts.worker.run(job)
    return parts.desk.get(job.id)


def files_of(parts: Parts, job: Job) -> set[str]:
    return {path.name for path in (parts.settings.jobs_dir / job.id).iterdir()}


@pytest.mark.parametrize("format", ["mp4", "webm"])
def test_a_video_gives_a_film_and_its_data_and_goes(parts: Parts, film: bytes, format: str) -> None:
    submit(parts, film, format)
    job = work(parts)
    assert (job.state, job.done, job.failed) == (SUCCEEDED, COUNT, 0)
    assert files_of(parts, job) == {f"result-{job.token}", f"data-{job.token}"}
    _, path = parts.desk.result(job.id)
    _, data = parts.desk.data(job.id)
    assert path is not None
    assert job.result_bytes == path.stat().st_size + data.stat().st_size
    rows = [json.loads(line) for line in data.read_text().splitlines()]
    assert [{person["id"] for person in row["people"]} for row in rows] == [{1, 2}] * COUNT
    assert len(read_film(path)[0]) == COUNT
    assert audio_codec(path) == {"mp4": "aac", "webm": "opus"}[format]
    parts.desk.remove(job.id)
    assert not path.exists() and not data.exists()


def test_the_order_survives_the_store(parts: Parts, film: bytes) -> None:
    job = submit(parts, film, every=3, fps=2.5, numbers=False)
    found = parts.store.get(job.id)
    assert found == job
    assert found.order.video == VideoOptions(every=3, fps=2.5, numbers=False)
    assert records.Job.from_json(replace(job, order=replace(job.order, video=None)).to_json()).order.video is None


def test_orders_from_before_there_were_videos_are_read(parts: Parts, photo: bytes) -> None:
    plain = json.loads(parts.submit(photo).to_json())
    del plain["order"]["video"]
    assert Job.from_json(json.dumps(plain)).order.video is None


def test_it_is_cancelled_between_two_frames_and_nothing_is_left(
    parts: Parts, hooked: Hooked, film: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("humanparse.jobs.worker.TELL_S", 0.0)
    job = submit(parts, film)

    def cancel() -> None:
        if hooked.frames == 4:
            parts.desk.cancel(job.id)

    hooked.before = cancel
    assert work(parts).state == CANCELLED
    assert hooked.frames < COUNT
    assert files_of(parts, job) == set()


def test_a_worker_that_has_to_stop_puts_it_back_and_the_next_begins_it_again(
    parts: Parts, hooked: Hooked, film: bytes
) -> None:
    job = submit(parts, film)

    def stop() -> None:
        if hooked.frames == 3:
            parts.worker.stopping.set()

    hooked.before = stop
    parts.worker.run(parts.claim())
    back = parts.desk.get(job.id)
    assert (back.state, back.done, back.attempts) == (QUEUED, 0, 0)
    assert files_of(parts, job) == {"0"}
    parts.worker.stopping.clear()
    assert work(parts).state == SUCCEEDED
    assert hooked.frames == 3 + COUNT


def test_one_whose_worker_died_is_begun_again_and_the_dead_ones_files_go(parts: Parts, film: bytes) -> None:
    job = submit(parts, film)
    dead = parts.claim()
    (parts.settings.jobs_dir / job.id / f"result-{dead.token}").write_bytes(b"half a film")
    (parts.settings.jobs_dir / job.id / f"data-{dead.token}").write_bytes(b"half its data")
    parts.store.update(job.id, lambda found: replace(found, lease_until=1.0))
    parts.caretaker.look()
    assert files_of(parts, job) == {"0"}
    ended = work(parts)
    assert (ended.state, ended.attempts) == (SUCCEEDED, 2)
    assert len(files_of(parts, ended)) == 2


def test_a_parser_that_is_busy_is_asked_again(parts: Parts, hooked: Hooked, film: bytes) -> None:
    submit(parts, film)

    def sometimes() -> None:
        if hooked.frames % 5 == 0:
            raise Busy("full", retry_after_s=0)

    hooked.before = sometimes
    assert work(parts).state == SUCCEEDED
    assert hooked.frames > COUNT


def broken(film: bytes) -> dict[str, bytes]:
    return {"text": b"no video" * 100, "cut short": film[: len(film) // 3], "empty": b""}


@pytest.mark.parametrize(
    ("kind", "code"),
    [("text", "unsupported_format"), ("cut short", "unreadable_video"), ("empty", "unsupported_format")],
)
def test_what_is_no_video_fails_with_its_reason(parts: Parts, film: bytes, kind: str, code: str) -> None:
    submit(parts, broken(film)[kind])
    job = work(parts)
    assert (job.state, (job.problem or {})["code"]) == (FAILED, code)
    assert files_of(parts, job) == set()


@pytest.mark.parametrize(
    ("limits", "code"),
    [
        ({"video_frames": COUNT - 1}, "video_too_long"),
        ({"video_s": 0.5}, "video_too_long"),
        ({"video_pixels": 2000}, "too_many_pixels"),
        ({"video_result_bytes": 1024}, "too_many_bytes"),
    ],
)
def test_limits_hold_whoever_accepted_it(settings: Settings, film: bytes, limits: dict[str, Any], code: str) -> None:
    own = replace(settings, **limits)
    parts = Parts(own, SqliteStore(own.jobs_dir), Hooked(own))
    submit(parts, film)
    job = work(parts)
    assert (job.state, (job.problem or {})["code"]) == (FAILED, code)
    assert files_of(parts, job) == set()


def test_a_parser_that_fails_fails_the_job(parts: Parts, hooked: Hooked, film: bytes) -> None:
    def fail() -> None:
        raise ParserError("no network today")

    hooked.before = fail
    submit(parts, film)
    job = work(parts)
    assert (job.problem or {})["code"] == "parser_failed"
    with pytest.raises(NotFound):
        parts.desk.data(job.id)


def test_progress_is_told_while_it_runs(
    parts: Parts, hooked: Hooked, film: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("humanparse.jobs.worker.TELL_S", 0.0)
    job, seen = submit(parts, film), []
    look: Callable[[], None] = lambda: seen.append(parts.desk.get(job.id).done)  # noqa: E731
    hooked.before = look
    work(parts)
    assert seen == list(range(COUNT))


@pytest.mark.parametrize("settings", ["process"], indirect=True)
def test_a_killed_decoder_fails_its_job_and_no_other(parts: Parts, hooked: Hooked, film: bytes) -> None:
    def kill() -> None:
        if hooked.frames == 3:
            (child,) = [p for p in psutil.Process().children() if "humanparse.video.child" in p.cmdline()]
            child.send_signal(signal.SIGSEGV)

    hooked.before = kill
    submit(parts, film)
    job = work(parts)
    assert (job.state, (job.problem or {})["code"], job.attempts) == (FAILED, "unreadable_video", 1)
    assert files_of(parts, job) == set()
    submit(parts, film)
    assert work(parts).state == SUCCEEDED


def test_jobs_of_photos_have_no_data(parts: Parts, photo: bytes) -> None:
    job = parts.submit(photo)
    parts.store.update(job.id, changes.claim(0, 100, "t"))
    parts.files.write_result(job.id, "t", [b"{}"])
    parts.store.update(job.id, changes.succeed("t", 1e12, 2))
    with pytest.raises(NotFound):
        parts.desk.data(job.id)
