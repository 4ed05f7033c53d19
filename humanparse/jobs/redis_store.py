"""Jobs in Redis, shared by any number of machines.

Each change watches what it read and is made again where another was faster (WATCH, MULTI, EXEC).
What is accepted is as durable as that Redis is: give it `appendonly yes`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, Final

import redis

from humanparse.errors import StorageError
from humanparse.jobs.changes import Change
from humanparse.jobs.records import QUEUED, RUNNING, STATES, Job
from humanparse.jobs.store import Load, Store, check_room

PREFIX: Final = "humanparse:jobs:"
QUEUE, LEASES, ENDED, CALLBACKS = (PREFIX + name for name in ("queued", "running", "ended", "callbacks"))  # sorted sets
UPLOADS, RESULTS = PREFIX + "upload-bytes", PREFIX + "result-bytes"  # sums
COUNTS: Final = PREFIX + "counts"  # of jobs, by state
SOME: Final = 20
TIMEOUT_S: Final = 10.0


class RedisStore(Store):
    """See the contract. A job is a JSON text under its id; sorted sets hold the ids by state."""

    def __init__(self, url: str) -> None:
        # Any: its types are those of the asynchronous client at the same time
        self._redis: Any = redis.Redis.from_url(url, socket_timeout=TIMEOUT_S, socket_connect_timeout=TIMEOUT_S)

    def add(self, job: Job, max_queued: int, max_bytes: int) -> Job:
        def put(transaction: Any) -> Job:
            known = transaction.get(_key(job.key)) if job.key else None
            if known and (found := transaction.get(_id(known.decode()))):
                return Job.from_json(found)
            check_room(_load(transaction), job.upload_bytes, max_queued, max_bytes)
            transaction.multi()
            if job.key:
                transaction.set(_key(job.key), job.id)
            transaction.zadd(QUEUE, {job.id: job.created_at})
            transaction.incrby(UPLOADS, job.upload_bytes)
            transaction.hincrby(COUNTS, job.state, 1)
            transaction.set(_id(job.id), job.to_json())
            return job

        stored: Job = self._transact(put, _key(job.key), QUEUE, UPLOADS)
        return stored

    def get(self, id: str) -> Job | None:
        with _reaching():
            text = self._redis.get(_id(id))
        return Job.from_json(text) if text else None

    def find_key(self, key: str) -> Job | None:
        with _reaching():
            id = self._redis.get(_key(key))
        return self.get(id.decode()) if id else None

    def update(self, id: str, change: Change) -> Job | None:
        def put(transaction: Any) -> Job | None:
            text = transaction.get(_id(id))
            old = Job.from_json(text) if text else None
            new = change(old) if old else None
            transaction.multi()
            if old and new:
                _move(transaction, old, new)
            return new

        changed: Job | None = self._transact(put, _id(id))
        return changed

    def remove(self, id: str) -> None:
        def put(transaction: Any) -> None:
            text = transaction.get(_id(id))
            transaction.multi()
            if text:
                job = Job.from_json(text)
                _leave(transaction, job)
                transaction.delete(_id(id))
                transaction.zrem(CALLBACKS, id)
                if job.key:
                    transaction.delete(_key(job.key))

        self._transact(put, _id(id))

    def queued(self) -> list[Job]:
        with _reaching():
            ids = self._redis.zrange(QUEUE, 0, SOME - 1)
        return self._jobs(ids)

    def dropped(self, now: float) -> list[Job]:
        with _reaching():
            ids = self._redis.zrangebyscore(LEASES, "-inf", f"({now}", 0, SOME)
        return self._jobs(ids)

    def latest(self, most: int) -> list[Job]:
        with _reaching():
            ids = self._redis.zrevrange(ENDED, 0, most - 1)
        return self._jobs(ids)

    def oldest(self) -> list[Job]:
        with _reaching():
            ids = self._redis.zrange(ENDED, 0, SOME - 1)
        return self._jobs(ids)

    def due_callbacks(self, now: float) -> list[Job]:
        with _reaching():
            ids = self._redis.zrangebyscore(CALLBACKS, "-inf", now, 0, SOME)
        return self._jobs(ids)

    def place(self, job: Job) -> int:
        with _reaching():
            rank = self._redis.zrank(QUEUE, job.id)
        return 0 if rank is None else int(rank) + 1

    def clear(self) -> int:
        with _reaching():
            count = 0
            for key in self._redis.scan_iter(PREFIX + "*", 500):
                count += key.decode().startswith(_id(""))
                self._redis.delete(key)
        return count

    def load(self) -> Load:
        with _reaching():
            return _load(self._redis)

    def counts(self) -> dict[str, int]:
        with _reaching():
            found = self._redis.hgetall(COUNTS)
        return {state: int(found.get(state.encode(), 0)) for state in STATES}

    def _jobs(self, ids: Any) -> list[Job]:
        if not ids:
            return []
        with _reaching():
            texts = self._redis.mget([_id(id.decode()) for id in ids])
        return [Job.from_json(text) for text in texts if text]

    def _transact(self, put: Callable[[Any], Any], *watched: str) -> Any:
        with _reaching():
            return self._redis.transaction(put, *watched, value_from_callable=True)


@contextmanager
def _reaching() -> Iterator[None]:
    try:
        yield
    except redis.RedisError as exc:
        raise StorageError("Redis, which remembers the jobs, does not answer.", 5) from exc


def _load(client: Any) -> Load:
    uploads, results = client.mget(UPLOADS, RESULTS)
    return Load(client.zcard(QUEUE), client.zcard(LEASES), int(uploads or 0), int(results or 0))


def _move(transaction: Any, old: Job, new: Job) -> None:
    """`new` in place of `old`."""
    if new.state != old.state:
        _leave(transaction, old)
        transaction.hincrby(COUNTS, new.state, 1)
    if new.ended:
        transaction.zadd(ENDED, {new.id: new.finished_at or 0})
        if not old.ended:
            transaction.incrby(RESULTS, new.result_bytes)
    elif new.state == RUNNING:
        transaction.zadd(LEASES, {new.id: new.lease_until})
    else:
        transaction.zadd(QUEUE, {new.id: new.created_at})
    if not new.ended and new.state != old.state:
        transaction.incrby(UPLOADS, new.upload_bytes)
    if new.callback and new.callback.due_at is not None:
        transaction.zadd(CALLBACKS, {new.id: new.callback.due_at})
    else:
        transaction.zrem(CALLBACKS, new.id)
    transaction.set(_id(new.id), new.to_json())


def _leave(transaction: Any, job: Job) -> None:
    """Out of the set and the count of its state, and of the sum of bytes that it counts in."""
    transaction.zrem(QUEUE if job.state == QUEUED else LEASES if job.state == RUNNING else ENDED, job.id)
    transaction.decrby(RESULTS if job.ended else UPLOADS, job.result_bytes if job.ended else job.upload_bytes)
    transaction.hincrby(COUNTS, job.state, -1)


def _id(id: str) -> str:
    return f"{PREFIX}job:{id}"


def _key(key: str) -> str:
    return f"{PREFIX}key:{key}"
