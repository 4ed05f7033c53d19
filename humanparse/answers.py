"""What is answered about a parsed photo: the JSON, or a file in the format that was asked for. No HTTP in it."""

from __future__ import annotations

from base64 import b64encode
from typing import Any

from humanparse.exports import FORMATS, Parsed, describe
from humanparse.labels import PALETTES
from humanparse.pipeline import Answer
from humanparse.stopwatch import with_total


def describe_answer(answer: Answer) -> dict[str, Any]:
    """The whole JSON answer: `describe` of the parsing, the overlay as base64 or null, the timing."""
    options = answer.options
    with answer.watch.stage("encode"):
        overlay = None
        if options.overlay in FORMATS:
            overlay = b64encode(write_format(answer, options.overlay, "")).decode("ascii")
        body = describe(answer.parsing, options.include, PALETTES[options.palette])
    return {"status": "success", "result_image": overlay, **body, "timing_ms": with_total(answer.watch.timing_ms)}


def write_format(answer: Answer, format: str, name: str) -> bytes:
    """The file of one of FORMATS; `name` is what data sets call the photo."""
    parsed = Parsed(name, answer.parsing, answer.options.palette, answer.image, lambda: answer.overlay)
    return FORMATS[format].write(parsed)


def content_type(format: str) -> str:
    """The Content-Type of a file in one of FORMATS: its media type, and what texts are encoded in."""
    media_type = FORMATS[format].media_type
    return f"{media_type}; charset=utf-8" if media_type.startswith("text/") else media_type
