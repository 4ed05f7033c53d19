"""Recognition in the OpenAPI document."""

from __future__ import annotations

from typing import Any, Final

from humanparse.config import Settings
from humanparse.jobs.records import STATES
from humanparse.recognition import RECOGNIZERS
from humanparse.recognition.options import MOST, OPTIONS, RecognizeOptions
from humanparse.web.job_operations import key_header
from humanparse.web.media_types import JSON_TYPE
from humanparse.web.operations import PARSE_PROBLEMS, get, parameters, photo_body, problems
from humanparse.web.schemas import COUNT, JOB_ID, SCORE, TEXT, Schema, listed, record, ref

PROBLEMS: Final = tuple(status for status in PARSE_PROBLEMS if status != 406)
RECOGNITION_SCHEMAS: Final[dict[str, Schema]] = {
    "Prediction": record(class_id=COUNT, label=TEXT, label_zh=TEXT, probability=SCORE),
    "Recognizer": record(name=TEXT, version=TEXT),
    "Recognition": record(
        status={"const": "success"},
        predictions=listed(ref("Prediction"), "Most likely first."),
        recognizer=ref("Recognizer"),
        image=ref("Size"),
        cached={"type": "boolean"},
        timing_ms=ref("Timing"),
    ),
    "RecognitionTask": record(
        task_id=JOB_ID,
        status={"type": "string", "enum": list(STATES)},
        status_url=TEXT,
        result_url=TEXT,
    ),
    "Predicted": record(
        file_id={"type": "string", "description": "The same for the same bytes."},
        results=listed(record(label=TEXT, score=SCORE), "Most likely first."),
    ),
    "RecognitionHealth": record(status={"const": "ok"}, model_loaded={"type": "boolean"}),
}


def recognition_paths(settings: Settings) -> dict[str, Any]:
    """The paths of recognition and their operations."""
    return {
        "/api/recognize": {"post": _post(settings, "recognize", "A photo in, what is in it out", "Recognition")},
        "/api/recognize_cached": {
            "post": _post(settings, "recognizeCached", "The same, from the cache where it is there", "Recognition")
        },
        "/api/recognize_async": {
            "post": _post(settings, "recognizeAsync", "The same as a job", "RecognitionTask", status="202")
        },
        "/predict": {"post": _post(settings, "predict", "The same in a short shape", "Predicted")},
        "/health": {"get": get("recognitionHealth", "200, and whether the recognizer is loaded", "RecognitionHealth")},
    }


def _post(settings: Settings, operation: str, summary: str, schema: str, status: str = "200") -> dict[str, Any]:
    answer: dict[str, Any] = {"description": summary, "content": {JSON_TYPE: {"schema": ref(schema)}}}
    given = parameters(recognize_options(settings))
    if status == "202":
        answer["headers"] = {"Location": {"schema": TEXT}}
        given.append(key_header())
    return {
        "operationId": operation,
        "summary": summary,
        "description": f"At most {settings.max_bytes:,} bytes and {settings.max_pixels:,} pixels.",
        "parameters": given,
        "requestBody": photo_body(),
        "responses": {status: answer, **problems(*PROBLEMS)},
    }


def recognize_options(settings: Settings) -> dict[str, Schema]:
    """The schema of every option of recognition."""
    schemas: dict[str, Schema] = {
        "top_k": {"type": "integer", "minimum": 1, "maximum": MOST, "default": RecognizeOptions.top_k},
        "recognizer": {"type": "string", "enum": list(RECOGNIZERS), "default": settings.recognizer},
        "cache": {"type": "boolean", "default": True},
    }
    return {name: {**schema, "description": OPTIONS[name]} for name, schema in schemas.items()}
