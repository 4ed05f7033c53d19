"""Results with an address, in the OpenAPI document."""

from __future__ import annotations

from typing import Any, Final

from humanparse.config import Settings
from humanparse.web.media_types import JSON_LINES, JSON_TYPE
from humanparse.web.operations import PARSE_PROBLEMS, parameters, photo_body, problems
from humanparse.web.recognition_operations import recognize_options
from humanparse.web.schemas import RESULT_ID, option_schemas, ref
from humanparse.web.studio_operations import stylize_options, stylized

AGAIN_PROBLEMS: Final = (401, 403, 404, 415, 422, 429, 500, 503)
ID: Final = {
    "name": "id",
    "in": "path",
    "required": True,
    "description": "The result's id: whoever knows it may see the photo.",
    "schema": RESULT_ID,
}


def result_paths(settings: Settings) -> dict[str, Any]:
    """The paths of kept results and their operations."""
    return {
        "/api/results": {"post": _create(settings)},
        "/api/results/{id}": {
            "get": _one("result", "A kept result, while it is kept", {"200": _result("The result")}),
            "delete": _one("forgetResult", "Forget a result now", {"204": {"description": "It is gone"}}),
        },
        "/api/results/{id}/recognize": {"post": _recognize(settings)},
        "/api/results/{id}/stylize": {"post": _stylize(settings)},
    }


def _recognize(settings: Settings) -> dict[str, Any]:
    answer = {"description": "What is in it", "content": {JSON_TYPE: {"schema": ref("Recognition")}}}
    return {
        "operationId": "recognizeResult",
        "summary": "What is in a kept photo, without sending it again",
        "parameters": [ID, *parameters(recognize_options(settings))],
        "responses": {"200": answer, **problems(*AGAIN_PROBLEMS)},
    }


def _stylize(settings: Settings) -> dict[str, Any]:
    options = {name: schema for name, schema in stylize_options(settings).items() if name != "parser"}
    return {
        "operationId": "stylizeResult",
        "summary": "A kept photo with an effect, whole or part by part, without sending it again",
        "description": "People and parts are those of the result. The pictures are not kept.",
        "parameters": [ID, *parameters(options, required="effect")],
        "responses": {"200": stylized(), **problems(*AGAIN_PROBLEMS, 406)},
    }


def _create(settings: Settings) -> dict[str, Any]:
    created = _result("The result, and where it is")
    created["headers"] = {"Location": {"schema": {"type": "string"}, "description": "The page of the result."}}
    steps = {
        "description": f"With `Accept: {JSON_LINES}`, a line of JSON for every step: `step` is `waiting` (with "
        "`before`, how many photos are before this one), `parsing`, and at last `done` (with `result`) or `failed` "
        "(with `problem`). An empty line is a sign of life.",
        "content": {JSON_LINES: {"schema": {"type": "string"}}},
    }
    return {
        "operationId": "createResult",
        "summary": "A photo in; what the page shows of it, kept under an address for a while",
        "description": f"Kept for {settings.result_age_s} s, or until the space is needed; then the photo and "
        "all that was made of it are removed. `parser`, `detail`, `alpha`, `outline` and `palette` count.",
        "parameters": parameters(option_schemas({"parser": settings.parser, "alpha": settings.alpha})),
        "requestBody": photo_body(),
        "responses": {"200": steps, "201": created, **problems(*PARSE_PROBLEMS)},
    }


def _one(operation: str, summary: str, answers: dict[str, Any]) -> dict[str, Any]:
    return {
        "operationId": operation,
        "summary": summary,
        "parameters": [ID],
        "responses": {**answers, **problems(404, 500)},
    }


def _result(description: str) -> dict[str, Any]:
    return {"description": description, "content": {JSON_TYPE: {"schema": ref("Result")}}}
