"""A parsed photo as a response."""

from __future__ import annotations

from typing import Final

from flask import Response, jsonify

from humanparse.answers import content_type, describe_answer, write_format
from humanparse.cache.parsings import COLLAPSED, HIT, MISS
from humanparse.exports import FORMATS, JSON
from humanparse.pipeline import Answer
from humanparse.stopwatch import with_total

CACHE_STATUS: Final = {
    # as RFC 9211 has it
    HIT: "humanparse; hit",
    MISS: "humanparse; fwd=uri-miss",
    COLLAPSED: "humanparse; fwd=uri-miss; collapsed",
}


def respond(answer: Answer, format: str, name: str) -> Response:
    """The whole response in `format`; `name` is what the client calls the photo."""
    response = jsonify(describe_answer(answer)) if format == JSON else _respond_file(answer, format, name)
    if answer.cache is not None:
        response.headers["Cache-Status"] = CACHE_STATUS[answer.cache]
    return response


def _respond_file(answer: Answer, format: str, name: str) -> Response:
    with answer.watch.stage("encode"):
        data = write_format(answer, format, name)
    response = Response(data, content_type=content_type(format))
    # Never the client's own name: nothing to escape, nothing that a shell or a file system could misread.
    response.headers.set("Content-Disposition", "inline", filename=f"parsing{FORMATS[format].suffix}")
    timing = with_total(answer.watch.timing_ms).items()
    response.headers["Server-Timing"] = ", ".join(f"{stage};dur={ms}" for stage, ms in timing)
    return response
