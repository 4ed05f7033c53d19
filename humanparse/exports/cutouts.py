"""People and parts cut out of their photo: PNGs with the rest transparent, one by one or as a zip."""

from __future__ import annotations

from io import BytesIO
from zipfile import ZIP_STORED, ZipFile, ZipInfo

import numpy as np
from numpy.typing import NDArray

from humanparse.encoding import encode_png
from humanparse.exports.masks import part_mask, person_mask
from humanparse.records import Box, Parsing, Part, Person


def cutout_png(image: NDArray[np.uint8], parsing: Parsing, person: Person, part: Part | None = None) -> bytes:
    """RGBA PNG of one person, or of one part, as large as its box; `image` (H, W, 3) uint8 RGB, outside transparent."""
    mask = part_mask(parsing, person, part) if part else person_mask(parsing, person)
    return _cut(image, mask, part.box if part else person.box)


def cutouts_zip(image: NDArray[np.uint8], parsing: Parsing) -> bytes:
    """A zip of cut-outs: person-N.png, and person-N/ID-NAME.png for every part."""
    stream = BytesIO()
    with ZipFile(stream, "w", ZIP_STORED) as archive:  # PNGs do not get smaller
        for person in parsing.persons:
            archive.writestr(ZipInfo(f"person-{person.number}.png"), cutout_png(image, parsing, person))
            for part in person.parts:
                name = f"person-{person.number}/{part.id:02d}-{part.name}.png"
                archive.writestr(ZipInfo(name), cutout_png(image, parsing, person, part))
    return stream.getvalue()


def _cut(image: NDArray[np.uint8], mask: NDArray[np.bool_], box: Box) -> bytes:
    x0, y0, x1, y1 = box
    inside = mask[y0:y1, x0:x1, None]
    colours = np.where(inside, image[y0:y1, x0:x1], 0)  # what is transparent tells nothing either
    return encode_png(np.dstack([colours, inside.astype(np.uint8) * np.uint8(255)]))
