"""A job's photos -> its result, and what happens when something comes between."""

from __future__ import annotations

import json
import threading
import time
import zipfile
from dataclasses import replace
from typing import Any

import pytest

from humanparse.config import Settings
from humanparse.errors import Busy, ParserUnavailable, StorageError
from humanparse.gate import Check, always
from humanparse.jobs import changes
from humanparse.jobs.records import CANCELLED, FAILED, QUEUED, RUNNING, SUCCEEDED, Job
from humanparse.jobs.sqlite_store import SqliteStore
from humanparse.options import ParseOptions
from humanparse.pipeline import Answer, Pipeline
from tests.jobs.conftest import Parts


class Hooked(Pipeline):
    """A pipeline that does something before each photo; `photos` counts them."""

    def __init__(self, pipeline: Pipeline) -> None:
        self.pipeline, self.photos = pipeline, 0
        self.before: Any = lambda: None

    def parse(self, data: bytes, options: ParseOptions, check: Check = always) -> Answer:
        self.photos += 1
        self.before()
        return self.pipeline.parse(data, options, check)


@pytest.fixture
def hooked(pipeline: Pipeline) -> Hooked:
    return Hooked(pipeline)


@pytest.fixture
def parts(settings: Settings, hooked: Hooked) -> Parts:
    return Parts(settings, SqliteStore(settings.jobs_dir), hooked)


def work(parts: Parts) -> Job:
    """Run the next job; how it then stands."""
    job = parts.claim()
    parts.worker.run(job)
    found = parts.store.get(job.id)
    assert found is not None
    return found


def files_of(parts: Parts, job: Job) -> set[str]:
    return {path.name for path in (parts.settings.jobs_dir / job.id).iterdir()}


def test_one_photo_gives_its_answer_and_the_photo_goes(parts: Parts, photo: bytes) -> None:
    parts.submit(photo)
    job = work(parts)
    assert (job.state, job.done, job.failed, job.attempts) == (SUCCEEDED, 1, 0, 1)
    assert files_of(parts, job) == {f"result-{job.token}"}
    answer = json.loads(parts.files.result_path(job.id, job.token).read_bytes())
    assert (answer["status"], answer["num_persons"], answer["result_image"]) == ("success", 2, None)


def test_another_format_is_its_file(parts: Parts, photo: bytes) -> None:
    parts.submit(photo, format="coco", names=("me.jpg",))
    job = work(parts)
    coco = json.loads(parts.files.result_path(job.id, job.token).read_bytes())
    assert coco["images"][0]["file_name"] == "me.jpg"


def test_several_photos_fail_each_on_its_own(parts: Parts, photo: bytes) -> None:
    parts.submit(photo, b"no photo", photo)
    job = work(parts)
    assert (job.state, job.done, job.failed) == (SUCCEEDED, 3, 1)
    answer = json.loads(parts.files.result_path(job.id, job.token).read_bytes())
    assert [row["status"] for row in answer["results"]] == ["success", "error", "success"]
    assert answer["results"][1]["problem"]["request_id"] == "the-request"
    parts.submit(photo, photo, format="yolo")
    job = work(parts)
    with zipfile.ZipFile(parts.files.result_path(job.id, job.token)) as bundle:
        assert sorted(bundle.namelist()) == ["0.txt", "1.txt", "results.json"]


def test_one_photo_that_cannot_be_parsed_fails_the_job(parts: Parts) -> None:
    parts.submit(b"no photo")
    job = work(parts)
    assert job.state == FAILED
    assert job.problem is not None
    assert (job.problem["status"], job.problem["code"]) == (415, "unsupported_format")
    assert files_of(parts, job) == set()


def test_the_unforeseen_fails_the_job_and_stays_in_the_log(
    parts: Parts, hooked: Hooked, photo: bytes, caplog: pytest.LogCaptureFixture
) -> None:
    def fail() -> None:
        raise ZeroDivisionError("secret detail")

    hooked.before = fail
    parts.submit(photo)
    job = work(parts)
    assert job.state == FAILED
    assert job.problem is not None
    assert job.problem["code"] == "internal"
    assert "secret detail" not in json.dumps(job.problem)
    assert "secret detail" in caplog.text
    (record,) = [record for record in caplog.records if record.exc_info]
    assert record.__dict__["request_id"] == "the-request"


def test_photos_that_are_gone_fail_the_job(parts: Parts) -> None:
    job = parts.submit(b"x")
    parts.files.drop_uploads(job.id)
    assert work(parts).state == FAILED


