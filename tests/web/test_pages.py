"""The pages as a browser without scripts meets them, and what the Content-Security-Policy asks of all of them."""

from __future__ import annotations

import json
import os
import re
import time
from base64 import b64decode
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from flask import Flask
from flask.testing import FlaskClient
from PIL import Image
from werkzeug.test import TestResponse

from app import create_app
from humanparse.config import Settings
from humanparse.errors import Busy, ParserUnavailable, WeightsDamaged
from humanparse.images import read_image
from humanparse.labels import CLASSES
from humanparse.options import OPTIONS, ParseOptions
from humanparse.pipeline import Answer, Pipeline
from humanparse.records import ParserInfo, Parsing
from humanparse.web.pages import FILES, duration, percent, spoken
from tests.band_parser import BandParser
from tests.web.html_reader import Page

ROOT = Path(__file__).parent.parent.parent
BROWSER = {"Accept": "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"}
HOSTILE = "\"'><script>alert(1)</script><b onclick=x>{{7*7}}"


class HostileParser(BandParser):
    """Its name is an attack: everything that a page shows has to be escaped, even our own."""

    @property
    def info(self) -> ParserInfo:
        return ParserInfo(HOSTILE, HOSTILE)


class NobodyParser(BandParser):
    def parse(self, image: np.ndarray[Any, np.dtype[np.uint8]]) -> Parsing:
        nothing = np.zeros(image.shape[:2], np.uint8)
        return Parsing.from_maps(nothing, nothing.copy(), nothing.copy(), self.info)


class FailingPipeline(Pipeline):
    def __init__(self, settings: Settings, error: Exception) -> None:
        super().__init__(settings)
        self.error = error

    def parse(self, data: bytes, options: ParseOptions) -> Answer:
        del data, options
        raise self.error


def client_of(settings: Settings, parser: type[BandParser]) -> FlaskClient:
    return create_app(settings, Pipeline(settings, lambda *_: parser())).test_client()


def post(client: FlaskClient, data: bytes, file: str = "photo.jpg", **fields: str) -> TestResponse:
    return client.post("/upload", data={**fields, "image": (BytesIO(data), file)}, headers=BROWSER)


def keep(client: FlaskClient, photo: bytes, **fields: str) -> str:
    """The address of a result, /results/NAME."""
    answer = post(client, photo, **fields)
    assert answer.status_code == 303, answer.text
    return answer.headers["Location"]


def read_page(answer: TestResponse, status: int = 200) -> Page:
    assert answer.status_code == status, answer.text
    assert answer.mimetype == "text/html"
    return Page(answer.text)


@pytest.fixture
def every_page(client: FlaskClient, settings: Settings, photo: bytes) -> dict[str, TestResponse]:
    nobody = client_of(settings, NobodyParser)
    return {
        "start": client.get("/", headers=BROWSER),
        "result": client.get(keep(client, photo), headers=BROWSER),
        "nobody": nobody.get(keep(nobody, photo), headers=BROWSER),
        "not found": client.get("/nowhere", headers=BROWSER),
        "refused": post(client, b"this is text"),
        "empty": post(client, b"", file=""),
        "wrong method": client.get("/upload", headers=BROWSER),
    }


# The way without scripts.


def test_the_form_sends_what_the_upload_takes(client: FlaskClient, photo: bytes) -> None:
    page = read_page(client.get("/", headers=BROWSER))
    (form,) = page.all("form")
    assert (form.attributes["method"], form.attributes["enctype"]) == ("post", "multipart/form-data")
    fields = [e for e in page.elements if e.tag in {"input", "select"} and form in e.ancestors]
    assert {field.attributes["name"] for field in fields} <= {"image", *OPTIONS}
    values = [(f.attributes["name"], f.attributes["value"]) for f in fields if f.attributes.get("type") != "file"]
    data = {name: [value for own, value in values if own == name] for name, _ in values}
    answer = client.post(form.attributes["action"], data={**data, "image": (BytesIO(photo), "a.jpg")}, headers=BROWSER)
    assert answer.status_code == 303


@pytest.mark.parametrize(("ticked", "drawn"), [(True, True), (False, False)])
def test_an_unticked_outline_is_no_outline(app: Flask, photo: bytes, ticked: bool, drawn: bool) -> None:
    seen: list[ParseOptions] = []
    pipeline = app.extensions["humanparse"].pipeline
    parse = pipeline.parse
    pipeline.parse = lambda data, options: seen.append(options) or parse(data, options)
    outline = ["true", "false"] if ticked else ["false"]  # as the form's two fields send it
    form = {"outline": outline, "image": (BytesIO(photo), "a.jpg")}
    assert app.test_client().post("/upload", data=form, headers=BROWSER).status_code == 303
    assert seen[0].outline is drawn


