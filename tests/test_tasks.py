"""Jobs through a real Redis and real Celery workers, which get killed."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from io import BytesIO
from pathlib import Path
from typing import IO

import numpy as np
import pytest
import redis
from celery import signals

from humanparse import tasks
from humanparse.config import Settings
from humanparse.encoding import encode_png
from humanparse.errors import ConfigError
from humanparse.jobs.backends import Jobs, open_jobs
from humanparse.jobs.records import CANCELLED, FAILED, QUEUED, RUNNING, SUCCEEDED, Job
from humanparse.pipeline import Pipeline
from humanparse.tasks import make_celery
from humanparse.video.options import VideoOptions
from humanparse.web.errors import describe_error
from tests.celery_worker import DEADLY
from tests.jobs.conftest import ORDER
from tests.redis_server import free_port
from tests.video.films import read_film, walk, write_film

ROOT = Path(__file__).parent.parent
PATIENCE_S = 90
LEASE_S = 1.5


@pytest.fixture
def broker(redis_url: str) -> str:
    with redis.Redis.from_url(redis_url) as client:
        client.flushall()
    return redis_url


@pytest.fixture
def jobs(settings: Settings, broker: str) -> Iterator[Jobs]:
    """A service's side: it never parses."""
    own = replace(settings, broker_url=broker, job_lease_s=LEASE_S)
    made = open_jobs(own, Pipeline(own), describe_error)
    yield made
    made.runner.stop()


@contextmanager
def workers(
    count: int, settings: Settings, broker: str, slowness_s: float = 0.0, log: IO[bytes] | None = None, **more: str
) -> Iterator[list[subprocess.Popen]]:
    environ = {
        "HUMANPARSE_BROKER_URL": broker,
        "HUMANPARSE_JOBS_DIR": str(settings.jobs_dir),
        "HUMANPARSE_JOB_LEASE_S": str(LEASE_S),
        "BAND_PARSER_S": str(slowness_s),
        **more,
    }
    settings.jobs_dir.mkdir(parents=True, exist_ok=True)
    command = [sys.executable, "-m", "celery", "-A", "tests.celery_worker", "worker", "-l", "error"]
    command += ["--without-gossip", "--without-mingle", "--without-heartbeat"]
    started = [
        subprocess.Popen(
            [*command, "-n", f"w{place}@%h"],
            cwd=ROOT,
            env={**os.environ, **environ},
            start_new_session=True,
            stderr=log,
        )
        for place in range(count)
    ]
    try:
        yield started
    finally:
        for process in started:
            kill(process, signal.SIGTERM)
        for process in started:
            process.wait(PATIENCE_S)


def kill(process: subprocess.Popen, how: signal.Signals) -> None:
    """The worker with all its processes, as when its machine goes."""
    if process.poll() is None:
        os.killpg(process.pid, how)


def png(width: int = 24, height: int = 18) -> bytes:
    return encode_png(np.zeros((height, width, 3), np.uint8))


def submit(jobs: Jobs, *photos: bytes) -> Job:
    names = tuple(f"{place}.png" for place in range(len(photos)))
    order = replace(ORDER, kind="batch" if len(photos) > 1 else "parse", names=names, total=len(photos))
    return jobs.desk.submit(order, [BytesIO(photo) for photo in photos])


def states(jobs: Jobs, submitted: list[Job]) -> list[str]:
    return [jobs.desk.get(job.id).state for job in submitted]


def wait_until(condition: Callable[[], bool]) -> None:
    end = time.monotonic() + PATIENCE_S
    while not condition():
        assert time.monotonic() < end, "it did not happen"
        time.sleep(0.05)


