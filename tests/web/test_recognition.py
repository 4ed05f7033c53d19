"""The addresses of recognition: their shapes, one answer behind all, the same errors as everywhere."""

from __future__ import annotations

import time
from base64 import b64encode
from collections.abc import Iterator
from io import BytesIO
from pathlib import Path

import pytest
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from app import create_app
from humanparse import metrics
from humanparse.cache.parsings import open_cache
from humanparse.config import Settings
from humanparse.errors import ConfigError
from humanparse.pipeline import Pipeline
from tests.band_parser import BandParser
from tests.colour_recognizer import ColourRecognizer


@pytest.fixture
def client(settings: Settings) -> Iterator[FlaskClient]:
    pipeline = Pipeline(settings, lambda *_: BandParser(), open_cache(settings), lambda *_: ColourRecognizer())
    app = create_app(settings, pipeline)
    yield app.test_client()
    app.extensions["humanparse"].jobs.runner.stop()


def test_recognize(client: FlaskClient, photo: bytes) -> None:
    answer = client.post("/api/recognize?top_k=2", data={"image": (BytesIO(photo), "cat.jpg")})
    body = answer.get_json()
    assert answer.status_code == 200
    assert list(body) == ["status", "predictions", "recognizer", "image", "cached", "timing_ms"]
    assert [list(one) for one in body["predictions"]] == [["class_id", "label", "label_zh", "probability"]] * 2
    assert body["predictions"][0]["probability"] >= body["predictions"][1]["probability"]
    assert body["image"] == {"width": 64, "height": 48}
    assert answer.headers["Cache-Status"] == "humanparse; fwd=uri-miss"


def test_every_form_of_request_and_every_address_says_the_same(client: FlaskClient, photo: bytes) -> None:
    text = b64encode(photo).decode()
    bodies = [
        client.post("/api/recognize", json={"image": text, "top_k": 3, "cache": False}),
        client.post("/api/recognize", data=photo, content_type="image/jpeg"),
        client.post("/api/recognize_cached", data={"file": (BytesIO(photo), "x"), "top_k": "3"}),
        client.post("/api/recognize_cached?cache=false", data=photo, content_type="image/jpeg"),
    ]
    said = [answer.get_json() for answer in bodies]
    assert all(body["predictions"] == said[0]["predictions"] for body in said)
    assert [body["cached"] for body in said] == [False, False, True, True]
    short = client.post("/predict?top_k=3", data={"file": (BytesIO(photo), "x")}).get_json()
    assert list(short) == ["file_id", "results"]
    assert [one["label"] for one in short["results"]] == [one["label"] for one in said[0]["predictions"]]
    assert [one["score"] for one in short["results"]] == [one["probability"] for one in said[0]["predictions"]]


def test_a_task_ends_with_the_same_answer(client: FlaskClient, photo: bytes) -> None:
    direct = client.post("/api/recognize?top_k=2", data=photo, content_type="image/jpeg").get_json()
    accepted = client.post("/api/recognize_async?top_k=2", data=photo, content_type="image/jpeg")
    task = accepted.get_json()
    assert accepted.status_code == 202
    assert list(task) == ["task_id", "status", "status_url", "result_url"]
    assert task["status"] == "queued"
    assert accepted.headers["Location"] == task["status_url"] == f"/api/jobs/{task['task_id']}"
    for _ in range(200):
        job = client.get(task["status_url"]).get_json()
        if job["state"] == "succeeded":
            break
        time.sleep(0.05)
    assert (job["state"], job["kind"]) == ("succeeded", "recognize")
    with client.get(task["result_url"]) as result:
        assert result.content_type == "application/json"
        assert result.get_json()["predictions"] == direct["predictions"]


def test_an_idempotency_key_gives_one_task(client: FlaskClient, photo: bytes) -> None:
    def submit(key: str | None, top_k: int = 2) -> TestResponse:
        headers = {} if key is None else {"Idempotency-Key": key}
        return client.post(
            f"/api/recognize_async?top_k={top_k}", data=photo, content_type="image/jpeg", headers=headers
        )

    first = submit("cat-1").get_json()["task_id"]
    assert submit("cat-1").get_json()["task_id"] == submit('"cat-1"').get_json()["task_id"] == first
    assert first not in {submit("cat-2").get_json()["task_id"], submit(None).get_json()["task_id"]}
    other = submit("cat-1", top_k=3)
    assert (other.status_code, other.get_json()["code"]) == (422, "idempotency_key_reused")
    too_long = submit("x" * 256)
    assert (too_long.status_code, too_long.get_json()["option"]) == (422, "Idempotency-Key")


