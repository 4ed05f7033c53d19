"""What is in a photo as a whole: one implementation behind the addresses that clients of such services call."""

from __future__ import annotations

import hashlib
from dataclasses import replace
from io import BytesIO

from flask import Blueprint, Response, g, jsonify, url_for

from humanparse.exports import JSON
from humanparse.jobs.records import RECOGNIZE, Order
from humanparse.options import ParseOptions
from humanparse.recognition.options import RecognizeOptions
from humanparse.recognition.pipeline import Recognition, describe_recognition
from humanparse.web import service
from humanparse.web.answers import tell_cache
from humanparse.web.orders import read_key
from humanparse.web.patience import make_check
from humanparse.web.requests import Upload, gather_options, read_photo, read_recognize_options

blueprint = Blueprint("recognition", __name__)


@blueprint.post("/api/recognize")
def recognize() -> Response:
    """A photo in, the most likely classes out."""
    upload, options = _read()
    return answer_recognition(service().pipeline.recognition.recognize(upload.data, options, make_check()))


@blueprint.post("/api/recognize_cached")
def recognize_cached() -> Response:
    """The same, from the cache where it is there, whatever `cache` says."""
    upload, options = _read()
    found = service().pipeline.recognition.recognize(upload.data, replace(options, cache=True), make_check())
    return answer_recognition(found)


@blueprint.post("/api/recognize_async")
def recognize_async() -> tuple[Response, int]:
    """The same as a job: its id now, `GET /api/jobs/ID` and `GET /api/jobs/ID/result` for the rest.

    The same `Idempotency-Key` with the same request gives the same job, as for `POST /api/jobs`.
    """
    key = read_key()
    upload, options = _read()
    order = Order(RECOGNIZE, (upload.name,), 1, ParseOptions(), JSON, g.request_id, recognize=options)
    job = service().jobs.desk.submit(order, [BytesIO(upload.data)], key)
    status_url = url_for("jobs.look", id=job.id)
    body = {
        "task_id": job.id,
        "status": job.state,
        "status_url": status_url,
        "result_url": url_for("jobs.result", id=job.id),
    }
    response = jsonify(body)
    response.headers["Location"] = status_url
    response.headers["Cache-Control"] = "no-store"
    return response, 202


@blueprint.post("/predict")
def predict() -> Response:
    """The same in the short shape: `file_id` is the same for the same bytes."""
    upload, options = _read()
    found = service().pipeline.recognition.recognize(upload.data, options, make_check())
    results = [{"label": one.label, "score": one.probability} for one in found.predictions]
    response = jsonify(file_id=hashlib.sha256(upload.data).hexdigest()[:32], results=results)
    tell_cache(response, found.cache)
    return response


@blueprint.get("/health")
def health() -> Response:
    """The process answers; `model_loaded` once it has recognized something."""
    settings, pipeline = service().settings, service().pipeline
    return jsonify(status="ok", model_loaded=pipeline.recognition.is_loaded(settings.recognizer))


def _read() -> tuple[Upload, RecognizeOptions]:
    upload, fields = read_photo()
    return upload, read_recognize_options(gather_options(fields))


def answer_recognition(found: Recognition) -> Response:
    """The JSON answer, and how it was come by."""
    response = jsonify(describe_recognition(found))
    tell_cache(response, found.cache)
    return response
