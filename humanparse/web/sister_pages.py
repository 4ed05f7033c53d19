"""The pages of recognition and of the studio. They work without scripts; with them a photo is sent once for both."""

from __future__ import annotations

import time
from collections.abc import Mapping
from datetime import datetime, timezone
from typing import Any, Final

from flask import Blueprint, Response, redirect, render_template, request, url_for
from flask_babel import lazy_gettext as _
from werkzeug.wrappers import Response as AnyResponse

from humanparse.effects import EFFECTS
from humanparse.effects.contract import Effect, Parameter
from humanparse.effects.selection import MOST_FEATHER
from humanparse.errors import NotFound
from humanparse.image_formats import accept_attribute
from humanparse.labels import CLASSES
from humanparse.recognition import RECOGNIZERS, make_recognizer
from humanparse.recognition.options import MOST, RecognizeOptions
from humanparse.recognition.pipeline import describe_recognition
from humanparse.studio import Stylized
from humanparse.stylize_options import ALL, SUFFIXES
from humanparse.web import service
from humanparse.web.languages import language
from humanparse.web.pages import duration, format_names
from humanparse.web.patience import make_check
from humanparse.web.requests import gather_options, read_photo, read_recognize_options, read_stylize_options

blueprint = Blueprint("sister_pages", __name__)

PHOTO: Final = "photo.jpg"
PICTURES: Final = {PHOTO, *(f"{name}.jpg" for name in EFFECTS)}
GROUP_WORDS: Final = {
    # groups of parts, as effects.selection has them -> what the page calls them
    "background": _("Background"),
    "person": _("Person"),
    "head": _("Head"),
    "skin": _("Skin"),
    "clothes": _("Clothes"),
    "arms": _("Arms"),
    "legs": _("Legs"),
    "shoes": _("Shoes"),
}


@blueprint.get("/recognize")
def recognition() -> str:
    """The page that says what is in a photo."""
    return _recognition_page(None)


@blueprint.post("/recognize")
def recognize() -> str:
    """The same page with the answer; the photo is not kept."""
    upload, fields = read_photo()
    options = read_recognize_options(gather_options(fields))
    found = service().pipeline.recognition.recognize(upload.data, options, make_check())
    return _recognition_page(describe_recognition(found))


@blueprint.get("/studio")
def studio() -> str:
    """The page of the studio."""
    settings = service().settings
    return render_template("studio.html", **_upload_texts(), kept_for=duration(settings.result_age_s), made=None)


@blueprint.post("/studio")
def stylize() -> AnyResponse:
    """The form without scripts: make the pictures, keep them, send the browser to their address."""
    upload, fields = read_photo()
    options = read_stylize_options(read_form(gather_options(fields)))
    made = service().studio.stylize(upload.data, options, make_check(), with_photo=True)
    return redirect(url_for("sister_pages.kept", name=keep_pictures(made.photo, made)), 303)


def read_form(fields: Mapping[str, Any]) -> dict[str, Any]:
    """The API's options of a form of the studio, not looked at yet: what is empty is not given, `oil.size` is `size`.

    A form has the fields of all effects; those of one that is not chosen are left out.
    """
    given: dict[str, Any] = {"effect": ALL}
    for name, value in fields.items():
        effect, dot, own = name.partition(".")
        if value == "":
            continue
        if not dot or effect not in EFFECTS:
            given[name] = value
        elif fields.get("effect", ALL) in (effect, ALL):
            given[own] = value
    return {**given, "image_format": "jpeg"}  # as `keep_pictures` takes them


def keep_pictures(photo: bytes, made: Stylized) -> str:
    """Keep a photo (a JPEG of ours) and what was made of it (JPEGs too); returns their name."""
    suffix = SUFFIXES["jpeg"]
    return service().storage.save({PHOTO: photo, **{f"{name}{suffix}": data for name, data in made.pictures.items()}})


@blueprint.get("/studio/<name>")
def kept(name: str) -> Response:
    """Kept pictures, for as long as they are kept."""
    storage, settings = service().storage, service().settings
    names = [effect for effect in EFFECTS if storage.holds(name, f"{effect}.jpg")]
    if not names:
        raise NotFound("There are no pictures under this name.")
    expires_at = storage.expires_at(name)
    page = render_template(
        "studio.html",
        **_upload_texts(),
        kept_for=duration(settings.result_age_s),
        made={"name": name, "effects": names},
        expires=datetime.fromtimestamp(expires_at, timezone.utc),
        expires_in=duration(expires_at - time.time()),
    )
    return Response(page, headers={"Cache-Control": "private, no-cache"})


@blueprint.get("/studio/<name>/<file>")
def picture(name: str, file: str) -> Response:
    """One kept picture; `?download=1` to save rather than to show it."""
    if file not in PICTURES:
        raise NotFound("There is no picture of this name.")
    answer = Response(service().storage.read(name, file), content_type="image/jpeg")
    answer.headers["Cache-Control"] = "private, max-age=60"
    if request.args.get("download") == "1":
        answer.headers.set("Content-Disposition", "attachment", filename=file)
    return answer


@blueprint.app_template_filter()
def titled(effect: Effect) -> str:
    """An effect's name in the language of the page."""
    return effect.name_zh if language() == "zh" else effect.name


@blueprint.app_template_filter()
def explained(parameter: Parameter) -> str:
    """What a parameter does, in the language of the page."""
    return parameter.help_zh if language() == "zh" else parameter.help[0].upper() + parameter.help[1:]


def _recognition_page(answer: dict[str, Any] | None) -> str:
    settings = service().settings
    rows = [{"name": name, "missing": make_recognizer(name, settings).available()} for name in RECOGNIZERS]
    return render_template(
        "recognize.html",
        **_upload_texts(),
        recognizers=rows,
        recognizer=settings.recognizer,
        top_k=RecognizeOptions.top_k,
        most=MOST,
        answer=answer,
    )


def _upload_texts() -> dict[str, Any]:
    return {"accept": accept_attribute(), "formats": format_names(), "max_bytes": service().settings.max_bytes}


@blueprint.app_context_processor
def choices() -> dict[str, Any]:
    """What the forms of the studio offer: on its own page, and beside every result."""
    return {"effects": EFFECTS, "groups": GROUP_WORDS, "classes": CLASSES[1:], "most_feather": MOST_FEATHER}
