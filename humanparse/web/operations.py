"""The pieces that operations of the OpenAPI document are made of."""

from __future__ import annotations

from typing import Any, Final

from humanparse.exports import FORMATS
from humanparse.image_formats import FORMATS as IMAGE_FORMATS
from humanparse.web.errors import CODES, TITLES
from humanparse.web.media_types import BYTES, FORM, JSON_TYPE, PROBLEM
from humanparse.web.schemas import BASE64, BINARY, TEXT, Schema, ref

PARSE_PROBLEMS: Final = (400, 401, 403, 406, 408, 413, 415, 422, 429, 500, 503)
JSON_SHAPES: Final = {"coco": "CocoDataset", "huggingface": "Segments", "labelstudio": "LabelStudioTasks"}


def get(operation: str, summary: str, schema: str, *statuses: int) -> dict[str, Any]:
    """An operation without parameters that answers JSON of the component `schema`, or problems of these statuses."""
    answer = {"description": summary, "content": {JSON_TYPE: {"schema": ref(schema)}}}
    return {"operationId": operation, "summary": summary, "responses": {"200": answer, **problems(500, *statuses)}}


def parameters(options: dict[str, Schema], required: str = "") -> list[dict[str, Any]]:
    """Options of the query. required: the one that must be there; not where it may stand beside a photo instead."""
    shape = {"style": "form", "explode": False}  # a list with commas
    return [
        {
            "name": name,
            "in": "query",
            "description": schema["description"],
            "schema": schema,
            **({"required": True} if name == required else {}),
            **(shape if schema["type"] == "array" else {}),
        }
        for name, schema in options.items()
    ]


def form(image: Schema) -> Schema:
    """A form or a JSON object. Its options are left to words: generated clients fill defaults into every place."""
    return {"type": "object", "properties": {"image": image}, "required": ["image"]}


def photo_body() -> dict[str, Any]:
    """A photo in any of the forms that it may come in. One range of image types: generators warn of every name."""
    content = {
        FORM: {"schema": form(BINARY)},
        JSON_TYPE: {"schema": form(BASE64)},
        **{name: {"schema": BINARY} for name in ("image/*", BYTES)},
    }
    names = ", ".join(format.name for format in IMAGE_FORMATS)
    return {"description": f"{names}: in a form, as base64, or the bytes themselves.", **body(content)}


def body(content: dict[str, Any]) -> dict[str, Any]:
    """A request body that must be there; `content` by media type."""
    return {"required": True, "content": content}


def formats(*json_schemas: str) -> dict[str, Any]:
    """The 200 of a parsed photo: the JSON, and every type of the formats."""
    shapes = [ref(name) for name in (*json_schemas, *JSON_SHAPES.values())]
    others = dict.fromkeys(format.media_type for format in FORMATS.values() if format.media_type != JSON_TYPE)
    return {
        "description": "The photo's people and their parts, in the format that was asked for",
        "content": {
            JSON_TYPE: {"schema": {"anyOf": shapes}},
            **{name: {"schema": TEXT if name == "text/plain" else BINARY} for name in others},
        },
    }


def problems(*statuses: int) -> dict[str, Any]:
    """The responses of these statuses, each with the codes that it may have."""
    return {
        str(status): {
            "description": f"{TITLES[status]}: {', '.join(CODES.get(status, [])) or 'internal'}",
            "content": {PROBLEM: {"schema": ref("Problem")}},
            **({"headers": {"Retry-After": {"schema": {"type": "integer"}}}} if status in (429, 503) else {}),
        }
        for status in sorted(statuses)
    }
