"""The JSON API: three ways in, one answer; every error in one shape, and the next request works."""

from __future__ import annotations

import json
from base64 import b64decode, b64encode
from contextlib import ExitStack
from dataclasses import replace
from io import BytesIO
from typing import Any

import numpy as np
import pytest
from flask import Flask, request
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from app import create_app
from humanparse import errors
from humanparse.config import Settings
from humanparse.encoding import encode_png
from humanparse.errors import ConfigError, HumanParseError
from humanparse.images import read_image
from humanparse.labels import CLASSES
from humanparse.parsers import PARSERS
from humanparse.pipeline import Pipeline
from humanparse.web.errors import STATUS
from tests.band_parser import BandParser


def post_form(client: FlaskClient, data: bytes, field: str = "image", query: str = "", **fields: str) -> TestResponse:
    form = {**fields, field: (BytesIO(data), "../../etc/My Holiday.jpg", "application/octet-stream")}
    return client.post(f"/api/parse{query}", data=form)


def post_json(client: FlaskClient, data: bytes, prefix: str = "", **fields: Any) -> TestResponse:
    return client.post("/api/parse", json={"image": prefix + b64encode(data).decode(), **fields})


def without_timing(response: TestResponse) -> dict[str, Any]:
    assert response.status_code == 200, response.text
    body: dict[str, Any] = response.get_json()
    timing = body.pop("timing_ms")
    assert {"decode", "parse", "encode", "total"} | ({"compose"} if body["result_image"] else set()) <= set(timing)
    return body


def test_every_way_in_gives_the_same_answer(client: FlaskClient, photo: bytes) -> None:
    answers = [
        post_form(client, photo),
        post_form(client, photo, field="file"),
        post_json(client, photo),
        post_json(client, photo, prefix="data:image/jpeg;base64,"),
        client.post("/api/parse", data=photo, content_type="image/jpeg"),
        client.post("/api/parse", data=photo, content_type="application/octet-stream"),
        client.post("/api/parse", data=photo),
    ]
    bodies = [without_timing(answer) for answer in answers]
    assert all(body == bodies[0] for body in bodies)


def test_the_answer_has_the_keys_that_clients_read(client: FlaskClient, photo: bytes) -> None:
    body = without_timing(post_form(client, photo))
    assert body["status"] == "success"
    assert body["num_persons"] == 2
    assert body["parts_detected"] == ["UpperClothes", "Pants", "Face"]
    assert body["image"] == {"width": 64, "height": 48}
    assert body["parser"] == {"name": "bands", "version": "1"}
    assert [person["id"] for person in body["people"]] == [1, 2]
    overlay = read_image(b64decode(body["result_image"]), max_bytes=10**6, max_pixels=10**6)
    assert overlay.shape == (48, 64, 3)


def test_options_work_from_query_form_and_json(client: FlaskClient, photo: bytes) -> None:
    answers = [
        post_form(client, photo, query="?alpha=0&include=rle,label_map"),
        post_form(client, photo, alpha="0", include="rle,label_map"),
        post_json(client, photo, alpha=0, include=["rle", "label_map"]),
        client.post("/api/parse?alpha=0&include=rle,label_map", data=photo, content_type="image/jpeg"),
    ]
    bodies = [without_timing(answer) for answer in answers]
    assert all(body == bodies[0] for body in bodies)
    assert "label_map" in bodies[0]
    assert "rle" in bodies[0]["people"][0]["parts"][0]
    image = read_image(photo, max_bytes=10**6, max_pixels=10**6)
    overlay = read_image(b64decode(bodies[0]["result_image"]), max_bytes=10**6, max_pixels=10**6)
    assert np.array_equal(overlay, image)


def check_problem(response: TestResponse, status: int, code: str) -> dict[str, Any]:
    """The one shape of every error under /api/."""
    assert response.status_code == status, response.text
    assert response.content_type == "application/problem+json"
    body: dict[str, Any] = json.loads(response.data)
    assert (body["status"], body["code"]) == (status, code)
    assert body["type"] == f"urn:humanparse:problem:{code}"
    assert body["title"]
    assert body["detail"]
    assert body["request_id"] == response.headers["X-Request-ID"]
    return body


