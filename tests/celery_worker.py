"""A Celery worker over the parser of the tests: `celery -A tests.celery_worker worker`.

As slow as BAND_PARSER_S says, and as patient with a job when it has to stop as FINISH_S. At the first photo
of DEADLY pixels' width its process dies, as if the kernel had killed it.
"""

from __future__ import annotations

import os
import signal
import time

import numpy as np
from celery import Celery
from numpy.typing import NDArray

from humanparse import tasks
from humanparse.config import Settings
from humanparse.pipeline import Pipeline
from humanparse.records import Parsing
from humanparse.tasks import make_celery
from tests.band_parser import BandParser

DEADLY = 13
tasks.FINISH_S = float(os.environ.get("FINISH_S", "0.5"))  # type: ignore[misc]


class WorkerParser(BandParser):
    def __init__(self, settings: Settings) -> None:
        super().__init__(settings)
        self._killed = settings.jobs_dir / "killed-once"

    def parse(self, image: NDArray[np.uint8]) -> Parsing:
        time.sleep(float(os.environ.get("BAND_PARSER_S", "0")))
        if image.shape[1] == DEADLY and not self._killed.exists():
            self._killed.touch()
            os.kill(os.getpid(), signal.SIGKILL)
        return super().parse(image)


def __getattr__(name: str) -> Celery:
    if name == "app":
        return make_celery(
            Settings.from_env(), lambda own: Pipeline(own, lambda name, settings: WorkerParser(settings))
        )
    raise AttributeError(name)
