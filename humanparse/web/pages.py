"""The pages: the form, results that have an address, and their files; HTML where the API says JSON.

A kept result page is rendered from the parsing.json that is kept beside it, so that what people
read and what programs read cannot differ.
"""

from __future__ import annotations

import re
import time
from datetime import datetime, timezone
from typing import Any, Final

from flask import Blueprint, Response, json, redirect, render_template, request, url_for
from werkzeug.wrappers import Response as AnyResponse

from humanparse.errors import NotFound
from humanparse.exports import PEOPLE_PALETTE, describe, label_map_png, people_map_png
from humanparse.images import accept_attribute, encode_jpeg, encode_png, format_names
from humanparse.keypoints import MIN_SCORE, SKELETON
from humanparse.labels import CLASSES, NAMES, PALETTE
from humanparse.parsers import AUTO, PARSERS, make_parser
from humanparse.pipeline import Answer, Stopwatch
from humanparse.web import service
from humanparse.web.patience import make_check
from humanparse.web.requests import read_request

blueprint = Blueprint("pages", __name__)

FILES: Final = {
    # every file of a result that has an address -> its content type
    "photo.jpg": "image/jpeg",
    "overlay.png": "image/png",
    "labels.png": "image/png",
    "people.png": "image/png",
    "parsing.json": "application/json",
}
WORD_EDGE: Final = re.compile(r"-|(?<=[a-z])(?=[A-Z])")  # Left-arm, UpperClothes


@blueprint.get("/")
def index() -> str:
    """The page that takes a photo."""
    settings = service().settings
    return render_template(
        "index.html",
        accept=accept_attribute(),
        formats=format_names(),
        max_bytes=settings.max_bytes,
        alpha=settings.alpha,
        kept_for=duration(settings.result_age_s),
        classes=CLASSES[1:],
        parsers=_choices(),
        parser=settings.parser,
    )


@blueprint.post("/upload")
def upload() -> AnyResponse:
    """The form without JavaScript: parse, keep the result, send the browser to its address."""
    photo, options = read_request(service().settings)
    answer = service().pipeline.parse(photo.data, options, make_check())
    name = service().storage.save(_files(answer))
    return redirect(url_for("pages.result", name=name), 303)


@blueprint.get("/results/<name>")
def result(name: str) -> Response:
    """A kept result, for as long as it is kept."""
    storage, settings = service().storage, service().settings
    parsing = json.loads(storage.read(name, "parsing.json"))
    expires_at = storage.expires_at(name)
    page = render_template(
        "result.html",
        name=name,
        parsing=parsing,
        classes=CLASSES[1:],
        alpha=settings.alpha,
        pixels=parsing["image"]["width"] * parsing["image"]["height"],
        expires=datetime.fromtimestamp(expires_at, timezone.utc),
        expires_in=duration(expires_at - time.time()),
    )
    return Response(page, headers={"Cache-Control": "private, no-cache"})


@blueprint.get("/results/<name>/<file>")
def result_file(name: str, file: str) -> Response:
    """One file of a kept result; `?download=1` to save rather than to show it."""
    if file not in FILES:
        raise NotFound(f"A result has no file of this name; it has {', '.join(FILES)}.")
    storage = service().storage
    answer = Response(storage.read(name, file), content_type=FILES[file])
    left_s = max(0, int(storage.expires_at(name) - time.time()))
    answer.headers["Cache-Control"] = f"private, max-age={left_s}"  # no cache may keep it longer than we do
    if request.args.get("download") == "1":
        answer.headers.set("Content-Disposition", "attachment", filename=file)
    return answer


@blueprint.get("/palette.css")
def palette() -> Response:
    """The colours as classes .part-ID and .person-NUMBER: the pages may not carry inline styles."""
    rules = [_rule(f"part-{i}", colour) for i, colour in enumerate(PALETTE)]
    rules += [_rule(f"person-{i}", colour) for i, colour in enumerate(PEOPLE_PALETTE)]
    answer = Response("\n".join(rules), content_type="text/css; charset=utf-8")
    answer.headers["Cache-Control"] = "no-cache"  # ask again, and be told 304 while it is the same
    answer.add_etag()
    answer.make_conditional(request)
    return answer


@blueprint.app_context_processor
def anatomy() -> dict[str, Any]:
    """What the viewer draws skeletons from: pairs of key points, and the score from which one is shown."""
    return {"bones": SKELETON, "min_score": MIN_SCORE}


@blueprint.app_template_filter()
def spoken(part: int) -> str:
    """A class's name as people write it: UpperClothes -> Upper clothes."""
    return WORD_EDGE.sub(" ", NAMES[part]).capitalize()


@blueprint.app_template_filter()
def percent(share: float) -> str:
    """0.1234 -> 12.3 %."""
    return "< 0.1 %" if share < 0.001 else f"{share * 100:.1f} %"


@blueprint.app_template_filter()
def duration(seconds: float) -> str:
    """A time span in one unit, for people: 60 minutes, 3 hours."""
    for unit, size in (("days", 86400), ("hours", 3600), ("minutes", 60)):
        if seconds >= 2 * size:
            return f"{round(seconds / size)} {unit}"
    return "a minute"


def _choices() -> list[dict[str, Any]]:
    """What the parser field offers; `missing` says why one cannot be chosen here."""
    settings = service().settings
    rows: list[dict[str, Any]] = [{"name": AUTO, "missing": None}]
    return rows + [{"name": name, "missing": make_parser(name, settings).available()} for name in PARSERS]


def _files(answer: Answer) -> dict[str, bytes]:
    """What is kept of an answer: the photo without its metadata, the maps, the summary."""
    watch = Stopwatch()
    with watch.stage("encode"):
        files = {
            "photo.jpg": encode_jpeg(answer.image),
            "overlay.png": encode_png(answer.overlay),
            "labels.png": label_map_png(answer.parsing),
            "people.png": people_map_png(answer.parsing),
        }
    summary = {**describe(answer.parsing, frozenset({"keypoints"})), "timing_ms": answer.timing_with(watch)}
    return {**files, "parsing.json": json.dumps(summary, sort_keys=False).encode()}


def _rule(name: str, colour: Any) -> str:
    red, green, blue = (int(channel) for channel in colour)
    return f".{name} {{ background-color: rgb({red} {green} {blue}); fill: rgb({red} {green} {blue}); }}"
