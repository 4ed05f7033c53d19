"""The laws of a Parsing, over random maps."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from humanparse.records import ParserInfo, Parsing

INFO = ParserInfo("test", "1")


@st.composite
def maps(draw: st.DrawFn) -> tuple[NDArray[np.uint8], NDArray[np.uint8], NDArray[np.uint8]]:
    """labels, people and confidence that agree, of any size from 1x1 to 30x30."""
    height, width = draw(st.integers(1, 30)), draw(st.integers(1, 30))
    crowd = draw(st.integers(0, 6))
    rng = np.random.default_rng(draw(st.integers(0, 2**32)))
    people = rng.integers(0, crowd + 1, (height, width)).astype(np.uint8) * np.uint8(draw(st.integers(1, 40)))
    labels = np.where(people > 0, rng.integers(1, 20, (height, width)), 0).astype(np.uint8)
    return labels, people, rng.integers(0, 256, (height, width)).astype(np.uint8)


def check_laws(parsing: Parsing) -> None:
    """The invariants that design and docs promise of every Parsing, whoever made it."""
    labels, people = parsing.labels, parsing.people
    assert labels.dtype == people.dtype == np.uint8
    assert labels.shape == people.shape == parsing.size
    assert np.array_equal(labels > 0, people > 0)
    numbers = [person.number for person in parsing.persons]
    assert numbers == list(range(1, len(numbers) + 1))
    assert set(np.unique(people)) - {0} == set(numbers)
    areas = [person.area for person in parsing.persons]
    assert areas == sorted(areas, reverse=True)
    for person in parsing.persons:
        mine = people == person.number
        assert person.area == mine.sum() > 0
        assert person.area == sum(part.area for part in person.parts)
        assert person.box == tight_box(mine)
        assert 0 <= person.score <= 1
        assert {type(value) for each in (person, *person.parts) for value in (each.area, *each.box)} == {
            int
        }  # for JSON
        assert len(person.keypoints) in (0, 17)
        for x, y, score in person.keypoints:
            assert 0 <= x <= labels.shape[1] - 1
            assert 0 <= y <= labels.shape[0] - 1
            assert 0 <= score <= 1
        assert [part.id for part in person.parts] == sorted(set(np.unique(labels[mine])))
        for part in person.parts:
            mask = mine & (labels == part.id)
            assert part.area == mask.sum() > 0
            assert part.box == tight_box(mask)
            assert 0 <= part.score <= 1


def tight_box(mask: NDArray[np.bool_]) -> tuple[int, int, int, int]:
    ys, xs = np.nonzero(mask)
    return int(xs.min()), int(ys.min()), int(xs.max()) + 1, int(ys.max()) + 1


@given(maps())
def test_a_parsing_keeps_its_laws(given_maps: tuple[NDArray[np.uint8], ...]) -> None:
    labels, people, confidence = given_maps
    parsing = Parsing.from_maps(labels, people, confidence, INFO)
    check_laws(parsing)
    assert np.array_equal(parsing.labels, labels)
    for number in np.unique(people[people > 0]):  # the same people, under new numbers
        assert len(np.unique(parsing.people[people == number])) == 1


@given(maps())
def test_scores_are_mean_confidences(given_maps: tuple[NDArray[np.uint8], ...]) -> None:
    labels, people, confidence = given_maps
    parsing = Parsing.from_maps(labels, people, confidence, INFO)
    for person in parsing.persons:
        mine = parsing.people == person.number
        scored = [(person.score, mine), *((part.score, mine & (labels == part.id)) for part in person.parts)]
        for score, mask in scored:
            assert score == round(score, 4) == pytest.approx(confidence[mask].mean() / 255, abs=1e-4)


def test_there_may_be_255_people_and_nobody() -> None:
    people = np.arange(256, dtype=np.uint8).reshape(8, 32)[::-1]
    labels = (people > 0).astype(np.uint8)
    points = np.zeros((255, 17, 3), np.float32)
    parsing = Parsing.from_maps(labels, people, people, INFO, points)
    check_laws(parsing)
    assert len(parsing.persons) == 255
    assert np.array_equal(parsing.people, people)  # all of one size: each keeps its number
    empty = np.zeros_like(labels)
    assert not Parsing.from_maps(empty, empty, empty, INFO, points[:0]).persons


def test_key_points_follow_their_person_to_its_new_number_and_stay_in_the_photo() -> None:
    people = np.array([[1, 3, 3], [0, 3, 7], [0, 0, 0]], np.uint8)
    points = np.zeros((7, 17, 3), np.float32)
    points[:, :, 0], points[:, :, 2] = np.arange(1, 8)[:, None] / 10, 0.5
    points[6, 0], points[0, 0], points[2, 0] = (-4, 99, 0.1), (99, -4, 1.2), (1.26, 0.74, 0.123456)
    parsing = Parsing.from_maps((people > 0).astype(np.uint8), people, people, INFO, points)
    check_laws(parsing)
    assert [person.keypoints[1] for person in parsing.persons] == [(0.3, 0, 0.5), (0.1, 0, 0.5), (0.7, 0, 0.5)]
    assert [person.keypoints[0] for person in parsing.persons] == [(1.3, 0.7, 0.1235), (2, 0, 1), (0, 2, 0.1)]


@pytest.mark.parametrize("shape", [(6, 17, 3), (7, 18, 3), (7, 17, 2)])
def test_key_points_that_do_not_fit_are_refused(shape: tuple[int, ...]) -> None:
    people = np.array([[7, 3]], np.uint8)
    with pytest.raises(ValueError, match=r"\(7, 17, 3\) is expected"):
        Parsing.from_maps(people, people, people, INFO, np.zeros(shape, np.float32))


def test_equal_areas_keep_their_order() -> None:
    people = np.array([[7, 3]], np.uint8)
    parsing = Parsing.from_maps(np.array([[5, 6]], np.uint8), people, people, INFO)
    assert parsing.people.tolist() == [[2, 1]]


@pytest.mark.parametrize(
    ("labels", "people", "reason"),
    [
        ([[1, 0]], [[0, 1]], "disagree"),
        ([[20, 0]], [[1, 0]], "not a class id"),
        ([[1], [0]], [[1, 0]], "differ in size"),
    ],
)
def test_maps_that_contradict_are_refused(labels: list[list[int]], people: list[list[int]], reason: str) -> None:
    with pytest.raises(ValueError, match=reason):
        Parsing.from_maps(np.array(labels, np.uint8), np.array(people, np.uint8), np.zeros((1, 2), np.uint8), INFO)


def test_maps_of_a_parsing_are_read_only() -> None:
    one = np.ones((2, 2), np.uint8)
    parsing = Parsing.from_maps(one.copy(), one, one, INFO)
    with pytest.raises(ValueError, match="read-only"):
        parsing.labels[0, 0] = 0
