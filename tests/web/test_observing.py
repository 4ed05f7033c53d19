"""Every request has an id, one line in the log, and a place in the metrics."""

from __future__ import annotations

import io
import logging
import re
import time
from typing import Any

import pytest
from flask.testing import FlaskClient

from humanparse import metrics


@pytest.fixture
def told(caplog: pytest.LogCaptureFixture) -> Any:
    """The fields of the request lines so far."""
    caplog.set_level(logging.INFO, "humanparse.requests")

    def read() -> list[dict[str, Any]]:
        return [record.__dict__ for record in caplog.records if record.name == "humanparse.requests"]

    return read


@pytest.mark.parametrize("id", ["abc", "4bf92f35-77b3.4da6:a3/c=", "A" * 128])
def test_a_sane_id_is_the_clients_own(client: FlaskClient, id: str) -> None:
    answer = client.get("/nowhere", headers={"X-Request-ID": id})
    assert answer.headers["X-Request-ID"] == answer.get_json()["request_id"] == id


@pytest.mark.parametrize("id", ["", "a b", "=1+1", "-x", "ä", "A" * 129, "<b>", 'a"b'])
def test_any_other_is_replaced(client: FlaskClient, id: str) -> None:
    answer = client.get("/healthz", headers={"X-Request-ID": id.encode("utf-8").decode("latin-1")})
    assert re.fullmatch("[0-9a-f]{32}", answer.headers["X-Request-ID"])


def test_one_line_tells_a_request(client: FlaskClient, photo: bytes, told: Any) -> None:
    answer = client.post("/api/parse", data={"image": (io.BytesIO(photo), "face.jpg")})
    (line,) = told()
    assert {key: line[key] for key in ("method", "path", "status", "parser", "photos", "people", "code")} == {
        "method": "POST",
        "path": "/api/parse",
        "status": 200,
        "parser": "bands",
        "photos": 1,
        "people": 2,
        "code": None,
    }
    assert set(line["stages_ms"]) == {"decode", "wait", "parse", "compose", "encode"}
    assert line["ms"] >= sum(line["stages_ms"].values()) * 0.9
    assert line["bytes_out"] == len(answer.data)
    assert line["bytes_in"] > len(photo)
    assert "face.jpg" not in str(line)


def test_an_error_is_told_by_its_code(client: FlaskClient, told: Any) -> None:
    client.post("/api/parse", data=b"no photo", content_type="image/jpeg")
    client.get("/healthz")
    (line,) = told()  # probes are told at DEBUG only
    assert (line["status"], line["code"]) == (415, "unsupported_format")


def test_a_path_cannot_forge_lines_or_fill_the_log(client: FlaskClient, told: Any) -> None:
    client.get("/a%0a%1b[31mforged" + "x" * 500)
    (line,) = told()
    assert line["path"].startswith("/a%0A%1B%5B31mforged")
    assert len(line["path"]) == 200


def test_a_streamed_answer_is_told_when_it_is_over(client: FlaskClient, photo: bytes, told: Any) -> None:
    def count() -> float:
        labels = {"endpoint": "/api/parse/batch"}
        return metrics.REGISTRY.get_sample_value("humanparse_request_seconds_count", labels) or 0.0

    before = count()
    files = [(io.BytesIO(photo), "a.jpg"), (io.BytesIO(b"no photo"), "b.jpg"), (io.BytesIO(photo), "c.jpg")]
    answer = client.post("/api/parse/batch", data={"image": files})
    assert count() == before
    assert answer.get_json()["failed"] == 1
    answer.close()
    assert count() == before + 1
    (line,) = told()
    assert (line["photos"], line["people"], line["code"]) == (2, 4, "unsupported_format")


def test_a_file_is_told_as_any_answer_whole_in_part_and_unchanged(client: FlaskClient, photo: bytes, told: Any) -> None:
    """Werkzeug hands files on as they are and forgets the response, and with it whoever waits for its end."""
    job = client.post("/api/jobs?overlay=none", data=photo, content_type="image/jpeg").get_json()["id"]
    while not client.get(f"/api/jobs/{job}").get_json()["finished_at"]:
        time.sleep(0.01)
    whole = client.get(f"/api/jobs/{job}/result", buffered=True)
    part = client.get(f"/api/jobs/{job}/result", buffered=True, headers={"Range": "bytes=2-5"})
    same = client.get(f"/api/jobs/{job}/result", buffered=True, headers={"If-None-Match": whole.headers["ETag"]})
    icon = client.get("/static/icon.svg", buffered=True)
    head = client.head("/static/icon.svg", buffered=True)
    assert part.data == whole.data[2:6]
    assert (icon.data[:4], head.data) == (b"<svg", b"")
    lines = [
        (line["method"], line["status"], line["path"]) for line in told() if line["path"].endswith(("result", "svg"))
    ]
    result, icon_path = f"/api/jobs/{job}/result", "/static/icon.svg"
    assert lines == [
        ("GET", 200, result),
        ("GET", 206, result),
        ("GET", 304, result),
        ("GET", 200, icon_path),
        ("HEAD", 200, icon_path),
    ]
    assert (whole.status_code, part.status_code, same.status_code) == (200, 206, 304)
