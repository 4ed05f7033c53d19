"""A picture that the studio made as bytes: a head as JSON, with a checksum of the picture, and the picture itself."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass


@dataclass(frozen=True)
class Picture:
    """One effect's encoded picture, its (height, width), and what part of the photo was changed, from 0 to 1."""

    data: bytes
    size: tuple[int, int]
    coverage: float


def pack(picture: Picture) -> bytes:
    """Everything of a Picture."""
    head = json.dumps([picture.size, picture.coverage, _check(picture.data)]).encode()
    return len(head).to_bytes(4, "big") + head + picture.data


def unpack(data: bytes) -> Picture | None:
    """The Picture, or None for what is not one, or not whole."""
    try:
        end = 4 + int.from_bytes(data[:4], "big")
        (height, width), coverage, check = json.loads(data[4:end])
    except (ValueError, TypeError):
        return None
    return Picture(data[end:], (height, width), coverage) if _check(data[end:]) == check else None


def _check(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()
