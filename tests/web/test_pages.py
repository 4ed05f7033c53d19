"""The way without scripts: form, kept result, its files, its end."""

from __future__ import annotations

import json
import os
import re
import time
from base64 import b64decode
from io import BytesIO

import numpy as np
import pytest
from flask import Flask
from flask.testing import FlaskClient
from PIL import Image

from humanparse.config import Settings
from humanparse.images import read_image
from humanparse.kept import MADE, STORED
from humanparse.kept import OPTIONS as LOOK
from humanparse.options import OPTIONS, ParseOptions
from humanparse.web.pages import duration, percent, spoken
from tests.web.visits import BROWSER, NobodyParser, client_of, keep, post, read_page


def test_the_form_sends_what_the_upload_takes(client: FlaskClient, photo: bytes) -> None:
    page = read_page(client.get("/", headers=BROWSER))
    (form,) = page.all("form", id="upload")
    assert (form.attributes["method"], form.attributes["enctype"]) == ("post", "multipart/form-data")
    fields = [e for e in page.elements if e.tag in {"input", "select"} and form in e.ancestors]
    assert {field.attributes["name"] for field in fields} <= {"image", *OPTIONS}
    inputs = [e for e in fields if e.tag == "input" and e.attributes["type"] != "file"]
    values = [(field.attributes["name"], field.attributes["value"]) for field in inputs]
    data = {name: [value for own, value in values if own == name] for name, _ in values}
    answer = client.post(form.attributes["action"], data={**data, "image": (BytesIO(photo), "a.jpg")}, headers=BROWSER)
    assert answer.status_code == 303


@pytest.mark.parametrize(("ticked", "drawn"), [(True, True), (False, False)])
def test_an_unticked_outline_is_no_outline(app: Flask, photo: bytes, ticked: bool, drawn: bool) -> None:
    seen: list[ParseOptions] = []
    pipeline = app.extensions["humanparse"].pipeline
    parse = pipeline.parse
    pipeline.parse = lambda data, options, check: seen.append(options) or parse(data, options, check)
    outline = ["true", "false"] if ticked else ["false"]  # as the form's two fields send it
    form = {"outline": outline, "image": (BytesIO(photo), "a.jpg")}
    assert app.test_client().post("/upload", data=form, headers=BROWSER).status_code == 303
    assert seen[0].outline is drawn


def test_upload_leads_to_a_result_with_everything_on_it(client: FlaskClient, photo: bytes) -> None:
    address = keep(client, photo, alpha="0.4")
    page = read_page(client.get(address, headers=BROWSER))
    pictures = [image.attributes.get("src") for image in page.all("img")]
    assert {f"{address}/overlay.png", f"{address}/photo.jpg"} <= set(pictures)
    links = {link.attributes.get("href") for link in page.all("a")}
    assert {f"{address}/{file}?download=1" for file in (*STORED, *MADE)} <= links
    assert {f"{address}/person-{number}.png?download=1" for number in (1, 2)} <= links
    main = page.all("main")[0].text
    assert "2 people, 3 kinds of parts" in main
    assert "parser bands 1" in main
    assert re.search(r"64 × 48 pixels .* \d+\.\d\d s", main)
    assert "for about 60 minutes more" in main
    rows = [row.text for row in page.all("li") if "row" in row.classes]
    assert len(rows) == 6  # two people of three parts
    assert re.fullmatch(r"Upper clothes \d+\.\d % [01]\.\d\d", rows[0]), rows[0]


def test_nobody_is_said_and_is_no_error(settings: Settings, photo: bytes) -> None:
    client = client_of(settings, NobodyParser)
    page = read_page(client.get(keep(client, photo), headers=BROWSER))
    assert "Nobody was found in this photo" in page.all("main")[0].text


def test_page_and_json_agree(client: FlaskClient, photo: bytes) -> None:
    address = keep(client, photo)
    body = client.post(
        "/api/parse?include=label_map,people_map,keypoints", data={"image": (BytesIO(photo), "a.jpg")}
    ).get_json()
    kept = client.get(f"{address}/parsing.json").get_json()
    assert {*kept.pop("timing_ms"), "compose"} == set(body.pop("timing_ms"))  # its overlay is drawn when it is wanted
    assert client.get(f"{address}/labels.png").data == b64decode(body.pop("label_map"))
    assert client.get(f"{address}/people.png").data == b64decode(body.pop("people_map"))
    kept_overlay, overlay = (
        np.asarray(Image.open(BytesIO(data)), int)
        for data in (client.get(f"{address}/overlay.png").data, b64decode(body.pop("result_image")))
    )
    assert np.abs(kept_overlay - overlay).mean() < 2  # the photo is kept as a JPEG
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
    kinds = {"png": "image/png", "jpg": "image/jpeg", "json": "application/json", "zip": "application/zip"}
    for file in (*STORED, *MADE, "person-1.png", "person-1-5.png"):
        answer = client.get(f"{address}/{file}")
        assert answer.mimetype == kinds[file.rpartition(".")[2]]
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
    assert sorted(path.name for path in kept) == sorted((*STORED, LOOK))
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
    assert "has expired" in read_page(client.get(address, headers=BROWSER), 404).all("h1")[0].text
    for file in (*STORED, *MADE, "person-1.png"):
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
        "/results/{name}/options.json",
        "/results/{name}/person-9.png",
        "/results/{name}/person-1-19.png",
        "/results/{name}/person-01-.png",
        "/results/",
        "/results/AAAAAAAAAAAAAAAAAAAAAA",
    ],
)
def test_no_other_file_can_be_reached(client: FlaskClient, settings: Settings, photo: bytes, path: str) -> None:
    name = keep(client, photo).rsplit("/", 1)[1]
    (settings.results_dir / name / "extra.txt").write_text("not on the list")
    assert client.get(path.format(name=name), headers=BROWSER).status_code == 404
    assert client.get(f"/results/{name}/extra.txt", headers=BROWSER).status_code == 404


def test_texts_are_for_people() -> None:
    assert [spoken(part) for part in (5, 7, 10, 14)] == ["Upper clothes", "Coat", "Torso skin", "Left arm"]
    assert (percent(0.1234), percent(1), percent(0.0004)) == ("12.3 %", "100.0 %", "< 0.1 %")
    spans = {30: "a minute", 119: "a minute", 3600: "60 minutes", 9000: "2 hours", 3 * 86400: "3 days"}
    assert {seconds: duration(seconds) for seconds in spans} == spans


def test_what_is_kept_is_json_without_surprises(client: FlaskClient, photo: bytes) -> None:
    kept = json.loads(client.get(f"{keep(client, photo)}/parsing.json").data)
    assert list(kept)[:3] == ["num_persons", "parts_detected", "image"]
    assert kept["timing_ms"]["total"] > 0
