"""Jobs over HTTP: the same answers, later."""

from __future__ import annotations

import json
import time
import zipfile
from dataclasses import replace
from datetime import datetime
from io import BytesIO
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from app import create_app
from humanparse.config import Settings
from humanparse.exports import FORMATS
from humanparse.jobs.backends import Jobs
from humanparse.pipeline import Pipeline
from tests.test_archives import make_zip
from tests.web.test_api import check_problem, without_timing

ENDED = ("succeeded", "failed", "cancelled")
PATIENCE_S = 20


@pytest.fixture
def asleep(app: Flask, monkeypatch: pytest.MonkeyPatch) -> Jobs:
    """The app's jobs, with nobody to do them until `runner.start` is called."""
    jobs: Jobs = app.extensions["humanparse"].jobs
    monkeypatch.setattr(jobs.runner, "wake", lambda: None)
    return jobs


def post(client: FlaskClient, *files: tuple[str, bytes], query: str = "", key: str = "", **fields: str) -> TestResponse:
    images = [(BytesIO(data), name) for name, data in files]
    headers = {"Idempotency-Key": key} if key else {}
    return client.post(f"/api/jobs{query}", data={**fields, "image": images}, headers=headers)


def submitted(response: TestResponse) -> dict[str, Any]:
    assert response.status_code == 202, response.text
    job: dict[str, Any] = response.get_json()
    assert response.headers["Location"] == f"/api/jobs/{job['id']}"
    return job


def ended(client: FlaskClient, job: dict[str, Any]) -> dict[str, Any]:
    end = time.monotonic() + PATIENCE_S
    while True:
        found: dict[str, Any] = client.get(f"/api/jobs/{job['id']}").get_json()
        if found["state"] in ENDED:
            return found
        assert time.monotonic() < end, found
        time.sleep(0.01)


def result(client: FlaskClient, job: dict[str, Any]) -> TestResponse:
    found = ended(client, job)
    response = client.get(found["result"], buffered=True)
    assert response.status_code == 200, response.text
    return response


def test_a_photo_in_any_form_gives_what_parse_answers(client: FlaskClient, photo: bytes) -> None:
    from base64 import b64encode

    query = "?include=rle&alpha=0.3&overlay=jpeg"
    direct = without_timing(client.post(f"/api/parse{query}", data=photo, content_type="image/jpeg"))
    for job in (
        client.post(f"/api/jobs{query}", data=photo, content_type="image/jpeg"),
        client.post(f"/api/jobs{query}", json={"image": b64encode(photo).decode()}),
        client.post("/api/jobs", json={"image": b64encode(photo).decode(), "include": ["rle"], "alpha": 0.3,
                                       "overlay": "jpeg"}),
        post(client, ("a.jpg", photo), query=query),
        post(client, ("a.jpg", photo), include="rle", alpha="0.3", overlay="jpeg"),
    ):  # fmt: skip
        made = submitted(job)
        assert (made["kind"], made["progress"]["total"]) == ("parse", 1)
        assert without_timing(result(client, made)) == direct


def test_several_photos_give_what_batch_answers(client: FlaskClient, photo: bytes) -> None:
    files = [("a.jpg", photo), ("../b.txt", b"no photo"), ("c.jpg", photo)]
    images = [(BytesIO(data), name) for name, data in files]
    direct = client.post("/api/parse/batch?overlay=none", data={"image": images}, buffered=True).get_json()
    job = submitted(post(client, *files, query="?overlay=none"))
    rows = result(client, job).get_json()
    for row in (*rows["results"], *direct["results"]):
        row.pop("timing_ms", None)
        row.get("problem", {}).pop("request_id", None)
    assert rows == direct
    assert ended(client, job)["progress"] == {"done": 3, "failed": 1, "total": 3}


def test_a_zip_is_several_and_one_photo_may_ask_to_be(client: FlaskClient, photo: bytes) -> None:
    packed = make_zip(("a.jpg", photo), ("b.jpg", photo)).getvalue()
    for response in (
        client.post("/api/jobs", data=packed, content_type="application/zip"),
        client.post("/api/jobs", data=packed, content_type="application/octet-stream"),
        post(client, ("photos.zip", packed)),
    ):
        job = submitted(response)
        assert (job["kind"], job["progress"]["total"]) == ("batch", 2)
        assert [row["file"] for row in result(client, job).get_json()["results"]] == ["a.jpg", "b.jpg"]
    alone = submitted(post(client, ("a.jpg", photo), kind="batch"))
    assert [row["status"] for row in result(client, alone).get_json()["results"]] == ["success"]
    check_problem(post(client, ("a.jpg", photo), ("b.jpg", photo), kind="parse"), 422, "invalid_option")
    check_problem(post(client, ("a.jpg", photo), kind="both"), 422, "invalid_option")