def test_upload_leads_to_a_result_with_everything_on_it(client: FlaskClient, photo: bytes) -> None:
    address = keep(client, photo, alpha="0.4")
    page = read_page(client.get(address, headers=BROWSER))
    pictures = [image.attributes["src"] for image in page.all("img")]
    assert {f"{address}/overlay.png", f"{address}/photo.jpg"} <= set(pictures)
    links = {link.attributes["href"] for link in page.all("a")}
    assert {f"{address}/{file}?download=1" for file in FILES} <= links
    main = page.all("main")[0].text
    assert "2 people, 3 kinds of parts" in main
    assert "parser bands 1" in main
    assert re.search(r"64 × 48 pixels .* \d+\.\d\d s", main)
    assert "for about 60 minutes more" in main
    rows = [row.text for row in page.all("li") if "row" in row.classes]
    assert len(rows) == 6  # two people of three parts
    assert re.fullmatch(r"Upper clothes \d+\.\d % [01]\.\d\d", rows[0]), rows[0]


def test_nobody_is_said_and_is_no_error(every_page: dict[str, TestResponse]) -> None:
    assert "Nobody was found in this photo" in read_page(every_page["nobody"]).all("main")[0].text


def test_page_and_json_agree(client: FlaskClient, photo: bytes) -> None:
    address = keep(client, photo)
    body = client.post("/api/parse?include=label_map,people_map", data={"image": (BytesIO(photo), "a.jpg")}).get_json()
    kept = client.get(f"{address}/parsing.json").get_json()
    assert kept.pop("timing_ms").keys() == body.pop("timing_ms").keys()
    assert client.get(f"{address}/labels.png").data == b64decode(body.pop("label_map"))
    assert client.get(f"{address}/people.png").data == b64decode(body.pop("people_map"))
    assert client.get(f"{address}/overlay.png").data == b64decode(body.pop("result_image"))
    assert body.pop("status") == "success"
    assert kept == body
    page = read_page(client.get(address, headers=BROWSER))
    shown = [row.text for row in page.all("li") if "row" in row.classes]
    told = [
        f"{spoken(part['id'])} {percent(part['area'] / person['area'])} {part['score']:.2f}"
        for person in body["people"]
        for part in sorted(person["parts"], key=lambda part: -part["area"])
    ]
    assert shown == told


def test_files_have_their_types_and_stay_private(client: FlaskClient, photo: bytes) -> None:
    address = keep(client, photo)
    for file, kind in FILES.items():
        answer = client.get(f"{address}/{file}")
        assert answer.mimetype == kind
        assert answer.cache_control.private
        assert 0 < int(answer.cache_control.max_age or 0) <= 3600
        assert "Content-Disposition" not in answer.headers
        saved = client.get(f"{address}/{file}?download=1")
        assert saved.headers["Content-Disposition"] == f"attachment; filename={file}"
        assert saved.data == answer.data
    assert client.get(address, headers=BROWSER).cache_control.private


def test_nothing_of_the_clients_file_is_kept_but_its_picture(client: FlaskClient, settings: Settings) -> None:
    exif = Image.Exif()
    exif[0x010E] = "secret place"  # ImageDescription
    stream = BytesIO()
    Image.new("RGB", (64, 48), (90, 120, 60)).save(stream, "JPEG", exif=exif, comment=b"secret place")
    answer = post(client, stream.getvalue(), file="../secret place.jpg")
    address = answer.headers["Location"]
    texts = [str(answer.headers), client.get(address, headers=BROWSER).text]
    assert not any("secret" in text for text in texts)
    kept = [path for path in settings.results_dir.rglob("*") if path.is_file()]
    assert sorted(path.name for path in kept) == sorted(FILES)
    for path in kept:
        assert b"secret" not in path.read_bytes()
    with Image.open(BytesIO(client.get(f"{address}/photo.jpg").data)) as kept_photo:
        assert not kept_photo.getexif()


def test_the_photo_is_kept_as_it_was_seen(client: FlaskClient, photo: bytes) -> None:
    address = keep(client, photo)
    limits = {"max_bytes": 10**6, "max_pixels": 10**6}
    kept = read_image(client.get(f"{address}/photo.jpg").data, **limits)
    sent = read_image(photo, **limits)
    assert kept.shape == sent.shape
    assert np.abs(kept.astype(int) - sent).mean() < 4


