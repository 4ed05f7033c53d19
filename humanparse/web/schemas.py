"""The shapes of what is sent and answered, as JSON Schema (2020-12, as OpenAPI 3.1 has it)."""

from __future__ import annotations

from typing import Any, Final

from humanparse.jobs.records import ID, KINDS, STATES
from humanparse.kept import MADE, STORED
from humanparse.labels import NAMES, NUM_CLASSES, PALETTES
from humanparse.options import CHOICES, INCLUDES, OPTIONS
from humanparse.parsers import AUTO, PARSERS
from humanparse.storage import NAME
from humanparse.video.containers import ANSWERS

Schema = dict[str, Any]

BINARY: Final[Schema] = {"type": "string", "format": "binary"}
BASE64: Final[Schema] = {"type": "string", "contentEncoding": "base64"}
BASE64_PNG: Final[Schema] = {"type": "string", "contentEncoding": "base64", "contentMediaType": "image/png"}
COUNT: Final[Schema] = {"type": "integer", "minimum": 0}
SCORE: Final[Schema] = {"type": "number", "minimum": 0, "maximum": 1}
JOB_ID: Final[Schema] = {"type": "string", "pattern": f"^{ID.pattern}$"}
RESULT_ID: Final[Schema] = {"type": "string", "pattern": f"^{NAME.pattern}$"}
PART_ID: Final[Schema] = {"type": "integer", "minimum": 1, "maximum": NUM_CLASSES - 1}
TEXT: Final[Schema] = {"type": "string"}


def record(optional: dict[str, Schema] | None = None, /, **required: Schema) -> Schema:
    """An object with exactly these keys; those of `optional` may be missing."""
    return {
        "type": "object",
        "properties": {**required, **(optional or {})},
        "required": list(required),
        "additionalProperties": False,
    }


def ref(name: str) -> Schema:
    """The component of this name; see SCHEMAS."""
    return {"$ref": f"#/components/schemas/{name}"}


def listed(items: Schema, description: str = "") -> Schema:
    """A list of any length."""
    return {"type": "array", "items": items, **({"description": description} if description else {})}


def exactly(count: int, items: Schema, description: str) -> Schema:
    """A list of so many."""
    return {**listed(items, description), "minItems": count, "maxItems": count}


def option_schemas(defaults: dict[str, Any]) -> dict[str, Schema]:
    """The schema of every option, with its meaning; `defaults` are those that the settings change."""
    special: dict[str, Schema] = {
        "alpha": {"type": "number", "minimum": 0, "maximum": 1},
        "outline": {"type": "boolean", "default": True},
        "detail": {"type": "boolean", "default": True},
        "include": listed({"type": "string", "enum": list(INCLUDES)}),
    }
    schemas = {}
    for name, meaning in OPTIONS.items():
        schema = special.get(name) or {"type": "string", "enum": list(CHOICES[name]), "default": CHOICES[name][0]}
        schemas[name] = {**schema, "description": meaning}
        if name in defaults:
            schemas[name]["default"] = defaults[name]
    return schemas


