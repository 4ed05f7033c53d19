"""The contract of what remembers jobs; state only, the files are elsewhere.

Every method is atomic and may be called from any thread, process or (Redis) machine that shares
the store. Raises StorageError where the store cannot be reached or is damaged.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import NamedTuple

from humanparse.errors import QueueFull
from humanparse.jobs.changes import Change
from humanparse.jobs.records import Job


class Load(NamedTuple):
    """How much there is: jobs queued, jobs running, bytes of the uploads of both; bytes of the results of the ended."""

    queued: int
    running: int
    upload_bytes: int
    result_bytes: int


def check_room(load: Load, upload_bytes: int, max_queued: int, max_bytes: int) -> None:
    """Raises QueueFull where a job with so many bytes of uploads may not come to what there is; see `Store.add`."""
    if load.queued >= max_queued:
        raise QueueFull("Too many jobs are waiting already")
    if load.upload_bytes + upload_bytes > max_bytes:
        raise QueueFull("The jobs that wait already take all the room there is")


class Store(ABC):
    """Jobs by id, in the order in which they came."""

    @abstractmethod
    def add(self, job: Job, max_queued: int, max_bytes: int) -> Job:
        """Remember a queued job, durably; returns it, or the job that has its key already.

        Raises QueueFull where `max_queued` jobs wait, or the uploads of all that have not ended
        would have more than `max_bytes`.
        """

    @abstractmethod
    def get(self, id: str) -> Job | None:
        """The job as it stands."""

    @abstractmethod
    def find_key(self, key: str) -> Job | None:
        """The job that came with this idempotency key."""

    @abstractmethod
    def update(self, id: str, change: Change) -> Job | None:
        """Apply `change`; the changed job, or None where it is gone or the change is forbidden."""

    @abstractmethod
    def remove(self, id: str) -> None:
        """Forget a job."""

    @abstractmethod
    def queued(self) -> list[Job]:
        """The first jobs of the line."""

    @abstractmethod
    def dropped(self, now: float) -> list[Job]:
        """Some of the running jobs whose lease has run out: their workers died."""

    @abstractmethod
    def latest(self, most: int) -> list[Job]:
        """Ended jobs, the one that ended last first."""

    @abstractmethod
    def oldest(self) -> list[Job]:
        """Some of the ended jobs, the one that ended first first."""

    @abstractmethod
    def due_callbacks(self, now: float) -> list[Job]:
        """Some of the jobs whose notice is due."""

    @abstractmethod
    def place(self, job: Job) -> int:
        """1 for the queued job that is next, 2 for the one behind it ...; 0 for jobs that do not wait."""

    @abstractmethod
    def clear(self) -> int:
        """Forget every job; returns how many there were."""

    @abstractmethod
    def load(self) -> Load:
        """How much there is."""

    @abstractmethod
    def counts(self) -> dict[str, int]:
        """How many jobs are in each of STATES, those that ended and have not expired too."""
