"""Jobs in one SQLite file, shared by the processes of one machine."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any, Final

from humanparse import shared_database
from humanparse.errors import StorageError
from humanparse.jobs.changes import Change
from humanparse.jobs.records import QUEUED, RUNNING, STATES, Job
from humanparse.jobs.store import Load, Store, check_room

FILE: Final = "jobs.sqlite3"
PATIENCE_S: Final = 30.0  # for another process's write to end
SOME: Final = 20  # rows that a worker or a caretaker looks at, at a time
SCHEMA: Final = """
CREATE TABLE jobs (
    number INTEGER PRIMARY KEY AUTOINCREMENT, id TEXT UNIQUE NOT NULL, key TEXT UNIQUE, state TEXT NOT NULL,
    lease_until REAL NOT NULL, finished_at REAL, callback_at REAL, bytes INTEGER NOT NULL, job TEXT NOT NULL
);
CREATE INDEX jobs_by_state ON jobs (state, number, bytes);
CREATE INDEX jobs_by_end ON jobs (finished_at) WHERE finished_at IS NOT NULL;
CREATE INDEX jobs_by_callback ON jobs (callback_at) WHERE callback_at IS NOT NULL;
"""


class SqliteStore(Store):
    """See the contract. A connection lives as long as one call: safe across threads and forks, and cheap enough."""

    def __init__(self, folder: Path) -> None:
        self._path = folder / FILE

    def add(self, job: Job, max_queued: int, max_bytes: int) -> Job:
        with self._write() as db:
            known = db.execute("SELECT job FROM jobs WHERE key = ?", (job.key or None,)).fetchone()
            if known:
                return Job.from_json(known[0])
            check_room(_load(db), job.upload_bytes, max_queued, max_bytes)
            names = ", ".join(_columns(job))
            db.execute(f"INSERT INTO jobs ({names}) VALUES ({_marks(job)})", tuple(_columns(job).values()))
        return job

    def get(self, id: str) -> Job | None:
        return next(iter(self._jobs("id = ?", id)), None)

    def find_key(self, key: str) -> Job | None:
        return next(iter(self._jobs("key = ?", key)), None)

    def update(self, id: str, change: Change) -> Job | None:
        with self._write() as db:
            row = db.execute("SELECT job FROM jobs WHERE id = ?", (id,)).fetchone()
            changed = change(Job.from_json(row[0])) if row else None
            if changed is not None:
                sets = ", ".join(f"{name} = ?" for name in _columns(changed))
                db.execute(f"UPDATE jobs SET {sets} WHERE id = ?", (*_columns(changed).values(), id))
        return changed

    def remove(self, id: str) -> None:
        with self._write() as db:
            db.execute("DELETE FROM jobs WHERE id = ?", (id,))

    def queued(self) -> list[Job]:
        return self._jobs(f"state = ? ORDER BY number LIMIT {SOME}", QUEUED)

    def dropped(self, now: float) -> list[Job]:
        return self._jobs(f"state = ? AND lease_until < ? ORDER BY number LIMIT {SOME}", RUNNING, now)

    def latest(self, most: int) -> list[Job]:
        return self._jobs("finished_at IS NOT NULL ORDER BY finished_at DESC LIMIT ?", most)

    def oldest(self) -> list[Job]:
        return self._jobs(f"finished_at IS NOT NULL ORDER BY finished_at LIMIT {SOME}")

    def due_callbacks(self, now: float) -> list[Job]:
        return self._jobs(f"callback_at <= ? ORDER BY callback_at LIMIT {SOME}", now)

    def place(self, job: Job) -> int:
        before = (
            "SELECT count(*) FROM jobs WHERE state = ? AND number <= (SELECT number FROM jobs WHERE id = ? "
            "AND state = ?)"
        )
        with self._connect() as db:
            return int(db.execute(before, (QUEUED, job.id, QUEUED)).fetchone()[0])

    def clear(self) -> int:
        with self._connect() as db:
            db.execute("PRAGMA secure_delete = ON")  # names and addresses are overwritten, not only unlinked
            count = db.execute("DELETE FROM jobs").rowcount
            db.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        return int(count)

    def load(self) -> Load:
        with self._connect() as db:
            return _load(db)

    def counts(self) -> dict[str, int]:
        with self._connect() as db:
            found = dict(db.execute("SELECT state, count(*) FROM jobs GROUP BY state").fetchall())
        return {state: found.get(state, 0) for state in STATES}

    def _jobs(self, where: str, *values: Any) -> list[Job]:
        with self._connect() as db:
            return [Job.from_json(row[0]) for row in db.execute(f"SELECT job FROM jobs WHERE {where}", values)]

    @contextmanager
    def _connect(self) -> Iterator[sqlite3.Connection]:
        try:
            with closing(shared_database.connect(self._path, SCHEMA, patience_s=PATIENCE_S)) as db:
                db.execute("PRAGMA synchronous = FULL")  # an accepted job survives a power cut too
                yield db
        except (sqlite3.Error, OSError) as exc:
            raise StorageError("The jobs cannot be read or written: the jobs folder cannot.") from exc

    @contextmanager
    def _write(self) -> Iterator[sqlite3.Connection]:
        """One transaction, alone from its first read to its end."""
        with self._connect() as db:
            db.execute("BEGIN IMMEDIATE")
            try:
                yield db
                db.execute("COMMIT")
            except BaseException:
                db.execute("ROLLBACK")
                raise


def _load(db: sqlite3.Connection) -> Load:
    rows = db.execute("SELECT state, count(*), sum(bytes) FROM jobs GROUP BY state")
    found = {state: (count, total) for state, count, total in rows}
    queued, running = (found.pop(state, (0, 0)) for state in (QUEUED, RUNNING))
    return Load(queued[0], running[0], queued[1] + running[1], sum(total for _, total in found.values()))


def _columns(job: Job) -> dict[str, Any]:
    return {
        "id": job.id,
        "key": job.key or None,
        "state": job.state,
        "lease_until": job.lease_until,
        "finished_at": job.finished_at,
        "callback_at": job.callback.due_at if job.callback else None,
        "bytes": job.result_bytes if job.ended else job.upload_bytes,
        "job": job.to_json(),
    }


def _marks(job: Job) -> str:
    return ", ".join("?" for _ in _columns(job))
