"""Several photos in one request: in order, each on its own, within limits."""

from __future__ import annotations

import json
import tracemalloc
import zipfile
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from flask import Flask
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from app import create_app
from humanparse.config import Settings
from humanparse.encoding import encode_png
from humanparse.errors import Busy
from humanparse.exports import FORMATS
from humanparse.pipeline import Pipeline
from tests.band_parser import BandParser
from tests.test_archives import make_zip
from tests.web.test_api import check_problem, post_form, without_timing


def post(client: FlaskClient, *files: tuple[str, bytes], query: str = "", **fields: Any) -> TestResponse:
    images = [(BytesIO(data), name) for name, data in files]
    return client.post(f"/api/parse/batch{query}", data={**fields, "image": images}, buffered=True)


def post_zip(client: FlaskClient, stream: BytesIO, query: str = "") -> TestResponse:
    return client.post(
        f"/api/parse/batch{query}", data=stream.getvalue(), content_type="application/zip", buffered=True
    )


def results(response: TestResponse) -> list[dict[str, Any]]:
    """The rows of a whole answer, whose order and counts are right."""
    assert response.status_code == 200, response.text
    assert response.content_type == "application/json"
    body = json.loads(response.data)
    rows: list[dict[str, Any]] = body["results"]
    assert [row["index"] for row in rows] == list(range(len(rows)))
    statuses = [row["status"] for row in rows]
    assert (body["succeeded"], body["failed"]) == (statuses.count("success"), statuses.count("error"))
    assert body["succeeded"] + body["failed"] == len(rows)
    return rows


def small_client(tmp_path: Path, **limits: int) -> FlaskClient:
    settings = Settings(results_dir=tmp_path, **limits)  # type: ignore[arg-type]
    return create_app(settings, Pipeline(settings, lambda name, own: BandParser(own))).test_client()


def test_every_photo_gets_the_answer_that_it_gets_alone(client: FlaskClient, photo: bytes) -> None:
    other = encode_png(np.zeros((20, 30, 3), np.uint8))
    alone = [without_timing(post_form(client, data, query="?include=rle&alpha=0.2")) for data in (photo, other)]
    for response in (
        post(client, ("a.jpg", photo), ("b.png", other), query="?include=rle", alpha="0.2"),
        post(
            client, ("both.zip", make_zip(("a.jpg", photo), ("in/b.png", other)).getvalue()), include="rle", alpha=".2"
        ),
        post_zip(client, make_zip(("a.jpg", photo), ("b.png", other)), "?include=rle&alpha=0.2"),
    ):
        rows = results(response)
        assert [row["file"] for row in rows] == ["a.jpg", "b.png"]
        for row, expected in zip(rows, alone, strict=True):
            assert {key: row[key] for key in expected} == expected


