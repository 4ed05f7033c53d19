"""The threads of a service: they begin, share, stop in order, and begin again."""

from __future__ import annotations

import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from io import BytesIO
from typing import Any

import pytest

from humanparse.config import Settings
from humanparse.errors import StorageError
from humanparse.gate import Check, always
from humanparse.jobs import runner
from humanparse.jobs.backends import Jobs, open_jobs
from humanparse.jobs.records import QUEUED, SUCCEEDED
from humanparse.options import ParseOptions
from humanparse.pipeline import Answer, Pipeline
from humanparse.web.errors import describe_error
from tests.jobs.conftest import ORDER

PATIENCE_S = 20


@pytest.fixture
def jobs(settings: Settings, pipeline: Pipeline) -> Iterator[Jobs]:
    made = open_jobs(settings, pipeline, describe_error)
    yield made
    made.runner.stop()


def wait_until(condition: Callable[[], bool]) -> None:
    end = time.monotonic() + PATIENCE_S
    while not condition():
        assert time.monotonic() < end, "it did not happen"
        time.sleep(0.01)


def ours() -> list[str]:
    return sorted(thread.name for thread in threading.enumerate() if thread.name.startswith("jobs-"))


def test_nothing_runs_or_is_written_until_there_is_a_job(jobs: Jobs, settings: Settings, photo: bytes) -> None:
    others = Counter(ours())  # of apps that other tests left behind
    assert not settings.jobs_dir.exists()
    assert Counter(ours()) == others
    job = jobs.desk.submit(ORDER, [BytesIO(photo)])
    assert Counter(ours()) - others == Counter(["jobs-callbacks", "jobs-caretaker", "jobs-worker"])
    wait_until(lambda: jobs.desk.get(job.id).state == SUCCEEDED)
    jobs.runner.start()
    assert len(ours()) == others.total() + 3
    jobs.runner.stop()
    assert Counter(ours()) == others
    jobs.runner.stop()


def test_two_services_share_the_work_and_each_job_is_done_once(settings: Settings, photo: bytes) -> None:
    done: list[tuple[int, bytes]] = []

    class Noting(Pipeline):
        def parse(self, data: bytes, options: ParseOptions, check: Check = always) -> Answer:
            done.append((id(self), data))
            time.sleep(0.01)  # so that both get some
            return pipeline.parse(data, options, check)

    from tests.band_parser import BandParser

    pipeline = Pipeline(settings, lambda name, own: BandParser(own))
    services = [open_jobs(settings, Noting(settings), describe_error) for _ in range(2)]
    submitted = [services[0].desk.submit(ORDER, [BytesIO(photo + bytes(place))]) for place in range(24)]
    for service in services:
        service.runner.start()
    wait_until(lambda: all(services[1].desk.get(job.id).state == SUCCEEDED for job in submitted))
    for service in services:
        service.runner.stop()
    assert sorted(len(data) for _, data in done) == [len(photo) + place for place in range(24)]
    assert len({who for who, _ in done}) == 2


def test_a_stop_puts_the_job_back_and_the_next_start_ends_it(
    settings: Settings, pipeline: Pipeline, photo: bytes
) -> None:
    begun, go_on = threading.Event(), threading.Event()

    class Slow(Pipeline):
        def parse(self, data: bytes, options: ParseOptions, check: Check = always) -> Answer:
            begun.set()
            go_on.wait(PATIENCE_S)
            return pipeline.parse(data, options, check)

    first = open_jobs(settings, Slow(settings), describe_error)
    from dataclasses import replace

    two = replace(ORDER, kind="batch", total=2, names=("a.jpg", "b.jpg"))
    job = first.desk.submit(two, [BytesIO(photo), BytesIO(photo)])
    begun.wait(PATIENCE_S)
    stopping = threading.Thread(target=first.runner.stop)
    stopping.start()
    wait_until(lambda: first.runner._worker is not None and first.runner._worker.stopping.is_set())
    go_on.set()
    stopping.join()
    assert (first.desk.get(job.id).state, first.desk.get(job.id).attempts) == (QUEUED, 0)
    second = open_jobs(settings, pipeline, describe_error)
    second.runner.start()
    wait_until(lambda: second.desk.get(job.id).state == SUCCEEDED)
    second.runner.stop()


def test_a_round_that_fails_is_not_the_last(
    jobs: Jobs, photo: bytes, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    worker: Any = jobs.runner._worker
    claim_next, failures = worker.claim_next, iter([ZeroDivisionError("a slip")])

    def moody() -> Any:
        for failure in failures:
            raise failure
        return claim_next()

    monkeypatch.setattr(worker, "claim_next", moody)
    job = jobs.desk.submit(ORDER, [BytesIO(photo)])
    wait_until(lambda: jobs.desk.get(job.id).state == SUCCEEDED)
    assert "a slip" in caplog.text


def test_a_trouble_that_lasts_is_not_told_in_every_round(
    jobs: Jobs, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    worker: Any = jobs.runner._worker
    rounds = []

    def fail() -> Any:
        rounds.append(1)
        raise StorageError("the folder is away" if len(rounds) < 4 else "the disk is full")

    monkeypatch.setattr(runner, "LOOK_S", 0.001)
    monkeypatch.setattr(worker, "claim_next", fail)
    jobs.runner.start()
    wait_until(lambda: len(rounds) > 9)
    jobs.runner.stop()
    assert [line.split(" (")[0] for line in caplog.messages] == ["the folder is away", "the disk is full"]
