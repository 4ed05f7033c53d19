"""gunicorn's settings for this service; `gunicorn app:app` reads them by itself.

Few processes: a parser uses several threads, and every process holds a parser. Request threads
only wait, decode and encode.
"""

import os

from humanparse.allocator import settle
from humanparse.config import Settings
from humanparse.cpu import usable_cores
from humanparse.errors import HumanParseError

settings = Settings.from_env()

bind = "127.0.0.1:5000"
worker_class = "humanparse.web.gunicorn_worker.Worker"  # gthread, with a time for a request's head
workers = settings.workers or max(1, usable_cores() // 2)
threads = settings.queue_length + 12  # more than may wait for the parser: else nobody would be told to come back
timeout = 120  # a worker that says nothing for so long is replaced
graceful_timeout = 30
keepalive = 5
preload_app = False  # runtimes with thread pools do not survive a fork
accesslog = "-"


def post_fork(server, worker):  # noqa: ARG001 - gunicorn passes both
    """Share the cores: the parser of each of N workers gets one N-th of them. And settle the allocator."""
    settle()
    if not settings.threads:
        os.environ["HUMANPARSE_THREADS"] = str(max(1, usable_cores() // worker.cfg.workers))


def post_worker_init(worker):
    """Load the default parser before the first request; where it cannot, /readyz tells why."""
    try:
        worker.wsgi.extensions["humanparse"].pipeline.load(settings.parser)
    except HumanParseError as error:
        worker.log.error("%s: %s", error.code, error.message)
