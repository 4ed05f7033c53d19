"""Results with an address, for programs: made, told step by step, looked at, forgotten."""

from __future__ import annotations

import json
import threading
import time
from dataclasses import replace
from datetime import datetime, timezone
from io import BytesIO
from typing import Any
from zipfile import ZipFile

import cv2
import numpy as np
import pytest
from flask import Flask
from flask.testing import FlaskClient
from PIL import Image

from app import FILES_AT_ONCE, create_app
from humanparse.cache.parsings import open_cache
from humanparse.config import Settings
from humanparse.effects import EFFECTS
from humanparse.errors import Busy
from humanparse.options import ParseOptions
from humanparse.pipeline import Answer, Pipeline
from humanparse.web import result_pages
from tests.band_parser import BandParser
from tests.colour_recognizer import ColourRecognizer
from tests.web.visits import BROWSER, read_page

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


def test_the_log_of_a_request_that_is_told_step_by_step_has_its_photo(
    client: FlaskClient, photo: bytes, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level("INFO", "humanparse.requests"):
        answer = client.post("/api/results", data=photo, content_type="image/jpeg", headers=LINES)
        assert '"done"' in answer.text
        answer.close()
    (record,) = [vars(record) for record in caplog.records if vars(record).get("path") == "/api/results"]
    assert (record["parser"], record["photos"], record["people"]) == ("bands", 1, 2)
    assert {"decode", "parse", "encode"} <= set(record["stages_ms"])


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


# The sisters, on the photo that is kept.


@pytest.fixture
def seeing(settings: Settings) -> FlaskClient:
    """A service that also recognizes, by colour."""
    return create_app(
        settings, Pipeline(settings, lambda *_: BandParser(), None, lambda *_: ColourRecognizer())
    ).test_client()


def create(client: FlaskClient, photo: bytes) -> str:
    return str(client.post("/api/results", data=photo, content_type="image/jpeg").get_json()["id"])


def read(data: bytes) -> np.ndarray:
    return cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_COLOR)[..., ::-1].astype(int)


def test_what_is_in_a_kept_photo_is_told_without_sending_it_again(seeing: FlaskClient, photo: bytes) -> None:
    id = create(seeing, photo)
    found = seeing.post(f"/api/results/{id}/recognize?top_k=2")
    sent = seeing.post("/api/recognize?top_k=2", data=photo, content_type="image/jpeg")
    assert found.status_code == 200
    assert [one["class_id"] for one in found.get_json()["predictions"]] == [
        one["class_id"] for one in sent.get_json()["predictions"]
    ]
    assert found.get_json()["image"] == {"width": 64, "height": 48}


def test_effects_go_to_the_people_and_parts_that_the_result_shows(client: FlaskClient, photo: bytes) -> None:
    id = create(client, photo)
    kept = read(client.get(f"/results/{id}/photo.jpg").data)
    people = np.array(Image.open(BytesIO(client.get(f"/results/{id}/people.png").data)))
    options = {"effect": "invert", "people": "2", "feather": "0", "format": "png"}
    for given in ({"query_string": options}, {"data": options}, {"json": options}):
        answer = client.post(f"/api/results/{id}/stylize", **given)
        assert (answer.status_code, answer.content_type) == (200, "image/png")
        painted = read(answer.data)
        assert np.array_equal(painted[people == 2], 255 - kept[people == 2])
        assert np.array_equal(painted[people != 2], kept[people != 2])
    several = client.post(f"/api/results/{id}/stylize?effect=grey,sepia").get_json()
    assert [row["effect"] for row in several["pictures"]] == ["grey", "sepia"]


def test_the_photo_is_not_parsed_again(settings: Settings, photo: bytes) -> None:
    pipeline = Pipeline(settings, lambda *_: BandParser())
    client = create_app(settings, pipeline).test_client()
    id = create(client, photo)
    pipeline.parse = pipeline.find = pipeline.parse_frame = None  # type: ignore[method-assign, assignment]
    assert client.post(f"/api/results/{id}/stylize?effect=grey&only=person").status_code == 200


def test_nothing_of_a_result_outlives_it_in_the_cache(settings: Settings, photo: bytes) -> None:
    """Effects on a kept photo are not cached: Remove it now means all of it."""
    cache = open_cache(settings)
    client = create_app(settings, Pipeline(settings, lambda *_: BandParser(), cache)).test_client()
    id = create(client, photo)
    for _ in range(2):
        answer = client.post(f"/api/results/{id}/stylize?effect=grey")
        assert answer.status_code == 200
        assert "Cache-Status" not in answer.headers
    client.delete(f"/api/results/{id}")
    for service in ("stylize?effect=grey", "recognize"):
        gone = client.post(f"/api/results/{id}/{service}")
        assert (gone.status_code, gone.get_json()["code"]) == (404, "result_expired")


