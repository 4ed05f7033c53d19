"""Deleting everything, and what goes by itself when it is too old."""

from __future__ import annotations

import os
import time
from dataclasses import replace

import pytest
from flask import Flask
from flask.testing import FlaskClient

from app import create_app
from humanparse.__main__ import main
from humanparse.cache.parsings import open_cache
from humanparse.cache.redis_blobs import RedisBlobs
from humanparse.config import Settings
from humanparse.pipeline import Pipeline
from tests.band_parser import BandParser
from tests.redis_server import free_port


def test_purge_deletes_everything_that_is_kept_and_the_service_goes_on(
    app: Flask, client: FlaskClient, settings: Settings, photo: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    app.extensions["humanparse"].pipeline.cache = open_cache(settings)
    kept = client.post("/upload", data=photo).headers["Location"]
    job = client.post("/api/jobs", data=photo).headers["Location"]
    while client.get(job).get_json()["state"] != "succeeded":
        time.sleep(0.02)
    left = settings.results_dir / ".partial-0123456789012345678901"
    left.mkdir()
    (settings.results_dir / ".gitkeep").touch()
    for name in ("results", "jobs", "cache"):
        monkeypatch.setenv(f"HUMANPARSE_{name.upper()}_DIR", str(getattr(settings, f"{name}_dir")))
    assert main(["purge", "--yes"]) == 0
    assert [client.get(path).status_code for path in (kept, job)] == [404, 404]
    names = {
        path.name
        for folder in ("results", "jobs", "cache")
        for path in (settings.results_dir.parent / folder).rglob("*")
    }
    assert names <= {".gitkeep", "jobs.sqlite3", "jobs.sqlite3-wal", "jobs.sqlite3-shm"}
    assert job.rpartition("/")[2].encode() not in (settings.jobs_dir / "jobs.sqlite3").read_bytes()
    assert client.post("/upload", data=photo).status_code == 303


def test_purge_clears_a_cache_in_redis_and_says_where_it_cannot(
    settings: Settings, redis_url: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    for name in ("results", "jobs"):
        monkeypatch.setenv(f"HUMANPARSE_{name.upper()}_DIR", str(getattr(settings, f"{name}_dir")))
    monkeypatch.setenv("HUMANPARSE_CACHE_URL", redis_url)
    blobs = RedisBlobs(redis_url, 60)
    blobs.put("a", b"1")
    assert main(["purge", "--yes"]) == 0
    assert blobs.get("a") is None
    monkeypatch.setenv("HUMANPARSE_CACHE_URL", f"redis://127.0.0.1:{free_port()}/0")
    assert main(["purge", "--yes"]) == 2
    assert "not all of the cache is deleted" in capsys.readouterr().err


def test_what_is_too_old_goes_also_after_a_crash_and_where_nobody_asks_for_anything(
    settings: Settings, photo: bytes
) -> None:
    """The caretaker of whichever process comes next looks, without any request."""

    def make() -> Flask:
        pipeline = Pipeline(settings, lambda name, own: BandParser(own), cache=open_cache(settings))
        return create_app(replace(settings, job_lease_s=0.3), pipeline)

    address = make().test_client().post("/upload", data=photo).headers["Location"]  # then that process is gone
    result = settings.results_dir / address.rpartition("/")[2]
    old = time.time() - settings.result_age_s - 1
    os.utime(result, (old, old))
    runner = make().extensions["humanparse"].jobs.runner
    runner.start()
    end = time.monotonic() + 20
    while result.exists():
        assert time.monotonic() < end
        time.sleep(0.02)
    runner.stop()