BOX: Final = exactly(4, COUNT, "x0, y0, x1, y1 in pixels; x1 and y1 are the first column and row outside.")
KEYPOINT: Final = exactly(3, {"type": "number"}, "x, y in pixels of the photo, score from 0 to 1.")
PART: Final = record(
    {"mask": BASE64_PNG, "rle": record(size=listed(COUNT), counts=TEXT), "polygons": listed(listed(COUNT))},
    id=PART_ID,
    name=ref("PartName"),
    score=SCORE,
    area={"type": "integer", "minimum": 1},
    box=BOX,
)
PERSON: Final = record(
    {"keypoints": listed(KEYPOINT, "In the order of `keypoint_names`; empty where the parser knows none.")},
    id={"type": "integer", "minimum": 1, "maximum": 255, "description": "The number in the people map."},
    score=SCORE,
    area={"type": "integer", "minimum": 1},
    box=BOX,
    parts=listed(ref("Part")),
)
PARSER: Final = record(name=TEXT, version=TEXT)
PART_NAME: Final[Schema] = {"type": "string", "enum": list(NAMES[1:])}
SIZE: Final = record(width=COUNT, height=COUNT)
TIMING: Final[Schema] = {
    "type": "object",
    "description": "Milliseconds by stage.",
    "additionalProperties": {"type": "number", "minimum": 0},
}
ANSWER_KEYS: Final[dict[str, Schema]] = {
    "status": {"const": "success"},
    "result_image": {
        "type": ["string", "null"],
        "contentEncoding": "base64",
        "description": "The overlay in the format of `overlay`; null with `none`.",
    },
    "num_persons": COUNT,
    "parts_detected": listed(ref("PartName")),
    "image": ref("Size"),
    "parser": ref("Parser"),
    "people": listed(ref("Person"), "Largest first."),
    "timing_ms": ref("Timing"),
}
MAPS: Final[dict[str, Schema]] = {
    "label_map": BASE64_PNG,
    "people_map": BASE64_PNG,
    "keypoint_names": listed(TEXT, "COCO's."),
}
PROBLEM: Final[Schema] = {
    "type": "object",
    "description": "RFC 9457, with a stable `code` and what the case knows besides.",
    "properties": {
        "type": TEXT,
        "title": TEXT,
        "status": {"type": "integer", "minimum": 400, "maximum": 599},
        "code": {"type": "string", "description": "Compare this; show `detail`."},
        "detail": TEXT,
        "request_id": TEXT,
        "allowed": {"type": "array", "items": {}},
        "limit": {"type": "number"},
        "retry_after_s": COUNT,
    },
    "required": ["type", "title", "status", "code", "detail", "request_id"],
    "additionalProperties": True,
}
COCO: Final = record(
    info={"type": "object"},
    licenses=listed({}),
    images=listed(record(id=COUNT, file_name=TEXT, width=COUNT, height=COUNT)),
    categories=listed(record(id=PART_ID, name=TEXT, supercategory=TEXT)),
    annotations=listed(
        record(
            id=COUNT,
            image_id=COUNT,
            category_id=PART_ID,
            segmentation=record(size=listed(COUNT), counts=TEXT),
            bbox=exactly(4, COUNT, "x, y, width, height"),
            area=COUNT,
            iscrowd={"const": 0},
            score=SCORE,
            person_id=COUNT,
        )
    ),
)
HUGGINGFACE: Final = listed(record(label=TEXT, score=SCORE, mask=BASE64_PNG, person=COUNT))
LABEL_STUDIO: Final = listed(
    record(data=record(image=TEXT), predictions=listed({"type": "object"})), "Tasks for Label Studio's import."
)
VIDEO_PERSON: Final[Schema] = {
    **PERSON,
    "properties": {
        **PERSON["properties"],
        "id": {"type": "integer", "minimum": 1, "description": "The number that they keep from frame to frame."},
        "number": {**PERSON["properties"]["id"], "description": "The number in this frame's people map."},
    },
    "required": [*PERSON["required"], "number"],
}
VIDEO_FRAME: Final = record(
    MAPS,
    frame=COUNT,
    time={"type": "number", "minimum": 0, "description": "Seconds since the beginning."},
    **{key: ANSWER_KEYS[key] for key in ("num_persons", "parts_detected", "image", "parser")},
    people=listed(ref("VideoPerson"), "Largest first."),
)
RESULT: Final = record(
    id=RESULT_ID,
    address={**TEXT, "description": "The page that shows it."},
    expires_at={"type": "string", "format": "date-time"},
    files=record(**dict.fromkeys((*STORED, *MADE), TEXT)),
    keypoint_names=listed(TEXT, "COCO's."),
    **{name: schema for name, schema in ANSWER_KEYS.items() if name != "result_image"},
)
MOMENT: Final[Schema] = {"type": ["string", "null"], "format": "date-time"}
JOB_FORMATS: Final = (*CHOICES["format"], *ANSWERS)
JOB: Final = record(
    id=JOB_ID,
    state={"type": "string", "enum": list(STATES)},
    cancelling={"type": "boolean", "description": "It was cancelled, and stops after the photo, or frame, at hand."},
    kind={"type": "string", "enum": list(KINDS)},
    format={"type": "string", "enum": list(JOB_FORMATS)},
    progress=record(done=COUNT, failed=COUNT, total=COUNT),
    place={"type": ["integer", "null"], "minimum": 1, "description": "1 for the job that is next."},
    created_at=MOMENT,
    started_at=MOMENT,
    finished_at=MOMENT,
    expires_at=MOMENT,
    result={"type": ["string", "null"], "description": "Where the result is, once there is one."},
    data={"type": ["string", "null"], "description": "Of a video: where a line of JSON for each frame is."},
    problem={"anyOf": [ref("Problem"), {"type": "null"}]},
    callback={
        "anyOf": [
            record(url=TEXT, state={"type": "string", "enum": ["waiting", "delivered", "given_up"]}, tries=COUNT),
            {"type": "null"},
        ]
    },
)
COLOUR: Final = exactly(3, {"type": "integer", "minimum": 0, "maximum": 255}, "Red, green, blue.")
CLASS: Final = record(
    id={"type": "integer", "minimum": 0, "maximum": NUM_CLASSES - 1},
    name={"type": "string", "enum": list(NAMES)},
    name_zh=TEXT,
    colour=COLOUR,
    twin={"type": ["integer", "null"], "description": "The other side's id."},
)
SCHEMAS: Final[dict[str, Schema]] = {
    "Part": PART,
    "Person": PERSON,
    "Parser": PARSER,
    "PartName": PART_NAME,
    "Size": SIZE,
    "Timing": TIMING,
    "Parsing": record(MAPS, **ANSWER_KEYS),
    "Problem": PROBLEM,
    "CocoDataset": COCO,
    "Segments": HUGGINGFACE,
    "LabelStudioTasks": LABEL_STUDIO,
    "Class": CLASS,
    "BatchSuccess": record(MAPS, index=COUNT, file=TEXT, **ANSWER_KEYS),
    "BatchError": record(index=COUNT, file=TEXT, status={"const": "error"}, problem=ref("Problem")),
    "Batch": record(results=listed({"oneOf": [ref("BatchSuccess"), ref("BatchError")]}), succeeded=COUNT, failed=COUNT),
    "Job": JOB,
    "VideoFrame": VIDEO_FRAME,
    "VideoPerson": VIDEO_PERSON,
    "Result": RESULT,
    "Classes": record(labels=listed(ref("Class")), palettes=record(**{name: listed(COLOUR) for name in PALETTES})),
    "Parsers": record(
        parsers=listed(
            record(name=TEXT, version=TEXT, available={"type": "boolean"}, missing={"type": ["string", "null"]})
        ),
        auto={"type": "string", "enum": list(PARSERS)},
        default={"type": "string", "enum": [AUTO, *PARSERS]},
    ),
    "Health": record(status={"const": "ok"}),
    "Ready": record(status={"const": "ready"}, parser=ref("Parser")),
}
