"""gunicorn's settings for this service; `gunicorn app:app` reads them by itself.

Few processes, because every one holds a parser; how many, humanparse/workers.py says and why. Request threads wait in
the bounded line, decode and encode; there are more of them than places in the line, so that who does not parse (health,
pages, results) never waits behind those who do, and who finds the line full is told so at once.
"""

import atexit
import gc
import os
import shutil
import sys
import tempfile
from pathlib import Path

# Before numpy is imported: its BLAS would start a thread for each core, here and in every worker, for nothing.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

# Before prometheus_client is imported anywhere. A new binary (USR2) must not count in the old one's files.
COUNTS = "PROMETHEUS_MULTIPROC_DIR"
OURS = "humanparse-metrics-"
if COUNTS not in os.environ or "GUNICORN_PID" in os.environ:
    # In memory where that can be: counts are mapped files, and to write to those on a full disk ends a process.
    memory = "/dev/shm" if "TMPDIR" not in os.environ and os.access("/dev/shm", os.W_OK) else None
    os.environ[COUNTS] = tempfile.mkdtemp(prefix=OURS, dir=memory)
COUNTS_FOLDER = Path(os.environ[COUNTS])


def forget_counts():
    """Leave nothing behind; a folder that was given is the giver's."""
    if COUNTS_FOLDER.name.startswith(OURS):
        shutil.rmtree(COUNTS_FOLDER, ignore_errors=True)


# Where gunicorn does not come as far as `on_exit`: a wrong setting, a taken port, --check-config. Workers end, too.
MASTER = os.getpid()
atexit.register(lambda: os.getpid() == MASTER and forget_counts())

from humanparse import logs  # noqa: E402
from humanparse.allocator import settle  # noqa: E402
from humanparse.checks import read_settings  # noqa: E402
from humanparse.errors import ConfigError, HumanParseError  # noqa: E402
from humanparse.workers import plan  # noqa: E402

try:
    settings = read_settings()
except ConfigError as error:  # gunicorn would tell it at the end of a traceback
    sys.exit(error.message)

bind = "127.0.0.1:5000"
worker_class = "humanparse.web.gunicorn_worker.Worker"  # gthread, with a time for a request's head
workers, _, threads = plan(settings)
timeout = 120  # a worker that says nothing for so long is replaced
graceful_timeout = 30
keepalive = 5
control_socket_disable = True  # nobody here needs it: one way less to tell the master what to do
preload_app = False  # runtimes with thread pools do not survive a fork
accesslog = None  # the service logs each request itself, with its id and times
logconfig_dict = logs.gunicorn_config(settings)


def on_starting(server):
    """Counts of processes that ended with the last service are not this one's."""
    COUNTS_FOLDER.mkdir(parents=True, exist_ok=True)
    for file in COUNTS_FOLDER.glob("*.db"):
        file.unlink()
    share_modules()
    if settings.decode == "process" and (server.cfg.uid, server.cfg.gid) == (os.geteuid(), os.getegid()):
        share_nursery()  # else it would decode as the user that workers cease to be
    if "MALLOC_ARENA_MAX" not in os.environ:  # where it is set, it is the operator's word
        settle()  # workers inherit it


def share_modules():
    """Import what every worker needs before they are forked: code and tables of it are in memory once.

    Modules only, which start no threads; parsers are loaded after the fork. So new code
    needs a new master (USR2 or a restart): HUP reads the settings anew, not the code.
    """
    import app  # noqa: F401 - importing it makes no app
    from humanparse.parsers.compact import parser  # noqa: F401

    gc.collect()
    gc.freeze()  # what is there now is never looked at again, so its pages stay shared


def share_nursery():
    """Start the process that decoders are forked from: one for all workers."""
    from humanparse import decoding

    decoding.share_nursery()


def post_fork(server, worker):  # noqa: ARG001 - gunicorn passes both
    """Share the cores: the parser of each of N workers gets one N-th of them."""
    os.environ["HUMANPARSE_THREADS"] = str(plan(settings, worker.cfg.workers).parser_threads)


def post_worker_init(worker):
    """Load the default parser before the first request; where it cannot, /readyz tells why.

    On a slow disk M2FP may take longer than `timeout`: meanwhile the master is told that we live.
    """
    from humanparse.web.gunicorn_worker import signs_of_life

    try:
        with signs_of_life(worker):
            worker.wsgi.extensions["humanparse"].pipeline.load(settings.parser)
    except HumanParseError as error:
        worker.log.error("%s: %s", error.code, error.message)


def child_exit(server, worker):  # noqa: ARG001 - gunicorn passes both
    """What a worker that ended was doing is not done any more; what it had counted stays."""
    from prometheus_client import multiprocess

    multiprocess.mark_process_dead(worker.pid)


def on_exit(server):  # noqa: ARG001 - gunicorn passes it
    """The counts go with the service."""
    forget_counts()
