"""A video out of a request: the field `video`, a file that is one by its content, or the body."""

from __future__ import annotations

import shutil
from contextlib import ExitStack
from io import SEEK_END
from tempfile import TemporaryFile
from typing import IO, Any, Final, NamedTuple

from flask import g, request
from werkzeug.datastructures import FileStorage

from humanparse.config import Settings
from humanparse.errors import InvalidOption, MissingImage, TooManyBytes, UnreadableVideo
from humanparse.jobs.videos import container_of, container_wanted, look
from humanparse.video import containers
from humanparse.video.containers import ANSWERS
from humanparse.video.options import VIDEO_OPTIONS, VideoOptions
from humanparse.web.errors import upload_too_large
from humanparse.web.media_types import FORM
from humanparse.web.requests import FIELDS, read_extra, read_fields

FIELD: Final = "video"


class Film(NamedTuple):
    """A video that has been looked through, and what is to be done with it."""

    name: str
    file: IO[bytes]
    fields: dict[str, Any]
    options: VideoOptions
    format: str
    frames: int


def read_video(opening: ExitStack, settings: Settings) -> Film | None:
    """The video of the current request, checked; None where there is none: then it is about photos.

    Its file stays open until `opening` closes. Raises InputError's kin.
    """
    if request.mimetype == FORM:
        found = _from_form(settings)
    elif request.mimetype.startswith("video/"):
        found = _from_body(opening, settings)
    else:
        return None
    if found is None:
        return None
    name, file, declared, fields = found
    size = file.seek(0, SEEK_END)
    if size == 0:
        raise MissingImage("There is no video in the request: the field 'video' or the body is empty.")
    if size > settings.video_bytes:
        raise TooManyBytes(f"The video has {size:,} bytes; at most {settings.video_bytes:,} are allowed.",
                           size=size, limit=settings.video_bytes)  # fmt: skip
    container = container_wanted(file)
    containers.check_declared(container, declared)
    given = {name: read_extra(name, fields) for name in VIDEO_OPTIONS}
    options = VideoOptions.from_strings({name: text for name, text in given.items() if text is not None})
    format = _read_format(fields)
    clip = look(file, options, settings, container.reader)
    if clip.cut_short:
        raise UnreadableVideo(f"The video is cut short: {clip.packets} of its {clip.declared} frames are there.")
    file.seek(0)
    return Film(name, file, fields, options, format, clip.frames or 0)


def _from_form(settings: Settings) -> tuple[str, IO[bytes], str, dict[str, Any]] | None:
    """The field `video`; or the only file, if it is a video whatever it is called."""
    limit = max(settings.batch_bytes, settings.video_bytes)  # which of them counts is known when it is read
    g.max_bytes = request.max_content_length = limit
    fields, films = read_fields(), request.files.getlist(FIELD)
    photos = [upload for name in FIELDS for upload in request.files.getlist(name)]
    if len(films) + bool(photos) > 1 and films:
        raise InvalidOption("A job takes one video, and no photos beside it.", option=FIELD)
    if films:
        return _parts_of(films[0], films[0].mimetype, fields)
    if len(photos) == 1 and container_of(photos[0].stream) is not None:
        return _parts_of(photos[0], "", fields)
    if (request.content_length or sum(map(_size, photos))) > settings.batch_bytes:
        raise upload_too_large(settings.batch_bytes)
    return None


def _size(upload: FileStorage) -> int:
    size = upload.stream.seek(0, SEEK_END)
    upload.stream.seek(0)
    return size


def _parts_of(upload: FileStorage, declared: str, fields: dict[str, Any]) -> tuple[str, IO[bytes], str, dict[str, Any]]:
    return upload.filename or "", upload.stream, declared, fields


def _from_body(opening: ExitStack, settings: Settings) -> tuple[str, IO[bytes], str, dict[str, Any]]:
    g.max_bytes = request.max_content_length = settings.video_bytes
    file = opening.enter_context(TemporaryFile())  # noqa: SIM115 - `opening` closes it
    shutil.copyfileobj(request.stream, file)
    return "", file, request.mimetype, {}


def _read_format(fields: dict[str, Any]) -> str:
    format = read_extra("format", fields) or next(iter(ANSWERS))
    if format not in ANSWERS:
        allowed = ", ".join(ANSWERS)
        message = f"format is {format!r}; for a video it must be one of {allowed}."
        raise InvalidOption(message, option="format", allowed=list(ANSWERS))
    return format