@pytest.mark.parametrize("name", FORMATS)
def test_every_format_is_what_parse_and_batch_answer(client: FlaskClient, photo: bytes, name: str) -> None:
    direct = client.post(f"/api/parse?format={name}", data={"image": (BytesIO(photo), "a.jpg")})
    later = result(client, submitted(post(client, ("x/a.jpg", photo), query=f"?format={name}")))
    assert later.data == direct.data
    for header in ("Content-Type", "Content-Disposition"):
        assert later.headers[header] == direct.headers[header]
    several = result(client, submitted(post(client, ("a.jpg", photo), ("b.jpg", photo), query=f"?format={name}")))
    assert several.content_type == "application/zip"
    with zipfile.ZipFile(BytesIO(several.data)) as bundle:
        assert "results.json" in bundle.namelist()


def test_a_job_tells_where_it_stands(asleep: Jobs, client: FlaskClient, photo: bytes) -> None:
    jobs = [submitted(post(client, (f"{place}.jpg", photo))) for place in range(3)]
    assert [job["place"] for job in jobs] == [1, 2, 3]
    last = jobs[-1]
    assert (last["state"], last["result"], last["started_at"], last["expires_at"]) == ("queued", None, None, None)
    response = client.get(f"/api/jobs/{last['id']}/result")
    problem = check_problem(response, 409, "job_unfinished")
    assert problem["state"] == "queued"
    assert problem["detail"].startswith("This job is queued; ask for its result when ")
    asleep.runner.start()
    found = ended(client, last)
    assert (found["state"], found["place"], found["callback"]) == ("succeeded", None, None)
    times = [datetime.fromisoformat(found[key]) for key in ("created_at", "started_at", "finished_at", "expires_at")]
    assert times == sorted(times)
    assert (times[3] - times[2]).total_seconds() == pytest.approx(86_400)
    response = client.get(found["result"], buffered=True)
    assert response.cache_control.private
    assert 86_000 < (response.cache_control.max_age or 0) <= 86_400
    assert client.get(f"/api/jobs/{last['id']}").headers["Cache-Control"] == "no-store"


def test_a_result_is_named_after_what_it_is_and_not_after_its_worker(client: FlaskClient, photo: bytes) -> None:
    names = {"": "parse.json", "?kind=batch": "batch.json", "?format=coco": "parsing.coco.json",
             "?format=png&kind=batch": "parsings.zip"}  # fmt: skip
    for query, name in names.items():
        response = client.post(f"/api/jobs{query}", data=photo, content_type="image/jpeg")
        headers = result(client, submitted(response)).headers
        assert headers["Content-Disposition"] == f"inline; filename={name}"


def test_a_photo_that_cannot_be_parsed_fails_the_job_with_its_problem(client: FlaskClient) -> None:
    response = post(client, ("a.jpg", b"no photo"))
    job = ended(client, submitted(response))
    assert (job["state"], job["problem"]["code"]) == ("failed", "unsupported_format")
    answer = client.get(job["result"])
    assert (answer.status_code, answer.content_type) == (415, "application/problem+json")
    assert answer.get_json() == job["problem"]
    assert job["problem"]["request_id"] == response.headers["X-Request-ID"]  # the log knows it by that


def test_what_is_wrong_with_the_request_is_said_at_once(asleep: Jobs, client: FlaskClient, photo: bytes) -> None:
    del asleep
    check_problem(post(client), 400, "missing_image")
    check_problem(post(client, ("a.jpg", b"")), 400, "missing_image")
    check_problem(client.post("/api/jobs", data=b"", content_type="image/png"), 400, "missing_image")
    check_problem(client.post("/api/jobs", json={"image": "!"}), 400, "unreadable_image")
    check_problem(client.post("/api/jobs", data="x", content_type="text/plain"), 415, "unsupported_format")
    check_problem(post(client, ("a.jpg", photo), query="?alpha=2"), 422, "invalid_option")
    check_problem(post(client, ("a.jpg", photo), query="?nonsense=2"), 422, "invalid_option")
    check_problem(post(client, ("a.jpg", photo), query="?kind=batch", kind="batch"), 422, "invalid_option")
    check_problem(post(client, ("a.jpg", photo), query="?kind=batch&kind=parse"), 422, "invalid_option")
    check_problem(post(client, *[("a.jpg", photo)] * 65), 413, "too_many_files")
    check_problem(client.get("/api/jobs"), 405, "method_not_allowed")  # nothing lists them


