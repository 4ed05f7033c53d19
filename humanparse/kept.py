"""An answer as the files that are kept under its address, and back: whatever else it can be is made from them anew."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from humanparse.answers import content_type, write_format
from humanparse.config import Settings
from humanparse.encoding import decode_palette_png, encode_jpeg
from humanparse.errors import NotFound
from humanparse.exports import describe, label_map_png, people_map_png
from humanparse.exports.cutouts import cutout_png
from humanparse.images import read_image
from humanparse.labels import PALETTES
from humanparse.options import ParseOptions
from humanparse.pipeline import Answer
from humanparse.records import Keypoint, ParserInfo, Parsing, Part, Person
from humanparse.stopwatch import with_total

Read = Callable[[str], bytes]
"""Reads one of the kept files by its name."""

STORED: Final = {
    # file that is kept -> its content type
    "photo.jpg": "image/jpeg",
    "labels.png": "image/png",
    "people.png": "image/png",
    "parsing.json": "application/json",
}
MADE: Final = {
    # file that is made when it is asked for -> its format
    "overlay.png": "png",
    "coco.json": "coco",
    "masks.zip": "masks",
    "cutouts.zip": "cutouts",
    "everything.zip": "everything",
}
CUTOUT: Final = re.compile(r"person-(\d{1,3})(?:-(\d{1,2}))?\.png")  # the person's number, and the part's id
OPTIONS: Final = "options.json"  # for ourselves: how the overlay was asked for
LOOK: Final = ("alpha", "outline", "palette")
NO_LIMIT: Final = 1 << 40  # what we wrote ourselves was within the limits


def keep(answer: Answer) -> dict[str, bytes]:
    """What is kept of an answer: the photo without its metadata, the maps, the summary, the options of its look."""
    with answer.watch.stage("encode"):
        files = {
            "photo.jpg": encode_jpeg(answer.image),
            "labels.png": label_map_png(answer.parsing, PALETTES[answer.options.palette]),
            "people.png": people_map_png(answer.parsing),
        }
    summary = {**describe(answer.parsing, frozenset({"keypoints"})), "timing_ms": with_total(answer.watch.timing_ms)}
    look = {name: getattr(answer.options, name) for name in LOOK}
    return {**files, "parsing.json": json.dumps(summary).encode(), OPTIONS: json.dumps(look).encode()}


def make_file(read: Read, file: str, settings: Settings) -> tuple[bytes, str]:
    """One file of a kept answer and its content type. Raises NotFound for a name, person or part that it has not."""
    if file in STORED:
        return read(file), STORED[file]
    wanted = CUTOUT.fullmatch(file)
    if file not in MADE and not wanted:
        names = ", ".join((*STORED, *MADE))
        raise NotFound(f"A result has no file of this name; it has {names}, person-NUMBER.png, person-NUMBER-PART.png.")
    answer = _restore(read, settings)
    if wanted:
        return _cutout(answer, int(wanted[1]), int(wanted[2] or 0)), "image/png"
    return write_format(answer, MADE[file], "photo.jpg"), content_type(MADE[file])


def _cutout(answer: Answer, number: int, part_id: int) -> bytes:
    for person in answer.parsing.persons:
        for part in (None, *person.parts):
            if person.number == number and (part.id if part else 0) == part_id:
                return cutout_png(answer.image, answer.parsing, person, part)
    raise NotFound("Nobody in this result has this number and such a part.")


def _restore(read: Read, settings: Settings) -> Answer:
    options = ParseOptions.from_strings(json.loads(read(OPTIONS)), settings)
    return Answer(*read_parsed(read), options)


def read_parsed(read: Read) -> tuple[NDArray[np.uint8], Parsing]:
    """The kept photo (H, W, 3) uint8 RGB and its Parsing."""
    summary = json.loads(read("parsing.json"))
    parsing = Parsing(
        decode_palette_png(read("labels.png")),
        decode_palette_png(read("people.png")),
        tuple(_person(row) for row in summary["people"]),
        ParserInfo(**summary["parser"]),
    )
    return decode_kept(read("photo.jpg")), parsing


def decode_kept(data: bytes) -> NDArray[np.uint8]:
    """A photo.jpg that we wrote, (H, W, 3) uint8 RGB; it is no stranger's file, and larger than one may be."""
    return read_image(data, max_bytes=NO_LIMIT, max_pixels=NO_LIMIT, max_side=NO_LIMIT)


def _person(row: dict[str, Any]) -> Person:
    return Person(
        row["id"],
        row["area"],
        tuple(row["box"]),
        row["score"],
        tuple(Part(part["id"], part["area"], tuple(part["box"]), part["score"]) for part in row["parts"]),
        tuple(Keypoint(*point) for point in row["keypoints"]),
    )
