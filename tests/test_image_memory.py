"""No photo outlives its request: neither by a reference that somebody keeps, nor in a cycle, nor in bytes."""

from __future__ import annotations

import gc
import logging
import tracemalloc
import urllib.parse
import weakref
from collections.abc import Iterator
from contextlib import contextmanager
from io import BytesIO
from typing import Any

import cv2
import numpy as np
import objgraph
import pytest
from flask import Flask
from flask.testing import FlaskClient

from humanparse.errors import ParserError
from humanparse.pipeline import Pipeline
from tests.band_parser import BandParser


@pytest.fixture
def images(app: Flask, monkeypatch: pytest.MonkeyPatch) -> list[weakref.ref[Any]]:
    """Every picture that is decoded, and every overlay, by weak reference."""
    seen: list[weakref.ref[Any]] = []
    pipeline: Pipeline = app.extensions["humanparse"].pipeline
    decode, parse = pipeline.decode, pipeline.parse

    def noting(data: bytes) -> Any:
        image = decode(data)
        seen.append(weakref.ref(image))
        return image

    def noting_answers(*given: Any, **named: Any) -> Any:
        answer = parse(*given, **named)
        seen.extend(weakref.ref(each) for each in (answer.overlay, answer.parsing.labels, answer.parsing.people))
        return answer

    monkeypatch.setattr(pipeline, "decode", noting)
    monkeypatch.setattr(pipeline, "parse", noting_answers)
    return seen


@contextmanager
def without_collector() -> Iterator[None]:
    """So that a cycle shows: it would live until the collector comes."""
    gc.collect()
    gc.disable()
    try:
        yield
    finally:
        gc.enable()


@pytest.mark.parametrize(
    ("path", "query"),
    [
        ("/api/parse", ""),
        ("/api/parse", "?include=masks,rle,polygons,label_map,people_map,keypoints"),
        *(
            ("/api/parse", f"?format={name}")
            for name in ("png", "jpeg", "webp", "coco", "masks", "yolo", "labelstudio")
        ),
        ("/api/parse/batch", ""),
        ("/api/parse/batch", "?format=coco"),
        ("/upload", ""),
    ],
)
def test_nothing_of_a_photo_is_left_after_its_answer(
    client: FlaskClient, images: list[weakref.ref[Any]], photo: bytes, path: str, query: str
) -> None:
    with without_collector():
        response = client.post(f"{path}{query}", data={"image": (BytesIO(photo), "a.jpg")}, buffered=True)
        assert response.status_code in (200, 303)
        response.close()
        assert len(images) == 4
        assert [image() is None for image in images] == [True] * 4


@pytest.mark.parametrize("error", [ParserError("today not"), ZeroDivisionError("a mistake"), MemoryError()])
def test_nothing_of_a_photo_is_left_after_an_error(
    client: FlaskClient, images: list[weakref.ref[Any]], photo: bytes, error: Exception, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Tracebacks hold the frames, and those the pictures."""

    def fail(self: object, image: object) -> None:
        del self, image
        raise type(error)(*error.args)

    monkeypatch.setattr(BandParser, "parse", fail)
    monkeypatch.setattr("logging.Logger.error", lambda *_, **__: None)  # pytest keeps what is logged, tracebacks too
    with without_collector():
        for path in ("/api/parse", "/api/parse/batch", "/upload"):
            client.post(path, data={"image": (BytesIO(photo), "a.jpg")}, buffered=True).close()
        assert len(images) == 3
        assert [image() is None for image in images] == [True] * 3


def test_no_kind_of_object_grows_in_number(client: FlaskClient, photo: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    """By objgraph: of what the collector tracks there is as much after ten rounds of good and bad photos as before."""
    monkeypatch.setattr(logging.root.manager, "disable", logging.CRITICAL)  # pytest keeps what is logged

    def round_of_all() -> None:
        for path in ("/api/parse", "/api/parse?include=masks,rle", "/api/parse?format=coco", "/upload"):
            client.post(path, data=photo).close()
            client.post(path, data=photo[: len(photo) // 2]).close()
        client.get("/").close()

    holders = ("humanparse.pipeline.Answer", "humanparse.records.Parsing", "traceback", "flask.wrappers.Request")
    others = [one for holder in holders for one in objgraph.by_type(holder)]  # of tests before this one
    for _ in range(3):
        round_of_all()
    urllib.parse.clear_cache()  # of the addresses that results got: bounded, and not ours
    gc.collect()
    before = objgraph.typestats(shortnames=False)
    for _ in range(10):
        round_of_all()
    urllib.parse.clear_cache()
    gc.collect()
    after = objgraph.typestats(shortnames=False)
    grown = {name: count - before.get(name, 0) for name, count in after.items() if count - before.get(name, 0) >= 10}
    assert grown == {}
    for holder in holders:  # arrays themselves the collector does not track
        assert [one for one in objgraph.by_type(holder) if all(one is not other for other in others)] == [], holder


def test_a_hundred_photos_leave_no_bytes(client: FlaskClient, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(logging.root.manager, "disable", logging.CRITICAL)  # pytest keeps what is logged
    chance = np.random.default_rng(0)
    noise = [cv2.imencode(".jpg", chance.integers(0, 256, (60, 80, 3), np.uint8))[1].tobytes() for _ in range(10)]

    def post_all() -> None:
        for data in noise:
            client.post("/api/parse", data=data).close()  # no forms: each has a boundary, for which Python keeps
            client.post("/api/parse", data=data[: len(data) // 2]).close()  # two compiled patterns, of 512 at most

    post_all()
    tracemalloc.start()
    try:
        post_all()
        gc.collect()
        before = tracemalloc.get_traced_memory()[0]
        for _ in range(10):
            post_all()
        gc.collect()
        after = tracemalloc.get_traced_memory()[0]
    finally:
        tracemalloc.stop()
    assert after - before < 60 * 80 * 3 * 10, "more than a tenth of the photos' pixels is left"
