"""Palette PNGs hold the maps themselves; colours are only how they look."""

from __future__ import annotations

from io import BytesIO

import numpy as np
import pytest
from hypothesis import given
from numpy.typing import NDArray
from PIL import Image

from humanparse.exports import PEOPLE_PALETTE, label_map_png, people_map_png
from humanparse.labels import PALETTES
from humanparse.records import Parsing
from tests.parsings import parsings


def read_palette_png(data: bytes) -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
    image = Image.open(BytesIO(data))
    assert image.mode == "P"
    palette = np.array(image.getpalette(), np.uint8).reshape(-1, 3)
    return np.asarray(image), palette


@pytest.mark.parametrize("name", PALETTES)
@given(parsing=parsings())
def test_the_label_map_is_a_palette_png_of_ids(name: str, parsing: Parsing) -> None:
    ids, palette = read_palette_png(label_map_png(parsing, PALETTES[name]))
    assert np.array_equal(ids, parsing.labels)
    assert np.array_equal(palette[:20], PALETTES[name])


@given(parsing=parsings())
def test_the_people_map_is_a_palette_png_of_numbers(parsing: Parsing) -> None:
    ids, palette = read_palette_png(people_map_png(parsing))
    assert np.array_equal(ids, parsing.people)
    assert np.array_equal(palette, PEOPLE_PALETTE)


def test_every_person_has_another_colour() -> None:
    assert len(np.unique(PEOPLE_PALETTE, axis=0)) == 256
