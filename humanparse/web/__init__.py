"""The only rooms that know Flask: requests in, answers out, nothing of the domain."""

from __future__ import annotations

from dataclasses import dataclass
from typing import cast

from flask import current_app

from humanparse.config import Settings
from humanparse.gate import Gate
from humanparse.jobs.backends import Jobs
from humanparse.pipeline import Pipeline
from humanparse.request_log import RequestLog
from humanparse.storage import Storage
from humanparse.studio import Studio


@dataclass(frozen=True)
class Service:
    """What the views work with, made once by `create_app`."""

    settings: Settings
    pipeline: Pipeline
    storage: Storage
    jobs: Jobs
    studio: Studio
    making: Gate
    """In front of files that are made from a kept result when they are asked for: each holds a photo meanwhile."""
    request_log: RequestLog | None = None


def service() -> Service:
    """The current app's service."""
    return cast(Service, current_app.extensions["humanparse"])
