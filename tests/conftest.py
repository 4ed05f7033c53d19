"""What most tests share: settings that write nowhere else, an app over a parser that needs no network."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from flask import Flask
from flask.testing import FlaskClient
from hypothesis import HealthCheck
from hypothesis import settings as examples
from werkzeug.serving import WSGIRequestHandler, make_server
from werkzeug.test import TestResponse

from app import create_app
from humanparse import logs
from humanparse.config import Settings
from humanparse.parsers.compact.weights import FILE
from humanparse.pipeline import Pipeline
from tests.band_parser import BandParser
from tests.http_server import running
from tests.redis_server import running_redis

# How long an example takes says more about the machine than about us: no test is judged by the clock.
examples.register_profile("unhurried", deadline=None, suppress_health_check=[HealthCheck.too_slow])
examples.load_profile("unhurried")

SLOW = (
    # they start services, kill processes, compile networks or try thousands of inputs: most of the suite's time
    "test_load", "test_serving", "test_tasks", "test_soak", "test_fuzz", "test_corpus", "test_extending",
    "test_benchmarks", "test_image_memory", "parsers/m2fp/test_fetch", "parsers/m2fp/test_parser",
    "recognition/test_general", "web/test_openapi", "commands/test_video", "video/test_process", "deploy/test_files",
    "training/test_train", "training/test_calibrate", "training/test_m2fp", "test_decoding", "test_request_log",
    "test_fetching", "web/test_videos", "web/test_patience", "jobs/test_videos", "jobs/test_callbacks",
    "test_doc_commands", "recognition/test_efficientnet_lite", "training/test_network", "training/test_evaluate",
    "training/test_gallery", "training/test_pseudo", "deploy/test_slim", "test_allocator", "test_failing",
)  # fmt: skip


def is_slow(path: Path) -> bool:
    return path.relative_to(Path(__file__).parent).with_suffix("").as_posix() in SLOW


def pytest_ignore_collect(collection_path: Path, config: pytest.Config) -> bool | None:
    """What `make fast` leaves out is not even imported."""
    return True if "not slow" in config.option.markexpr and is_slow(collection_path) else None


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if is_slow(item.path):
            item.add_marker("slow")


def pytest_configure() -> None:
    """Beneath a failed test nobody wants a line for every request; `caplog` can ask for them."""
    logging.getLogger("humanparse.requests").setLevel(logging.WARNING)
    TestResponse.__repr__ = _describe  # type: ignore[method-assign]


def _describe(response: TestResponse) -> str:
    """What stands beneath `assert response.status_code == 200` where it is not: the problem, in its words."""
    told = response.get_json() if response.mimetype == "application/problem+json" else {}
    return f"<{response.status_code} {told.get('code', response.mimetype)}: {told.get('detail', '')}>"


def pytest_runtest_call() -> None:
    """What the service logs is shown by pytest, once, and not on stderr as well."""
    logs.keep_off_stderr()


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    folders = {name: tmp_path / name.removesuffix("_dir") for name in ("results_dir", "jobs_dir", "cache_dir")}
    return Settings(**folders, decode="thread")  # a process for each test's app would cost seconds in all


@pytest.fixture
def pipeline(settings: Settings) -> Pipeline:
    return Pipeline(settings, make_parser=lambda name, own: BandParser(own))


@pytest.fixture
def app(settings: Settings, pipeline: Pipeline) -> Iterator[Flask]:
    app = create_app(settings, pipeline)
    yield app
    app.extensions["humanparse"].jobs.runner.stop()


@pytest.fixture
def client(app: Flask) -> FlaskClient:
    return app.test_client()


class SilentRequests(WSGIRequestHandler):
    def log(self, type: str, message: str, *args: Any) -> None:
        del type, message, args


@contextmanager
def serving(app: Flask) -> Iterator[str]:
    """http://... of an app that is really served; its runner is stopped at the end."""
    try:
        with running(make_server("127.0.0.1", 0, app, threaded=True, request_handler=SilentRequests)) as address:
            yield address
    finally:
        app.extensions["humanparse"].jobs.runner.stop()


@pytest.fixture(scope="session")
def address(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """http://... of the real service, compact parser included."""
    if not FILE.exists():
        pytest.fail(f"These tests parse real photos and need {FILE}; fetch it with git.", pytrace=False)
    folders = {name: tmp_path_factory.mktemp(name) for name in ("results_dir", "jobs_dir", "cache_dir")}
    with serving(create_app(Settings(**folders, threads=1))) as address:
        yield address


@pytest.fixture(scope="session")
def photo() -> bytes:
    """A small JPEG, 64 x 48, of coloured noise."""
    noise = np.random.default_rng(5).integers(0, 256, (6, 8, 3), np.uint8)
    image = cv2.resize(noise, (64, 48), interpolation=cv2.INTER_CUBIC)
    return cv2.imencode(".jpg", image)[1].tobytes()


@pytest.fixture(scope="session")
def astronaut() -> np.ndarray:
    """NASA's public-domain portrait of Eileen Collins, (512, 512, 3) uint8 RGB."""
    from skimage import data

    return data.astronaut()


@pytest.fixture(scope="session")
def redis_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """redis://... of a real server."""
    with running_redis(tmp_path_factory.mktemp("redis")) as url:
        yield url
