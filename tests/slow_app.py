"""The service over a parser that takes its time, and with less patience, for tests of what clients do meanwhile.

`gunicorn tests.slow_app:app`; PARSE_S says how long a photo takes, LOAD_S how long loading does, PARSES names a file
that gets a line for each photo.
"""

from __future__ import annotations

import os
import time
from pathlib import Path
from typing import Any

import numpy as np

from app import create_app, see_to_jobs
from humanparse.config import Settings
from humanparse.pipeline import Pipeline
from humanparse.records import Parsing
from humanparse.web import gunicorn_worker
from tests.band_parser import BandParser

PATIENCE_S = 1.0


class SlowParser(BandParser):
    def load(self) -> None:
        time.sleep(float(os.environ.get("LOAD_S", "0")))
        super().load()

    def parse(self, image: np.ndarray[Any, np.dtype[np.uint8]]) -> Parsing:
        with Path(os.environ["PARSES"]).open("a") as file:
            file.write(f"{image.shape}\n")
        time.sleep(float(os.environ["PARSE_S"]))
        return super().parse(image)


settings = Settings.from_env()
app = create_app(settings, Pipeline(settings, lambda name, own: SlowParser(own)))
app.wsgi_app._grace_s = PATIENCE_S  # type: ignore[attr-defined]
gunicorn_worker.HEAD_S = PATIENCE_S  # type: ignore[misc]
see_to_jobs(app)
