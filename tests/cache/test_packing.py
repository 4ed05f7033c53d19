"""A Parsing comes back whole, or not at all."""

from __future__ import annotations

from dataclasses import fields
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from humanparse.cache.packing import pack, unpack
from humanparse.records import Parsing
from tests.band_parser import BandParser


def same(one: Any, other: Any) -> bool:
    """Equal in every field, whatever fields there are: a field that is forgotten in packing shows here."""
    pairs = [(getattr(one, field.name), getattr(other, field.name)) for field in fields(Parsing)]
    return all(np.array_equal(a, b) if isinstance(a, np.ndarray) else a == b for a, b in pairs)


@given(st.integers(1, 80), st.integers(1, 80), st.integers(0, 9))
def test_everything_of_a_parsing_comes_back(height: int, width: int, seed: int) -> None:
    image = np.random.default_rng(seed).integers(0, 256, (height, width, 3), np.uint8)
    parsing = BandParser().parse(image)
    found = unpack(pack(parsing))
    assert found is not None
    assert same(found, parsing)
    assert (found.labels.dtype, found.people.flags.writeable) == (np.uint8, False)


def test_a_photos_parsing_is_small() -> None:
    assert len(pack(BandParser().parse(np.zeros((1080, 1920, 3), np.uint8)))) < 60_000


@pytest.mark.parametrize("damage", ["first", "head", "maps", "short", "empty", "longer"])
def test_what_is_damaged_is_not_a_parsing(damage: str) -> None:
    data = bytearray(pack(BandParser().parse(np.zeros((48, 64, 3), np.uint8))))
    if damage in ("first", "head", "maps"):
        data[{"first": 0, "head": 60, "maps": -9}[damage]] ^= 1
    broken = {"short": bytes(data[:-1]), "empty": b"", "longer": bytes(data) + b"x"}.get(damage, bytes(data))
    assert unpack(broken) is None
