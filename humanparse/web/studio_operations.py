"""The studio in the OpenAPI document."""

from __future__ import annotations

from typing import Any, Final

from humanparse.config import Settings
from humanparse.effects import EFFECTS
from humanparse.effects.contract import Parameter
from humanparse.effects.selection import GROUPS, MOST_FEATHER
from humanparse.labels import NAMES
from humanparse.options import CHOICES
from humanparse.stylize_options import ALL, ENCODERS, FORMATS, MEDIA_TYPES, OPTIONS
from humanparse.web.media_types import JSON_TYPE, ZIP
from humanparse.web.operations import PARSE_PROBLEMS, get, parameters, photo_body, problems
from humanparse.web.schemas import BINARY, SCORE, TEXT, Schema, listed, record, ref

NUMBER: Final[Schema] = {"type": "number"}
FLAG: Final[Schema] = {"type": "boolean"}
STUDIO_SCHEMAS: Final[dict[str, Schema]] = {
    "Stylized": record(
        status={"const": "success"},
        image=ref("Size"),
        coverage={**SCORE, "description": "What part of the photo was changed."},
        pictures=listed(
            record(
                effect={"type": "string", "enum": list(EFFECTS)},
                media_type={"type": "string", "enum": list(MEDIA_TYPES.values())},
                data={"type": "string", "contentEncoding": "base64"},
            )
        ),
        cached=FLAG,
        timing_ms=ref("Timing"),
    ),
    "Effects": record(
        effects=listed(
            record(
                name={"type": "string", "enum": list(EFFECTS)},
                title=TEXT,
                title_zh=TEXT,
                help=TEXT,
                art=FLAG,
                parameters=listed(
                    record(
                        name=TEXT,
                        default=NUMBER,
                        low=NUMBER,
                        high=NUMBER,
                        help=TEXT,
                        help_zh=TEXT,
                        grows_with_the_photo=FLAG,
                        whole=FLAG,
                    )
                ),
            )
        ),
        parts=listed(TEXT, "The words of `only` and `except`."),
    ),
}


def studio_paths(settings: Settings) -> dict[str, Any]:
    """The paths of the studio and their operations."""
    return {
        "/api/stylize": {"post": _stylize(settings)},
        "/api/effects": {"get": get("effects", "The effects with their parameters", "Effects")},
    }


def _stylize(settings: Settings) -> dict[str, Any]:
    return {
        "operationId": "stylize",
        "summary": "A photo in, the photo with an effect out, whole or part by part",
        "description": f"At most {settings.max_bytes:,} bytes and {settings.max_pixels:,} pixels; a photo with more "
        f"than {settings.stylize_pixels:,} is made smaller. Several effects are answered as JSON or as a zip. "
        "Defaults of parameters in pixels grow with the photo, see `/api/effects`.",
        "parameters": parameters(stylize_options(settings)),
        "requestBody": photo_body(),
        "responses": {"200": stylized(), **problems(*PARSE_PROBLEMS)},
    }


def stylized() -> dict[str, Any]:
    """The 200 of the studio."""
    pictures = {name: {"schema": BINARY} for name in (*MEDIA_TYPES.values(), ZIP)}
    return {
        "description": "The picture, or several",
        "content": {**pictures, JSON_TYPE: {"schema": ref("Stylized")}},
    }


def stylize_options(settings: Settings) -> dict[str, Schema]:
    """The schema of every option of the studio, the effects' parameters among them."""
    words = listed({"type": "string", "enum": [*GROUPS, *NAMES[1:]]})
    schemas: dict[str, Schema] = {
        "effect": {**listed({"type": "string", "enum": [*EFFECTS, ALL]}), "minItems": 1, "examples": [["oil"]]},
        "only": words,
        "except": words,
        "people": listed({"type": "integer", "minimum": 1, "maximum": 255}),
        "feather": {"type": "number", "minimum": 0, "maximum": MOST_FEATHER},
        "format": {"type": "string", "enum": list(FORMATS)},
        "image_format": {"type": "string", "enum": list(ENCODERS), "default": "jpeg"},
        "parser": {"type": "string", "enum": list(CHOICES["parser"]), "default": settings.parser},
    }
    described = {name: {**schema, "description": OPTIONS[name]} for name, schema in schemas.items()}
    for name, users in _own_parameters().items():
        ranges = "; ".join(f"`{effect}`: {p.help}, {p.low:g} to {p.high:g}" for effect, p in users.items())
        described[name] = {"type": "number", "description": ranges}
    return described


def _own_parameters() -> dict[str, dict[str, Parameter]]:
    """Name -> effect -> the parameter: one name may have another range in another effect."""
    found: dict[str, dict[str, Parameter]] = {}
    for effect, described in EFFECTS.items():
        for parameter in described.parameters:
            found.setdefault(parameter.name, {})[effect] = parameter
    return found
