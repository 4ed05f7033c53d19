"""What users see when something around the service is away: Redis, weights, a folder. (Disk, workers: test_load.py.)"""

from __future__ import annotations

import os
import shutil
from dataclasses import replace
from pathlib import Path

import pytest

from app import create_app
from humanparse.cache.parsings import open_cache
from humanparse.config import Settings
from humanparse.pipeline import Pipeline
from tests.band_parser import BandParser
from tests.redis_server import running_redis
from tests.web.test_api import check_problem, post_form


def make_pipeline(settings: Settings) -> Pipeline:
    return Pipeline(settings, lambda name, own: BandParser(own), cache=open_cache(settings))


def test_with_redis_taken_away_jobs_are_503_and_photos_are_parsed(
    settings: Settings, photo: bytes, tmp_path: Path
) -> None:
    with running_redis(tmp_path) as url:
        shared = replace(settings, broker_url=url, cache_url=url, rate_limit="100/minute", rate_limit_url=url)
        client = create_app(shared, make_pipeline(shared)).test_client()
        accepted = client.post("/api/jobs", data=photo)
        assert accepted.status_code == 202
        assert post_form(client, photo).headers["Cache-Status"].endswith("fwd=uri-miss")
    refused = client.post("/api/jobs", data=photo)
    problem = check_problem(refused, 503, "storage_failed")
    assert refused.headers["Retry-After"] == str(problem["retry_after_s"]) == "5"
    assert "127.0.0.1" not in refused.text  # where Redis stands is nobody's business
    check_problem(client.get(accepted.headers["Location"]), 503, "storage_failed")
    assert post_form(client, photo).status_code == 200
    assert client.get("/readyz").status_code == 200
    left = [path for path in settings.jobs_dir.iterdir() if path.name != accepted.get_json()["id"]]
    assert left == []  # what could not be accepted left nothing
    client.application.extensions["humanparse"].jobs.runner.stop()


def test_with_the_weights_taken_away_the_answer_says_what_to_do(settings: Settings, photo: bytes) -> None:
    settings = replace(settings, parser="m2fp", m2fp_dir=settings.results_dir / "nothing")
    client = create_app(settings).test_client()
    for response in (post_form(client, photo), client.get("/readyz")):
        problem = check_problem(response, 503, "parser_unavailable")
        assert "fetch m2fp" in problem["detail"]
    assert client.get("/healthz").status_code == 200
    assert post_form(client, photo, query="?parser=compact").status_code == 200


@pytest.mark.skipif(os.geteuid() != 0, reason="needs the right to mount a small file system")
def test_on_a_full_disk_the_next_photo_is_parsed_and_room_heals(
    settings: Settings, photo: bytes, tmp_path: Path
) -> None:
    disk = tmp_path / "disk"
    disk.mkdir()
    if os.system(f"mount -t tmpfs -o size=256k tmpfs {disk} 2>/dev/null") != 0:
        pytest.skip("a small file system cannot be mounted here; test_load.py has a limit of file sizes instead")
    try:
        small = replace(
            settings,
            results_dir=disk / "results",
            jobs_dir=disk / "jobs",
            cache_dir=disk / "cache",
            cache_bytes=1 << 20,
        )
        client = create_app(small, make_pipeline(small)).test_client()
        (disk / "filler").write_bytes(bytes(250_000))
        assert post_form(client, photo).status_code == 200
        for path in ("/upload", "/api/jobs"):
            refused = client.post(path, data=photo)
            check_problem(refused, 503, "storage_failed")
            assert refused.headers["Retry-After"] == "30"
        (disk / "filler").unlink()
        assert client.post("/upload", data=photo).status_code == 303
        client.application.extensions["humanparse"].jobs.runner.stop()
    finally:
        os.system(f"umount -l {disk}")


def test_a_folder_taken_away_comes_back(settings: Settings, photo: bytes) -> None:
    client = create_app(settings, make_pipeline(settings)).test_client()
    first = client.post("/upload", data=photo).headers["Location"]
    for folder in (settings.results_dir, settings.jobs_dir, settings.cache_dir):
        shutil.rmtree(folder, ignore_errors=True)
    assert client.get(first).status_code == 404
    assert client.get(client.post("/upload", data=photo).headers["Location"]).status_code == 200
    assert client.post("/api/jobs", data=photo).status_code == 202
    client.application.extensions["humanparse"].jobs.runner.stop()
