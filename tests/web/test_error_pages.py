"""Errors on the pages are pages: they say what was wrong and lead back."""

from __future__ import annotations

from pathlib import Path

import pytest
from flask.testing import FlaskClient

from app import create_app
from humanparse.config import Settings
from humanparse.errors import Busy, ParserUnavailable, WeightsDamaged
from tests.band_parser import BandParser
from tests.web.visits import FailingPipeline, client_of, keep, post, read_page


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
