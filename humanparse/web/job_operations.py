"""Jobs in the OpenAPI document."""

from __future__ import annotations

from typing import Any

from humanparse.config import Settings
from humanparse.jobs.records import MANY, ONE, VIDEO
from humanparse.video import containers
from humanparse.video.containers import ANSWERS
from humanparse.video.options import MOST_EVERY, MOST_FPS, SIDES
from humanparse.web.media_types import BYTES, FORM, JSON_LINES, JSON_TYPE, ZIP_TYPES
from humanparse.web.operations import PARSE_PROBLEMS, body, form, formats, parameters, problems
from humanparse.web.orders import EXTRAS, LONGEST_KEY
from humanparse.web.schemas import BASE64, BINARY, JOB_FORMATS, JOB_ID, TEXT, Schema, listed, option_schemas, ref

BODY_TYPES = ("image/*", "video/*", *ZIP_TYPES, BYTES)
ID = {"name": "id", "in": "path", "required": True, "schema": JOB_ID}


def job_paths(settings: Settings) -> dict[str, Any]:
    """The paths of jobs and their operations."""
    return {
        "/api/jobs": {"post": _submit(settings)},
        "/api/jobs/{id}": {
            "get": _on_job("look", "The job as it stands"),
            "delete": {
                **_on_job("removeJob", "Cancel a job that has not ended; forget one that has, with its result"),
                "responses": {
                    "200": _job("It is cancelled"),
                    "204": {"description": "It is gone"},
                    **problems(404, 500),
                },
            },
        },
        "/api/jobs/{id}/cancel": {
            "post": _on_job("cancelJob", "Cancel a job that has not ended; one that has stays as it is"),
        },
        "/api/jobs/{id}/result": {"get": _result()},
        "/api/jobs/{id}/data": {"get": _data()},
    }


def _submit(settings: Settings) -> dict[str, Any]:
    shapes: dict[str, Schema] = {
        "callback_url": {"type": "string", "format": "uri"},
        "kind": {"type": "string", "enum": [ONE, MANY, VIDEO]},
        "every": {"type": "integer", "minimum": 1, "maximum": MOST_EVERY},
        "fps": {"type": "number", "exclusiveMinimum": 0, "maximum": MOST_FPS},
        "max_side": {"type": "integer", "minimum": SIDES[0], "maximum": SIDES[1]},
        "numbers": {"type": "boolean", "default": True},
        "sound": {"type": "boolean", "default": True},
    }
    extras = {name: {**shape, "description": EXTRAS[name]} for name, shape in shapes.items()}
    options = option_schemas({"parser": settings.parser, "alpha": settings.alpha})
    options["format"] = {**options["format"], "enum": list(JOB_FORMATS)}
    return {
        "operationId": "submitJob",
        "summary": "A photo, several, or a video, accepted now and parsed later",
        "description": "Takes what `POST /api/parse` and `POST /api/parse/batch` take, in forms as `image`, and videos "
        f"({containers.names()}), as the field `video` or as the body, of at most {settings.video_bytes:,} bytes, "
        f"{settings.video_s:g} s, {settings.video_frames:,} frames of {settings.video_pixels:,} pixels. An accepted "
        "job survives a restart. The same `Idempotency-Key` with the same request gives the same job.",
        "parameters": [*parameters({**options, **extras}), key_header()],
        "requestBody": body(
            {
                FORM: {
                    "schema": {
                        "type": "object",
                        # One of both, which generators of clients do not understand: `anyOf` costs them the form.
                        "properties": {"image": {**listed(BINARY), "minItems": 1}, "video": BINARY},
                    }
                },
                JSON_TYPE: {"schema": form(BASE64)},
                **{name: {"schema": BINARY} for name in BODY_TYPES},
            }
        ),
        "responses": {
            "202": {**_job("The job is accepted"), "headers": {"Location": {"schema": {"type": "string"}}}},
            **problems(*(status for status in PARSE_PROBLEMS if status != 406)),
        },
    }


def key_header() -> dict[str, Any]:
    """The parameter of operations that make a job."""
    return {
        "name": "Idempotency-Key",
        "in": "header",
        "description": "Any text of the client's own, different for each job; requests that are sent again keep it.",
        "schema": {"type": "string", "minLength": 1, "maxLength": LONGEST_KEY},
    }


def _on_job(operation: str, summary: str) -> dict[str, Any]:
    responses = {"200": _job(summary), **problems(404, 500)}
    return {"operationId": operation, "summary": summary, "parameters": [ID], "responses": responses}


def _job(description: str) -> dict[str, Any]:
    return {"description": description, "content": {JSON_TYPE: {"schema": ref("Job")}}}


def _result() -> dict[str, Any]:
    answer = formats("Parsing", "Batch", "Recognition")
    answer["content"].update({media_type: {"schema": BINARY} for media_type in ANSWERS.values()})
    return {
        "operationId": "jobResult",
        "parameters": [ID],
        "summary": "What the request would have answered, had it not been a job; the problem of one that failed",
        "responses": {"200": answer, **problems(404, 409, *PARSE_PROBLEMS)},
    }


def _data() -> dict[str, Any]:
    return {
        "operationId": "jobData",
        "parameters": [ID],
        "summary": "What was seen in a video: a line of JSON for each frame",
        "responses": {
            "200": {"description": "Each line is a `VideoFrame`", "content": {JSON_LINES: {"schema": TEXT}}},
            **problems(404, 409, 500),
        },
    }
