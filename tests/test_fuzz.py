"""Half a minute of `python -m tests.fuzz`, with new inputs every day, and that it finds what there is to find."""

from __future__ import annotations

import time
from pathlib import Path

import pytest
from flask.testing import FlaskClient

from humanparse.web import requests
from tests.fuzz import fuzz, main

# Werkzeug's, of forms that it gave up half-way: they close when they are collected, which is at once
pytestmark = [
    pytest.mark.filterwarnings("ignore:Unclosed file <tempfile:ResourceWarning"),
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"),
]


def test_no_input_breaks_decoders_or_request_parsers(tmp_path: Path) -> None:
    seed = int(time.time() // 86_400)
    counts, found = fuzz(0.4, seed, tmp_path)
    assert found == 0, f"python -m tests.fuzz --seed {seed}: {[path.read_text()[:300] for path in tmp_path.iterdir()]}"
    kinds = set(counts)
    assert {"decode read", "decode unreadable_image", "request 200", "request 400", "request 415"} <= kinds, counts


def test_a_mistake_is_found_kept_and_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def wrong(*_: object) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr(requests, "check_declared", wrong)
    assert main(["--minutes", "0.1", "--seed", "1", "--findings", str(tmp_path / "found")]) == 1
    assert any("request-1-" in path.name for path in (tmp_path / "found").iterdir())


def test_brackets_in_brackets_are_a_bad_request(client: FlaskClient) -> None:
    response = client.post("/api/parse", data=b"[" * 200_000, content_type="application/json")
    assert (response.status_code, response.get_json()["code"]) == (400, "unreadable_image")
