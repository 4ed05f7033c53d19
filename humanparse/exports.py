"""A Parsing in the forms that other programs read."""

from __future__ import annotations

from base64 import b64encode
from typing import Any, Final

import cv2
import numpy as np
from numpy.typing import NDArray
from pycocotools import mask as coco_mask

from humanparse.images import encode_palette_png, encode_png
from humanparse.keypoints import KEYPOINT_NAMES
from humanparse.labels import PALETTE
from humanparse.records import Parsing, Part, Person

PEOPLE_PALETTE: Final[NDArray[np.uint8]] = np.vstack(
    [np.zeros((1, 3), np.uint8), np.random.default_rng(20).integers(64, 256, (255, 3), np.uint8)]
)
"""(256, 3) uint8 RGB: nobody black, every number a colour, so that the people map can be looked at."""


def label_map_png(parsing: Parsing) -> bytes:
    """8-bit palette PNG of the photo's size; pixel value = class id, palette = ours."""
    return encode_palette_png(parsing.labels, PALETTE)


def people_map_png(parsing: Parsing) -> bytes:
    """8-bit palette PNG of the photo's size; pixel value = person number, 0 nobody."""
    return encode_palette_png(parsing.people, PEOPLE_PALETTE)


def part_mask(parsing: Parsing, person: Person, part: Part) -> NDArray[np.bool_]:
    """(H, W) bool: the pixels of one part of one person."""
    return np.asarray((parsing.people == person.number) & (parsing.labels == part.id))


def part_rle(mask: NDArray[np.bool_]) -> dict[str, Any]:
    """COCO's compressed run-length encoding: {"size": [H, W], "counts": text}."""
    encoded = coco_mask.encode(np.asfortranarray(mask, np.uint8))
    return {"size": [int(side) for side in encoded["size"]], "counts": encoded["counts"].decode("ascii")}


def part_polygons(mask: NDArray[np.bool_]) -> list[list[int]]:
    """Outer outlines of the mask's pieces through their edge pixels' centres, [x0, y0, x1, y1, ...]."""
    contours, _ = cv2.findContours(mask.astype(np.uint8), cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_SIMPLE)
    return [[int(value) for value in contour.ravel()] for contour in contours]


def describe(parsing: Parsing, include: frozenset[str] = frozenset()) -> dict[str, Any]:
    """The JSON form: image size, parser, people with their parts, and what `include` names."""
    height, width = parsing.size
    answer: dict[str, Any] = {
        "num_persons": len(parsing.persons),
        "parts_detected": parsing.part_names,
        "image": {"width": width, "height": height},
        "parser": {"name": parsing.parser.name, "version": parsing.parser.version},
        "people": [_describe_person(parsing, person, include) for person in parsing.persons],
    }
    if "keypoints" in include:
        answer["keypoint_names"] = list(KEYPOINT_NAMES)
    if "label_map" in include:
        answer["label_map"] = _text(label_map_png(parsing))
    if "people_map" in include:
        answer["people_map"] = _text(people_map_png(parsing))
    return answer


def _describe_person(parsing: Parsing, person: Person, include: frozenset[str]) -> dict[str, Any]:
    answer: dict[str, Any] = {
        "id": person.number,
        "score": person.score,
        "area": person.area,
        "box": list(person.box),
        "parts": [_describe_part(parsing, person, part, include) for part in person.parts],
    }
    if "keypoints" in include:
        answer["keypoints"] = [list(point) for point in person.keypoints]
    return answer


def _describe_part(parsing: Parsing, person: Person, part: Part, include: frozenset[str]) -> dict[str, Any]:
    answer: dict[str, Any] = {
        "id": part.id,
        "name": part.name,
        "score": part.score,
        "area": part.area,
        "box": list(part.box),
    }
    if include & {"masks", "rle", "polygons"}:
        mask = part_mask(parsing, person, part)
        if "masks" in include:
            answer["mask"] = _text(encode_png(mask.astype(np.uint8) * np.uint8(255)))
        if "rle" in include:
            answer["rle"] = part_rle(mask)
        if "polygons" in include:
            answer["polygons"] = part_polygons(mask)
    return answer


def _text(data: bytes) -> str:
    return b64encode(data).decode("ascii")
