"""Results that have an address, for people: the page without scripts makes one, shows it, gives its files,
and asks the sisters about its photo.

A page is rendered from the parsing.json that is kept beside the photo, so that what people read and
what programs read cannot differ.
"""

from __future__ import annotations

import time
from contextlib import nullcontext
from datetime import datetime, timezone
from typing import Any

from flask import Blueprint, Response, json, redirect, render_template, request, url_for
from werkzeug.wrappers import Response as AnyResponse

from humanparse.kept import STORED, make_file
from humanparse.labels import CLASSES
from humanparse.recognition.pipeline import describe_recognition
from humanparse.web import service
from humanparse.web.pages import duration
from humanparse.web.patience import make_check
from humanparse.web.requests import read_choices, read_request
from humanparse.web.results import read_effect, recognize_kept, save, stylize_kept
from humanparse.web.sister_pages import keep_pictures, read_form

blueprint = Blueprint("result_pages", __name__)


@blueprint.post("/upload")
def upload() -> AnyResponse:
    """The form without JavaScript: parse, keep the result, send the browser to its address."""
    photo, options = read_request(service().settings)
    name = save(service().pipeline.parse(photo.data, options, make_check()))
    return redirect(url_for("result_pages.result", name=name), 303)


@blueprint.get("/results/<name>")
def result(name: str) -> Response:
    """A kept result, for as long as it is kept."""
    return show_result(name)


def show_result(name: str, recognition: dict[str, Any] | None = None) -> Response:
    """The page of a kept result; `recognition`: what is in its photo, as the API tells it. Raises ResultExpired."""
    storage, settings = service().storage, service().settings
    parsing = json.loads(storage.read(name, "parsing.json"))
    expires_at = storage.expires_at(name)
    page = render_template(
        "result.html",
        name=name,
        parsing=parsing,
        classes=CLASSES[1:],
        recognition=recognition,
        back=url_for("result_pages.result", name=name),
        alpha=settings.alpha,
        pixels=parsing["image"]["width"] * parsing["image"]["height"],
        expires=datetime.fromtimestamp(expires_at, timezone.utc),
        expires_in=duration(expires_at - time.time()),
    )
    return Response(page, headers={"Cache-Control": "private, no-cache"})


@blueprint.post("/results/<name>/recognize")
def recognize(name: str) -> Response:
    """The page of the result with what is in its photo; the form without scripts."""
    return show_result(name, describe_recognition(recognize_kept(name)))


@blueprint.post("/results/<name>/studio")
def stylize(name: str) -> AnyResponse:
    """Make the pictures, keep them, send the browser to their address; the form without scripts."""
    photo = service().storage.read(name, "photo.jpg")
    made = stylize_kept(name, read_effect(read_form(read_choices())))
    return redirect(url_for("sister_pages.kept", name=keep_pictures(photo, made)), 303)


@blueprint.get("/results/<name>/recognize")
@blueprint.get("/results/<name>/studio")
def go_back(name: str) -> AnyResponse:
    """Whoever opens the address that a form was sent to means the result."""
    return redirect(url_for("result_pages.result", name=name), 303)


@blueprint.post("/results/<name>/forget")
def forget(name: str) -> str:
    """Forget a result now; the form of its page."""
    service().storage.remove(name)
    return render_template("forgotten.html")


@blueprint.get("/results/<name>/<file>")
def file(name: str, file: str) -> Response:
    """One file of a kept result; `?download=1` to save rather than to show it."""
    storage = service().storage
    storage.expires_at(name)  # what is gone is gone, whatever is asked of it
    with nullcontext() if file in STORED else service().making.enter(make_check()):
        data, content_type = make_file(lambda kept: storage.read(name, kept), file, service().settings)
    answer = Response(data, content_type=content_type)
    left_s = max(0, int(storage.expires_at(name) - time.time()))
    answer.headers["Cache-Control"] = f"private, max-age={left_s}"  # no cache may keep it longer than we do
    if request.args.get("download") == "1":
        answer.headers.set("Content-Disposition", "attachment", filename=file)
    return answer
