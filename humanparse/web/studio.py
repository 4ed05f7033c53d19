"""Effects on photos, whole or part by part."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Final

from flask import Blueprint, Response, jsonify, request

from humanparse.effects import ART, EFFECTS
from humanparse.effects.selection import GROUPS
from humanparse.errors import InvalidOption
from humanparse.labels import NAMES
from humanparse.studio import Stylized, describe_stylized, zip_stylized
from humanparse.stylize_options import ENCODERS, MEDIA_TYPES, SUFFIXES, StylizeOptions
from humanparse.web import service
from humanparse.web.answers import tell_cache, tell_timing
from humanparse.web.media_types import JSON_TYPE, ZIP
from humanparse.web.patience import make_check
from humanparse.web.requests import accepted_format, gather_options, read_photo, read_stylize_options

blueprint = Blueprint("studio", __name__)

PICTURE_TYPES: Final = {media_type: name for name, media_type in MEDIA_TYPES.items()}
MANY_TYPES: Final = {JSON_TYPE: "json", ZIP: "zip"}


@blueprint.post("/api/stylize")
def stylize() -> Response:
    """A photo in, the photo with an effect out; JSON or a zip for several."""
    upload, fields = read_photo()
    options = read_stylize_options(gather_options(fields))
    return answer_stylized(options, lambda options: service().studio.stylize(upload.data, options, make_check()))


def answer_stylized(options: StylizeOptions, make: Callable[[StylizeOptions], Stylized]) -> Response:
    """What `make` makes, in the format that `format` or `Accept` asks for. Raises InvalidOption or NotAcceptable."""
    format = _choose_format(options)
    if format in ENCODERS:
        options = replace(options, image_format=format)
    made = make(options)
    response = _respond(made, format)
    response.vary.add("Accept")
    response.headers["Humanparse-Coverage"] = str(made.coverage)
    tell_cache(response, made.cache)
    return response


@blueprint.get("/api/effects")
def effects() -> Response:
    """The effects with their parameters, and the words of `only` and `except`."""
    rows = [
        {
            "name": name,
            "title": effect.name,
            "title_zh": effect.name_zh,
            "help": effect.help,
            "art": name in ART,
            "parameters": [
                {
                    "name": p.name,
                    "default": p.default,
                    "low": p.low,
                    "high": p.high,
                    "help": p.help,
                    "help_zh": p.help_zh,
                    "grows_with_the_photo": p.pixels,
                    "whole": p.whole,
                }
                for p in effect.parameters
            ],
        }
        for name, effect in EFFECTS.items()
    ]
    return jsonify(effects=rows, parts=[*GROUPS, *NAMES[1:]])


def _choose_format(options: StylizeOptions) -> str:
    """By `format`, else by `Accept`. Raises InvalidOption where one picture is asked for and there are several."""
    several = len(options.effects) > 1
    if options.format is not None:
        if several and options.format in ENCODERS:
            raise InvalidOption(
                f"format is {options.format}, and there are {len(options.effects)} effects; ask for json or zip.",
                option="format",
                allowed=["json", "zip"],
            )
        return options.format
    if "Accept" not in request.headers or "text/html" in request.accept_mimetypes.values():
        return "json" if several else options.image_format
    return accepted_format(MANY_TYPES if several else {**PICTURE_TYPES, **MANY_TYPES})


def _respond(made: Stylized, format: str) -> Response:
    if format == "json":
        return jsonify(describe_stylized(made))
    if format == "zip":
        data, media_type, name = zip_stylized(made), ZIP, "studio.zip"
    else:
        ((effect, data),) = made.pictures.items()
        media_type, name = MEDIA_TYPES[format], f"{effect}{SUFFIXES[format]}"
    response = Response(data, content_type=media_type)
    response.headers.set("Content-Disposition", "inline", filename=name)
    tell_timing(response, made.timing_ms)
    return response
