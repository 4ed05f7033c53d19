"""Several photos in one request, answered as they are done.

A photo that fails fails alone; only what concerns the whole request (too many files, a wrong
option, no place in the line for the first photo) fails the request.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import ExitStack
from functools import partial
from io import BytesIO
from tempfile import SpooledTemporaryFile
from typing import IO, Any, Final, NamedTuple

from flask import Blueprint, Response, g, request, stream_with_context
from werkzeug.datastructures import FileStorage

from humanparse.batches import Outcome, Photo, answer_type, parse_photo, unpack, write_answer
from humanparse.errors import Busy, ClientGone, TypeMismatch, UnsupportedFormat
from humanparse.exports import JSON
from humanparse.image_formats import LONGEST_SIGNATURE
from humanparse.options import ParseOptions
from humanparse.web import service
from humanparse.web.errors import describe_error
from humanparse.web.media_types import FORM, JSON_TYPE, ZIP_TYPES
from humanparse.web.patience import make_check
from humanparse.web.requests import FIELDS, accepted_format, check_type, read_fields, read_options

blueprint = Blueprint("batch", __name__)

ACCEPTABLE: Final = {JSON_TYPE: JSON}
IN_MEMORY: Final = 1 << 20  # bytes of a zip that is the body; more go to a temporary file


@blueprint.post("/api/parse/batch")
def parse_batch() -> Response:
    """Photos in, one result for each in their order."""
    settings = service().settings
    g.max_bytes = request.max_content_length = settings.batch_bytes
    with ExitStack() as opening:
        uploads, fields, refused = read_uploads(opening)
        options = read_options(fields, settings)
        format = options.format or accepted_format(ACCEPTABLE)
        outcomes = _outcomes(unpack(uploads, settings, refused), options, format)
        first = next(outcomes)  # raises Busy while the status can still say so
        files = opening.pop_all()  # theirs until the last byte is sent
    response = Response(stream_with_context(_closing(files, write_answer(_chain(first, outcomes), format))))
    response.content_type = answer_type(format)
    if format != JSON:
        response.headers.set("Content-Disposition", "inline", filename="parsings.zip")
    response.vary.add("Accept")
    return response


class Uploads(NamedTuple):
    """Names and files of a request, its other fields, and which files (by index) are not what they are declared as."""

    files: list[tuple[str, IO[bytes]]]
    fields: dict[str, Any]
    refused: dict[int, TypeMismatch]


def read_uploads(opening: ExitStack) -> Uploads:
    """What the request holds; its files are open until `opening` closes. Raises UnsupportedFormat."""
    if request.mimetype == FORM:
        sent = [upload for name in FIELDS for upload in request.files.getlist(name)]
        refused = {}
        for index, upload in enumerate(sent):
            try:
                check_type(upload.mimetype, upload.read(LONGEST_SIGNATURE))
            except TypeMismatch as error:
                refused[index] = error
            upload.seek(0)
        files = [(upload.filename or "", _take(upload, opening)) for upload in sent]
        return Uploads(files, read_fields(), refused)
    if request.mimetype in ZIP_TYPES:
        body: IO[bytes] = opening.enter_context(SpooledTemporaryFile(IN_MEMORY))  # noqa: SIM115 - `opening` closes it
        shutil.copyfileobj(request.stream, body)
        body.seek(0)
        return Uploads([("", body)], {}, {})
    raise UnsupportedFormat(
        f"The body is {request.mimetype or 'of no type'}; send {FORM} with fields 'image', or a zip.",
        allowed=[FORM, *ZIP_TYPES],
    )


def _take(upload: FileStorage, opening: ExitStack) -> IO[bytes]:
    """The upload's file, out of reach of the request, which closes its files before the answer is streamed."""
    file, upload.stream = upload.stream, BytesIO()
    opening.callback(file.close)
    return file


def _outcomes(photos: list[Photo], options: ParseOptions, format: str) -> Iterator[Outcome]:
    """Each photo parsed when its turn comes. Raises Busy for the first photo only."""
    parse = partial(service().pipeline.parse, check=make_check())
    for index, photo in enumerate(photos):
        try:
            row, file = parse_photo(photo, parse, options, format)
        except ClientGone:
            if index == 0:
                raise
            return  # the answer has begun, and nobody reads it
        except Exception as error:  # as at the edge of the app: one photo's fault is not the next one's
            if index == 0 and isinstance(error, Busy):
                raise
            row, file = {"status": "error", "problem": describe_error(error)}, None
        yield Outcome({"index": index, "file": photo.name, **row}, file)


def _chain(first: Outcome, others: Iterator[Outcome]) -> Iterator[Outcome]:
    yield first
    del first
    yield from others


def _closing(files: ExitStack, pieces: Iterator[bytes]) -> Iterator[bytes]:
    with files:
        yield from pieces
