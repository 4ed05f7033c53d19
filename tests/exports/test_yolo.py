"""YOLO's lines, read as Ultralytics reads them: scaled, cut to whole numbers, filled by OpenCV.

A re-implementation of that reader (ultralytics.data.utils): the package itself needs torchvision.
"""

from __future__ import annotations

import cv2
import numpy as np
from hypothesis import given
from numpy.typing import NDArray

from humanparse.exports.masks import part_mask
from humanparse.exports.yolo import yolo_lines
from humanparse.records import Parsing
from tests.parsings import parsings


def read_line(line: str, size: tuple[int, int]) -> tuple[int, NDArray[np.bool_]]:
    """The class and the filled polygon of one line; size (H, W)."""
    fields = line.split()
    assert len(fields) > 6, "five numbers would be a box"
    points = np.array(fields[1:], np.float32).reshape(-1, 2)
    assert points.min() >= 0
    assert points.max() <= 1
    mask = np.zeros(size, np.uint8)
    cv2.fillPoly(mask, [np.asarray(points * size[::-1], np.int32)], (1,))
    return int(fields[0]), mask == 1


def without_holes(mask: NDArray[np.bool_]) -> NDArray[np.bool_]:
    contours, _ = cv2.findContours(mask.astype(np.uint8), cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)
    filled = np.zeros(mask.shape, np.uint8)
    cv2.drawContours(filled, contours, -1, (1,), cv2.FILLED)
    return filled == 1


@given(parsing=parsings())
def test_the_lines_give_every_part_back_but_for_its_holes(parsing: Parsing) -> None:
    lines = yolo_lines(parsing).splitlines()
    for person in parsing.persons:
        for part in person.parts:
            expected = without_holes(part_mask(parsing, person, part))
            found = np.zeros(parsing.size, np.bool_)
            while not np.array_equal(found, expected):
                class_id, piece = read_line(lines.pop(0), parsing.size)
                assert class_id == part.id
                assert not (piece & ~expected).any()
                found |= piece
    assert not lines


def test_wide_photos_keep_their_pixels() -> None:
    people = np.zeros((1, 60_000), np.uint8)
    people[0, 59_990:] = 1
    parsing = Parsing.from_maps(people * np.uint8(13), people, people, parser=None)  # type: ignore[arg-type]
    class_id, mask = read_line(yolo_lines(parsing), parsing.size)
    assert class_id == 13
    assert np.array_equal(mask, people == 1)
