"""A Parsing as plain values, ready for JSON: the people, their parts, and what `include` names."""

from __future__ import annotations

from base64 import b64encode
from typing import Any

import numpy as np
from numpy.typing import NDArray

from humanparse.exports.maps import label_map_png, people_map_png
from humanparse.exports.masks import mask_png, part_mask, part_polygons, part_rle
from humanparse.keypoints import KEYPOINT_NAMES
from humanparse.labels import PALETTE
from humanparse.records import Parsing, Part, Person


def describe(
    parsing: Parsing, include: frozenset[str] = frozenset(), palette: NDArray[np.uint8] = PALETTE
) -> dict[str, Any]:
    """The JSON form: image size, parser, people with their parts, and what `include` names.

    palette: (20, 3) uint8 RGB, of the label map's PNG.
    """
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
        answer["label_map"] = _text(label_map_png(parsing, palette))
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
            answer["mask"] = _text(mask_png(mask))
        if "rle" in include:
            answer["rle"] = part_rle(mask)
        if "polygons" in include:
            answer["polygons"] = part_polygons(mask)
    return answer


def _text(data: bytes) -> str:
    return b64encode(data).decode("ascii")
