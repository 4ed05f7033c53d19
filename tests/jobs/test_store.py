"""The contract of stores, held by both: atomic, bounded, in order."""

from __future__ import annotations

import sqlite3
import threading
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from dataclasses import replace
from multiprocessing import get_context
from pathlib import Path

import pytest

from humanparse.errors import QueueFull, StorageError
from humanparse.jobs import changes, records
from humanparse.jobs.records import QUEUED, RUNNING, Callback, Job
from humanparse.jobs.redis_store import RedisStore
from humanparse.jobs.sqlite_store import FILE, SqliteStore
from humanparse.jobs.store import Load, Store
from tests.jobs.conftest import ORDER, make_job

MANY, ROOMY = 1000, 10**9


def add(store: Store, **changes: object) -> Job:
    return store.add(make_job(**changes), MANY, ROOMY)


def run(store: Store, job: Job, now: float = 200.0, token: str = "t") -> Job:
    claimed = store.update(job.id, changes.claim(now, 10, token))
    assert claimed is not None
    return claimed


def end(store: Store, job: Job, now: float) -> Job:
    ended = store.update(run(store, job).id, changes.succeed("t", now, 5))
    assert ended is not None
    return ended


def test_what_is_added_is_there_and_nothing_else_is(store: Store) -> None:
    job = add(store)
    assert store.get(job.id) == job
    assert store.get(records.new_id()) is None
    assert store.update(records.new_id(), changes.cancel(1)) is None
    assert store.find_key("k") is None


def test_a_job_goes_through_the_sets_of_its_states(store: Store) -> None:
    job = add(store)
    assert (store.queued(), store.place(job), store.load()) == ([job], 1, Load(1, 0, 10, 0))
    running = run(store, job)
    assert (store.queued(), store.place(job), store.load()) == ([], 0, Load(0, 1, 10, 0))
    assert store.dropped(210) == []
    assert store.dropped(210.1) == [running]
    ended = store.update(job.id, changes.succeed("t", 205, 7))
    assert ended is not None
    assert (store.latest(9), store.load(), store.dropped(999)) == ([ended], Load(0, 0, 0, 7), [])
    store.remove(job.id)
    assert (store.get(job.id), store.latest(9), store.load()) == (None, [], Load(0, 0, 0, 0))
    store.remove(job.id)


def test_the_line_is_in_order_and_a_job_put_back_is_in_its_old_place(store: Store) -> None:
    jobs = [add(store, created_at=100.0 + place) for place in range(4)]
    assert [store.place(job) for job in jobs] == [1, 2, 3, 4]
    run(store, jobs[0])
    run(store, jobs[1])
    assert [store.place(job) for job in jobs] == [0, 0, 1, 2]
    store.update(jobs[0].id, changes.release("t", 201))
    assert [job.id for job in store.queued()] == [jobs[place].id for place in (0, 2, 3)]
    assert store.load() == Load(3, 1, 40, 0)


def test_ended_jobs_come_latest_first(store: Store) -> None:
    jobs = [add(store) for _ in range(3)]
    for job, now in zip(jobs, (205, 207, 206), strict=True):
        end(store, job, now)
    assert [job.id for job in store.latest(9)] == [jobs[place].id for place in (1, 2, 0)]
    assert [job.id for job in store.latest(1)] == [jobs[1].id]
    assert [job.id for job in store.oldest()] == [jobs[place].id for place in (0, 2, 1)]
    store.update(jobs[1].id, changes.deliver_callback)
    assert store.load() == Load(0, 0, 0, 15)  # a change after the end counts nothing twice


def test_limits_hold_for_what_waits(store: Store) -> None:
    first = store.add(make_job(), 2, 25)
    store.add(make_job(), 2, 25)
    with pytest.raises(QueueFull, match="waiting already"):
        store.add(make_job(), 2, 25)
    with pytest.raises(QueueFull, match="room"):
        store.add(make_job(), 3, 25)
    run(store, first)
    with pytest.raises(QueueFull, match="room"):  # what runs still has its upload
        store.add(make_job(), 2, 25)
    store.update(first.id, changes.succeed("t", 205, 10**12))
    assert store.add(make_job(), 2, 25).state == QUEUED


def test_a_key_belongs_to_one_job_until_that_is_gone(store: Store) -> None:
    job = add(store, key="k", fingerprint="f")
    assert add(store, key="k", fingerprint="other") == job
    assert store.add(make_job(key="k"), 0, 0) == job  # no place is needed for what is there
    assert store.find_key("k") == job
    end(store, job, 205)
    assert add(store, key="k").id == job.id
    store.remove(job.id)
    assert store.find_key("k") is None
    assert add(store, key="k").id != job.id
    assert add(store).id != add(store).id  # no key is nobody's


