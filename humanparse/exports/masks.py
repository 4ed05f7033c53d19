"""Masks of people and of their parts, as arrays, PNGs, COCO's run lengths, polygons, and files of all."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any, Final

import cv2
import numpy as np
from numpy.typing import NDArray
from pycocotools import mask as coco_mask

from humanparse.encoding import encode_png
from humanparse.exports.zips import File
from humanparse.records import Parsing, Part, Person

INDEX: Final = "masks.json"  # the table of contents


def part_mask(parsing: Parsing, person: Person, part: Part) -> NDArray[np.bool_]:
    """(H, W) bool: the pixels of one part of one person."""
    x0, y0, x1, y1 = part.box
    mask = np.zeros(parsing.size, np.bool_)
    inside = parsing.people[y0:y1, x0:x1] == person.number
    mask[y0:y1, x0:x1] = inside & (parsing.labels[y0:y1, x0:x1] == part.id)
    return mask


def person_mask(parsing: Parsing, person: Person) -> NDArray[np.bool_]:
    """(H, W) bool: the pixels of one person."""
    return np.asarray(parsing.people == person.number)


def mask_png(mask: NDArray[np.bool_]) -> bytes:
    """8-bit grey PNG, 255 inside and 0 outside."""
    return encode_png(mask.view(np.uint8) * np.uint8(255))


def part_rle(mask: NDArray[np.bool_]) -> dict[str, Any]:
    """COCO's compressed run-length encoding: {"size": [H, W], "counts": text}."""
    encoded = coco_mask.encode(np.asfortranarray(mask, np.uint8))
    return {"size": [int(side) for side in encoded["size"]], "counts": encoded["counts"].decode("ascii")}


def part_polygons(mask: NDArray[np.bool_]) -> list[list[int]]:
    """Outer outlines of the mask's pieces through their edge pixels' centres, [x0, y0, x1, y1, ...]."""
    contours, _ = cv2.findContours(mask.astype(np.uint8), cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_SIMPLE)
    return [[int(value) for value in contour.ravel()] for contour in contours]


def mask_files(parsing: Parsing) -> Iterator[File]:
    """PNGs of all masks, person-N/person.png and person-N/ID-NAME.png for each part, and masks.json that lists them."""
    rows: list[dict[str, Any]] = []
    for person in parsing.persons:
        folder = f"person-{person.number}"
        rows.append({"file": f"{folder}/person.png", "person": person.number, "part": None, "name": "Person"})
        yield rows[-1]["file"], mask_png(person_mask(parsing, person))
        for part in person.parts:
            file = f"{folder}/{part.id:02d}-{part.name}.png"
            rows.append({"file": file, "person": person.number, "part": part.id, "name": part.name})
            yield file, mask_png(part_mask(parsing, person, part))
    height, width = parsing.size
    yield INDEX, json.dumps({"image": {"width": width, "height": height}, "masks": rows}, indent=1).encode()
