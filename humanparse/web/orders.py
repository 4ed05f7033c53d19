"""What a request orders as a job: what /api/parse or /api/parse/batch take, or a video, and a few words more."""

from __future__ import annotations

from contextlib import ExitStack
from io import SEEK_END, BytesIO
from typing import IO, Any, Final, NamedTuple

from flask import g, request

from humanparse.archives import base_name, is_archive
from humanparse.batches import UNNAMED, unpack
from humanparse.errors import InvalidOption, MissingImage
from humanparse.exports import JSON
from humanparse.jobs.callbacks import check_url
from humanparse.jobs.records import MANY, ONE, VIDEO, Order
from humanparse.video.options import VIDEO_OPTIONS
from humanparse.web import service
from humanparse.web.batch import read_uploads
from humanparse.web.media_types import FORM, ZIP_TYPES
from humanparse.web.requests import NO_PHOTO, read_extra, read_options, read_photo
from humanparse.web.videos import Film, read_video

EXTRAS: Final = {
    # what a job may be told beside the options of parsing
    "callback_url": "public http or https address that is told, signed, when the job has ended",
    "kind": "`batch` answers one photo as several are; else `parse` for one photo, `batch` for more or a zip, "
    "`video` for a video",
    **{name: f"of a video: {meaning}" for name, meaning in VIDEO_OPTIONS.items()},
}
MANY_TYPES: Final = (FORM, *ZIP_TYPES)
LONGEST_KEY: Final = 255


class _Sent(NamedTuple):
    """What came: files by name, other fields, and whether it is several photos by its form."""

    files: list[tuple[str, IO[bytes]]]
    fields: dict[str, Any]
    several: bool


def read_order(opening: ExitStack) -> tuple[Order, list[IO[bytes]]]:
    """What the current request wants done, and its files, open until `opening` closes. Raises InputError."""
    settings = service().settings
    if request.mimetype in MANY_TYPES:  # one photo as the body, or in JSON, has the limit of one
        g.max_bytes = request.max_content_length = settings.batch_bytes
    film = read_video(opening, settings)
    if film is not None:
        return _order_video(film), [film.file]
    sent = _read(opening)
    callback_url, kind = _read_callback(sent.fields), _read_kind(sent)
    options = read_options(sent.fields, settings, EXTRAS)
    total = len(unpack(sent.files, settings))
    _rewind(sent.files)
    names = tuple(base_name(name) or UNNAMED for name, _ in sent.files)
    order = Order(kind, names, total, options, options.format or JSON, g.request_id, callback_url)
    return order, [file for _, file in sent.files]


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
            raise MissingImage(NO_PHOTO)
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
