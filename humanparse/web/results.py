"""Results that have an address, for programs: parse and keep, look again, ask the sisters, forget.

Recognition and the studio work on the photo and the parsing that are kept: nothing is sent a second
time, and people and parts are those that the result shows.
"""

from __future__ import annotations

import contextvars
import threading
from collections.abc import Iterator, Mapping
from datetime import datetime, timezone
from queue import Empty, SimpleQueue
from typing import Any, Final

import numpy as np
from flask import Blueprint, Response, json, jsonify, request, stream_with_context, url_for
from numpy.typing import NDArray

from humanparse.errors import InvalidOption
from humanparse.kept import MADE, STORED, decode_kept, keep, read_parsed
from humanparse.options import ParseOptions
from humanparse.pipeline import Answer
from humanparse.recognition.pipeline import Recognition
from humanparse.records import Parsing
from humanparse.studio import Stylized
from humanparse.stylize_options import StylizeOptions
from humanparse.web import service
from humanparse.web.errors import describe_error
from humanparse.web.media_types import JSON_LINES, JSON_TYPE
from humanparse.web.patience import make_check
from humanparse.web.recognition import answer_recognition
from humanparse.web.requests import read_choices, read_recognize_options, read_request, read_stylize_options
from humanparse.web.studio import answer_stylized

blueprint = Blueprint("results", __name__)

SILENCE_S: Final = 5.0  # then an empty line goes out, by which we notice that nobody listens any more


@blueprint.post("/api/results")
def create() -> tuple[Response, int]:
    """A photo in; its parsing out, kept under an address. With `Accept: application/x-ndjson` a line for every step."""
    photo, options = read_request(service().settings)
    if request.accept_mimetypes.best_match([JSON_TYPE, JSON_LINES]) == JSON_LINES:
        steps = _steps(photo.data, options)
        first = next(steps)
        if isinstance(first, Exception):  # while the status can still say so
            raise first
        response = Response(stream_with_context(_lines(first, steps)), content_type=JSON_LINES)
        response.headers["X-Accel-Buffering"] = "no"  # nginx would keep the lines back
        return response, 200
    name = save(service().pipeline.parse(photo.data, options, make_check()))
    response = jsonify(describe_kept(name))
    response.headers["Location"] = url_for("result_pages.result", name=name)
    return response, 201


@blueprint.get("/api/results/<id>")
def show(id: str) -> Response:
    """A kept result, while it is kept."""
    return jsonify(describe_kept(id))


@blueprint.delete("/api/results/<id>")
def forget(id: str) -> tuple[str, int]:
    """Forget a result now."""
    service().storage.remove(id)
    return "", 204


@blueprint.post("/api/results/<id>/recognize")
def recognize(id: str) -> Response:
    """What is in a kept photo."""
    return answer_recognition(recognize_kept(id))


@blueprint.post("/api/results/<id>/stylize")
def stylize(id: str) -> Response:
    """A kept photo with an effect; JSON or a zip for several."""
    service().storage.expires_at(id)  # what is gone is gone, whatever is asked of it
    return answer_stylized(read_effect(read_choices()), lambda options: stylize_kept(id, options))


def recognize_kept(name: str) -> Recognition:
    """What is in a kept photo, by the options of the current request. Raises ResultExpired and others."""
    photo = service().storage.read(name, "photo.jpg")
    options = read_recognize_options(read_choices())
    return service().pipeline.recognition.recognize(photo, options, make_check(), decode_kept)


def read_effect(given: Mapping[str, Any]) -> StylizeOptions:
    """The options of the studio for a kept photo. Raises InvalidOption, for a parser too: it has done its work."""
    if "parser" in given:
        raise InvalidOption("This photo is parsed already; parser cannot be chosen any more.", option="parser")
    return read_stylize_options(given)


def stylize_kept(name: str, options: StylizeOptions) -> Stylized:
    """The studio's pictures of a kept photo. Raises ResultExpired and others."""
    storage = service().storage

    def read() -> tuple[NDArray[np.uint8], Parsing]:
        return read_parsed(lambda file: storage.read(name, file))

    return service().studio.stylize_parsed(read, options, make_check())


def save(answer: Answer) -> str:
    """Keep an answer; returns its name."""
    return service().storage.save(keep(answer))


def describe_kept(name: str) -> dict[str, Any]:
    """The JSON of a kept result. Raises ResultExpired."""
    storage = service().storage
    expires_at = datetime.fromtimestamp(storage.expires_at(name), timezone.utc)
    return {
        "status": "success",
        "id": name,
        "address": url_for("result_pages.result", name=name),
        "expires_at": expires_at.strftime("%Y-%m-%dT%H:%M:%SZ"),
        "files": {file: url_for("result_pages.file", name=name, file=file) for file in (*STORED, *MADE)},
        **json.loads(storage.read(name, "parsing.json")),
    }


Step = int | Answer | Exception | None
"""Photos before this one (0: it is parsed), the answer, what went wrong; None: nothing new, for some seconds."""


class _Gone(Exception):
    """Nobody waits for the answer any more."""


def _steps(data: bytes, options: ParseOptions) -> Iterator[Step]:
    """How many photos are before this one, whenever that changes; at last its Answer, or what went wrong.

    None after every `SILENCE_S` without news. When closed, a photo that still waits leaves the line.
    """
    pipeline = service().pipeline
    news: SimpleQueue[int | Answer | Exception] = SimpleQueue()
    gone = threading.Event()

    def check() -> None:
        if gone.is_set():
            raise _Gone

    def work() -> None:
        try:
            news.put(pipeline.parse(data, options, check, news.put))
        except Exception as error:  # told to whoever reads the steps
            news.put(error)

    own = contextvars.copy_context()  # what the work tells about itself belongs to this request
    threading.Thread(target=own.run, args=(work,), name="parse", daemon=True).start()
    try:
        while True:
            try:
                step = news.get(timeout=SILENCE_S)
            except Empty:
                yield None
                continue
            yield step
            if not isinstance(step, int):
                return
    finally:
        gone.set()


def _lines(first: Step, others: Iterator[Step]) -> Iterator[bytes]:
    yield _line(first)
    for step in others:
        yield _line(step)


def _line(step: Step) -> bytes:
    if step is None:
        return b"\n"
    if isinstance(step, int):
        told: dict[str, Any] = {"step": "waiting", "before": step} if step else {"step": "parsing"}
    else:
        try:
            if isinstance(step, Exception):
                raise step
            told = {"step": "done", "result": describe_kept(save(step))}
        except Exception as error:  # the status is sent: a line is the only way left
            told = {"step": "failed", "problem": describe_error(error)}
    return json.dumps(told).encode() + b"\n"
