"""People and parts cut out of their photo: PNGs with the rest transparent."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from humanparse.encoding import encode_png
from humanparse.exports.masks import part_mask, person_mask
from humanparse.exports.zips import File
from humanparse.records import Box, Parsing, Part, Person


def cutout_png(image: NDArray[np.uint8], parsing: Parsing, person: Person, part: Part | None = None) -> bytes:
    """RGBA PNG of one person, or of one part, as large as its box; `image` (H, W, 3) uint8 RGB, outside transparent."""
    mask = part_mask(parsing, person, part) if part else person_mask(parsing, person)
    return _cut(image, mask, part.box if part else person.box)


def cutout_files(image: NDArray[np.uint8], parsing: Parsing) -> Iterator[File]:
    """All cut-outs: person-N.png, and person-N/ID-NAME.png for every part; `image` as in `cutout_png`."""
    for person in parsing.persons:
        yield f"person-{person.number}.png", cutout_png(image, parsing, person)
        for part in person.parts:
            name = f"person-{person.number}/{part.id:02d}-{part.name}.png"
            yield name, cutout_png(image, parsing, person, part)


def _cut(image: NDArray[np.uint8], mask: NDArray[np.bool_], box: Box) -> bytes:
    x0, y0, x1, y1 = box
    inside = mask[y0:y1, x0:x1, None]
    colours = np.where(inside, image[y0:y1, x0:x1], 0)  # what is transparent tells nothing either
    return encode_png(np.dstack([colours, inside.astype(np.uint8) * np.uint8(255)]))