BAD = {
    "no body": (b"", "image/jpeg", 400, "missing_image"),
    "text": (b"hello, this is no photo", "image/jpeg", 415, "unsupported_format"),
    "svg": (b"<svg xmlns='http://www.w3.org/2000/svg'/>", "image/svg+xml", 415, "unsupported_format"),
    "cut short": (None, "image/jpeg", 400, "unreadable_image"),
    "a form that is none": (b"x", "multipart/form-data; boundary=x", 400, "missing_image"),
    "urlencoded": (b"image=abc", "application/x-www-form-urlencoded", 415, "unsupported_format"),
    "not json": (b"{image", "application/json", 400, "unreadable_image"),
    "json list": (b"[]", "application/json", 400, "unreadable_image"),
    "json without image": (b"{}", "application/json", 400, "missing_image"),
    "json number": (b'{"image": 5}', "application/json", 400, "missing_image"),
    "not base64": (b'{"image": "%%%"}', "application/json", 400, "unreadable_image"),
    "empty base64": (b'{"image": ""}', "application/json", 400, "missing_image"),
}


@pytest.mark.parametrize("name", BAD)
def test_bad_input_gets_its_error_and_the_next_request_works(client: FlaskClient, photo: bytes, name: str) -> None:
    data, kind, status, code = BAD[name]
    data = photo[: len(photo) // 2] if data is None else data
    check_problem(client.post("/api/parse", data=data, content_type=kind), status, code)
    without_timing(post_form(client, photo))


@pytest.mark.parametrize("query", ["alpha=2", "alpha=x", "parser=magic", "include=all", "outline=2", "alhpa=0.5"])
def test_a_bad_option_is_422_and_says_what_is_allowed(client: FlaskClient, photo: bytes, query: str) -> None:
    body = check_problem(post_form(client, photo, query=f"?{query}"), 422, "invalid_option")
    assert "allowed" in body or "list of" in body["detail"]


def test_an_option_given_twice_is_refused(client: FlaskClient, photo: bytes) -> None:
    check_problem(post_form(client, photo, query="?alpha=0.1", alpha="0.2"), 422, "invalid_option")
    check_problem(post_form(client, photo, query="?alpha=0.1&alpha=0.1"), 422, "invalid_option")
    twice = {"image": (BytesIO(photo), "a.jpg"), "alpha": ["0.1", "0.9"]}
    assert check_problem(client.post("/api/parse", data=twice), 422, "invalid_option")["option"] == "alpha"
    # A checkbox that is ticked, and the hidden field behind it.
    ticked = {"image": (BytesIO(photo), "a.jpg"), "outline": ["true", "false"]}
    assert client.post("/api/parse", data=ticked).status_code == 200


def test_two_photos_are_refused_rather_than_one_forgotten(client: FlaskClient, photo: bytes) -> None:
    both = {"image": [(BytesIO(photo), "a.jpg"), (BytesIO(photo), "b.jpg")]}
    check_problem(client.post("/api/parse", data=both), 413, "too_many_files")
    check_problem(
        client.post("/api/parse", data={"image": (BytesIO(photo), "a"), "file": (BytesIO(photo), "b")}),
        413,
        "too_many_files",
    )
    # A browser sends the field that nobody filled in, too.
    empty = {"image": [(BytesIO(b""), ""), (BytesIO(photo), "b.jpg")], "file": (BytesIO(b""), "")}
    assert client.post("/api/parse", data=empty).status_code == 200


def test_include_is_a_list_with_commas_or_said_again(client: FlaskClient, photo: bytes) -> None:
    queries = ("?include=rle,masks", "?include=rle&include=masks")
    bodies = [without_timing(post_form(client, photo, query=query)) for query in queries]
    form = {"image": (BytesIO(photo), "a.jpg"), "include": ["rle", "masks"]}
    bodies.append(without_timing(client.post("/api/parse", data=form)))
    assert bodies[0] == bodies[1] == bodies[2]
    assert {"rle", "mask"} <= set(bodies[0]["people"][0]["parts"][0])


def test_too_many_bytes_is_413_by_each_way_in(photo: bytes, tmp_path: Any) -> None:
    settings = Settings(max_bytes=1024, results_dir=tmp_path)
    client = create_app(settings, Pipeline(settings, lambda name, own: BandParser(own))).test_client()
    large = photo + bytes(2000)
    for response in (
        post_form(client, large),
        post_json(client, large),
        client.post("/api/parse", data=large, content_type="image/jpeg"),
        client.post("/api/parse", data=bytes(200_000), content_type="image/jpeg"),  # over the body's own limit
    ):
        assert check_problem(response, 413, "too_many_bytes")["limit"] == 1024


def test_too_many_pixels_is_413(tmp_path: Any) -> None:
    settings = Settings(max_pixels=1024, results_dir=tmp_path)
    client = create_app(settings, Pipeline(settings, lambda name, own: BandParser(own))).test_client()
    image = encode_png(np.zeros((32, 33, 3), np.uint8))
    check_problem(client.post("/api/parse", data=image, content_type="image/png"), 413, "too_many_pixels")


def test_busy_is_503_with_a_time_to_come_back(app: Flask, client: FlaskClient, photo: bytes) -> None:
    line = app.extensions["humanparse"].pipeline._line
    line.length = 0
    with ExitStack() as inside:
        for _ in range(line.places):
            inside.enter_context(line.enter())
        response = post_form(client, photo)
    check_problem(response, 503, "busy")
    assert int(response.headers["Retry-After"]) >= 1
    without_timing(post_form(client, photo))


@pytest.mark.parametrize("cls", STATUS)
def test_every_error_of_the_tree_comes_out_in_the_one_shape(
    app: Flask, client: FlaskClient, photo: bytes, cls: type[HumanParseError], monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object) -> None:
        raise cls("what went wrong")

    monkeypatch.setattr(app.extensions["humanparse"].pipeline, "parse", fail)
    check_problem(post_form(client, photo), STATUS[cls], cls.code)


def test_the_unforeseen_is_opaque_to_the_client_and_whole_in_the_log(
    app: Flask, client: FlaskClient, photo: bytes, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def fail(*_: object) -> None:
        raise ZeroDivisionError("secret detail")

    monkeypatch.setattr(app.extensions["humanparse"].pipeline, "parse", fail)
    response = post_form(client, photo)
    check_problem(response, 500, "internal")
    assert "secret detail" not in response.text
    assert "secret detail" in caplog.text
    (record,) = [record for record in caplog.records if record.exc_info]
    assert record.__dict__["request_id"] == response.headers["X-Request-ID"]


def test_a_form_without_a_file_is_told_how_curl_sends_one(client: FlaskClient) -> None:
    answer = client.post("/api/parse", data={"image": "photo.jpg"}, content_type="multipart/form-data")
    assert "-F image=@photo.jpg" in check_problem(answer, 400, "missing_image")["detail"]


def test_no_such_page_and_wrong_method_have_the_shape_too(client: FlaskClient) -> None:
    assert "/docs" in check_problem(client.get("/api/nothing"), 404, "not_found")["detail"]
    response = client.get("/api/parse")
    problem = check_problem(response, 405, "method_not_allowed")
    assert problem["detail"] == "GET is not for this address, POST is."
    assert "POST" in response.headers["Allow"]


def test_labels_list_all_classes(client: FlaskClient) -> None:
    rows = client.get("/api/labels").get_json()["labels"]
    assert [(r["id"], r["name"], r["name_zh"]) for r in rows] == [(c.id, c.name, c.name_zh) for c in CLASSES]
    assert all(rows[row["twin"]]["twin"] == row["id"] for row in rows if row["twin"] is not None)


def test_parsers_say_whether_they_can_run_and_what_auto_means(client: FlaskClient) -> None:
    body = client.get("/api/parsers").get_json()
    assert [row["name"] for row in body["parsers"]] == list(PARSERS)
    assert body["auto"] in PARSERS
    assert all((row["missing"] is None) == row["available"] for row in body["parsers"])


def test_health_and_readiness(app: Flask, client: FlaskClient, monkeypatch: pytest.MonkeyPatch) -> None:
    assert client.get("/healthz").get_json() == {"status": "ok"}
    assert client.get("/readyz").get_json() == {"status": "ready", "parser": {"name": "bands", "version": "1"}}

    for error in (errors.WeightsDamaged("the file is damaged"), errors.ParserError("it fails on every photo")):

        def fail(*_: object, error: errors.ParserError = error) -> None:
            raise error

        monkeypatch.setattr(app.extensions["humanparse"].pipeline, "load", fail)
        check_problem(client.get("/readyz"), 503, error.code)  # whatever the status of the same in an answer
    assert client.get("/healthz").status_code == 200


def test_nothing_of_the_clients_file_name_comes_back(client: FlaskClient, photo: bytes) -> None:
    response = post_form(client, photo)
    assert "Holiday" not in response.text
    assert "Holiday" not in str(response.headers)


def test_an_unknown_parser_in_the_settings_stops_the_start(tmp_path: Any) -> None:
    with pytest.raises(ConfigError, match="HUMANPARSE_PARSER is 'magic'"):
        create_app(Settings(parser="magic", results_dir=tmp_path))


@pytest.mark.parametrize(("proxies", "seen"), [(0, "127.0.0.1"), (1, "9.9.9.9"), (2, "8.8.8.8")])
def test_proxies_are_believed_as_far_as_the_setting_says(
    settings: Settings, pipeline: Pipeline, proxies: int, seen: str
) -> None:
    client = create_app(replace(settings, proxies=proxies), pipeline).test_client()
    with client:
        client.get("/healthz", headers={"X-Forwarded-For": "8.8.8.8, 9.9.9.9", "X-Forwarded-Proto": "https"})
        assert request.remote_addr == seen
        assert request.scheme == ("https" if proxies == 1 else "http")


def test_a_photo_that_is_not_what_it_is_declared_as_is_refused_with_both_named(
    client: FlaskClient, photo: bytes
) -> None:
    for response in (
        client.post("/api/parse", data=photo, content_type="image/png"),
        client.post("/api/parse", data={"image": (BytesIO(photo), "photo.png")}),
        post_json(client, photo, prefix="data:image/png;base64,"),
        client.post("/api/jobs", data=photo, content_type="image/png"),
        client.post("/api/jobs", data={"image": (BytesIO(photo), "photo.png")}),
    ):
        problem = check_problem(response, 415, "type_mismatch")
        assert "declared as image/png, but it is JPEG" in problem["detail"]
        assert problem["allowed"] == ["image/jpeg", "application/octet-stream"]
    for response in (
        client.post("/api/parse", data=photo, content_type="application/octet-stream"),
        client.post("/api/parse", data=photo, content_type="image/jpg"),
        client.post("/api/parse", data={"image": (BytesIO(photo), "photo")}),
        post_json(client, photo, prefix="data:;base64,"),
        # our own page: there a browser declares, by the suffix, and nobody can help it
        client.post(
            "/upload", data={"image": (BytesIO(photo), "photo.png")}, headers={"Sec-Fetch-Site": "same-origin"}
        ),
    ):
        assert response.status_code in (200, 303), response.text


def test_a_field_without_a_name_is_an_unknown_option(client: FlaskClient, photo: bytes) -> None:
    parts = (b'--x\r\nContent-Disposition: form-data; name="image"; filename="a"\r\n\r\n', photo)
    body = b"".join([*parts, b"\r\n--x\r\nContent-Disposition: form-data\r\n\r\n1\r\n--x--\r\n"])
    response = client.post("/api/parse", data=body, content_type="multipart/form-data; boundary=x")
    check_problem(response, 422, "invalid_option")


def test_a_photo_of_one_row_is_parsed(client: FlaskClient) -> None:
    for height, width in ((1, 1), (1, 9000), (9000, 1)):
        response = post_form(client, encode_png(np.zeros((height, width, 3), np.uint8)))
        assert response.get_json()["image"] == {"width": width, "height": height}
