"""The JSON API."""

from __future__ import annotations

from flask import Blueprint, Response, jsonify

from humanparse.errors import HumanParseError
from humanparse.labels import CLASSES, PALETTES
from humanparse.parsers import PARSERS, choose_parser, make_parser
from humanparse.web import service
from humanparse.web.answers import respond
from humanparse.web.errors import problem
from humanparse.web.media_types import PROBLEM
from humanparse.web.patience import make_check
from humanparse.web.requests import accepted_format, read_request

blueprint = Blueprint("api", __name__)


@blueprint.post("/api/parse")
def parse() -> Response:
    """A photo in, every person's parts out."""
    photo, options = read_request(service().settings)
    format = options.format or accepted_format()
    response = respond(service().pipeline.parse(photo.data, options, make_check()), format, photo.name)
    response.vary.add("Accept")
    return response


@blueprint.get("/api/labels")
def labels() -> Response:
    """The classes: id, English and Chinese name, colour, the other side's id; and the colours of every palette."""
    return jsonify(
        labels=[
            {"id": c.id, "name": c.name, "name_zh": c.name_zh, "colour": list(c.colour), "twin": c.twin}
            for c in CLASSES
        ],
        palettes={name: palette.tolist() for name, palette in PALETTES.items()},
    )


@blueprint.get("/api/parsers")
def parsers() -> Response:
    """The parsers, which of them can run here, and which one `auto` means now."""
    settings = service().settings
    rows = []
    for name in PARSERS:
        parser = make_parser(name, settings)
        missing = parser.available()
        rows.append({"name": name, "version": parser.info.version, "available": missing is None, "missing": missing})
    return jsonify(parsers=rows, auto=choose_parser(settings), default=settings.parser)


@blueprint.get("/healthz")
def healthz() -> Response:
    """The process answers."""
    return jsonify(status="ok")


@blueprint.get("/readyz")
def readyz() -> tuple[Response, int]:
    """The default parser is loaded (it is loaded now if it was not) and can take a photo."""
    try:
        parser = service().pipeline.load(service().settings.parser)
    except HumanParseError as error:
        answer = jsonify(problem(503, error.code, error.message))
        answer.content_type = PROBLEM
        return answer, 503
    return jsonify(status="ready", parser={"name": parser.info.name, "version": parser.info.version}), 200
