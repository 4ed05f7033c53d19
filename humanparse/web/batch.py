"""Several photos in one request, parsed one after the other, answered as they are done.

The answer is streamed, so that memory holds one photo and its result, however many there are. A
photo that fails fails alone; only what concerns the whole request (too many files, a wrong option,
no place in the line for the first photo) fails the request.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack
from functools import partial
from io import BytesIO
from tempfile import SpooledTemporaryFile
from typing import IO, Any, Final, NamedTuple

from flask import Blueprint, Response, g, request, stream_with_context
from werkzeug.datastructures import FileStorage

from humanparse.archives import Archive, base_name, is_archive
from humanparse.config import Settings
from humanparse.errors import Busy, MissingImage, TooManyBytes, TooManyFiles, UnsupportedFormat
from humanparse.exports import JSON
from humanparse.options import ParseOptions
from humanparse.web import service
from humanparse.web.answers import describe_answer, write_format
from humanparse.web.bundle import Bundle
from humanparse.web.errors import describe_error
from humanparse.web.requests import FIELDS, UNNAMED, accepted_format, read_options

blueprint = Blueprint("batch", __name__)

ZIP_TYPES: Final = ("application/zip", "application/x-zip-compressed")
ACCEPTABLE: Final = {"application/json": JSON}
IN_MEMORY: Final = 1 << 20  # bytes of a zip that is the body; more go to a temporary file


class Photo(NamedTuple):
    """The last part of a photo's file name, and the way to its bytes."""

    name: str
    read: Callable[[], bytes]


class Outcome(NamedTuple):
    """One photo's row of `results`, and its file where a format other than JSON was asked for."""

    row: dict[str, Any]
    file: bytes | None = None


@blueprint.post("/api/parse/batch")
def parse_batch() -> Response:
    """Photos in, one result for each in their order."""
    settings = service().settings
    g.max_bytes = request.max_content_length = settings.batch_bytes
    with ExitStack() as opening:
        uploads, fields = _uploads(opening)
        options = read_options(fields, settings)
        format = options.format or accepted_format(ACCEPTABLE)
        photos = _photos(uploads, settings)
        outcomes = _outcomes(photos, options, format)
        first = next(outcomes)  # raises Busy while the status can still say so
        files = opening.pop_all()  # theirs until the last byte is sent
    write = _write_json if format == JSON else partial(_write_zip, format=format)
    response = Response(stream_with_context(_closing(files, write(_chain(first, outcomes)))))
    response.content_type = "application/json" if format == JSON else "application/zip"
    if format != JSON:
        response.headers.set("Content-Disposition", "inline", filename="parsings.zip")
    response.vary.add("Accept")
    return response


def _uploads(opening: ExitStack) -> tuple[list[tuple[str, IO[bytes]]], dict[str, Any]]:
    """Names and files of the request, and its other fields. Raises UnsupportedFormat."""
    if request.mimetype == "multipart/form-data":
        sent = [upload for name in FIELDS for upload in request.files.getlist(name)]
        return [(upload.filename or "", _take(upload, opening)) for upload in sent], request.form.to_dict()
    if request.mimetype in ZIP_TYPES:
        body: IO[bytes] = opening.enter_context(SpooledTemporaryFile(IN_MEMORY))  # noqa: SIM115 - `opening` closes it
        shutil.copyfileobj(request.stream, body)
        body.seek(0)
        return [("", body)], {}
    raise UnsupportedFormat(
        f"The body is {request.mimetype or 'of no type'}; send multipart/form-data with fields 'image', or a zip.",
        allowed=["multipart/form-data", *ZIP_TYPES],
    )


def _take(upload: FileStorage, opening: ExitStack) -> IO[bytes]:
    """The upload's file, out of reach of the request, which closes its files before the answer is streamed."""
    file, upload.stream = upload.stream, BytesIO()
    opening.callback(file.close)
    return file


def _photos(uploads: list[tuple[str, IO[bytes]]], settings: Settings) -> list[Photo]:
    """Every photo of the request, zips opened, none read. Raises TooManyFiles, TooManyBytes, MissingImage."""
    photos: list[Photo] = []
    unpacked = 0
    for name, file in uploads:
        if not is_archive(file):
            photos.append(Photo(base_name(name) or UNNAMED, file.read))
            continue
        archive = Archive(file)
        unpacked += archive.unpacked_bytes
        read = partial(archive.read, max_bytes=settings.max_bytes)
        photos += [Photo(base_name(member.filename), partial(read, member)) for member in archive]
    if not photos:
        raise MissingImage("There is no photo in the request: no file field 'image', or an empty zip.")
    if len(photos) > settings.batch_files:
        message = f"There are {len(photos)} photos; at most {settings.batch_files} are taken at once."
        raise TooManyFiles(message, size=len(photos), limit=settings.batch_files)
    limit = settings.batch_unpacked_bytes
    if unpacked > limit:
        raise TooManyBytes(f"Unpacked, the photos have {unpacked:,} bytes; at most {limit:,} are allowed.", limit=limit)
    return photos


def _outcomes(photos: list[Photo], options: ParseOptions, format: str) -> Iterator[Outcome]:
    """Each photo parsed when its turn comes. Raises Busy for the first photo only."""
    for index, photo in enumerate(photos):
        try:
            row, file = _parse(photo, options, format)
        except Exception as error:  # as at the edge of the app: one photo's fault is not the next one's
            if index == 0 and isinstance(error, Busy):
                raise
            row, file = {"status": "error", "problem": describe_error(error)}, None
        yield Outcome({"index": index, "file": photo.name, **row}, file)


def _parse(photo: Photo, options: ParseOptions, format: str) -> tuple[dict[str, Any], bytes | None]:
    answer = service().pipeline.parse(photo.read(), options)
    if format == JSON:
        return describe_answer(answer, options), None
    return {"status": "success"}, write_format(answer, options, format, photo.name)


def _write_json(outcomes: Iterable[Outcome]) -> Iterator[str]:
    """{"results": [...], "succeeded": ..., "failed": ...}, piece by piece."""
    counts = {"success": 0, "error": 0}
    for before, outcome in zip(_separators('{"results": [\n', ",\n"), outcomes, strict=False):
        counts[outcome.row["status"]] += 1
        yield before + json.dumps(outcome.row)
    yield f'\n], "succeeded": {counts["success"]}, "failed": {counts["error"]}}}\n'


def _write_zip(outcomes: Iterable[Outcome], format: str) -> Iterator[bytes]:
    """A zip of every photo's file, or of one for all where the format holds several, and results.json."""
    bundle = Bundle(format)
    for row, file in outcomes:
        yield bundle.add(row, file)
    yield bundle.finish()


def _chain(first: Outcome, others: Iterator[Outcome]) -> Iterator[Outcome]:
    yield first
    del first
    yield from others


def _separators(first: str, then: str) -> Iterator[str]:
    yield first
    while True:
        yield then


def _closing(files: ExitStack, pieces: Iterator[Any]) -> Iterator[Any]:
    with files:
        yield from pieces
