"""Jobs: the same requests as /api/parse and /api/parse/batch, accepted now and answered when they are asked for."""

from __future__ import annotations

import time
from contextlib import ExitStack
from datetime import datetime, timezone
from io import SEEK_END, BytesIO
from typing import IO, Any, Final, NamedTuple

from flask import Blueprint, Response, g, json, jsonify, make_response, request, send_file, url_for

from humanparse.answers import content_type
from humanparse.archives import base_name, is_archive
from humanparse.batches import UNNAMED, answer_type, unpack
from humanparse.errors import InvalidOption, MissingImage
from humanparse.exports import FORMATS, JSON
from humanparse.jobs.callbacks import check_url
from humanparse.jobs.desk import Desk
from humanparse.jobs.records import MANY, ONE, SUCCEEDED, VIDEO, Job, Order
from humanparse.video.containers import ANSWERS
from humanparse.video.options import VIDEO_OPTIONS
from humanparse.web import service
from humanparse.web.batch import ZIP_TYPES, read_uploads
from humanparse.web.requests import read_extra, read_options, read_photo
from humanparse.web.videos import ROWS, Film, read_video

blueprint = Blueprint("jobs", __name__)

EXTRAS: Final = {
    # what a job may be told beside the options of parsing
    "callback_url": "public http or https address that is told, signed, when the job has ended",
    "kind": "`batch` answers one photo as several are; else `parse` for one photo, `batch` for more or a zip, "
    "`video` for a video",
    **{name: f"of a video: {meaning}" for name, meaning in VIDEO_OPTIONS.items()},
}
FORM: Final = "multipart/form-data"
MANY_TYPES: Final = (FORM, *ZIP_TYPES)
LONGEST_KEY: Final = 255


class _Sent(NamedTuple):
    """What came: files by name, other fields, and whether it is several photos by its form."""

    files: list[tuple[str, IO[bytes]]]
    fields: dict[str, Any]
    several: bool


@blueprint.post("/api/jobs")
def submit() -> tuple[Response, int]:
    """A photo, or several, in; the job's address out, before any is parsed."""
    settings = service().settings
    if request.mimetype in MANY_TYPES:  # one photo as the body, or in JSON, has the limit of one
        g.max_bytes = request.max_content_length = settings.batch_bytes
    key = read_key()
    with ExitStack() as opening:
        film = read_video(opening, settings)
        if film is not None:
            job = _desk().submit(_order_video(film), [film.file], key)
            return _accepted(job)
        sent = _read(opening)
        callback_url, kind = _read_callback(sent.fields), _read_kind(sent)
        options = read_options(sent.fields, settings, EXTRAS)
        total = len(unpack(sent.files, settings))
        _rewind(sent.files)
        names = tuple(base_name(name) or UNNAMED for name, _ in sent.files)
        order = Order(kind, names, total, options, options.format or JSON, g.request_id, callback_url)
        job = _desk().submit(order, [file for _, file in sent.files], key)
    return _accepted(job)


def _accepted(job: Job) -> tuple[Response, int]:
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
        return Response(json.dumps(problem), problem["status"], content_type="application/problem+json")
    response = send_file(path, mimetype="application/octet-stream", max_age=_left_s(job))
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
    response = send_file(path, mimetype=ROWS, max_age=_left_s(job))
    response.headers.set("Content-Disposition", "inline", filename="parsing.jsonl")
    response.cache_control.private = True
    return response


def content_type_of(order: Order) -> str:
    """The media type of the result."""
    if order.kind == VIDEO:
        return ANSWERS[order.format]
    if order.kind == MANY:
        return answer_type(order.format)
    return "application/json" if order.format == JSON else content_type(order.format)


def describe_job(job: Job) -> dict[str, Any]:
    """The JSON form of a job."""
    desk, order = _desk(), job.order
    finished = job.ended and job.state != "cancelled"
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


def _read(opening: ExitStack) -> _Sent:
    """Files and fields by the readers of /api/parse and /api/parse/batch."""
    if request.mimetype in MANY_TYPES:
        files, fields, refused = read_uploads(opening)
        for error in refused.values():  # a job says at once what is wrong with the request, and this is
            raise error
    else:
        photo, fields = read_photo()
        files = [(photo.name, BytesIO(photo.data))]
    return _Sent(files, fields, len(files) != 1 or is_archive(files[0][1]))


def _order_video(film: Film) -> Order:
    """What is to be done with a video. Raises InvalidOption."""
    kind, fields = read_extra("kind", film.fields), film.fields
    if kind not in (None, VIDEO):
        raise InvalidOption(f"kind is {kind!r}, and this is a video.", option="kind", allowed=[VIDEO])
    options = read_options(fields, service().settings, (*EXTRAS, "format"))
    name = base_name(film.name) or "video"
    video, format = film.options, film.format
    return Order(VIDEO, (name,), film.frames, options, format, g.request_id, _read_callback(fields), video)


def _rewind(files: list[tuple[str, IO[bytes]]]) -> None:
    """Every file at its beginning. Raises MissingImage for one alone that is empty, as /api/parse does."""
    for _, file in files:
        file.seek(0, SEEK_END)
        if len(files) == 1 and file.tell() == 0:
            raise MissingImage("There is no image in the request: the field 'image' or the body is empty.")
        file.seek(0)


def _read_kind(sent: _Sent) -> str:
    kind = read_extra("kind", sent.fields)
    if kind == VIDEO:
        raise InvalidOption("kind is video, and this is none that we take.", option="kind", allowed=[ONE, MANY])
    if kind not in (None, ONE, MANY):
        raise InvalidOption(f"kind is {kind!r}; it must be {ONE} or {MANY}.", option="kind", allowed=[ONE, MANY])
    if kind == ONE and sent.several:
        raise InvalidOption("kind is parse, and that takes one photo.", option="kind", allowed=[MANY])
    return kind or (MANY if sent.several else ONE)


def _read_callback(fields: dict[str, Any]) -> str | None:
    url = read_extra("callback_url", fields)
    if url is None:
        return None
    if not service().settings.callback_secret:
        raise InvalidOption("This service sends no callbacks: it has no secret to sign them.", option="callback_url")
    return check_url(url)


def read_key() -> str:
    """The Idempotency-Key, with or without the quotes of its draft standard. Raises InvalidOption."""
    key = request.headers.get("Idempotency-Key")
    if key is None:
        return ""
    if len(key) > 1 and key[0] == key[-1] == '"':
        key = key[1:-1]
    if not 0 < len(key) <= LONGEST_KEY:
        raise InvalidOption(f"The Idempotency-Key must have 1 to {LONGEST_KEY} characters.", option="Idempotency-Key")
    return key


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
