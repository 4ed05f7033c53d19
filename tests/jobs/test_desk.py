"""Handing in and asking for: room, keys, cancelling, results, expiry."""

from __future__ import annotations

import time
from dataclasses import replace
from io import BytesIO
from typing import Any

import pytest

from humanparse.config import Settings
from humanparse.errors import JobCancelled, JobExpired, JobUnfinished, KeyReused, QueueFull, StorageError
from humanparse.jobs import changes
from humanparse.jobs.records import CANCELLED, QUEUED, RUNNING, new_id
from humanparse.jobs.sqlite_store import SqliteStore
from humanparse.options import ParseOptions
from humanparse.pipeline import Pipeline
from tests.jobs.conftest import ORDER, Parts


def with_settings(parts: Parts, pipeline: Pipeline, **changes: Any) -> Parts:
    return Parts(replace(parts.settings, **changes), parts.store, pipeline)


def folders(parts: Parts) -> list[str]:
    return [path.name for path in parts.settings.jobs_dir.iterdir() if path.is_dir()]


def test_a_job_is_kept_and_announced(parts: Parts) -> None:
    job = parts.submit(b"one", b"two")
    assert parts.announced == [job.id]
    assert parts.desk.get(job.id) == job
    assert (job.state, job.upload_bytes, parts.desk.place(job)) == (QUEUED, 6, 1)
    assert parts.desk.expires_at(job) is None


def test_a_full_line_refuses_before_anything_is_written(parts: Parts, pipeline: Pipeline) -> None:
    small = with_settings(parts, pipeline, jobs_queue=1)
    small.submit(b"one")

    class Unread(BytesIO):
        def read(self, size: int | None = -1) -> bytes:
            raise AssertionError(f"it was read, {size} bytes")

    with pytest.raises(QueueFull, match="waiting already"):
        small.desk.submit(ORDER, [Unread()])
    assert len(folders(small)) == 1


def test_too_many_bytes_refuse_and_leave_nothing(settings: Settings, pipeline: Pipeline) -> None:
    parts = Parts(replace(settings, jobs_bytes=1 << 20), SqliteStore(settings.jobs_dir), pipeline)
    parts.submit(bytes(1 << 19))
    with pytest.raises(QueueFull, match="room"):
        parts.submit(bytes((1 << 19) + 1))
    assert len(folders(parts)) == 1


def test_the_time_to_come_back_is_what_a_job_takes(parts: Parts, pipeline: Pipeline) -> None:
    small = with_settings(parts, pipeline, jobs_queue=1)
    for span in (4.0, 8.0):
        job = small.submit(b"x")
        small.store.update(job.id, changes.claim(100, 10, "t"))
        small.store.update(job.id, changes.succeed("t", 100 + span, 1))
    small.submit(b"x")
    with pytest.raises(QueueFull) as caught:
        small.submit(b"x")
    assert caught.value.retry_after_s == 6
    assert "in 6 s" in caught.value.message
    for _ in range(2):  # two at work at once: a place comes free twice as often
        (first,) = small.store.queued()
        small.store.update(first.id, changes.claim(time.time(), 10, "t"))
        small.submit(b"x")
    with pytest.raises(QueueFull) as caught:
        small.submit(b"x")
    assert caught.value.retry_after_s == 3


def test_a_key_gives_the_same_job_for_the_same_request_only(parts: Parts) -> None:
    def submit(data: bytes, key: str = "key", **changes: Any) -> str:
        return parts.desk.submit(replace(ORDER, **changes), [BytesIO(data)], key).id

    first = submit(b"one")
    assert submit(b"one", request_id="another") == first
    for differing in (
        lambda: submit(b"two"),
        lambda: submit(b"one", names=("b.jpg",)),
        lambda: submit(b"one", format="coco"),
        lambda: submit(b"one", options=ParseOptions(overlay="none", alpha=0.1)),
        lambda: submit(b"one", callback_url="https://example.org"),
    ):
        with pytest.raises(KeyReused):
            differing()
    assert folders(parts) == [first]
    assert parts.announced == [first]
    assert submit(b"one", key="other") != first
    assert parts.store.find_key("key") is None  # only its hash is kept


def test_a_key_that_is_known_needs_no_room(parts: Parts, pipeline: Pipeline) -> None:
    small = with_settings(parts, pipeline, jobs_queue=1)
    first = small.desk.submit(ORDER, [BytesIO(b"x")], "key")
    assert small.desk.submit(ORDER, [BytesIO(b"x")], "key").id == first.id


def test_a_store_that_fails_leaves_no_files(parts: Parts, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object) -> None:
        raise StorageError("no")

    monkeypatch.setattr(parts.store, "add", fail)
    with pytest.raises(StorageError):
        parts.submit(b"x")
    assert folders(parts) == []


def test_cancelling_a_queued_job_ends_it_and_drops_its_photo(parts: Parts) -> None:
    job = parts.submit(b"x")
    assert parts.desk.cancel(job.id).state == CANCELLED
    assert list((parts.settings.jobs_dir / job.id).iterdir()) == []
    assert parts.desk.cancel(job.id).state == CANCELLED
    with pytest.raises(JobCancelled):
        parts.desk.result(job.id)
    assert parts.worker.claim_next() is None


def test_removing_cancels_first_and_forgets_then(parts: Parts) -> None:
    job = parts.submit(b"x")
    parts.claim()
    with pytest.raises(JobUnfinished, match="running"):
        parts.desk.result(job.id)
    told = parts.desk.remove(job.id)
    assert told is not None
    assert (told.state, told.cancelling) == (RUNNING, True)
    parts.store.update(job.id, changes.stop_cancelled(told.token, time.time()))
    assert parts.desk.remove(job.id) is None
    assert folders(parts) == []
    for step in (parts.desk.get, parts.desk.cancel, parts.desk.remove, parts.desk.result):
        with pytest.raises(JobExpired):
            step(job.id)


def test_a_result_is_the_one_that_was_published(parts: Parts, photo: bytes) -> None:
    job = parts.submit(photo)
    parts.worker.run(parts.claim())
    parts.files.write_result(job.id, "other", [b"of a worker that was too late"])
    ended, path = parts.desk.result(job.id)
    assert path is not None
    assert path.stat().st_size == ended.result_bytes
    path.unlink()
    with pytest.raises(JobExpired):
        parts.desk.result(job.id)


def test_an_old_job_is_gone_before_it_is_removed(parts: Parts, pipeline: Pipeline, photo: bytes) -> None:
    job = parts.submit(photo)
    parts.worker.run(parts.claim())
    young = with_settings(parts, pipeline, job_age_s=1)
    ended = young.desk.get(job.id)
    assert young.desk.expires_at(ended) == pytest.approx(time.time() + 1, abs=1)
    parts.store.update(job.id, lambda job: replace(job, finished_at=time.time() - 2))
    with pytest.raises(JobExpired):
        young.desk.get(job.id)
    assert parts.desk.get(job.id).ended
    with pytest.raises(JobExpired):
        parts.desk.get(new_id())
