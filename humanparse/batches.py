"""Several photos, parsed one after the other: memory holds one photo and its result, however many there are.

Used by the batch request, which streams the answer, and by jobs, which write it to a file.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import partial
from typing import IO, Any, NamedTuple

from humanparse.answers import describe_answer, write_format
from humanparse.archives import Archive, base_name, is_archive
from humanparse.bundle import Bundle
from humanparse.config import Settings
from humanparse.errors import MissingImage, TooManyBytes, TooManyFiles
from humanparse.exports import JSON
from humanparse.options import ParseOptions
from humanparse.pipeline import Answer

UNNAMED = "image"
Parse = Callable[[bytes, ParseOptions], Answer]


class Photo(NamedTuple):
    """The last part of a photo's file name, and the way to its bytes."""

    name: str
    read: Callable[[], bytes]


class Outcome(NamedTuple):
    """One photo's row of `results`, and its file where a format other than JSON was asked for."""

    row: dict[str, Any]
    file: bytes | None = None


def unpack(
    uploads: Iterable[tuple[str, IO[bytes]]], settings: Settings, refused: Mapping[int, Exception] | None = None
) -> list[Photo]:
    """Every photo of the named files, zips opened, none read. Raises TooManyFiles, TooManyBytes, MissingImage.

    refused: by index, files that fail when their turn comes, and why.
    """
    photos: list[Photo] = []
    unpacked = 0
    for index, (name, file) in enumerate(uploads):
        if refused and index in refused:
            photos.append(Photo(base_name(name) or UNNAMED, partial(_fail, refused[index])))
            continue
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


def parse_photo(photo: Photo, parse: Parse, options: ParseOptions, format: str) -> Outcome:
    """One photo's outcome; raises whatever its parsing raises."""
    answer = parse(photo.read(), options)
    if format == JSON:
        return Outcome(describe_answer(answer))
    return Outcome({"status": "success"}, write_format(answer, format, photo.name))


def write_json(outcomes: Iterable[Outcome]) -> Iterator[bytes]:
    """{"results": [...], "succeeded": ..., "failed": ...}, piece by piece."""
    counts = {"success": 0, "error": 0}
    for before, outcome in zip(_separators('{"results": [\n', ",\n"), outcomes, strict=False):
        counts[outcome.row["status"]] += 1
        yield f"{before}{json.dumps(outcome.row)}".encode()
    yield f'\n], "succeeded": {counts["success"]}, "failed": {counts["error"]}}}\n'.encode()


def write_zip(outcomes: Iterable[Outcome], format: str) -> Iterator[bytes]:
    """A zip of every photo's file, or of one for all where the format holds several, and results.json."""
    bundle = Bundle(format)
    for row, file in outcomes:
        yield bundle.add(row, file)
    yield bundle.finish()


def write_answer(outcomes: Iterable[Outcome], format: str) -> Iterator[bytes]:
    """The whole answer in `format`: JSON, or a zip of another format's files."""
    return write_json(outcomes) if format == JSON else write_zip(outcomes, format)


def answer_type(format: str) -> str:
    """The media type of `write_answer`."""
    return "application/json" if format == JSON else "application/zip"


def _fail(error: Exception) -> bytes:
    raise error


def _separators(first: str, then: str) -> Iterator[str]:
    yield first
    while True:
        yield then
