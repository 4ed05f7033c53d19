"""Where jobs are handed in and asked for; the same whichever back end does them."""

from __future__ import annotations

import hashlib
import json
import math
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import IO, Final

from humanparse.config import Settings
from humanparse.errors import HumanParseError, JobCancelled, JobExpired, JobUnfinished, KeyReused, NotFound, QueueFull
from humanparse.jobs import changes, records
from humanparse.jobs.files import JobFiles
from humanparse.jobs.records import CANCELLED, SUCCEEDED, VIDEO, Job, Order
from humanparse.jobs.store import Store, check_room

RECENT: Final = 20  # ended jobs that the guess of the next one's time is made of
FIRST_GUESS_S: Final = 1.0  # for one photo, until a job has been seen


class Desk:
    """Jobs by their ids, which are all that anybody needs to know; nothing lists them."""

    def __init__(self, settings: Settings, store: Store, files: JobFiles, announce: Callable[[str], None]) -> None:
        self._settings, self._store, self._files, self._announce = settings, store, files, announce

    def submit(self, order: Order, uploads: Sequence[IO[bytes]], key: str = "") -> Job:
        """Accept a job, durably, before this returns; with an idempotency key that came before, the job of then.

        Raises QueueFull, and KeyReused where the key came with something else.
        """
        key = hashlib.sha256(key.encode()).hexdigest() if key else ""
        id = records.new_id()
        try:
            if not (key and self._store.find_key(key)):
                self._check_room()  # before anything is written
            size, digest = self._files.keep(id, uploads)
            fingerprint = _fingerprint(order, digest)
            now = time.time()
            job = Job(id, order, now, size, key=key, fingerprint=fingerprint)
            kept = self._store.add(job, self._settings.jobs_queue, self._settings.jobs_bytes)
        except QueueFull as error:
            self._files.remove(id)
            raise self._full(error.message) from error
        except HumanParseError:
            self._files.remove(id)
            raise
        if kept.id == id:
            self._announce(id)
            return kept
        self._files.remove(id)
        if kept.fingerprint != fingerprint:
            raise KeyReused("This Idempotency-Key came before, with another request.")
        return kept

    def get(self, id: str) -> Job:
        """The job as it stands. Raises JobExpired."""
        job = self._store.get(id)
        expires_at = self.expires_at(job) if job else None
        if job is None or (expires_at is not None and expires_at < time.time()):
            raise JobExpired("This job is not here: it has expired, or never was.")
        return job

    def place(self, job: Job) -> int | None:
        """1 for the job that is next; None for one that does not wait."""
        return self._store.place(job) or None

    def expires_at(self, job: Job) -> float | None:
        """When an ended job goes; the others stay until they have ended."""
        return None if job.finished_at is None else job.finished_at + self._settings.job_age_s

    def cancel(self, id: str) -> Job:
        """Cancel a job that has not ended; the job as it then stands. Raises JobExpired."""
        self.get(id)
        changed = self._store.update(id, changes.cancel(time.time()))
        if changed is not None and changed.ended:
            self._files.drop_uploads(id)
        return changed or self.get(id)

    def remove(self, id: str) -> Job | None:
        """Cancel a job that has not ended, and answer it; forget one that has, result and all. Raises JobExpired."""
        if not self.get(id).ended:
            return self.cancel(id)
        self._store.remove(id)
        self._files.remove(id)
        return None

    def result(self, id: str) -> tuple[Job, Path | None]:
        """An ended job and the file of its result; None where it failed: then its problem is all there is.

        Raises JobExpired, JobUnfinished, JobCancelled.
        """
        job = self.get(id)
        if job.state == CANCELLED:
            raise JobCancelled("This job was cancelled; it has no result.")
        if not job.ended:
            message = f"This job is {job.state}; ask for its result when its own address says that it has ended."
            raise JobUnfinished(message, state=job.state)
        if job.problem is not None:
            return job, None
        path = self._files.result_path(id, job.token)
        if not path.exists():
            raise JobExpired("The result of this job is gone.")
        return job, path

    def data(self, id: str) -> tuple[Job, Path]:
        """A video's job that has succeeded, and the file with a line of JSON for each frame.

        Raises JobExpired, JobUnfinished, JobCancelled; NotFound for jobs that have none.
        """
        job, path = self.result(id)
        if job.order.kind != VIDEO or path is None:
            raise NotFound("This job has no data of frames: it is of photos, or it failed.")
        return job, self._files.data_path(id, job.token)

    def counts(self) -> dict[str, int]:
        """How many jobs there are in each state."""
        return self._store.counts()

    def _check_room(self) -> None:
        check_room(self._store.load(), 0, self._settings.jobs_queue, self._settings.jobs_bytes)

    def _full(self, reason: str) -> QueueFull:
        wait = max(1, math.ceil(self._next_place_s()))
        return QueueFull(f"{reason}; try again in {wait} s.", retry_after_s=wait)

    def _next_place_s(self) -> float:
        """Seconds until a place in the line is likely to come free: what a job takes, over those at work at once."""
        spans = [span for span in map(_span_s, self._store.latest(RECENT)) if span is not None]
        mean = sum(spans) / len(spans) if spans else FIRST_GUESS_S
        return mean / max(1, self._store.load().running)


def _span_s(job: Job) -> float | None:
    """How long it was worked on."""
    if job.state != SUCCEEDED or job.started_at is None or job.finished_at is None:
        return None
    return job.finished_at - job.started_at


def _fingerprint(order: Order, digest: str) -> str:
    """What makes two requests the same: files, names, options, format, callback."""
    plain = asdict(order)
    plain["options"]["include"] = sorted(order.options.include)
    del plain["request_id"]
    return hashlib.sha256(f"{digest} {json.dumps(plain, sort_keys=True)}".encode()).hexdigest()