def test_a_bad_file_fails_alone_with_its_problem(client: FlaskClient, photo: bytes) -> None:
    inner = make_zip(("c.jpg", photo)).getvalue()
    archive = make_zip(("x.jpg", photo), ("nested.zip", inner), ("notes.txt", b"no photo"), ("y.jpg", photo))
    files = ("a.jpg", photo), ("b.jpg", photo[: len(photo) // 2]), ("empty.jpg", b""), ("z.zip", archive.getvalue())
    response = post(client, *files)
    rows = results(response)
    assert [(row["file"], row["status"]) for row in rows] == [
        ("a.jpg", "success"),
        ("b.jpg", "error"),
        ("empty.jpg", "error"),
        ("x.jpg", "success"),
        ("nested.zip", "error"),
        ("notes.txt", "error"),
        ("y.jpg", "success"),
    ]
    problems = [row["problem"] for row in rows if row["status"] == "error"]
    assert [problem["code"] for problem in problems] == ["unreadable_image"] * 2 + ["unsupported_format"] * 2
    assert all(problem["request_id"] == response.headers["X-Request-ID"] for problem in problems)


@pytest.mark.parametrize("name", FORMATS)
def test_other_formats_come_as_a_zip_with_a_table(client: FlaskClient, photo: bytes, name: str) -> None:
    format = FORMATS[name]
    response = post(client, ("a.jpg", photo), ("bad.jpg", b"x"), ("in/a.jpe", photo), query=f"?format={name}")
    assert response.status_code == 200, response.text
    assert response.content_type == "application/zip"
    assert response.headers["Content-Disposition"] == "inline; filename=parsings.zip"
    with zipfile.ZipFile(BytesIO(response.data)) as archive:
        assert archive.testzip() is None
        index = json.loads(archive.read("results.json"))
        outputs = [row.get("output") for row in index["results"]]
        shared = f"photos{format.suffix}"
        own = [f"a{format.suffix}", None, f"a-2{format.suffix}"]
        assert outputs == ([shared, None, shared] if format.join else own)
        assert set(archive.namelist()) == {"results.json", *filter(None, outputs)}
        assert (index["succeeded"], index["failed"]) == (2, 1)
        if name == "coco":
            assert [image["file_name"] for image in json.loads(archive.read(shared))["images"]] == ["a.jpg", "a.jpe"]


def test_a_file_that_is_not_what_it_is_declared_as_fails_alone(client: FlaskClient, photo: bytes) -> None:
    rows = results(
        post(client, ("a.png", photo), ("a.jpg", photo))
    )  # test clients declare by the suffix, as browsers do
    assert [row["status"] for row in rows] == ["error", "success"]
    problem = rows[0]["problem"]
    assert (problem["code"], problem["declared"], problem["found"]) == ("type_mismatch", "image/png", "image/jpeg")


def test_nothing_sent_is_an_error_of_the_request(client: FlaskClient) -> None:
    check_problem(post(client, other=(BytesIO(b"x"), "x.jpg")), 400, "missing_image")
    check_problem(client.post("/api/parse/batch", data={"image": "text"}), 415, "unsupported_format")
    check_problem(post_zip(client, make_zip()), 400, "missing_image")
    check_problem(post_zip(client, BytesIO(b"PK\x03\x04 but no zip")), 400, "unreadable_image")
    check_problem(client.post("/api/parse/batch", json={"image": ""}), 415, "unsupported_format")
    check_problem(client.post("/api/parse/batch"), 415, "unsupported_format")
    check_problem(client.get("/api/parse/batch"), 405, "method_not_allowed")


def test_a_body_that_says_zip_and_is_a_photo_is_a_photo(client: FlaskClient, photo: bytes) -> None:
    assert [row["status"] for row in results(post_zip(client, BytesIO(photo)))] == ["success"]


def test_options_are_checked_before_anything_is_parsed(client: FlaskClient, photo: bytes) -> None:
    check_problem(post(client, ("a.jpg", photo), query="?alpha=2"), 422, "invalid_option")
    check_problem(post(client, ("a.jpg", photo), query="?alpha=1", alpha="1"), 422, "invalid_option")
    response = client.post("/api/parse/batch", data={"image": (BytesIO(photo), "a")}, headers={"Accept": "image/png"})
    check_problem(response, 406, "not_acceptable")


def test_limits_hold_for_the_request(photo: bytes, tmp_path: Path) -> None:
    client = small_client(tmp_path, batch_files=2, batch_unpacked_bytes=2 * len(photo) + 100)
    three = [(f"{i}.jpg", photo) for i in range(3)]
    assert check_problem(post(client, *three), 413, "too_many_files")["limit"] == 2
    check_problem(post_zip(client, make_zip(*three)), 413, "too_many_files")
    large = make_zip(("a.jpg", bytes(5 * len(photo))))
    check_problem(post_zip(client, large), 413, "too_many_bytes")
    assert len(results(post(client, *three[:2]))) == 2


def test_the_requests_own_bytes_are_limited(photo: bytes, tmp_path: Path) -> None:
    client = small_client(tmp_path, batch_bytes=len(photo) + 1000)
    assert len(results(post(client, ("a.jpg", photo)))) == 1
    for response in (
        post(client, ("a.jpg", photo), ("b.jpg", bytes(1000))),
        post_zip(client, BytesIO(bytes(len(photo) + 1001))),
    ):
        assert check_problem(response, 413, "too_many_bytes")["limit"] == len(photo) + 1000


def test_a_photo_over_its_own_limit_fails_alone(photo: bytes, tmp_path: Path) -> None:
    client = small_client(tmp_path, max_bytes=max(1024, len(photo)))
    rows = results(post(client, ("a.jpg", photo), ("large.jpg", photo + bytes(2000))))
    assert [row["status"] for row in rows] == ["success", "error"]
    rows = results(post_zip(client, make_zip(("large.jpg", bytes(100_000)), ("a.jpg", photo))))
    assert [row["status"] for row in rows] == ["error", "success"]
    assert rows[0]["problem"]["code"] == "too_many_bytes"


def test_a_full_line_refuses_the_request_or_a_later_photo(
    app: Flask, client: FlaskClient, photo: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    pipeline = app.extensions["humanparse"].pipeline
    parse, calls = pipeline.parse, []

    def busy_from(first: int) -> None:
        def fake(data: bytes, options: Any, check: Any) -> Any:
            calls.append(data)
            if len(calls) > first:
                raise Busy("Full.", retry_after_s=7)
            return parse(data, options, check)

        calls.clear()
        monkeypatch.setattr(pipeline, "parse", fake)

    busy_from(0)
    response = post(client, ("a.jpg", photo), ("b.jpg", photo))
    check_problem(response, 503, "busy")
    assert response.headers["Retry-After"] == "7"
    busy_from(1)
    rows = results(post(client, ("a.jpg", photo), ("b.jpg", photo)))
    assert [row["status"] for row in rows] == ["success", "error"]
    assert rows[1]["problem"]["retry_after_s"] == 7


def test_the_unforeseen_stays_in_the_log(
    app: Flask, client: FlaskClient, photo: bytes, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def fail(*_: object, **__: object) -> None:
        raise ZeroDivisionError("secret detail")

    monkeypatch.setattr(app.extensions["humanparse"].pipeline, "parse", fail)
    response = post(client, ("a.jpg", photo))
    (row,) = results(response)
    assert (row["problem"]["code"], row["problem"]["status"]) == ("internal", 500)
    assert "secret detail" not in response.text
    assert "secret detail" in caplog.text


def test_memory_does_not_grow_with_the_number_of_photos(client: FlaskClient) -> None:
    noise = np.random.default_rng(1).integers(0, 256, (300, 300, 3), np.uint8)
    one = encode_png(noise)  # 270 kB, and as much again in base64

    def peak(count: int) -> int:
        stream = make_zip(*((f"{i}.png", one) for i in range(count)), method=zipfile.ZIP_STORED)
        request = {"data": stream.getvalue(), "content_type": "application/zip", "buffered": False}
        tracemalloc.start()
        sent = sum(len(piece) for piece in client.post("/api/parse/batch", **request).response)  # type: ignore[arg-type]
        found = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        assert sent > count * len(one)
        return found

    peak(2)  # what is loaded once
    assert peak(24) < peak(4) + 2 * len(one)
