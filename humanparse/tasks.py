"""Jobs on other machines: `celery -A humanparse.tasks worker`, as many as wanted, on as many machines.

A message only says that a job waits; the job itself, and whose it is, stands in the store. So a
message that comes twice, or late, or from a worker that was killed, does no harm: the job is
claimed once. For a message that was lost, with the worker that had it, the caretaker sends another.
"""

from __future__ import annotations

import logging
import os
import select
import threading
import time
from collections.abc import Callable
from functools import cache
from typing import Any, Final

from celery import Celery, signals
from celery.exceptions import OperationalError
from prometheus_client import start_http_server

from humanparse import logs
from humanparse.allocator import settle
from humanparse.cache.parsings import open_cache
from humanparse.config import Settings, allocator_is_told
from humanparse.errors import ConfigError
from humanparse.jobs import changes
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

FINISH_S: Final = 20.0  # so long a worker that is told to stop goes on with its job; then it gives it back
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
        store.update(id, changes.mark_sent(time.time()))

    return announce


def _make_pipeline(settings: Settings) -> Pipeline:
    return Pipeline(settings, cache=open_cache(settings))


def make_celery(settings: Settings, make_pipeline: Callable[[Settings], Pipeline] = _make_pipeline) -> Celery:
    """The Celery app of a worker. The parser is loaded by the process that runs jobs, at its first."""
    if not settings.broker_url:
        raise ConfigError("HUMANPARSE_BROKER_URL is empty; a worker needs the broker that the service uses.")
    celery = _make_sender(settings)

    end = _End()

    @cache
    def parts() -> tuple[Worker, Caretaker, Callable[[str], None]]:
        store, files = open_store(settings), JobFiles(settings.jobs_dir)
        announce = make_announce(settings, store)
        caretaker = Caretaker(settings, store, files, announce, describe_error)
        pipeline, request_log = make_pipeline(settings), open_request_log(settings)
        worker = Worker(settings, pipeline, store, files, describe_error, request_log)
        end.when_near(worker.stopping.set)
        return worker, caretaker, announce

    def begin(**_: Any) -> None:
        if not allocator_is_told():
            settle()  # the processes of the jobs inherit it

    def set_up_logging(**_: Any) -> None:
        logs.configure(settings)

    def serve_metrics(**_: Any) -> None:
        _serve_metrics(settings)

    signals.worker_init.connect(begin, weak=False)
    signals.worker_shutting_down.connect(end.tell, weak=False)
    signals.setup_logging.connect(set_up_logging, weak=False)  # Celery then leaves the loggers alone
    if settings.metrics_port:
        signals.worker_process_init.connect(serve_metrics, weak=False)
    looked_at = [0.0]

    @celery.task(name=TASK)  # type: ignore[untyped-decorator]  # Celery has no types
    def run_job(id: str) -> None:
        worker, caretaker, announce = parts()
        job = None if worker.stopping.is_set() else worker.claim(id)
        if job is not None:
            worker.run(job)
        if worker.stopping.is_set():
            announce(id)  # for another worker; of a job that has ended the message is dropped at a glance
            return
        if time.monotonic() - looked_at[0] > settings.job_lease_s / CARES:
            looked_at[0] = time.monotonic()
            caretaker.look()

    return celery


class _End:
    """Tells the process that runs jobs that the worker is to stop: Celery says so to the worker's first process only.

    Over a pipe made before the fork. Without this a video's worker would be killed when its patience
    is over, and a job whose worker died three times is given up.
    """

    def __init__(self) -> None:
        self._reading, self._writing = os.pipe()

    def tell(self, **_: Any) -> None:
        os.write(self._writing, b".")

    def when_near(self, call: Callable[[], None]) -> None:
        """`call` FINISH_S after `tell`, from a thread of its own."""

        def watch() -> None:
            select.select([self._reading], [], [])  # not read: it is for every process
            time.sleep(FINISH_S)
            call()

        threading.Thread(target=watch, name="end", daemon=True).start()


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
