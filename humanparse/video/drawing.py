"""People's numbers on a picture, each in its own colour, the same in every frame."""

from __future__ import annotations

import colorsys
from collections.abc import Iterable

import cv2
import numpy as np
from numpy.typing import NDArray

from humanparse.records import Person

GOLDEN = 0.618034  # neighbours on the colour wheel are far apart in number
HEIGHT = 22  # of the picture's shorter side is a sign's height one part of so many
SMALLEST = 14  # pixels


def colour_of(id: int) -> tuple[int, int, int]:
    """The RGB colour of a person's number."""
    red, green, blue = colorsys.hsv_to_rgb(id * GOLDEN % 1, 0.75, 1.0)
    return round(red * 255), round(green * 255), round(blue * 255)


def draw_numbers(image: NDArray[np.uint8], persons: Iterable[Person], ids: Iterable[int]) -> None:
    """Write on `image`, (H, W, 3) uint8 RGB, in place: each person's number at the top of their box."""
    high = max(SMALLEST, min(image.shape[:2]) // HEIGHT)
    scale, line = high / 30, max(1, high // 12)
    for person, id in zip(persons, ids, strict=True):
        text, colour = str(id), colour_of(id)
        (wide, _), _ = cv2.getTextSize(text, cv2.FONT_HERSHEY_SIMPLEX, scale, line)
        x0, y0, x1, _ = person.box
        left = min(max(0, (x0 + x1 - wide) // 2 - high // 4), max(0, image.shape[1] - wide - high // 2))
        top = max(0, y0 - high)
        cv2.rectangle(image, (left, top), (left + wide + high // 2, top + high), colour, cv2.FILLED)
        dark = colour[0] * 0.299 + colour[1] * 0.587 + colour[2] * 0.114 < 128
        ink = (255, 255, 255) if dark else (0, 0, 0)
        place = (left + high // 4, top + high - high // 5)
        cv2.putText(image, text, place, cv2.FONT_HERSHEY_SIMPLEX, scale, ink, line, cv2.LINE_AA)
