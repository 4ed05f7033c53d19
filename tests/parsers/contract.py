"""What holds for every parser; each one's tests ask for it (docs/extending.md)."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from humanparse.errors import ParserUnavailable
from humanparse.parsers.contract import Parser
from tests.test_records import check_laws

SIZES = ((1, 1), (1, 300), (300, 1), (37, 53), (480, 640), (900, 200))


def check_contract(parser: Parser, photo: NDArray[np.uint8]) -> None:
    """The contract of a parser that can run here and is not loaded yet; photo (H, W, 3) uint8 RGB with people."""
    assert parser.memory_bytes > 0 and set(parser.formats) <= {"f16", "bf16"}
    assert parser.available() is None
    name, version = parser.info.name, parser.info.version
    assert name and version
    with pytest.raises(ParserUnavailable, match="not loaded"):
        parser.parse(photo)
    parser.load()
    assert (parser.info.name, parser.info.version) == (name, version)
    before = photo.copy()
    first = parser.parse(photo)
    check_laws(first)
    assert first.persons and (first.size, first.parser) == (photo.shape[:2], parser.info)
    for image in strange_images():
        parsing = parser.parse(image)
        check_laws(parsing)
        assert parsing.size == image.shape[:2]
        check_laws(parser.glance(image))
    again = parser.parse(photo)
    assert np.array_equal(photo, before), "the photo was changed"
    assert np.array_equal(first.labels, again.labels), "an answer depends on the photo before it"
    assert np.array_equal(first.people, again.people)
    assert first.persons == again.persons


def strange_images() -> list[NDArray[np.uint8]]:
    """Noise of every shape, and one colour."""
    rng = np.random.default_rng(1)
    noise = [rng.integers(0, 256, (*size, 3), np.uint8) for size in SIZES]
    return noise + [np.full((120, 160, 3), shade, np.uint8) for shade in (0, 127, 255)]
