"""The pages as a browser without scripts asks for them, and apps that answer in special ways."""

from __future__ import annotations

from io import BytesIO
from typing import Any

import numpy as np
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from app import create_app
from humanparse.config import Settings
from humanparse.gate import Check, always
from humanparse.options import ParseOptions
from humanparse.pipeline import Answer, Pipeline
from humanparse.records import ParserInfo, Parsing
from tests.band_parser import BandParser
from tests.web.html_reader import Page

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

    def parse(self, data: bytes, options: ParseOptions, check: Check = always) -> Answer:
        del data, options, check
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
