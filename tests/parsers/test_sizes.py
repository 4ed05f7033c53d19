"""Maps of large photos: a whole fraction of the photo's size, repeated to it."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from humanparse.parsers.sizes import fine_size, repeat


@pytest.mark.parametrize(
    ("size", "expected"),
    [
        ((2000, 2000), (2000, 2000)),
        ((2001, 2000), (1001, 1000)),
        ((4000, 3000), (2000, 1500)),
        ((4001, 4001), (1334, 1334)),
        ((1, 4_000_001), (1, 2_000_001)),
    ],
)
def test_the_largest_whole_fraction_of_four_megapixels(size: tuple[int, int], expected: tuple[int, int]) -> None:
    assert fine_size(size) == expected


@given(st.integers(1, 60), st.integers(1, 60), st.integers(1, 5000))
def test_a_map_is_repeated_to_the_whole_photo(height: int, width: int, most: int) -> None:
    """Each pixel gets what lies over it: the same from edge to edge, in both directions."""
    fine = fine_size((height, width), most)
    assert fine[0] * fine[1] <= most
    rows, columns = (repeat(index, (height, width)) for index in np.indices(fine, np.uint8))
    for found, side, fine_side in ((rows.T, height, fine[0]), (columns, width, fine[1])):
        assert (np.abs(np.arange(side) * fine_side / side - found - 0.5) <= 0.5 + 1e-9).all()


def test_a_map_of_the_photos_size_is_not_copied() -> None:
    array = np.zeros((3, 5), np.uint8)
    assert repeat(array, (3, 5)) is array