# What is gone, never was, or is not ours to give.


def test_a_result_goes_when_its_time_is_over(client: FlaskClient, settings: Settings, photo: bytes) -> None:
    address = keep(client, photo)
    folder = settings.results_dir / address.rsplit("/", 1)[1]
    old = time.time() - settings.result_age_s - 1
    os.utime(folder, (old, old))
    assert "has expired" in read_page(client.get(address, headers=BROWSER), 404).all("main")[0].text
    for file in FILES:
        assert client.get(f"{address}/{file}", headers=BROWSER).status_code == 404


@pytest.mark.parametrize(
    "path",
    [
        "/results/..",
        "/results/../app.py",
        "/results/%2e%2e/app.py",
        "/results/{name}/../../app.py",
        "/results/{name}/..%2f..%2fapp.py",
        "/results/{name}/..%5c..%5capp.py",
        "/results/{name}/%2fetc%2fpasswd",
        "/results/{name}/photo.jpg%00",
        "/results/{name}/photo.jpg/",
        "/results/{name}%00/photo.jpg",
        "/results/.partial-{name}/photo.jpg",
        "/results/{name}/",
        "/results/",
        "/results/AAAAAAAAAAAAAAAAAAAAAA",
    ],
)
def test_no_other_file_can_be_reached(client: FlaskClient, settings: Settings, photo: bytes, path: str) -> None:
    name = keep(client, photo).rsplit("/", 1)[1]
    (settings.results_dir / name / "extra.txt").write_text("not on the list")
    assert client.get(path.format(name=name), headers=BROWSER).status_code == 404
    assert client.get(f"/results/{name}/extra.txt", headers=BROWSER).status_code == 404


# Errors are pages that say what to do.


@pytest.mark.parametrize("file", ["", "photo.jpg"])
def test_a_form_without_a_photo_says_so(client: FlaskClient, file: str) -> None:
    page = read_page(post(client, b"", file=file), 400)
    assert "No photo was chosen" in page.all("main")[0].text
    assert "Try again" in [link.text for link in page.all("a", href="/")]


@pytest.mark.parametrize(
    ("data", "fields", "status", "words"),
    [
        (b"this is text", {}, 415, "not an image"),
        (b"\xff\xd8\xff\xe0 cut short", {}, 400, "damaged"),
        (b"\0" * 3000, {}, 413, "bytes"),
        (None, {"alpha": "2"}, 422, "alpha"),
        (None, {"colour": "red"}, 422, "colour"),
        (None, {"parser": "best"}, 422, "parser"),
    ],
)
def test_refusals_are_pages(
    tmp_path: Path, photo: bytes, data: bytes | None, fields: dict[str, str], status: int, words: str
) -> None:
    settings = Settings(results_dir=tmp_path, max_bytes=max(2048, len(photo)))
    client = client_of(settings, BandParser)
    page = read_page(post(client, photo if data is None else data, **fields), status)
    text = page.all("main")[0].text
    assert words in text
    assert f"Error {status}" in text
    assert page.all("a", href="/")
    assert keep(client, photo)  # and the next one works


def test_a_busy_server_says_when_to_come_back(settings: Settings, photo: bytes) -> None:
    busy = FailingPipeline(settings, Busy("Too many photos are waiting already; try again in 7 s.", retry_after_s=7))
    answer = post(create_app(settings, busy).test_client(), photo)
    assert "try again in 7 s" in read_page(answer, 503).all("main")[0].text
    assert answer.headers["Retry-After"] == "7"


@pytest.mark.parametrize("error", [ParserUnavailable("No weights."), WeightsDamaged("Bad."), KeyError("secret")])
def test_our_own_faults_are_pages_too(settings: Settings, photo: bytes, error: Exception) -> None:
    answer = post(create_app(settings, FailingPipeline(settings, error)).test_client(), photo)
    text = read_page(answer, answer.status_code).all("main")[0].text
    assert answer.status_code >= 500
    assert answer.headers["X-Request-ID"] in text
    assert "secret" not in text


# What holds on every page.


def test_pages_obey_the_content_security_policy(every_page: dict[str, TestResponse]) -> None:
    for name, answer in every_page.items():
        policy = answer.headers["Content-Security-Policy"]
        assert "default-src 'none'" in policy
        assert "unsafe" not in policy
        for element in Page(answer.text).elements:
            where = f"{name}: <{element.tag} {element.attributes}>"
            assert element.tag != "style", where
            assert "style" not in element.attributes, where
            assert not any(key.startswith("on") for key in element.attributes), where
            assert element.tag != "script" or (element.attributes.get("src") and not element.text), where
            for key in ("src", "href", "action", "poster", "data"):
                value = element.attributes.get(key, "/")
                assert value.startswith(("/", "#")) and not value.startswith("//"), where  # nothing from elsewhere


