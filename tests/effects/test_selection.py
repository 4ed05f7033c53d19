"""Where effects go: words, people, soft edges, and the blend."""

from __future__ import annotations

import numpy as np
import pytest

from humanparse.effects.selection import GROUPS, Selection, blend, read_classes, read_feather, read_people, soften
from humanparse.errors import InvalidOption
from humanparse.labels import NAMES, NUM_CLASSES
from tests.band_parser import CHEST, HEAD, LEGS, BandParser

PARSING = BandParser().parse(np.zeros((100, 160, 3), np.uint8))
BOTH = frozenset(range(1, NUM_CLASSES))


def test_everywhere_is_everywhere() -> None:
    assert Selection().everywhere
    assert (Selection().mask(PARSING) == 255).all()


def test_background_and_person_are_each_other_s_rest() -> None:
    background = Selection(only=read_classes("only", "background")).mask(PARSING)
    person = Selection(besides=read_classes("except", "background")).mask(PARSING)
    assert np.array_equal(background == 255, PARSING.labels == 0)
    assert np.array_equal(person, 255 - background)
    assert np.array_equal(Selection(only=read_classes("only", "person")).mask(PARSING), person)


def test_everywhere_except_the_faces() -> None:
    mask = Selection(besides=read_classes("except", "face")).mask(PARSING)
    assert np.array_equal(mask == 0, PARSING.labels == HEAD)


def test_parts_of_one_person() -> None:
    mask = Selection(read_classes("only", "upper-clothes, Pants"), people=read_people("2")).mask(PARSING)
    assert np.array_equal(mask == 255, np.isin(PARSING.labels, (CHEST, LEGS)) & (PARSING.people == 2))


def test_one_person_is_without_the_background_unless_it_is_asked_for() -> None:
    assert np.array_equal(Selection(people=frozenset({1})).mask(PARSING) == 255, PARSING.people == 1)
    both = Selection(only=read_classes("only", ["background", "person"]), people=frozenset({1})).mask(PARSING)
    assert np.array_equal(both == 255, PARSING.people != 2)


def test_only_without_what_is_excepted() -> None:
    mask = Selection(GROUPS["person"], frozenset({HEAD, CHEST})).mask(PARSING)
    assert np.array_equal(mask == 255, PARSING.labels == LEGS)
    assert not Selection(frozenset({HEAD}), frozenset({HEAD})).mask(PARSING).any()


def test_a_person_who_is_not_there_is_refused() -> None:
    with pytest.raises(InvalidOption, match="people names 3; there are 2 people"):
        Selection(people=frozenset({1, 3})).mask(PARSING)


def test_groups_cover_the_classes_that_they_are_named_for() -> None:
    assert GROUPS["background"] | GROUPS["person"] == set(range(NUM_CLASSES))
    assert {NAMES[i] for i in GROUPS["skin"]} == {
        "Torso-skin", "Face", "Left-arm", "Right-arm", "Left-leg", "Right-leg",
    }  # fmt: skip
    assert GROUPS["clothes"] & GROUPS["skin"] == set()
    assert GROUPS["clothes"] | GROUPS["skin"] | GROUPS["head"] == BOTH


@pytest.mark.parametrize("words", ["face,nose", "facé", 3, [3], {"face": 1}, None])
def test_words_that_are_refused(words: object) -> None:
    with pytest.raises(InvalidOption):
        read_classes("only", words)


@pytest.mark.parametrize("numbers", ["0", "1,x", "256", [0], [True], 1.5, -1, "²", {"a": 1}])
def test_people_that_are_refused(numbers: object) -> None:
    with pytest.raises(InvalidOption):
        read_people(numbers)


def test_people_in_every_way() -> None:
    assert read_people("1, 3") == read_people([1, 3]) == {1, 3}
    assert read_people(2) == {2}
    assert read_people("") == frozenset()
    assert read_classes("only", "Left-arm") == read_classes("only", "left_arm") == read_classes("only", "leftarm")


@pytest.mark.parametrize("value", ["-1", 201, "nan", True, None, [3]])
def test_feathers_that_are_refused(value: object) -> None:
    with pytest.raises(InvalidOption):
        read_feather(value)


def test_soft_edges_are_as_wide_as_asked_and_keep_the_middle() -> None:
    mask = np.zeros((9, 200), np.uint8)
    mask[:, 100:] = 255
    assert np.array_equal(soften(mask, 0), mask)
    row = soften(mask, 20)[4].astype(int)
    assert (np.diff(row) >= 0).all()
    assert row[80] == 0
    assert row[119] == 255
    assert abs(int(row[99]) + int(row[100]) - 255) <= 2
    assert 16 <= ((row > 5) & (row < 250)).sum() <= 22


def test_the_blend_is_exact_at_both_ends_and_even_between() -> None:
    rng = np.random.default_rng(9)
    image, changed = (rng.integers(0, 256, (40, 30, 3), np.uint8) for _ in range(2))
    mask = np.zeros((40, 30), np.uint8)
    mask[:10], mask[10:20] = 255, 128
    wanted = image * (1 - mask[..., None] / 255) + changed * (mask[..., None] / 255)
    mixed = blend(image, changed.copy(), mask)
    assert np.array_equal(mixed[:10], changed[:10])
    assert np.array_equal(mixed[20:], image[20:])
    assert np.abs(mixed - wanted).max() <= 0.51
