"""A Parsing as bytes: maps deflated, people as JSON, a checksum over all."""

from __future__ import annotations

import hashlib
import json
import zlib
from dataclasses import asdict
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from humanparse.records import Keypoint, ParserInfo, Parsing, Part, Person

FORMAT: Final = b"parsing1"
CHECK_BYTES: Final = 16
LEVEL: Final = 1  # maps are large even areas: more effort takes time and saves little


def pack(parsing: Parsing) -> bytes:
    """Everything of a Parsing; some ten kilobytes for a photo."""
    head = {
        "size": parsing.size,
        "parser": asdict(parsing.parser),
        "persons": [asdict(person) for person in parsing.persons],
    }
    text = json.dumps(head).encode()
    maps = zlib.compress(np.ascontiguousarray(parsing.labels).tobytes() + parsing.people.tobytes(), LEVEL)
    body = len(text).to_bytes(4, "big") + text + maps
    return FORMAT + _check(body) + body


def unpack(data: bytes) -> Parsing | None:
    """The Parsing, or None for what is not one, or not whole."""
    start = len(FORMAT) + CHECK_BYTES
    body = data[start:]
    if data[: len(FORMAT)] != FORMAT or data[len(FORMAT) : start] != _check(body):
        return None
    length = int.from_bytes(body[:4], "big")
    head = json.loads(body[4 : 4 + length])
    height, width = head["size"]
    maps = np.frombuffer(zlib.decompress(body[4 + length :]), np.uint8).reshape(2, height, width)
    labels, people = _own(maps[0]), _own(maps[1])
    return Parsing(labels, people, tuple(_person(plain) for plain in head["persons"]), ParserInfo(**head["parser"]))


def _check(body: bytes) -> bytes:
    return hashlib.sha256(body).digest()[:CHECK_BYTES]


def _own(values: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """A read-only map, as `Parsing.from_maps` makes them."""
    values = np.ascontiguousarray(values)
    values.setflags(write=False)
    return values


def _person(plain: dict[str, Any]) -> Person:
    parts = tuple(Part(**{**part, "box": tuple(part["box"])}) for part in plain["parts"])
    keypoints = tuple(Keypoint(*point) for point in plain["keypoints"])
    return Person(**{**plain, "box": tuple(plain["box"]), "parts": parts, "keypoints": keypoints})
