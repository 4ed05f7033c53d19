"""Stores of both kinds, and the parts of the embedded back end without its threads."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest
import redis

from humanparse.config import Settings
from humanparse.jobs.caretaker import Caretaker
from humanparse.jobs.desk import Desk
from humanparse.jobs.files import JobFiles
from humanparse.jobs.records import ONE, Job, Order, new_id
from humanparse.jobs.redis_store import RedisStore
from humanparse.jobs.sqlite_store import SqliteStore
from humanparse.jobs.store import Store
from humanparse.jobs.worker import Worker
from humanparse.options import ParseOptions
from humanparse.pipeline import Pipeline
from humanparse.web.errors import describe_error

ORDER = Order(ONE, ("a.jpg",), 1, ParseOptions(overlay="none"), "json", "the-request")


@pytest.fixture(params=["sqlite", "redis"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Store]:
    if request.param == "sqlite":
        yield SqliteStore(tmp_path / "jobs")
        return
    url = request.getfixturevalue("redis_url")
    with redis.Redis.from_url(url) as client:
        client.flushall()
    yield RedisStore(url)


def make_job(**changes: Any) -> Job:
    return replace(Job(new_id(), ORDER, 100.0, 10), **changes)


class Parts:
    """A back end in pieces: what a service and a worker would share. `announced` has the ids that were told of."""

    def __init__(self, settings: Settings, store: Store, pipeline: Pipeline) -> None:
        self.settings, self.store, self.files = settings, store, JobFiles(settings.jobs_dir)
        self.announced: list[str] = []
        self.sent: list[tuple[str, str, bytes]] = []
        self.receiver_takes = True
        self.desk = Desk(settings, store, self.files, self.announced.append)
        self.worker = Worker(settings, pipeline, store, self.files, describe_error)
        self.caretaker = Caretaker(settings, store, self.files, self.announced.append, describe_error, self._send)

    def submit(self, *data: bytes, **order: Any) -> Job:
        names = tuple(f"{index}.jpg" for index in range(len(data)))
        made = replace(ORDER, names=names, total=len(data), kind="batch" if len(data) > 1 else ONE)
        return self.desk.submit(replace(made, **order), [BytesIO(each) for each in data])

    def claim(self) -> Job:
        job = self.worker.claim_next()
        assert job is not None
        return job

    def _send(self, url: str, id: str, body: bytes) -> bool:
        self.sent.append((url, id, body))
        return self.receiver_takes


@pytest.fixture
def parts(settings: Settings, pipeline: Pipeline) -> Parts:
    return Parts(settings, SqliteStore(settings.jobs_dir), pipeline)
