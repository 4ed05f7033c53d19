"""What is done beside the work: dead workers, the broker, expiry, notices."""

from __future__ import annotations

import json
import os
import time
from dataclasses import replace

from humanparse.jobs import changes
from humanparse.jobs.files import ORPHAN_AGE_S
from humanparse.jobs.records import FAILED, QUEUED, RUNNING, TRIES, Job, new_id
from tests.jobs.conftest import Parts

URL = "https://example.org/told"


def die(parts: Parts) -> Job:
    """A worker takes the next job, writes something, and is never heard of again."""
    job = parts.claim()
    parts.files.write_result(job.id, job.token, [b"half a res"])
    parts.store.update(job.id, lambda job: replace(job, lease_until=time.time() - 1))
    return job


def test_a_dead_workers_job_is_put_back_and_announced(parts: Parts) -> None:
    job = parts.submit(b"x")
    dead = die(parts)
    parts.caretaker.look()
    found = parts.desk.get(job.id)
    assert (found.state, found.attempts) == (QUEUED, 1)
    assert parts.announced == [job.id, job.id]
    assert not parts.files.result_path(job.id, dead.token).exists()
    alive = parts.claim()
    parts.caretaker.look()
    assert parts.desk.get(job.id) == alive


def test_a_job_that_kills_its_workers_fails(parts: Parts) -> None:
    job = parts.submit(b"x")
    for _ in range(TRIES):
        assert parts.desk.get(job.id).state == QUEUED
        die(parts)
        parts.caretaker.look()
    found = parts.desk.get(job.id)
    assert found.state == FAILED
    assert found.problem is not None
    assert (found.problem["code"], found.problem["request_id"]) == ("job_abandoned", "the-request")
    assert list((parts.settings.jobs_dir / job.id).iterdir()) == []


def test_a_broker_that_was_not_told_or_lost_the_message_is_told(parts: Parts) -> None:
    fresh, untold, lost, told = (parts.submit(b"x") for _ in range(4))
    old = time.time() - parts.settings.job_lease_s - 1
    for job in (untold, lost, told):
        parts.store.update(job.id, lambda job: replace(job, created_at=old))
    parts.store.update(lost.id, changes.mark_sent(old))
    parts.store.update(told.id, changes.mark_sent(time.time()))
    parts.announced.clear()
    parts.caretaker.look()
    assert parts.announced == [untold.id, lost.id]
    assert parts.desk.get(fresh.id).state == QUEUED


def finish(parts: Parts, ended_at: float, size: int, **order: str) -> Job:
    job = parts.submit(b"x", **order)
    claimed = parts.claim()
    parts.files.write_result(job.id, claimed.token, [bytes(size)])
    ended = parts.store.update(job.id, changes.succeed(claimed.token, ended_at, size))
    assert ended is not None
    return ended


def test_old_jobs_go_and_the_oldest_where_all_are_too_large(parts: Parts) -> None:
    now, half = time.time(), parts.settings.jobs_bytes // 2
    old = [finish(parts, now - parts.settings.job_age_s - 1, 10) for _ in range(21)]  # more than are looked at at once
    large = [finish(parts, now - age, 10) for age in (3, 2, 1)]
    for job in large:
        parts.store.update(job.id, lambda job: replace(job, result_bytes=half))
    waiting = parts.submit(b"x")
    parts.caretaker.expire()
    left = [job.id for job in (*old, *large, waiting) if parts.store.get(job.id)]
    assert left == [large[1].id, large[2].id, waiting.id]
    assert {path.name for path in parts.settings.jobs_dir.iterdir() if path.is_dir()} == set(left)


def test_a_worker_killed_before_it_cleared_up_leaves_no_photo(parts: Parts) -> None:
    ended = [finish(parts, time.time(), 10), finish(parts, time.time(), 10)]
    waiting = parts.submit(b"x")
    assert all((parts.settings.jobs_dir / job.id / "0").exists() for job in ended)
    parts.caretaker.look()
    for job in ended:
        assert [path.name for path in (parts.settings.jobs_dir / job.id).iterdir()] == [f"result-{job.token}"]
    assert (parts.settings.jobs_dir / waiting.id / "0").exists()


def test_folders_of_no_job_go_and_those_of_jobs_stay(parts: Parts) -> None:
    known, orphan = parts.submit(b"x").id, new_id()
    parts.files.keep(orphan, [])
    then = time.time() - ORPHAN_AGE_S - 1
    for id in (known, orphan):
        os.utime(parts.settings.jobs_dir / id, (then, then))
    parts.caretaker.look()
    assert (parts.settings.jobs_dir / known).exists()
    assert not (parts.settings.jobs_dir / orphan).exists()


def test_whoever_asked_is_told_once(parts: Parts) -> None:
    job = finish(parts, time.time(), 1, callback_url=URL)
    finish(parts, time.time(), 1)
    parts.caretaker.call_back()
    parts.caretaker.call_back()
    ((url, id, body),) = parts.sent
    assert (url, id) == (URL, job.id)
    told = json.loads(body)
    assert (told["type"], told["data"]["id"], told["data"]["state"]) == ("job.succeeded", job.id, "succeeded")
    callback = parts.desk.get(job.id).callback
    assert callback is not None
    assert (callback.delivered, callback.tries) == (True, 1)


def test_a_receiver_that_is_away_is_told_later_and_not_for_ever(parts: Parts) -> None:
    job = finish(parts, time.time(), 1, callback_url=URL)
    parts.receiver_takes = False
    for _ in range(12):
        parts.caretaker.call_back()
        waiting = parts.desk.get(job.id).callback
        assert waiting is not None
        if waiting.due_at is None:
            break
        assert waiting.due_at > time.time() + 5
        parts.store.update(job.id, lambda job: replace(job, callback=replace(job.callback, due_at=0.0)))
    assert len(parts.sent) == 6
    assert {body for _, _, body in parts.sent} == {parts.sent[0][2]}


def test_a_job_that_runs_is_left_alone(parts: Parts) -> None:
    job = parts.submit(b"x", callback_url=URL)
    parts.claim()
    parts.caretaker.call_back()
    assert (parts.desk.get(job.id).state, parts.sent) == (RUNNING, [])