def test_notices_are_found_when_due_and_not_after(store: Store) -> None:
    job = add(store, order=replace(ORDER, callback_url="https://example.org/"))
    end(store, job, 205)
    assert store.due_callbacks(204) == []
    assert [due.id for due in store.due_callbacks(205)] == [job.id]
    store.update(job.id, changes.try_callback(205, (10,)))
    assert store.due_callbacks(214) == []
    assert [due.callback for due in store.due_callbacks(215)] == [Callback(1, 215, False)]
    store.update(job.id, changes.deliver_callback)
    assert store.due_callbacks(999) == []
    again = add(store, order=replace(ORDER, callback_url="https://example.org/"))
    end(store, again, 205)
    store.remove(again.id)
    assert store.due_callbacks(999) == []


def test_of_many_who_claim_one_job_one_gets_it(store: Store) -> None:
    jobs = [add(store) for _ in range(12)]
    barrier = threading.Barrier(6)

    def claim_all(token: str) -> list[str]:
        barrier.wait()
        return [job.id for job in jobs if store.update(job.id, changes.claim(200, 10, token))]

    with ThreadPoolExecutor(6) as pool:
        taken = [id for ids in pool.map(claim_all, "abcdef") for id in ids]
    assert sorted(taken) == sorted(job.id for job in jobs)
    assert store.load() == Load(0, 12, 120, 0)


def test_of_many_who_bring_one_key_one_is_first(store: Store) -> None:
    with ThreadPoolExecutor(6) as pool:
        kept = set(pool.map(lambda _: add(store, key="k").id, range(12)))
    assert len(kept) == 1
    assert store.load() == Load(1, 0, 10, 0)


def fill(folder: Path) -> int:
    """In a process of its own: make a store and add to it."""
    store = SqliteStore(folder)
    return sum(store.add(make_job(), MANY, ROOMY).state == QUEUED for _ in range(5))


def test_processes_may_all_be_the_first(tmp_path: Path) -> None:
    with ProcessPoolExecutor(3, mp_context=get_context("spawn")) as pool:
        assert list(pool.map(fill, [tmp_path / "new"] * 3)) == [5] * 3
    assert SqliteStore(tmp_path / "new").load().queued == 15


def test_jobs_are_there_after_a_restart(tmp_path: Path) -> None:
    job = add(SqliteStore(tmp_path))
    assert SqliteStore(tmp_path).queued() == [job]


def test_what_is_accepted_is_on_the_disk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[str] = []
    connect = sqlite3.connect

    def spy(*args: object, **options: object) -> sqlite3.Connection:
        db = connect(*args, **options)  # type: ignore[call-overload]
        db.set_trace_callback(seen.append)
        return db  # type: ignore[no-any-return]

    monkeypatch.setattr("humanparse.jobs.sqlite_store.sqlite3.connect", spy)
    add(SqliteStore(tmp_path))
    assert seen.index("PRAGMA synchronous = FULL") < seen.index("BEGIN IMMEDIATE") < seen.index("COMMIT")


def test_a_store_that_cannot_be_used_is_an_error_of_ours(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    (tmp_path / FILE).write_bytes(b"no database" * 1000)
    for store in (SqliteStore(tmp_path / "file"), SqliteStore(tmp_path), RedisStore("redis://127.0.0.1:9/0")):
        with pytest.raises(StorageError):
            store.get("x")
        with pytest.raises(StorageError):
            store.add(make_job(), MANY, ROOMY)


def test_a_running_job_stays_running_through_reports(store: Store) -> None:
    job = run(store, add(store))
    told = store.update(job.id, changes.report("t", 500, 1, 0))
    assert told is not None
    assert (told.state, told.done, store.dropped(499)) == (RUNNING, 1, [])
    assert store.load() == Load(0, 1, 10, 0)


def test_jobs_are_counted_by_state(store: Store) -> None:
    assert store.counts() == dict.fromkeys(records.STATES, 0)
    waiting, running, done, failed, cancelled, gone = (add(store) for _ in range(6))
    run(store, running)
    end(store, done, 300.0)
    run(store, failed)
    store.update(failed.id, changes.fail("t", 301.0, {"code": "internal"}))
    store.update(cancelled.id, changes.cancel(302.0))
    end(store, gone, 303.0)
    store.remove(gone.id)
    assert store.counts() == {"queued": 1, "running": 1, "succeeded": 1, "failed": 1, "cancelled": 1}
    assert store.get(waiting.id) is not None
    store.update(running.id, changes.release("t", 304.0))
    assert store.counts()["queued"] == 2
