"""From queries to people: the reference's instances and label map, and everybody's parts on top of it."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from humanparse.labels import NAMES
from humanparse.parsers.m2fp.frame import Frame, make_frame
from humanparse.parsers.m2fp.masks import enlarge, make_zoom
from humanparse.parsers.m2fp.people import Maps, resolve, select
from humanparse.records import ParserInfo, Parsing
from reference import seeded
from reference.scenes import COAT, FACE, HAT, HUMAN, NO_OBJECT, SCENES, UPPER, Canvas, Scene
from tests.parsers.m2fp.conftest import Golden

THRESHOLD = 0.3
TIE = 1e-4  # a pixel whose logit is nearer to zero than this may fall on either side


def frame_of(scene: Scene) -> Frame:
    return Frame(scene.original, scene.network, scene.padded)


def resolve_scene(scene: Scene, threads: int = 1) -> Maps:
    return resolve(scene.logits, scene.masks, frame_of(scene), THRESHOLD, threads)


def parse_scene(scene: Scene) -> Parsing:
    return Parsing.from_maps(*resolve_scene(scene), ParserInfo("m2fp", "test"))


@pytest.mark.parametrize("name", SCENES)
def test_scene_is_the_references(name: str, golden: Callable[[str], Golden]) -> None:
    scene = SCENES[name]()
    assert seeded.checksum(scene.logits, scene.masks) == str(golden("postprocess")[f"{name}_input_sha256"])


@pytest.mark.parametrize("name", SCENES)
def test_instances_are_the_references(name: str, golden: Callable[[str], Golden]) -> None:
    expected, scene = golden("postprocess"), SCENES[name]()
    zoom = make_zoom(scene.masks.shape[1:], frame_of(scene))
    found = [i for i in select(scene.logits, scene.masks, zoom) if i.class_id != 0]
    for kind, mine in (
        ("part", [i for i in found if i.class_id != HUMAN]),
        ("human", [i for i in found if i.class_id == HUMAN]),
    ):
        labels, scores = expected[f"{name}_{kind}_labels"], expected[f"{name}_{kind}_scores"]
        assert [i.class_id for i in mine] == labels.tolist()
        np.testing.assert_allclose([i.score for i in mine], scores, atol=1e-5)
        for instance, bits in zip(mine, expected[f"{name}_{kind}_masks"], strict=True):
            logits = enlarge(scene.masks[instance.query], zoom)
            wanted = np.unpackbits(bits, count=logits.size).reshape(logits.shape) > 0
            assert not (((logits > 0) != wanted) & (abs(logits) > TIE)).any()


@pytest.mark.parametrize("name", SCENES)
@pytest.mark.parametrize("threads", [1, 3])
def test_label_map_is_the_references(name: str, threads: int, golden: Callable[[str], Golden]) -> None:
    labels = resolve_scene(SCENES[name](), threads).labels
    differ = labels != golden("postprocess")[f"{name}_semantic_labels"]
    assert differ.sum() <= 2, "more than a tie or two"


def count_by_name(scene: Scene) -> list[set[str]]:
    return [{part.name for part in person.parts} for person in parse_scene(scene).persons]


def test_everybody_has_their_own_parts() -> None:
    """Two overlapping people and one apart, eight parts each, and the lone coat is somebody's who is not in sight."""
    people = count_by_name(SCENES["family"]())
    whole = {"Hair", "Face", "UpperClothes", "Left-arm", "Right-arm", "Pants", "Left-shoe", "Right-shoe"}
    assert [person for person in people if person == whole] == [whole] * 3
    assert [person for person in people if person != whole] == [{"Coat"}]


def test_empty_scene_has_nobody() -> None:
    parsing = parse_scene(SCENES["empty"]())
    assert not parsing.persons and not parsing.labels.any()


def test_people_without_parts_are_left_out_and_parts_without_people_kept() -> None:
    people = count_by_name(SCENES["strangers"]())
    assert len(people) == 2  # of the three, one has no parts; the hat is lost to the sure background
    assert {"Face", "UpperClothes", "Pants"} in people