def test_pages_are_sound_html(every_page: dict[str, TestResponse]) -> None:
    for name, answer in every_page.items():
        page = Page(answer.text)
        ids = [e.attributes["id"] for e in page.elements if "id" in e.attributes]
        assert len(ids) == len(set(ids)), name
        for element in page.elements:
            named = element.attributes.get("for") or element.attributes.get("aria-labelledby")
            assert not named or named in ids, f"{name}: {element.attributes}"
            assert element.tag != "img" or "alt" in element.attributes, name
        labelled = {label.attributes.get("for") for label in page.all("label")}
        for field in [*page.all("input"), *page.all("select"), *page.all("progress")]:
            known = field.is_in("label") or "aria-label" in field.attributes or field.attributes.get("id") in labelled
            assert known or field.attributes.get("type") == "hidden", f"{name}: {field.attributes}"
        assert page.all("html", lang="en")
        assert page.all("title")[0].text


def test_every_address_on_a_page_is_there(client: FlaskClient, every_page: dict[str, TestResponse]) -> None:
    for answer in every_page.values():
        for element in Page(answer.text).elements:
            address = element.attributes.get("src") or element.attributes.get("href") or "/"
            if address.startswith("/"):
                with client.get(address) as found:
                    assert found.status_code == 200, address


def test_whatever_is_shown_is_escaped(settings: Settings, photo: bytes) -> None:
    client = client_of(settings, HostileParser)
    answers = {
        "result": client.get(keep(client, photo), headers=BROWSER),
        "option's value": post(client, photo, alpha=HOSTILE),
        "option's name": post(client, photo, **{HOSTILE: "1"}),
        "address": client.get(f"/results/{HOSTILE}", headers=BROWSER),
        "file": client.get(f"/results/AAAAAAAAAAAAAAAAAAAAAA/{HOSTILE}", headers=BROWSER),
    }
    for name, answer in answers.items():
        assert "<script>alert" not in answer.text, name
        assert "<b onclick" not in answer.text, name
        Page(answer.text)
    for name in ("result", "option's value"):
        assert "{{7*7}}" in answers[name].text  # it is shown, as text
    assert "There is no option" in answers["option's name"].text


def test_the_palette_has_every_class(client: FlaskClient) -> None:
    answer = client.get("/palette.css")
    assert answer.mimetype == "text/css"
    for part in CLASSES:
        red, green, blue = part.colour
        assert f".part-{part.id} {{ background-color: rgb({red} {green} {blue});" in answer.text
    assert ".person-255 {" in answer.text
    again = client.get("/palette.css", headers={"If-None-Match": answer.headers["ETag"]})
    assert again.status_code == 304


def test_scripts_find_their_texts_and_elements() -> None:
    scripts = "".join(path.read_text() for path in sorted((ROOT / "static/js").glob("*.js")))
    pages = "".join(path.read_text() for path in sorted((ROOT / "templates").glob("*.html")))
    texts = set(re.findall(r'data-text="([^"]+)"', pages))
    used = set(re.findall(r'\btext\("([\w-]+)"', scripts)) | {"sending", "parsing"}
    assert used <= texts
    built = ("status-", "headline-")  # names that scripts put together
    assert {name for name in texts - used if not name.startswith(built)} == set()
    assert set(re.findall(r'getElementById\("([\w-]+)"\)', scripts)) <= set(re.findall(r'\bid="([^"]+)"', pages))


def test_texts_are_for_people() -> None:
    assert [spoken(part) for part in (5, 7, 10, 14)] == ["Upper clothes", "Coat", "Torso skin", "Left arm"]
    assert (percent(0.1234), percent(1), percent(0.0004)) == ("12.3 %", "100.0 %", "< 0.1 %")
    spans = {30: "a minute", 119: "a minute", 3600: "60 minutes", 9000: "2 hours", 3 * 86400: "3 days"}
    assert {seconds: duration(seconds) for seconds in spans} == spans


def test_what_is_kept_is_json_without_surprises(client: FlaskClient, photo: bytes) -> None:
    kept = json.loads(client.get(f"{keep(client, photo)}/parsing.json").data)
    assert list(kept)[:3] == ["num_persons", "parts_detected", "image"]
    assert kept["timing_ms"]["total"] > 0
