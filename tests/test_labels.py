"""The class table is CIHP's, and its colours can be told apart."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray
from skimage.color import deltaE_ciede2000, lab2lch

from benchmarks.colour_vision import VISIONS, simulate
from benchmarks.palette_search import NEIGHBOURS, SKIN, touching
from humanparse.labels import CLASSES, NAMES, NUM_CLASSES, PALETTE, PALETTES

# a little below what the search reached: vision -> (any two classes, classes that touch)
APART = {
    "normal": (16.8, 26.0),
    "protanopia": (10.8, 14.5),
    "deuteranopia": (11.0, 14.7),
    "tritanopia": (10.8, 15.5),
}
SIDES = {"Left": "Right", "Right": "Left"}


def distances(lab: NDArray[np.float64]) -> NDArray[np.float64]:
    """(N, N) CIEDE2000 between the rows of (N, 3) L*a*b*."""
    first, second = np.broadcast_arrays(lab[:, None], lab[None])
    return deltaE_ciede2000(first, second)


def check_apart(palette: NDArray[np.uint8], vision: str, anywhere: float, neighbours: float) -> None:
    """Every pair of classes, and those that touch on a body, as far apart as that."""
    apart = distances(simulate(palette, vision))
    for kind, wanted, which in (
        ("any two classes", anywhere, ~np.eye(NUM_CLASSES, dtype=bool)),
        ("classes that touch", neighbours, touching()),
    ):
        first, second = np.unravel_index(np.where(which, apart, np.inf).argmin(), apart.shape)
        assert apart[first, second] > wanted, (
            f"{NAMES[first]} and {NAMES[second]} are {apart[first, second]:.1f} apart ({vision}); {kind} must be "
            f"{wanted} at least. `python -m benchmarks.palette` tells the closest pairs. If these colours are meant "
            "all the same, lower the number here, and those that humanparse/labels.py tells."
        )


def test_ids_are_their_places() -> None:
    assert [c.id for c in CLASSES] == list(range(20))
    assert NUM_CLASSES == 20
    assert tuple(c.name for c in CLASSES) == NAMES


def test_names_are_unique() -> None:
    assert len(set(NAMES)) == NUM_CLASSES


def test_chinese_names_are_chinese_and_unique() -> None:
    assert len({c.name_zh for c in CLASSES}) == NUM_CLASSES
    for c in CLASSES:
        assert c.name_zh
        assert all("一" <= sign <= "鿿" for sign in c.name_zh), c


def test_twins_are_each_others_opposite_side() -> None:
    for c in CLASSES:
        side, _, part = c.name.partition("-")
        if side in SIDES:
            assert c.twin is not None
            assert CLASSES[c.twin].name == f"{SIDES[side]}-{part}"
            assert CLASSES[c.twin].twin == c.id
        else:
            assert c.twin is None


def test_the_palette_is_the_classes_colours() -> None:
    assert PALETTE.shape == (20, 3)
    assert PALETTE.dtype == np.uint8
    assert [tuple(row) for row in PALETTE.tolist()] == [c.colour for c in CLASSES]
    assert CLASSES[0].colour == (0, 0, 0)


def test_the_palette_cannot_be_written() -> None:
    with pytest.raises(ValueError, match="read-only"):
        PALETTE[0, 0] = 1


@pytest.mark.parametrize("vision", VISIONS)
def test_any_two_colours_can_be_told_apart(vision: str) -> None:
    check_apart(PALETTE, vision, *APART[vision])


@pytest.mark.parametrize("first", ["Sunglasses", "Left-arm"])
def test_two_colours_too_near_are_named(first: str) -> None:
    palette = PALETTE.copy()
    palette[NAMES.index("Coat")] = palette[NAMES.index(first)] + np.uint8(1)
    with pytest.raises(AssertionError, match=rf"(?s){first} and Coat|Coat and {first}"):
        check_apart(palette, "normal", *APART["normal"])


@pytest.mark.parametrize("vision", [name for name in VISIONS if name != "normal"])
def test_the_safe_palette_keeps_neighbours_further_apart_for_colour_blind_eyes(vision: str) -> None:
    check_apart(PALETTES["safe"], vision, 9.2, 21.4)


def test_the_monochrome_palette_is_greys_that_differ_where_classes_touch() -> None:
    palette = PALETTES["monochrome"]
    assert (palette == palette[:, :1]).all()
    lightness = simulate(palette, "normal")[:, 0]
    assert np.abs(lightness[:, None] - lightness[None])[touching()].min() > 10.9


def test_twins_share_a_hue_and_the_left_one_is_lighter() -> None:
    lightness, _, hue = lab2lch(simulate(PALETTE, "normal")).T
    for c in CLASSES:
        if c.name.startswith("Left-"):
            assert c.twin is not None
            turn = np.degrees(hue[c.id] - hue[c.twin])
            assert abs((turn + 180) % 360 - 180) < 20
            assert lightness[c.id] - lightness[c.twin] > 25


def test_skin_is_warm_and_every_colour_shows_on_a_photo() -> None:
    lightness, chroma, hue = lab2lch(simulate(PALETTE, "normal")).T
    assert np.degrees(hue[[NAMES.index(name) for name in SKIN]]).max() < 97
    assert lightness[1:].min() > 25
    assert lightness[1:].max() < 92
    assert chroma[1:].min() > 30


@pytest.mark.parametrize("vision", VISIONS)
def test_grey_stays_grey_for_every_eye(vision: str) -> None:
    greys = np.repeat(np.arange(0, 256, 51, dtype=np.uint8), 3).reshape(-1, 3)
    assert np.allclose(simulate(greys, vision), simulate(greys, "normal"), atol=0.1)


def test_red_and_green_are_alike_to_those_who_confuse_them() -> None:
    pair = np.array([[204, 0, 102], [136, 119, 102]], np.uint8)
    normal, deuteranopia = (distances(simulate(pair, vision))[0, 1] for vision in ("normal", "deuteranopia"))
    assert deuteranopia < normal / 4


def test_neighbours_are_classes_and_each_pair_is_listed_once() -> None:
    pairs = [frozenset((name, other)) for name, others in NEIGHBOURS.items() for other in others]
    assert len(set(pairs)) == len(pairs)
    assert set().union(*pairs) <= set(NAMES[1:])
    assert touching().sum() == 2 * len(pairs)
    for c in CLASSES:
        if c.twin is not None:
            assert touching()[c.id, c.twin], f"{c.name} and its twin can touch"


@pytest.mark.parametrize("name", PALETTES)
def test_every_palette_has_a_colour_for_every_class_and_black_for_none(name: str) -> None:
    palette = PALETTES[name]
    assert palette.shape == (NUM_CLASSES, 3)
    assert palette.dtype == np.uint8
    assert len(np.unique(palette, axis=0)) == NUM_CLASSES
    assert not palette[0].any()
    assert not palette.flags.writeable


def test_ours_is_the_first_palette_and_voc_is_pascals() -> None:
    assert next(iter(PALETTES.values())) is PALETTE
    # the colours of aeroplane, bicycle, bird, cat and train in Pascal VOC's development kit
    named = {1: (128, 0, 0), 2: (0, 128, 0), 3: (128, 128, 0), 8: (64, 0, 0), 19: (128, 192, 0)}
    assert all(tuple(PALETTES["voc"][i]) == colour for i, colour in named.items())