def test_jobs_end_once_each_though_workers_are_killed(jobs: Jobs, settings: Settings, broker: str) -> None:
    """Before the workers there: a line. Then one whole worker dies half-way, and one process of the other."""
    widths = [20 + place for place in range(24)]
    submitted = [submit(jobs, png(width)) for width in widths]
    submitted.insert(3, submit(jobs, png(DEADLY)))
    widths.insert(3, DEADLY)
    cancelled = submit(jobs, png())
    assert states(jobs, [*submitted, cancelled]) == [QUEUED] * 26
    assert jobs.desk.place(submitted[2]) == 3
    assert jobs.desk.cancel(cancelled.id).state == CANCELLED
    with workers(2, settings, broker, slowness_s=0.05) as started:
        wait_until(lambda: states(jobs, submitted).count(SUCCEEDED) >= len(submitted) // 2)
        kill(started[0], signal.SIGKILL)
        wait_until(lambda: all(jobs.desk.get(job.id).ended for job in submitted))
    assert states(jobs, submitted) == [SUCCEEDED] * len(submitted)
    for job, width in zip(submitted, widths, strict=True):
        ended, path = jobs.desk.result(job.id)
        assert path is not None
        # Whoever dies between a job's end and the going of its uploads leaves them to the caretaker.
        assert {file.name for file in path.parent.iterdir()} - {"0"} == {path.name}
        assert json.loads(path.read_bytes())["image"]["width"] == width
        assert ended.done == 1
    assert jobs.desk.get(submitted[3].id).attempts == 2
    assert jobs.desk.get(cancelled.id).state == CANCELLED


def test_a_running_job_is_cancelled_on_another_machine_too(jobs: Jobs, settings: Settings, broker: str) -> None:
    job = submit(jobs, *[png()] * 20)
    bad = submit(jobs, b"no photo")
    with workers(1, settings, broker, slowness_s=0.2):
        wait_until(lambda: jobs.desk.get(job.id).state == RUNNING)
        assert jobs.desk.cancel(job.id).cancelling
        wait_until(lambda: jobs.desk.get(job.id).ended and jobs.desk.get(bad.id).ended)
    assert jobs.desk.get(job.id).state == CANCELLED
    assert jobs.desk.get(job.id).done < 20
    assert jobs.desk.get(bad.id).state == FAILED


def test_a_video_whose_worker_is_killed_in_the_middle_is_begun_again(
    jobs: Jobs, settings: Settings, broker: str, tmp_path: Path
) -> None:
    frames = walk(15)
    film = write_film(tmp_path / "in.mp4", frames, audio="aac").read_bytes()
    order = replace(ORDER, kind="video", format="mp4", names=("in.mp4",), total=len(frames), video=VideoOptions())
    job = jobs.desk.submit(order, [BytesIO(film)])
    with workers(1, settings, broker, slowness_s=0.2) as started:
        wait_until(lambda: 3 <= jobs.desk.get(job.id).done < len(frames))
        kill(started[0], signal.SIGKILL)
    with workers(1, settings, broker):
        wait_until(lambda: jobs.desk.get(job.id).ended)
    ended, path = jobs.desk.result(job.id)
    assert (ended.state, ended.attempts, ended.done) == (SUCCEEDED, 2, len(frames))
    assert path is not None
    assert len(read_film(path)[0]) == len(frames)
    rows = [json.loads(line) for line in jobs.desk.data(job.id)[1].read_text().splitlines()]
    assert [row["frame"] for row in rows] == list(range(len(frames)))
    assert {file.name for file in path.parent.iterdir()} == {f"result-{ended.token}", f"data-{ended.token}"}


def test_a_worker_that_is_told_to_stop_ends_a_short_job_and_gives_a_long_one_back(
    jobs: Jobs, settings: Settings, broker: str
) -> None:
    """As systemd, Docker and Kubernetes do: SIGTERM to the first process. Nothing is lost, no try is counted."""
    short = submit(jobs, png())
    with workers(1, settings, broker, slowness_s=0.5, FINISH_S="30") as started:
        wait_until(lambda: jobs.desk.get(short.id).state == RUNNING)
        started[0].send_signal(signal.SIGTERM)
        assert started[0].wait(PATIENCE_S) == 0
    assert jobs.desk.get(short.id).state == SUCCEEDED
    long = submit(jobs, *[png()] * 60)
    with workers(1, settings, broker, slowness_s=0.3, FINISH_S="0.2") as started:
        wait_until(lambda: jobs.desk.get(long.id).done >= 1)
        started[0].send_signal(signal.SIGTERM)
        assert started[0].wait(PATIENCE_S) == 0
    given_back = jobs.desk.get(long.id)
    assert (given_back.state, given_back.attempts) == (QUEUED, 0)
    with workers(1, settings, broker):
        wait_until(lambda: jobs.desk.get(long.id).ended)
    ended = jobs.desk.get(long.id)
    assert (ended.state, ended.done, ended.attempts) == (SUCCEEDED, 60, 1)


def test_a_worker_keeps_few_arenas(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    called: list[bool] = []
    monkeypatch.setattr(tasks, "settle", lambda: called.append(True))
    monkeypatch.delenv("MALLOC_ARENA_MAX", raising=False)
    make_celery(replace(settings, broker_url="redis://127.0.0.1:1"))
    signals.worker_init.send(sender=None)
    assert called
    monkeypatch.setenv("MALLOC_ARENA_MAX", "7")
    called.clear()
    signals.worker_init.send(sender=None)
    assert not called


def test_a_worker_has_metrics_and_its_log_names_the_job(
    jobs: Jobs, settings: Settings, broker: str, tmp_path: Path
) -> None:
    port, log = free_port(), tmp_path / "log"
    own = {"HUMANPARSE_METRICS_PORT": str(port), "HUMANPARSE_LOG_FORMAT": "json"}
    with log.open("wb") as written, workers(1, settings, broker, log=written, **own):
        submitted = [submit(jobs, png()), submit(jobs, b"no photo"), submit(jobs, png(), png())]
        wait_until(lambda: all(jobs.desk.get(job.id).ended for job in submitted))
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics", timeout=PATIENCE_S) as response:
            text = response.read().decode()
    assert 'humanparse_photos_total{parser="bands"} 3.0' in text
    assert 'humanparse_errors_total{code="unsupported_format",status="415"} 1.0' in text
    assert 'humanparse_jobs{state="succeeded"} 2.0' in text
    lines = [json.loads(line) for line in log.read_text().splitlines() if line.startswith("{")]
    ended = {line["job_id"]: line for line in lines if line["event"] == "job"}
    assert [ended[job.id]["state"] for job in submitted] == [SUCCEEDED, FAILED, SUCCEEDED]
    assert [ended[job.id]["photos"] for job in submitted] == [1, 0, 2]
    assert {line["request_id"] for line in ended.values()} == {"the-request"}


def test_a_worker_without_a_broker_does_not_start() -> None:
    with pytest.raises(ConfigError, match="HUMANPARSE_BROKER_URL"):
        make_celery(Settings())
