"""Laws of tracking, on drawn people whose identities are known."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import settings as examples
from hypothesis import strategies as st

from humanparse.records import Parsing
from humanparse.video.tracking import KEEP_S, Tracker
from tests.parsings import parsings
from tests.video.crowds import BLUE, GREEN, INFO, RED, YELLOW, Body, draw, owners, parsing_of

RATE = 10.0
LOOKS = [(RED, BLUE), (GREEN, YELLOW), (BLUE, BLUE), (YELLOW, RED)]


def follow(frames: Sequence[Sequence[Body | None]], rate: float = RATE) -> list[dict[int, int]]:
    """For each frame: place in the list of bodies -> the number that the tracker gave."""
    tracker, told = Tracker(), []
    for index, bodies in enumerate(frames):
        image, whose = draw(bodies)
        parsing = parsing_of(whose)
        ids = tracker.update(parsing.people, parsing.persons, image, index / rate)
        assert len(set(ids)) == len(parsing.persons)
        told.append(dict(zip(owners(parsing, whose), ids, strict=True)))
    return told


def numbers(told: list[dict[int, int]]) -> dict[int, set[int]]:
    """Place -> every number that it ever had."""
    places = {place for frame in told for place in frame}
    return {place: {frame[place] for frame in told if place in frame} for place in places}


def each_kept_its_own(told: list[dict[int, int]]) -> bool:
    found = numbers(told)
    return all(len(ids) == 1 for ids in found.values()) and len(set.union(*found.values())) == len(found)


def test_people_who_walk_keep_their_numbers() -> None:
    frames = [[Body(10 + 3 * t), Body(60, shirt=GREEN), Body(170 - 2 * t, shirt=BLUE)] for t in range(15)]
    told = follow(frames)
    assert each_kept_its_own(told)
    assert set.union(*numbers(told).values()) == {1, 2, 3}


def test_numbers_do_not_follow_size_though_the_frames_own_do() -> None:
    """The larger is person 1 of a frame; halfway the other one is larger."""
    frames = [[Body(30, h=80 - 4 * t), Body(120, h=40 + 4 * t, shirt=GREEN)] for t in range(10)]
    assert each_kept_its_own(follow(frames))


@pytest.mark.parametrize("speed", [2, 5, 9, 15])
@pytest.mark.parametrize("looks", [(RED, GREEN), (RED, RED)])
def test_people_who_pass_each_other_keep_their_numbers(speed: int, looks: tuple[tuple[int, int, int], ...]) -> None:
    """One is wholly behind the other for a moment; with the same clothes only their ways tell them apart."""
    count = 160 // speed
    frames = [[Body(10 + speed * t, shirt=looks[0]), Body(170 - speed * t, shirt=looks[1], h=62)] for t in range(count)]
    told = follow(frames)
    assert each_kept_its_own(told), told


def test_somebody_faster_than_their_own_width_is_followed_by_the_box() -> None:
    frames = [[Body(5 + 30 * t), Body(150, shirt=GREEN)] for t in range(4)]
    assert each_kept_its_own(follow(frames))


@pytest.mark.parametrize("gone", [1, 5, 25])
def test_somebody_who_was_away_gets_their_number_back(gone: int) -> None:
    here = [Body(40), Body(120, shirt=GREEN)]
    told = follow([here] * 4 + [[None, here[1]]] * gone + [here] * 4)
    assert each_kept_its_own(told)


def test_after_too_long_they_are_somebody_new() -> None:
    here = [Body(40), Body(120, shirt=GREEN)]
    told = follow([here] * 3 + [[None, here[1]]] * (int(KEEP_S * RATE) + 2) + [here])
    assert told[-1][0] == 3
    assert told[-1][1] == told[0][1]


def test_somebody_new_gets_a_new_number_even_where_another_has_just_left() -> None:
    told = follow([[Body(40, shirt=RED, trousers=RED)]] * 4 + [[None, Body(44, shirt=GREEN, trousers=GREEN)]] * 4)
    assert told[0][0] == 1
    assert {frame[1] for frame in told[4:]} == {2}


def test_a_number_is_never_given_again() -> None:
    """Four hundred people, one after the other: more than a frame could hold."""
    looks = [replace(Body(40), shirt=LOOKS[n % 4][0], trousers=LOOKS[n % 4][1]) for n in range(400)]
    told = follow([[body] for body in looks], rate=0.1)
    assert [frame[0] for frame in told] == list(range(1, 401))


def test_a_cut_to_others_in_the_same_places_gives_new_numbers() -> None:
    before = [Body(40, shirt=RED, trousers=RED), Body(120, shirt=GREEN, trousers=GREEN), None, None]
    after = [
        None,
        None,
        Body(46, y=36, w=26, shirt=BLUE, trousers=YELLOW),
        Body(126, y=24, shirt=YELLOW, trousers=BLUE),
    ]
    assert each_kept_its_own(follow([before] * 3 + [after] * 3))


def test_people_too_small_for_the_grid_are_told_apart_all_the_same() -> None:
    """One pixel of a picture of 2000: it may fall between the cells."""
    tracker = Tracker()
    for t in range(4):
        people = np.zeros((40, 2000), np.uint8)
        people[7, 300 + t], people[20, 1500 + t] = 1, 2
        parsing = parsing_of(people.astype(np.intp) - 1)
        ids = tracker.update(parsing.people, parsing.persons, np.zeros((40, 2000, 3), np.uint8), t / RATE)
        left = [id for id, person in zip(ids, parsing.persons, strict=True) if person.box[0] < 1000]
        assert left == [1] and sorted(ids) == [1, 2]


@given(st.permutations(range(4)), st.integers(-6, 6), st.integers(-4, 4))
@examples(max_examples=40)
def test_the_order_of_people_in_a_frame_does_not_matter(order: list[int], right: int, down: int) -> None:
    first = [Body(10 + 45 * n, 30, shirt=LOOKS[n][0], trousers=LOOKS[n][1]) for n in range(4)]
    then = [replace(body, x=body.x + right, y=body.y + down) for body in first]
    tracker = Tracker()
    image, whose = draw(first)
    parsing = parsing_of(whose)
    before = dict(zip(owners(parsing, whose), tracker.update(parsing.people, parsing.persons, image, 0.0), strict=True))
    image, whose = draw(then)
    table = np.array([0, *(1 + place for place in order)], np.uint8)
    people = table[whose + 1]
    parsing = Parsing.from_maps(
        np.where(people > 0, 5, 0).astype(np.uint8), people, np.full(people.shape, 9, np.uint8), INFO
    )
    ids = tracker.update(parsing.people, parsing.persons, image, 0.1)
    assert dict(zip(owners(parsing, whose), ids, strict=True)) == before


@given(st.lists(parsings(), min_size=1, max_size=6))
@examples(max_examples=60)
def test_whatever_comes_nobody_shares_a_number_and_new_ones_only_grow(frames: list[Parsing]) -> None:
    tracker, highest = Tracker(), 0
    for t, parsing in enumerate(frames):
        image = np.repeat(parsing.labels[:, :, None] * 12, 3, axis=2)
        ids = tracker.update(parsing.people, parsing.persons, image, t / RATE)
        assert len(ids) == len(set(ids)) == len(parsing.persons)
        new = sorted(id for id in ids if id > highest)
        assert new == list(range(highest + 1, highest + 1 + len(new)))
        highest += len(new)
