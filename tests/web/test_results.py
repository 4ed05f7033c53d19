"""Results with an address, for programs: made, told step by step, looked at, forgotten."""

from __future__ import annotations

import json
import threading
import time
from datetime import datetime, timezone
from io import BytesIO
from typing import Any
from zipfile import ZipFile

import pytest
from flask import Flask
from flask.testing import FlaskClient

from app import FILES_AT_ONCE, create_app
from humanparse.config import Settings
from humanparse.errors import Busy
from humanparse.options import ParseOptions
from humanparse.pipeline import Answer, Pipeline
from humanparse.web import result_pages
from tests.band_parser import BandParser
from tests.web.visits import BROWSER

LINES = {"Accept": "application/x-ndjson"}


def test_a_result_is_made_looked_at_and_forgotten(client: FlaskClient, settings: Settings, photo: bytes) -> None:
    made = client.post("/api/results", data=photo, content_type="image/jpeg")
    assert made.status_code == 201
    body = made.get_json()
    assert made.headers["Location"] == body["address"] == f"/results/{body['id']}"
    assert client.get(body["address"], headers=BROWSER).status_code == 200
    for address in body["files"].values():
        assert client.get(address).status_code == 200
    left = datetime.fromisoformat(body["expires_at"].replace("Z", "+00:00")) - datetime.now(timezone.utc)
    assert settings.result_age_s - 10 < left.total_seconds() <= settings.result_age_s + 1
    assert client.get(f"/api/results/{body['id']}").get_json() == body
    assert client.delete(f"/api/results/{body['id']}").status_code == 204
    for address in (f"/api/results/{body['id']}", body["address"], *body["files"].values()):
        assert client.get(address).get_json()["code"] == "result_expired"
    assert client.delete(f"/api/results/{body['id']}").status_code == 404


def test_its_summary_is_that_of_parse(client: FlaskClient, photo: bytes) -> None:
    kept = client.post("/api/results", data=photo, content_type="image/jpeg").get_json()
    told = client.post("/api/parse?include=keypoints&overlay=none", data=photo, content_type="image/jpeg").get_json()
    for key in ("timing_ms", "id", "address", "expires_at", "files"):
        kept.pop(key)
        told.pop(key, None)
    told.pop("result_image")
    assert kept == told


def test_everything_of_it_is_in_one_zip(client: FlaskClient, photo: bytes) -> None:
    files = client.post("/api/results", data=photo, content_type="image/jpeg").get_json()["files"]
    with ZipFile(BytesIO(client.get(files["everything.zip"]).data)) as archive:
        names = set(archive.namelist())
        for name in ("labels.png", "people.png"):
            assert archive.read(name) == client.get(files[name]).data
        assert json.loads(archive.read("coco.json")) == client.get(files["coco.json"]).get_json()
    assert {"photo.jpg", "overlay.png", "parsing.json", "masks/masks.json"} <= names
    assert {"cutouts/person-1.png", "cutouts/person-2/05-UpperClothes.png"} <= names


class SlowParser(BandParser):
    """Stays with a photo until it is let go."""

    begun = threading.Event()
    let_go = threading.Event()

    def parse(self, image):  # type: ignore[no-untyped-def]
        self.begun.set()
        assert self.let_go.wait(10)
        return super().parse(image)


def test_the_steps_tell_how_many_photos_are_before_this_one(settings: Settings, photo: bytes) -> None:
    app = create_app(settings, Pipeline(settings, lambda *_: SlowParser()))
    first = threading.Thread(
        target=lambda: app.test_client().post("/api/parse", data=photo, content_type="image/jpeg"),
    )
    first.start()
    assert SlowParser.begun.wait(10)
    steps = app.test_client().post("/api/results", data=photo, content_type="image/jpeg", headers=LINES, buffered=False)
    assert steps.content_type == "application/x-ndjson"
    lines = steps.iter_encoded()
    assert json.loads(next(lines)) == {"step": "waiting", "before": 1}
    SlowParser.let_go.set()
    others = [json.loads(line) for line in lines if line.strip()]
    first.join()
    assert [step["step"] for step in others] == ["parsing", "done"]
    assert app.test_client().get(others[-1]["result"]["address"], headers=BROWSER).status_code == 200


def test_what_fails_before_the_first_step_has_a_status(client: FlaskClient) -> None:
    answer = client.post("/api/results", data=b"text", content_type="image/jpeg", headers=LINES)
    assert (answer.status_code, answer.get_json()["code"]) == (415, "unsupported_format")


class LateFailure(Pipeline):
    def parse(self, data: bytes, options: ParseOptions, check=None, tell=None) -> Answer:  # type: ignore[no-untyped-def]
        del data, options, check
        tell(1)
        raise Busy("No place came free.", retry_after_s=7)


def test_what_fails_later_is_the_last_step(settings: Settings, photo: bytes) -> None:
    client = create_app(settings, LateFailure(settings)).test_client()
    answer = client.post("/api/results", data=photo, content_type="image/jpeg", headers=LINES)
    waiting, failed = [json.loads(line) for line in answer.text.splitlines()]
    assert waiting["step"] == "waiting"
    assert (failed["step"], failed["problem"]["code"], failed["problem"]["retry_after_s"]) == ("failed", "busy", 7)


def test_a_photo_that_nobody_waits_for_leaves_the_line(settings: Settings, photo: bytes) -> None:
    pipeline = Pipeline(settings, lambda *_: BandParser())
    app: Flask = create_app(settings, pipeline)
    with pipeline._gate.enter():
        answer = app.test_client().post(
            "/api/results", data=photo, content_type="image/jpeg", headers=LINES, buffered=False
        )
        lines = answer.iter_encoded()
        assert json.loads(next(lines))["before"] == 1
        answer.close()
    for _ in range(200):
        if not pipeline._gate._line:
            break
        threading.Event().wait(0.01)
    assert not pipeline._gate._line
    assert not list(settings.results_dir.glob("*"))


def test_files_that_are_made_are_made_by_a_few_at_a_time(
    client: FlaskClient, photo: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each holds a photo meanwhile: a crowd at overlay.png must not hold one for each request thread."""
    address = client.post("/upload", data=photo).headers["Location"]
    inside, most, lock, make = [0], [0], threading.Lock(), result_pages.make_file

    def slowly(*given: Any) -> Any:
        with lock:
            inside[0] += 1
            most[0] = max(most[0], inside[0])
        time.sleep(0.1)
        with lock:
            inside[0] -= 1
        return make(*given)

    monkeypatch.setattr(result_pages, "make_file", slowly)
    statuses: list[int] = []

    def get() -> None:
        statuses.append(client.application.test_client().get(f"{address}/overlay.png").status_code)

    threads = [threading.Thread(target=get) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert statuses == [200] * 8
    assert most[0] == FILES_AT_ONCE