def test_a_kept_photo_may_be_larger_than_the_file_that_came(settings: Settings) -> None:
    """It is our JPEG, and better than some that are sent."""
    noise = np.random.default_rng(5).integers(0, 256, (300, 400, 3), np.uint8)
    poor = cv2.imencode(".jpg", noise, [cv2.IMWRITE_JPEG_QUALITY, 5])[1].tobytes()
    own = replace(settings, max_bytes=len(poor))
    client = create_app(own, Pipeline(own, lambda *_: BandParser(), None, lambda *_: ColourRecognizer())).test_client()
    id = create(client, poor)
    assert len(client.get(f"/results/{id}/photo.jpg").data) > 2 * len(poor)
    for service in ("recognize", "stylize?effect=grey"):
        assert client.post(f"/api/results/{id}/{service}").status_code == 200


@pytest.mark.parametrize(
    ("path", "given", "status", "code"),
    [
        ("stylize", {}, 422, "invalid_option"),
        ("stylize", {"query_string": {"effect": "oil", "people": "9"}}, 422, "invalid_option"),
        ("stylize", {"query_string": {"effect": "oil", "parser": "compact"}}, 422, "invalid_option"),
        ("stylize", {"json": ["oil"]}, 422, "invalid_option"),
        ("stylize", {"data": b"\xff\xd8\xff", "content_type": "image/jpeg"}, 415, "unsupported_format"),
        ("recognize", {"query_string": {"top_k": "0"}}, 422, "invalid_option"),
        ("recognize", {"query_string": {"top_k": "2"}, "data": {"top_k": "3"}}, 422, "invalid_option"),
        ("recognize", {"json": {"image": "AAAA"}}, 422, "invalid_option"),
    ],
)
def test_what_the_sisters_cannot_do_is_told(
    seeing: FlaskClient, photo: bytes, path: str, given: dict[str, Any], status: int, code: str
) -> None:
    id = create(seeing, photo)
    answer = seeing.post(f"/api/results/{id}/{path}", **given)
    assert (answer.status_code, answer.get_json()["code"]) == (status, code)


def test_a_photo_that_is_sent_to_a_kept_one_is_refused(seeing: FlaskClient, photo: bytes) -> None:
    id = create(seeing, photo)
    answer = seeing.post(f"/api/results/{id}/recognize", data={"image": (BytesIO(photo), "a.jpg")})
    assert (answer.status_code, answer.get_json()["option"]) == (422, "image")


def test_without_scripts_the_page_of_a_result_has_both(seeing: FlaskClient, photo: bytes) -> None:
    address = f"/results/{create(seeing, photo)}"
    page = read_page(seeing.get(address, headers=BROWSER))
    forms = {form.attributes.get("action", "").partition("#")[0]: form for form in page.all("form")}
    assert {f"{address}/recognize", f"{address}/studio"} <= set(forms)
    offered = {
        name: [
            option.attributes["value"]
            for option in page.all("option")
            if any(element.attributes.get("name") == name and forms[f"{address}/studio"] in element.ancestors
                   for element in option.ancestors)
        ]
        for name in ("effect", "only", "people")
    }  # fmt: skip
    assert offered["effect"] == ["all", *EFFECTS]
    assert offered["people"] == ["", "1", "2"]
    assert {"background", "Face"} <= set(offered["only"]) and "Skirt" not in offered["only"]
    told = read_page(seeing.post(f"{address}/recognize", headers=BROWSER))
    assert len([meter for meter in told.all("meter") if "aria-label" in meter.attributes]) == 3
    assert told.all("input", id="back")[0].attributes["value"] == address  # where another language leads
    assert "2 people" in told.all("main")[0].text
    for service in ("recognize", "studio"):  # the address that the form was sent to, opened again
        assert seeing.get(f"{address}/{service}", headers=BROWSER).headers["Location"] == address
    painted = seeing.post(
        f"{address}/studio", data={"effect": "grey", "only": "", "except": "", "people": "1"}, headers=BROWSER
    )
    assert painted.status_code == 303
    pictures = read_page(seeing.get(painted.headers["Location"], headers=BROWSER))
    assert [e.attributes["data-effect"] for e in pictures.all("figure")] == ["grey", "photo", ""]
    assert "for about 60 minutes more" in pictures.all("main")[0].text
    (forget,) = [form for form in pictures.all("form") if form.attributes["action"].endswith("/forget")]
    assert "are removed" in read_page(seeing.post(forget.attributes["action"], headers=BROWSER)).all("main")[0].text
    read_page(seeing.get(painted.headers["Location"], headers=BROWSER), 404)
    read_page(seeing.get(f"/studio/{address.rpartition('/')[2]}", headers=BROWSER), 404)  # no pictures there