def test_health_says_whether_the_model_is_loaded(client: FlaskClient, photo: bytes) -> None:
    assert client.get("/health").get_json() == {"status": "ok", "model_loaded": False}
    client.post("/predict", data=photo, content_type="image/jpeg")
    assert client.get("/health").get_json() == {"status": "ok", "model_loaded": True}


@pytest.mark.parametrize("path", ["/api/recognize", "/api/recognize_cached", "/api/recognize_async", "/predict"])
def test_bad_requests_are_told_and_the_next_good_one_works(client: FlaskClient, photo: bytes, path: str) -> None:
    cases = {
        "missing_image": client.post(path, data={}),
        "invalid_option": client.post(f"{path}?top_k=0", data=photo, content_type="image/jpeg"),
        "unsupported_format": client.post(path, data=b"<html>", content_type="text/html"),
    }
    if path != "/api/recognize_async":  # there the photo is looked at later
        cases["unreadable_image"] = client.post(path, data=photo[:200], content_type="image/jpeg")
    for code, answer in cases.items():
        if code == "missing_image" and answer.get_json()["code"] == "unsupported_format":
            continue  # a form without fields has no type
        assert answer.content_type == "application/problem+json"
        assert answer.get_json()["code"] == code, answer.get_json()
    assert client.post(path, data=photo, content_type="image/jpeg").status_code in (200, 202)


@pytest.mark.parametrize("path", ["/api/recognize", "/predict", "/api/stylize?effect=oil", "/api/parse"])
def test_several_photos_are_refused_where_one_is_taken(client: FlaskClient, photo: bytes, path: str) -> None:
    answer = client.post(path, data={"image": [(BytesIO(photo), "a.jpg"), (BytesIO(photo), "b.jpg")]})
    assert (answer.status_code, answer.get_json()["code"]) == (413, "too_many_files")
    assert "/api/parse/batch" in answer.get_json()["detail"]


@pytest.mark.parametrize("query", ["/api/recognize?recognizer=general", "/api/parse?parser=m2fp"])
def test_what_is_not_here_is_told_without_the_server_s_folders(tmp_path: Path, photo: bytes, query: str) -> None:
    folders = {name: tmp_path / name for name in ("results_dir", "jobs_dir", "cache_dir", "general_dir", "m2fp_dir")}
    app = create_app(Settings(**folders, decode="thread"))
    answer = app.test_client().post(query, data=photo, content_type="image/jpeg")
    app.extensions["humanparse"].jobs.runner.stop()
    assert answer.status_code == 503
    assert "python -m humanparse fetch" in answer.get_json()["detail"]
    assert str(tmp_path) not in answer.text


def test_recognition_is_counted(client: FlaskClient, photo: bytes) -> None:
    def count(name: str, **labels: str) -> float:
        return metrics.REGISTRY.get_sample_value(name, labels) or 0.0

    before = count("humanparse_photos_total", parser="colours"), count("humanparse_cache_lookups_total", result="hit")
    for _ in range(2):
        client.post("/predict", data=photo, content_type="image/jpeg")
    assert count("humanparse_photos_total", parser="colours") == before[0] + 2
    assert count("humanparse_cache_lookups_total", result="hit") == before[1] + 1
    assert count("humanparse_stage_seconds_count", stage="recognize", parser="colours") >= 1


def test_an_option_in_two_places_is_refused(client: FlaskClient, photo: bytes) -> None:
    answer = client.post("/api/recognize?top_k=2", data={"image": (BytesIO(photo), "x"), "top_k": "2"})
    assert answer.status_code == 422


def test_an_unknown_recognizer_stops_the_start() -> None:
    with pytest.raises(ConfigError, match="HUMANPARSE_RECOGNIZER"):
        create_app(Settings(recognizer="magic"))
