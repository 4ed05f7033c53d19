"""A photo and its options out of a request, in whichever of the three forms it came."""

from __future__ import annotations

import binascii
from base64 import b64decode
from typing import Any

from flask import request

from humanparse.config import Settings
from humanparse.errors import InvalidOption, MissingImage, UnreadableImage, UnsupportedFormat
from humanparse.options import ParseOptions

FIELDS = ("image", "file")
RAW_TYPES = ("application/octet-stream", "")


def read_request(settings: Settings) -> tuple[bytes, ParseOptions]:
    """The photo's bytes and the options of the current request.

    Multipart field `image` or `file`; JSON {"image": base64 or data URL}; or the image itself as
    the body. Options from the query, and from the form's or the JSON object's other fields.
    Raises MissingImage, UnreadableImage, UnsupportedFormat, InvalidOption.
    """
    kind = request.mimetype
    if kind == "multipart/form-data":
        data, fields = _from_form()
    elif kind == "application/json":
        data, fields = _from_json()
    elif kind.startswith("image/") or kind in RAW_TYPES:
        data, fields = request.get_data(cache=False), {}
    else:
        raise UnsupportedFormat(
            f"The body is {kind}; send multipart/form-data with a field 'image', JSON with a key 'image' "
            "(base64), or the image itself with its own Content-Type.",
            allowed=["multipart/form-data", "application/json", "image/*"],
        )
    if not data:
        raise MissingImage("There is no image in the request: the field 'image' or the body is empty.")
    both = sorted(set(fields) & set(request.args))
    if both:
        raise InvalidOption(f"{both[0]} stands both in the query and in the body.", option=both[0])
    return data, ParseOptions.from_strings({**request.args.to_dict(), **fields}, settings)


def _from_form() -> tuple[bytes, dict[str, Any]]:
    for name in FIELDS:
        upload = request.files.get(name)
        if upload is not None:
            return upload.read(), request.form.to_dict()
    raise MissingImage("The form has no file field 'image' (or 'file').")


def _from_json() -> tuple[bytes, dict[str, Any]]:
    body = request.get_json(silent=True)
    if not isinstance(body, dict):
        raise UnreadableImage('The body is not a JSON object like {"image": "<base64>"}.')
    text = body.pop("image", None)
    if not isinstance(text, str):
        raise MissingImage("The JSON object has no text under 'image'.")
    if text.startswith("data:"):
        text = text.partition(",")[2]
    try:
        return b64decode(text, validate=True), body
    except (binascii.Error, ValueError) as exc:
        raise UnreadableImage("The text under 'image' is not base64.") from exc
