"""A parsed photo as a response, and the headers that say of any answer where its time went and how it was come by."""

from __future__ import annotations

from collections.abc import Mapping
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
    tell_cache(response, answer.cache)
    return response


def tell_cache(response: Response, found: str | None) -> None:
    """How the answer was come by: HIT, MISS, COLLAPSED of the cache; None without one, and then nothing is said."""
    if found is not None:
        response.headers["Cache-Status"] = CACHE_STATUS[found]


def tell_timing(response: Response, timing_ms: Mapping[str, float]) -> None:
    """Where the time of an answer went that has no JSON to say it in, as browsers' own tools show it."""
    response.headers["Server-Timing"] = ", ".join(f"{stage};dur={ms}" for stage, ms in timing_ms.items())


def _respond_file(answer: Answer, format: str, name: str) -> Response:
    with answer.watch.stage("encode"):
        data = write_format(answer, format, name)
    response = Response(data, content_type=content_type(format))
    # Never the client's own name: nothing to escape, nothing that a shell or a file system could misread.
    response.headers.set("Content-Disposition", "inline", filename=f"parsing{FORMATS[format].suffix}")
    tell_timing(response, with_total(answer.watch.timing_ms))
    return response
