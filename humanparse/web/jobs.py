"""Jobs: accepted now, answered when they are asked for. What a request orders: `orders.py`."""

from __future__ import annotations

import time
from contextlib import ExitStack
from datetime import datetime, timezone
from typing import Any

from flask import Blueprint, Response, json, jsonify, make_response, send_file, url_for

from humanparse.answers import content_type
from humanparse.batches import answer_type
from humanparse.exports import FORMATS, JSON
from humanparse.jobs.desk import Desk
from humanparse.jobs.records import CANCELLED, MANY, ONE, SUCCEEDED, VIDEO, Job, Order
from humanparse.video.containers import ANSWERS
from humanparse.web import service
from humanparse.web.media_types import BYTES, JSON_LINES, JSON_TYPE, PROBLEM
from humanparse.web.orders import read_key, read_order

blueprint = Blueprint("jobs", __name__)


@blueprint.post("/api/jobs")
def submit() -> tuple[Response, int]:
    """A photo, several, or a video, in; the job's address out, before any is parsed."""
    key = read_key()
    with ExitStack() as opening:
        order, files = read_order(opening)
        job = _desk().submit(order, files, key)
    response = _answer(job)
    response.headers["Location"] = url_for("jobs.look", id=job.id)
    return response, 202


@blueprint.get("/api/jobs/<id>")
def look(id: str) -> Response:
    """The job as it stands."""
    return _answer(_desk().get(id))


@blueprint.delete("/api/jobs/<id>")
def remove(id: str) -> Response:
    """Cancel a job that has not ended; forget one that has, with its result."""
    job = _desk().remove(id)
    return make_response("", 204) if job is None else _answer(job)


@blueprint.post("/api/jobs/<id>/cancel")
def cancel(id: str) -> Response:
    """Cancel a job that has not ended; one that has stays as it is."""
    return _answer(_desk().cancel(id))


@blueprint.get("/api/jobs/<id>/result")
def result(id: str) -> Response:
    """What the request would have answered, had it not been a job."""
    job, path = _desk().result(id)
    order = job.order
    if path is None:
        problem = job.problem or {}
        return Response(json.dumps(problem), problem["status"], content_type=PROBLEM)
    response = send_file(path, mimetype=BYTES, max_age=_left_s(job))
    response.content_type = content_type_of(order)
    response.cache_control.private = True
    if order.kind == VIDEO:
        name = f"parsing.{order.format}"
    elif order.format == JSON:
        name = f"{order.kind}.json"
    else:
        name = f"parsing{FORMATS[order.format].suffix}" if order.kind == ONE else "parsings.zip"
    response.headers.set("Content-Disposition", "inline", filename=name)  # the file's own has a worker's token
    return response


@blueprint.get("/api/jobs/<id>/data")
def data(id: str) -> Response:
    """What was seen in a video: a line of JSON for each frame."""
    job, path = _desk().data(id)
    response = send_file(path, mimetype=JSON_LINES, max_age=_left_s(job))
    response.headers.set("Content-Disposition", "inline", filename="parsing.jsonl")
    response.cache_control.private = True
    return response


def content_type_of(order: Order) -> str:
    """The media type of the result."""
    if order.kind == VIDEO:
        return ANSWERS[order.format]
    if order.kind == MANY:
        return answer_type(order.format)
    return JSON_TYPE if order.format == JSON else content_type(order.format)


def describe_job(job: Job) -> dict[str, Any]:
    """The JSON form of a job."""
    desk, order = _desk(), job.order
    finished = job.ended and job.state != CANCELLED
    has_data = order.kind == VIDEO and job.state == SUCCEEDED
    return {
        "id": job.id,
        "state": job.state,
        "cancelling": job.cancelling and not job.ended,
        "kind": order.kind,
        "format": order.format,
        "progress": {"done": job.done, "failed": job.failed, "total": order.total},
        "place": desk.place(job),
        "created_at": _text_of(job.created_at),
        "started_at": _text_of(job.started_at),
        "finished_at": _text_of(job.finished_at),
        "expires_at": _text_of(desk.expires_at(job)),
        "result": url_for("jobs.result", id=job.id) if finished else None,
        "data": url_for("jobs.data", id=job.id) if has_data else None,
        "problem": job.problem,
        "callback": _describe_callback(job),
    }


def _describe_callback(job: Job) -> dict[str, Any] | None:
    if job.order.callback_url is None:
        return None
    notice = job.callback
    if notice is None or notice.due_at is not None:
        state = "waiting"
    else:
        state = "delivered" if notice.delivered else "given_up"
    return {"url": job.order.callback_url, "state": state, "tries": notice.tries if notice else 0}


def _answer(job: Job) -> Response:
    response = jsonify(describe_job(job))
    response.headers["Cache-Control"] = "no-store"
    return response


def _desk() -> Desk:
    return service().jobs.desk


def _text_of(moment: float | None) -> str | None:
    """RFC 3339, in UTC."""
    return None if moment is None else datetime.fromtimestamp(moment, timezone.utc).isoformat(timespec="milliseconds")


def _left_s(job: Job) -> int:
    return max(0, int((_desk().expires_at(job) or 0) - time.time()))
