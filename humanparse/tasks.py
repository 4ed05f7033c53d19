"""Jobs on other machines: `celery -A humanparse.tasks worker`, as many as wanted, on as many machines.

A message only says that a job waits; the job itself, and whose it is, stands in the store. So a
message that comes twice, or late, or from a worker that was killed, does no harm: the job is
claimed once. For a message that was lost, with the worker that had it, the caretaker sends another.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from functools import cache
from typing import Any, Final

from celery import Celery, signals
from celery.exceptions import OperationalError
from prometheus_client import start_http_server

from humanparse import logs
from humanparse.cache.parsings import open_cache
from humanparse.config import Settings
from humanparse.errors import ConfigError
from humanparse.jobs import records
from humanparse.jobs.backends import CARES, open_store
from humanparse.jobs.caretaker import Caretaker
from humanparse.jobs.files import JobFiles
from humanparse.jobs.store import Store
from humanparse.jobs.worker import Worker
from humanparse.metrics.snapshot import Snapshot
from humanparse.pipeline import Pipeline
from humanparse.request_log import open_request_log
from humanparse.web.errors import describe_error

log = logging.getLogger(__name__)

TASK: Final = "humanparse.run_job"
VISIBILITY_S: Final = 3600
"""After so long Redis hands an unfinished message to another worker too; both ask the store whose the job is."""


def make_announce(settings: Settings, store: Store) -> Callable[[str], None]:
    """A function that tells the workers of a job; where the broker does not answer, the caretaker will."""
    celery = _make_sender(settings)

    def announce(id: str) -> None:
        try:
            celery.send_task(TASK, (id,))
        except OperationalError as error:
            log.warning("job %s: the broker does not answer: %s", id, error)
            return
        store.update(id, records.mark_sent(time.time()))

    return announce


def _make_pipeline(settings: Settings) -> Pipeline:
    return Pipeline(settings, cache=open_cache(settings))


def make_celery(settings: Settings, make_pipeline: Callable[[Settings], Pipeline] = _make_pipeline) -> Celery:
    """The Celery app of a worker. The parser is loaded by the process that runs jobs, at its first."""
    if not settings.broker_url:
        raise ConfigError("HUMANPARSE_BROKER_URL is empty; a worker needs the broker that the service uses.")
    celery = _make_sender(settings)

    @cache
    def parts() -> tuple[Worker, Caretaker]:
        store, files = open_store(settings), JobFiles(settings.jobs_dir)
        caretaker = Caretaker(settings, store, files, make_announce(settings, store), describe_error)
        pipeline, request_log = make_pipeline(settings), open_request_log(settings)
        return Worker(settings, pipeline, store, files, describe_error, request_log), caretaker

    def set_up_logging(**_: Any) -> None:
        logs.configure(settings)

    def serve_metrics(**_: Any) -> None:
        _serve_metrics(settings)

    signals.setup_logging.connect(set_up_logging, weak=False)  # Celery then leaves the loggers alone
    if settings.metrics_port:
        signals.worker_process_init.connect(serve_metrics, weak=False)
    looked_at = [0.0]

    @celery.task(name=TASK)  # type: ignore[untyped-decorator]  # Celery has no types
    def run_job(id: str) -> None:
        worker, caretaker = parts()
        job = worker.claim(id)
        if job is not None:
            worker.run(job)
        if time.monotonic() - looked_at[0] > settings.job_lease_s / CARES:
            looked_at[0] = time.monotonic()
            caretaker.look()

    return celery


def _serve_metrics(settings: Settings) -> None:
    """In the process that runs the jobs; of several on one machine, the first to come has the port."""
    snapshot = Snapshot(settings, open_store(settings).counts, None)
    try:
        start_http_server(settings.metrics_port, settings.host, snapshot.registry())
    except OSError as error:
        log.warning("no metrics on port %s: %s", settings.metrics_port, error)


def _make_sender(settings: Settings) -> Celery:
    celery = Celery("humanparse", broker=settings.broker_url, set_as_current=False)
    celery.conf.update(
        broker_connection_retry_on_startup=True,
        broker_transport_options={"visibility_timeout": VISIBILITY_S, "socket_timeout": 10},
        task_acks_late=True,  # a message stays the broker's until the job has ended
        task_default_queue="humanparse",
        task_ignore_result=True,  # results are files, states are in the store
        task_reject_on_worker_lost=True,
        worker_concurrency=1,  # a parser uses several threads
        worker_prefetch_multiplier=1,  # nobody holds jobs that another could begin
    )
    return celery


def __getattr__(name: str) -> Celery:
    """`app`, where `celery -A humanparse.tasks` looks for it, made when asked for."""
    if name == "app":
        globals()["app"] = make_celery(Settings.from_env())
        return globals()["app"]
    raise AttributeError(name)