def test_a_full_line_is_waited_for(parts: Parts, hooked: Hooked, photo: bytes) -> None:
    refusals = iter([Busy("full", retry_after_s=0), Busy("full", retry_after_s=0), None, None])

    def refuse() -> None:
        refusal = next(refusals)
        if refusal:
            raise refusal

    hooked.before = refuse
    parts.submit(photo, photo)
    job = work(parts)
    assert (job.state, job.failed, hooked.photos) == (SUCCEEDED, 0, 4)


def test_a_parser_that_cannot_run_is_an_error_and_not_waited_for(parts: Parts, hooked: Hooked, photo: bytes) -> None:
    def fail() -> None:
        raise ParserUnavailable("no weights")

    hooked.before = fail
    parts.submit(photo)
    problem = work(parts).problem
    assert problem is not None
    assert (problem["code"], problem["status"]) == ("parser_unavailable", 503)


def test_progress_is_seen_while_it_works(parts: Parts, hooked: Hooked, photo: bytes) -> None:
    seen = []
    job = parts.submit(photo, b"no photo", photo)

    def look() -> None:
        found = parts.desk.get(job.id)
        seen.append((found.state, found.done, found.failed))

    hooked.before = look
    work(parts)
    assert seen == [(RUNNING, 0, 0), (RUNNING, 1, 0), (RUNNING, 2, 1)]


def test_a_running_job_is_cancelled_between_two_photos(parts: Parts, hooked: Hooked, photo: bytes) -> None:
    job = parts.submit(photo, photo, photo)
    hooked.before = lambda: parts.desk.cancel(job.id) if hooked.photos == 2 else None
    ended = work(parts)
    assert (ended.state, hooked.photos) == (CANCELLED, 2)
    assert files_of(parts, job) == set()


def test_a_service_that_stops_puts_the_job_back(parts: Parts, hooked: Hooked, photo: bytes) -> None:
    job = parts.submit(photo, photo)
    hooked.before = parts.worker.stopping.set
    put_back = work(parts)
    assert (put_back.state, put_back.attempts, put_back.done, hooked.photos) == (QUEUED, 0, 0, 1)
    assert files_of(parts, job) == {"0", "1"}
    parts.worker.stopping.clear()
    hooked.before = lambda: None
    assert work(parts).state == SUCCEEDED


def test_a_worker_that_was_taken_for_dead_is_not_heard(parts: Parts, hooked: Hooked, photo: bytes) -> None:
    job = parts.submit(photo, photo)
    other: list[Job] = []

    def take_over() -> None:
        if hooked.photos == 1:
            parts.store.update(job.id, lambda job: replace(job, lease_until=0.0))
            parts.store.update(job.id, changes.take_back(time.time(), {}))
            other.append(parts.claim())

    hooked.before = take_over
    late = work(parts)
    assert hooked.photos == 1  # it heard, and left off
    assert (late.state, late.token) == (RUNNING, other[0].token)
    assert files_of(parts, job) == {"0", "1"}
    parts.worker.run(other[0])
    ended = parts.desk.get(job.id)
    assert (ended.state, ended.token, ended.attempts) == (SUCCEEDED, other[0].token, 2)
    assert files_of(parts, job) == {f"result-{other[0].token}"}


def test_a_photo_that_takes_longer_than_the_lease_keeps_it(settings: Settings, hooked: Hooked, photo: bytes) -> None:
    parts = Parts(replace(settings, job_lease_s=0.2), SqliteStore(settings.jobs_dir), hooked)
    job = parts.submit(photo)
    renewed = threading.Event()
    first: list[float] = []

    def wait_for_a_sign_of_life() -> None:
        lease = parts.desk.get(job.id).lease_until
        while parts.desk.get(job.id).lease_until == lease:
            time.sleep(0.01)
        first.append(lease)
        renewed.set()

    hooked.before = wait_for_a_sign_of_life
    assert work(parts).state == SUCCEEDED
    assert renewed.is_set()


def test_a_store_that_is_away_for_a_while_costs_nothing(
    parts: Parts, photo: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    parts.submit(photo, photo)
    update = parts.store.update
    calls = []

    def moody(id: str, change: changes.Change) -> Job | None:
        calls.append(id)
        if len(calls) == 2:  # the first photo's report
            raise StorageError("away")
        return update(id, change)

    monkeypatch.setattr(parts.store, "update", moody)
    job = work(parts)
    assert (job.state, job.done) == (SUCCEEDED, 2)
