"""A photo and its options out of a request, in whichever of the three forms it came, and the format it asks for."""

from __future__ import annotations

import binascii
from base64 import b64decode
from collections.abc import Collection, Mapping
from typing import Any, Final, NamedTuple, TypeVar

from flask import g, request
from werkzeug.datastructures import MIMEAccept

from humanparse.archives import base_name
from humanparse.batches import UNNAMED
from humanparse.config import Settings
from humanparse.errors import (
    InvalidOption,
    MissingImage,
    NotAcceptable,
    TooManyFiles,
    UnreadableImage,
    UnsupportedFormat,
    UrlRefused,
)
from humanparse.exports import FORMATS, JSON
from humanparse.exports.formats import OVERLAYS
from humanparse.fetching import fetch_photo, name_of
from humanparse.image_formats import check_declared
from humanparse.options import ParseOptions
from humanparse.recognition.options import RecognizeOptions
from humanparse.stylize_options import StylizeOptions
from humanparse.web import service
from humanparse.web.media_types import BYTES, FORM, FORMS, JSON_TYPE

Options = TypeVar("Options", ParseOptions, RecognizeOptions, StylizeOptions)
FIELDS: Final = ("image", "file")
LISTS: Final = ("include", "effect", "only", "except", "people")  # options that may have several values
NO_PHOTO: Final = "There is no photo in the request: the field 'image' or the body is empty."
RAW_TYPES: Final = (BYTES, "")
ACCEPTABLE: Final = {JSON_TYPE: JSON, **{FORMATS[name].media_type: name for name in OVERLAYS}}
"""Media type -> the format that `Accept` asks for by it; the others share types, so `format=` names them."""


class Upload(NamedTuple):
    """One photo as it came: the last part of its file name, and its bytes."""

    name: str
    data: bytes


def read_request(settings: Settings) -> tuple[Upload, ParseOptions]:
    """The photo and the options of the current request; options from the query, and from the body's other fields.

    Raises MissingImage, UnreadableImage, UnsupportedFormat, TypeMismatch, InvalidOption.
    """
    upload, fields = read_photo()
    return upload, read_options(fields, settings)


def check_type(declared: str, start: bytes) -> None:
    """Raises TypeMismatch where the file that begins with `start` is declared as something else.

    What our own page sends is not held to it: there the browser declares, by the file's suffix, and
    nobody can be asked to send it otherwise.
    """
    if request.headers.get("Sec-Fetch-Site") != "same-origin":
        check_declared(declared, start)


def read_photo() -> tuple[Upload, dict[str, Any]]:
    """The photo of the current request, and the other fields of its form or JSON object.

    Multipart field `image` or `file`; JSON {"image": base64 or data URL}; or the photo itself as
    the body. Or, where settings allow it, its address as field or key `url`. Raises InputError.
    """
    kind = request.mimetype
    if kind == FORM:
        upload, fields = _from_form()
    elif kind == JSON_TYPE:
        upload, fields = _from_json()
    elif kind.startswith("image/") or kind in RAW_TYPES:
        upload, fields = Upload(UNNAMED, request.get_data(cache=False)), {}
        check_type(kind, upload.data)
    else:
        raise UnsupportedFormat(
            f"The body is {kind}; send {FORM} with a field 'image', JSON with a key 'image' "
            "(base64), or the photo itself with its own Content-Type.",
            allowed=[FORM, JSON_TYPE, "image/*"],
        )
    if not upload.data:
        raise MissingImage(NO_PHOTO)
    return upload, fields


def read_fields() -> dict[str, Any]:
    """The fields of the current form that are no files; lists with commas. Raises InvalidOption for one said twice.

    A checkbox of our page has a hidden field behind it that says `false`; then the first counts.
    """
    fields = {}
    for name, values in request.form.lists():
        if name in LISTS:
            values = [",".join(values)]
        elif len(values) > 1 and values[-1] != "false":
            raise InvalidOption(f"{name} stands in the form more than once.", option=name)
        fields[name or ""] = values[0]  # a part may have no name at all
    return fields


def read_choices() -> dict[str, Any]:
    """The options of a request that brings no photo, from its query and its form or JSON object.

    Raises InvalidOption and UnsupportedFormat, for a photo too: nobody should think that it was looked at.
    """
    if request.mimetype == JSON_TYPE:
        fields = request.get_json(silent=True)
        if not isinstance(fields, dict):
            raise InvalidOption("The body is not a JSON object with options.")
    elif request.mimetype in FORMS or not request.content_length:
        fields = read_fields()
    else:
        raise UnsupportedFormat(f"The body is {request.mimetype}; send options only.", allowed=[*FORMS, JSON_TYPE])
    for name in FIELDS:
        if name in request.files or name in fields:
            raise InvalidOption(f"This address works on the photo that is kept; send none as {name}.", option=name)
    return gather_options(fields)


