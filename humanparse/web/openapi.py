"""The API as an OpenAPI 3.1 document, made from the tables of options, formats, classes and errors; and its page.

No library makes it: those for Flask (apispec, flask-smorest, spectree) want their own schema
classes around every view, a second description of what the tables say already. Tests hold the
document to the specification, to the routes, and every answer to the document.
"""

from __future__ import annotations

import re
from typing import Any, Final

from flask import Blueprint, Response, jsonify, render_template
from markupsafe import Markup, escape

from humanparse import __version__
from humanparse.config import Settings
from humanparse.exports import FORMATS
from humanparse.labels import CLASSES
from humanparse.web import service
from humanparse.web.errors import CODES
from humanparse.web.job_operations import job_paths
from humanparse.web.media_types import FORM, JSON_TYPE, ZIP, ZIP_TYPES
from humanparse.web.operations import PARSE_PROBLEMS, body, form, formats, get, parameters, photo_body, problems
from humanparse.web.recognition_operations import RECOGNITION_SCHEMAS, recognition_paths
from humanparse.web.result_operations import result_paths
from humanparse.web.schemas import BINARY, SCHEMAS, listed, option_schemas, ref
from humanparse.web.studio_operations import STUDIO_SCHEMAS, studio_paths

blueprint = Blueprint("openapi", __name__)

TAGS: Final = {
    "parsing": "People and their parts in photos.",
    "jobs": "The same, and videos, accepted now and answered later.",
    "results": "Results that the service keeps for a while.",
    "recognition": "What a photo shows as a whole.",
    "studio": "Effects on photos, whole or part by part.",
    "service": "Whether it lives.",
}
SERVICE_PATHS: Final = {
    "/healthz": {"get": get("health", "200 while the process answers", "Health")},
    "/readyz": {"get": get("ready", "200 once the default parser is loaded", "Ready", 503)},
}
SECURITY = {
    "bearer": {"type": "http", "scheme": "bearer"},
    "apiKey": {"type": "apiKey", "in": "header", "name": "X-API-Key"},
}


@blueprint.get("/openapi.json")
def openapi() -> Response:
    """The document."""
    return jsonify(make_document(service().settings))


@blueprint.get("/docs")
def page() -> str:
    """The document for people."""
    return render_template(
        "docs.html",
        document=make_document(service().settings),
        formats=FORMATS,
        classes=CLASSES,
        problems=[(status, code) for status, codes in sorted(CODES.items()) for code in codes],
    )


@blueprint.app_template_filter()
def marked(text: str) -> Markup:
    """Words in backticks as code."""
    return Markup(re.sub("`([^`]+)`", r"<code>\1</code>", str(escape(text))))


def make_document(settings: Settings) -> dict[str, Any]:
    """The OpenAPI document of a service with these settings."""
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Human parsing",
            "version": __version__,
            "summary": "Every person in a photo, every part.",
            "license": {"name": "Apache-2.0", "identifier": "Apache-2.0"},
        },
        "servers": [{"url": "/"}],
        "tags": [{"name": name, "description": words} for name, words in TAGS.items()],
        "paths": {
            **_tagged("parsing", _parsing_paths(settings)),
            **_tagged("jobs", job_paths(settings)),
            **_tagged("results", result_paths(settings)),
            **_tagged("recognition", recognition_paths(settings)),
            **_tagged("studio", studio_paths(settings)),
            **_tagged("service", SERVICE_PATHS),
        },
        "security": [{}, {"bearer": []}, {"apiKey": []}],  # a key where the service asks for one
        "components": {
            "schemas": {**SCHEMAS, **RECOGNITION_SCHEMAS, **STUDIO_SCHEMAS},
            "securitySchemes": SECURITY,
        },
    }


def _parsing_paths(settings: Settings) -> dict[str, Any]:
    return {
        "/api/parse": {"post": _parse(settings)},
        "/api/parse/batch": {"post": _parse_batch(settings)},
        "/api/labels": {"get": get("labels", "The classes and their colours", "Classes")},
        "/api/parsers": {"get": get("parsers", "The parsers, and which of them can run here", "Parsers")},
    }


def _tagged(tag: str, paths: dict[str, Any]) -> dict[str, Any]:
    """Generated clients make a module of each tag."""
    return {
        path: {method: {"tags": [tag], **operation} for method, operation in methods.items()}
        for path, methods in paths.items()
    }


def _parse(settings: Settings) -> dict[str, Any]:
    return {
        "operationId": "parse",
        "summary": "A photo in, every person's parts out",
        "description": f"At most {settings.max_bytes:,} bytes and {settings.max_pixels:,} pixels. Options stand in the "
        "query, or beside the photo as form fields or JSON keys, not in both. Without `format`, `Accept` chooses "
        "between JSON and the overlay as PNG, JPEG or WebP.",
        "parameters": parameters(option_schemas({"parser": settings.parser, "alpha": settings.alpha})),
        "requestBody": photo_body(),
        "responses": {"200": formats("Parsing"), **problems(*PARSE_PROBLEMS)},
    }


def _parse_batch(settings: Settings) -> dict[str, Any]:
    return {
        "operationId": "parseBatch",
        "summary": "Several photos, or zips of them, each with its own result",
        "description": f"At most {settings.batch_files} photos, {settings.batch_bytes:,} bytes in the request and "
        f"{settings.batch_unpacked_bytes:,} unpacked. One that cannot be parsed fails alone. Answered piece by piece; "
        "with another format than JSON, a zip.",
        "parameters": parameters(option_schemas({"parser": settings.parser, "alpha": settings.alpha})),
        "requestBody": body(
            {
                FORM: {"schema": form({**listed(BINARY), "minItems": 1})},
                **{name: {"schema": BINARY} for name in ZIP_TYPES},
            }
        ),
        "responses": {
            "200": {
                "description": "One result for each photo, in their order",
                "content": {JSON_TYPE: {"schema": ref("Batch")}, ZIP: {"schema": BINARY}},
            },
            **problems(*PARSE_PROBLEMS),
        },
    }
