"""A parsed photo as a response."""

from __future__ import annotations

from flask import Response, jsonify

from humanparse.answers import content_type, describe_answer, write_format
from humanparse.exports import FORMATS, JSON
from humanparse.options import ParseOptions
from humanparse.pipeline import Answer, Stopwatch


def respond(answer: Answer, options: ParseOptions, format: str, name: str) -> Response:
    """The whole response in `format`; `name` is what the client calls the photo."""
    if format == JSON:
        return jsonify(describe_answer(answer, options))
    watch = Stopwatch()
    with watch.stage("encode"):
        data = write_format(answer, options, format, name)
    response = Response(data, content_type=content_type(format))
    # Never the client's own name: nothing to escape, nothing that a shell or a file system could misread.
    response.headers.set("Content-Disposition", "inline", filename=f"parsing{FORMATS[format].suffix}")
    timing = answer.timing_with(watch).items()
    response.headers["Server-Timing"] = ", ".join(f"{stage};dur={ms}" for stage, ms in timing)
    return response