def read_options(fields: Mapping[str, Any], settings: Settings, besides: Collection[str] = ()) -> ParseOptions:
    """The options of the query and of the body's other fields. Raises InvalidOption, for one in both too.

    besides: names that the caller has read itself, with `read_extra`.
    """
    return _noted(ParseOptions.from_strings(gather_options(fields, besides), settings))


def read_recognize_options(given: Mapping[str, Any]) -> RecognizeOptions:
    """Those of recognition, by name. Raises InvalidOption."""
    return _noted(RecognizeOptions.from_strings(given, service().settings))


def read_stylize_options(given: Mapping[str, Any]) -> StylizeOptions:
    """Those of the studio, by name. Raises InvalidOption."""
    return _noted(StylizeOptions.from_strings(given, service().settings))


def _noted(options: Options) -> Options:
    """The same; the request log tells them."""
    g.options = options
    return options


def gather_options(fields: Mapping[str, Any], besides: Collection[str] = ()) -> dict[str, Any]:
    """Options by name, from the query and from the body's other fields, not looked at yet. Raises InvalidOption."""
    both = sorted(set(fields) & set(request.args))
    if both:
        raise InvalidOption(f"{both[0]} stands both in the query and in the body.", option=both[0])
    given = {name: values for name, values in request.args.lists() if name not in besides}
    # A list has commas, or is said again.
    query: dict[str, Any] = {name: ",".join(given.pop(name)) for name in LISTS if name in given}
    for name, values in given.items():
        if len(values) > 1:
            raise InvalidOption(f"{name} stands in the query more than once.", option=name)
        query[name] = values[0]
    return {**query, **{k: v for k, v in fields.items() if k not in besides}}


def read_extra(name: str, fields: Mapping[str, Any]) -> str | None:
    """A text of the query or of the body's other fields that is no option of parsing. Raises InvalidOption."""
    values = request.args.getlist(name) or ([fields[name]] if name in fields else [])
    if len(values) > 1 or not all(isinstance(value, str) for value in values):
        raise InvalidOption(f"{name} is not one text.", option=name)
    return values[0] if values else None


def accepted_format(offered: Mapping[str, str] = ACCEPTABLE) -> str:
    """The format that the `Accept` header asks for; JSON without one, and for browsers that go from page to page.

    Those list image types for reasons of their own. Raises NotAcceptable.
    """
    ranges = [(media_type.partition(";")[0].strip(), weight) for media_type, weight in request.accept_mimetypes]
    accept = MIMEAccept([("*/*" if name == "*" else name, weight) for name, weight in ranges])
    if not ranges or "text/html" in dict(ranges):
        return JSON
    best = accept.best_match(offered)
    if best is None:
        raise NotAcceptable(
            f"Accept is {request.headers['Accept']!r}; this answers {', '.join(offered)}, and more by format=.",
            allowed=list(offered),
        )
    return offered[best]


def _from_form() -> tuple[Upload, dict[str, Any]]:
    uploads = [upload for name in FIELDS for upload in request.files.getlist(name)]
    chosen = [upload for upload in uploads if upload.filename] or uploads[:1]  # fields left empty have no file name
    if len(chosen) > 1:
        message = f"There are {len(chosen)} photos in the form; this takes one, and /api/parse/batch several."
        raise TooManyFiles(message, limit=1)
    for upload in chosen:
        data = upload.read()
        check_type(upload.mimetype, data)
        return Upload(base_name(upload.filename or "") or UNNAMED, data), read_fields()
    fields = read_fields()
    if "url" in fields:
        return _fetch(fields.pop("url")), fields
    raise MissingImage("The form has no file in a field 'image' (or 'file'); curl sends one as -F image=@photo.jpg.")


def _fetch(url: object) -> Upload:
    """The photo at an address. Raises UrlRefused, UrlFailed, TooManyBytes."""
    settings = service().settings
    if settings.fetch_urls != "on":
        raise UrlRefused("This service fetches no addresses; send the photo itself.")
    if not isinstance(url, str):
        raise UrlRefused("The address under 'url' is not a text.")
    data = fetch_photo(url, settings.max_bytes, settings.fetch_timeout_s)
    return Upload(base_name(name_of(url)) or UNNAMED, data)


def _from_json() -> tuple[Upload, dict[str, Any]]:
    try:
        body = request.get_json(silent=True)
    except RecursionError:  # brackets in brackets in brackets
        body = None
    if not isinstance(body, dict):
        raise UnreadableImage('The body is not a JSON object like {"image": "<base64>"}.')
    if "url" in body and "image" not in body:
        return _fetch(body.pop("url")), body
    text = body.pop("image", None)
    if not isinstance(text, str):
        raise MissingImage("The JSON object has no text under 'image'.")
    declared = ""
    if text.startswith("data:"):
        declared, _, text = text.removeprefix("data:").partition(",")
    try:
        data = b64decode(text, validate=True)
    except (binascii.Error, ValueError) as exc:
        raise UnreadableImage("The text under 'image' is not base64.") from exc
    check_type(declared, data)
    return Upload(UNNAMED, data), body
