"""Which back end, by the settings: SQLite and our own threads, or Redis and Celery."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

from humanparse.config import Settings
from humanparse.jobs.caretaker import Caretaker
from humanparse.jobs.desk import Desk
from humanparse.jobs.files import JobFiles
from humanparse.jobs.runner import Runner
from humanparse.jobs.sqlite_store import SqliteStore
from humanparse.jobs.store import Store
from humanparse.jobs.worker import DescribeError, Worker
from humanparse.pipeline import Pipeline
from humanparse.request_log import RequestLog

CARES: Final = 3  # looks of a caretaker in the time of one lease
LONGEST_CARE_S: Final = 10.0


@dataclass(frozen=True)
class Jobs:
    """The desk where jobs are handed in, and the threads that see to them."""

    desk: Desk
    runner: Runner


def open_store(settings: Settings) -> Store:
    """Where the jobs of a service with these settings are remembered."""
    if not settings.broker_url:
        return SqliteStore(settings.jobs_dir)
    from humanparse.jobs.redis_store import RedisStore  # the embedded back end needs no redis

    return RedisStore(settings.broker_url)


def open_jobs(
    settings: Settings,
    pipeline: Pipeline,
    describe_error: DescribeError,
    besides: Sequence[Callable[[], object]] = (),
    request_log: RequestLog | None = None,
) -> Jobs:
    """The jobs of a service process; nothing is read, written or started yet.

    besides: what else expires, and is to be looked at when jobs are, also where nobody asks for anything.
    """
    store, files = open_store(settings), JobFiles(settings.jobs_dir)
    worker = None
    if not settings.broker_url:
        worker = Worker(settings, pipeline, store, files, describe_error, request_log)

    def announce(id: str) -> None:
        if tell is not None:
            tell(id)
        runner.wake()

    tell = _broker(settings, store) if settings.broker_url else None
    caretaker = Caretaker(settings, store, files, announce, describe_error, besides=besides)
    runner = Runner(caretaker, worker, min(settings.job_lease_s / CARES, LONGEST_CARE_S))
    return Jobs(Desk(settings, store, files, announce), runner)


def _broker(settings: Settings, store: Store) -> Callable[[str], None]:
    from humanparse.tasks import make_announce  # the embedded back end needs no Celery

    return make_announce(settings, store)
