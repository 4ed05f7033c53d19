"""What is answered about a parsed photo: the JSON, or a file in the format that was asked for. No HTTP in it."""

from __future__ import annotations

from base64 import b64encode
from typing import Any

from humanparse.exports import FORMATS, Parsed, describe
from humanparse.labels import PALETTES
from humanparse.options import ParseOptions
from humanparse.pipeline import Answer
from humanparse.stopwatch import Stopwatch


def describe_answer(answer: Answer, options: ParseOptions) -> dict[str, Any]:
    """The whole JSON answer: `describe` of the parsing, the overlay as base64 or null, the timing."""
    watch = Stopwatch()
    with watch.stage("encode"):
        overlay = None
        if options.overlay in FORMATS:
            overlay = b64encode(write_format(answer, options, options.overlay, "")).decode("ascii")
        body = describe(answer.parsing, options.include, PALETTES[options.palette])
    return {"status": "success", "result_image": overlay, **body, "timing_ms": answer.timing_with(watch)}


def write_format(answer: Answer, options: ParseOptions, format: str, name: str) -> bytes:
    """The file of one of FORMATS."""
    return FORMATS[format].write(Parsed(name, answer.parsing, answer.overlay, options.palette, answer.image))


def content_type(format: str) -> str:
    media_type = FORMATS[format].media_type
    return f"{media_type}; charset=utf-8" if media_type.startswith("text/") else media_type
