"""YOLO's segmentation labels: https://docs.ultralytics.com/datasets/segment/."""

from __future__ import annotations

from humanparse.exports.masks import part_mask, part_polygons
from humanparse.records import Parsing

MIN_POINTS = 3  # with fewer a line has at most five numbers, which YOLO's reader takes for a box


def yolo_lines(parsing: Parsing) -> str:
    """One line a piece of a part: class id of CIHP (0, the background, is never there), then x y x y ... in 0 to 1.

    Points are the middles of the piece's edge pixels, so that filling the polygon gives the piece
    back. The format knows neither people nor holes: both are lost.
    """
    height, width = parsing.size
    lines = []
    for person in parsing.persons:
        for part in person.parts:
            for outline in part_polygons(part_mask(parsing, person, part)):
                points = list(zip(outline[::2], outline[1::2], strict=True))
                points += points[:1] * (MIN_POINTS - len(points))
                numbers = (f"{(x + 0.5) / width:.6f} {(y + 0.5) / height:.6f}" for x, y in points)
                lines.append(f"{part.id} {' '.join(numbers)}\n")
    return "".join(lines)