def test_too_many_bytes_are_refused(settings: Settings, pipeline: Pipeline, photo: bytes) -> None:
    client = create_app(replace(settings, batch_bytes=len(photo), max_bytes=4096), pipeline).test_client()
    assert check_problem(post(client, ("a.jpg", photo)), 413, "too_many_bytes")["limit"] == len(photo)
    large = client.post("/api/jobs", data=bytes(100_000), content_type="image/png")
    assert check_problem(large, 413, "too_many_bytes")["limit"] == 4096


def test_a_full_line_says_when_to_come_back(settings: Settings, pipeline: Pipeline, photo: bytes) -> None:
    app = create_app(replace(settings, jobs_queue=1), pipeline)
    app.extensions["humanparse"].jobs.runner.wake = lambda: None
    client = app.test_client()
    submitted(post(client, ("a.jpg", photo)))
    response = post(client, ("a.jpg", photo))
    assert check_problem(response, 503, "queue_full")["retry_after_s"] == int(response.headers["Retry-After"]) == 1


def test_an_idempotency_key_gives_one_job(asleep: Jobs, client: FlaskClient, photo: bytes) -> None:
    del asleep
    first = submitted(post(client, ("a.jpg", photo), key='"the-key"'))
    assert submitted(post(client, ("a.jpg", photo), key="the-key"))["id"] == first["id"]
    check_problem(post(client, ("b.jpg", photo), key="the-key"), 422, "idempotency_key_reused")
    assert submitted(post(client, ("a.jpg", photo), key="another"))["id"] != first["id"]
    for bad in ('""', "x" * 256):
        check_problem(post(client, ("a.jpg", photo), key=bad), 422, "invalid_option")


def test_cancelling_and_deleting(asleep: Jobs, client: FlaskClient, photo: bytes) -> None:
    first, second = (submitted(post(client, ("a.jpg", photo))) for _ in range(2))
    for _ in range(2):
        response = client.post(f"/api/jobs/{first['id']}/cancel")
        assert (response.status_code, response.get_json()["state"]) == (200, "cancelled")
    assert client.get(f"/api/jobs/{first['id']}").get_json()["result"] is None
    check_problem(client.get(f"/api/jobs/{first['id']}/result"), 409, "job_cancelled")
    assert client.delete(f"/api/jobs/{second['id']}").get_json()["state"] == "cancelled"
    third = submitted(post(client, ("a.jpg", photo)))
    asleep.runner.start()
    assert ended(client, third)["state"] == "succeeded"
    assert client.post(f"/api/jobs/{third['id']}/cancel").get_json()["state"] == "succeeded"
    for job in (first, second, third):
        assert client.delete(f"/api/jobs/{job['id']}").status_code == 204
        check_problem(client.get(f"/api/jobs/{job['id']}"), 404, "job_expired")
        check_problem(client.delete(f"/api/jobs/{job['id']}"), 404, "job_expired")


def test_unknown_ids_are_not_here(client: FlaskClient) -> None:
    for id in ("x" * 22, "x", "..%2f..", "jobs.sqlite3"):
        for ask in (client.get, client.delete):
            check_problem(ask(f"/api/jobs/{id}"), 404, "job_expired" if "%" not in id else "not_found")
        assert client.get(f"/api/jobs/{id}/result").status_code == 404
        assert client.post(f"/api/jobs/{id}/cancel").status_code == 404


def test_callbacks_are_off_without_a_secret(client: FlaskClient, photo: bytes) -> None:
    response = post(client, ("a.jpg", photo), callback_url="https://example.org/")
    assert "no callbacks" in check_problem(response, 422, "invalid_option")["detail"]


def test_a_callback_is_taken_checked_and_shown(settings: Settings, pipeline: Pipeline, photo: bytes) -> None:
    app = create_app(replace(settings, callback_secret="secret"), pipeline)
    jobs: Jobs = app.extensions["humanparse"].jobs
    sent: list[tuple[str, bytes]] = []
    jobs.runner._caretaker._send = lambda url, id, body: sent.append((url, body)) is None
    client = app.test_client()
    check_problem(post(client, ("a.jpg", photo), callback_url="http://127.0.0.1/"), 422, "invalid_option")
    url = "https://example.org/told?a=b"
    job = submitted(post(client, ("a.jpg", photo), callback_url=url))
    assert job["callback"] == {"url": url, "state": "waiting", "tries": 0}
    ended(client, job)
    jobs.runner._caretaker.call_back()
    jobs.runner.stop()
    assert client.get(f"/api/jobs/{job['id']}").get_json()["callback"]["state"] == "delivered"
    ((address, body),) = sent
    assert (address, json.loads(body)["data"]["id"]) == (url, job["id"])