def test_one_found_twice_is_one() -> None:
    assert len(parse_scene(SCENES["twins"]()).persons) == 2


def scene_of(fill: Callable[[Canvas], None]) -> Scene:
    canvas = Canvas((128, 192), 9)
    fill(canvas)
    canvas.nothing(3)
    return canvas.scene((128, 192), (128, 192))


def test_a_part_across_two_people_is_shared_out() -> None:
    """A mask of one class for everybody (as for one part on many): each pixel goes to who covers it."""

    def fill(canvas: Canvas) -> None:
        canvas.query({HUMAN: 4.0}, canvas.ellipse(0.5, 0.25, 0.4, 0.2))
        canvas.query({HUMAN: 4.0}, canvas.ellipse(0.5, 0.7, 0.4, 0.2))
        canvas.query({UPPER: 4.0}, canvas.ellipse(0.5, 0.5, 0.2, 0.6))

    parsing = parse_scene(scene_of(fill))
    assert len(parsing.persons) == 2
    _, width = parsing.size
    for x in (0.25, 0.7):
        assert parsing.people[64, int(x * width)] > 0
    assert parsing.people[64, int(0.25 * width)] != parsing.people[64, int(0.7 * width)]


def test_a_part_sticks_out_of_its_person() -> None:
    def fill(canvas: Canvas) -> None:
        canvas.query({HUMAN: 4.0}, canvas.ellipse(0.5, 0.5, 0.3, 0.15))
        canvas.query({COAT: 4.0}, canvas.ellipse(0.5, 0.5, 0.4, 0.3))

    parsing = parse_scene(scene_of(fill))
    assert [person.parts[0].name for person in parsing.persons] == ["Coat"]
    assert np.array_equal(parsing.people > 0, parsing.labels == COAT)


def test_touching_orphans_are_one_person_and_a_far_one_another() -> None:
    def fill(canvas: Canvas) -> None:
        canvas.query({FACE: 4.0}, canvas.ellipse(0.3, 0.3, 0.1, 0.1))
        canvas.query({UPPER: 4.0}, canvas.ellipse(0.5, 0.3, 0.15, 0.12))
        canvas.query({HAT: 4.0}, canvas.ellipse(0.5, 0.8, 0.1, 0.1))

    assert sorted(map(sorted, count_by_name(scene_of(fill)))) == [["Face", "UpperClothes"], ["Hat"]]


def test_scores_come_from_the_instances() -> None:
    person = parse_scene(SCENES["shrunk"]()).persons[0]
    assert 0.5 < person.score <= 1 and all(0.5 < part.score <= 1 for part in person.parts)


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 2**31), st.integers(1, 90), st.integers(1, 90), st.integers(1, 3))
def test_laws_hold_for_any_answer_and_size(seed: int, height: int, width: int, threads: int) -> None:
    """`Parsing.from_maps` refuses maps that break a law; noise of any size must never get there."""
    rng = np.random.default_rng(seed)
    frame = make_frame((height, width))
    cells = frame.padded[0] // 4, frame.padded[1] // 4
    coarse = rng.normal(0, 4, (12, cells[0] // 8 + 1, cells[1] // 8 + 1)).astype(np.float32)
    masks = np.ascontiguousarray(coarse.repeat(8, 1).repeat(8, 2)[:, : cells[0], : cells[1]])
    logits = rng.normal(0, 4, (12, NO_OBJECT + 1)).astype(np.float32)
    maps = resolve(logits, masks, frame, THRESHOLD, threads)
    parsing = Parsing.from_maps(*maps, ParserInfo("m2fp", "test"))
    assert parsing.size == (height, width)
    assert all(part.id < len(NAMES) for person in parsing.persons for part in person.parts)
    assert all(np.array_equal(a, b) for a, b in zip(maps, resolve(logits, masks, frame, THRESHOLD, 1), strict=True))
