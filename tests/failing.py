"""Fails on purpose: tests/test_failing.py reads what people see then. Not collected by itself."""

from __future__ import annotations

from flask.testing import FlaskClient


def test_of_a_refusal(client: FlaskClient) -> None:
    assert client.post("/api/parse", data=b"no photo", content_type="image/jpeg").status_code == 200


def test_of_a_slip(client: FlaskClient) -> None:
    client.application.extensions["humanparse"].pipeline.parse = lambda *_, **__: 1 / 0
    assert client.post("/api/parse", data=b"no photo", content_type="image/jpeg").status_code == 200
