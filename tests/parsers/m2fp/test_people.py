"""From queries to people: the reference's instances and label map, and everybody's parts on top of it."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

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


Query = tuple[int, NDArray[np.bool_]]


def box(y0: int, y1: int, x0: int, x1: int) -> NDArray[np.bool_]:
    """A mask on the map of 32 by 48 cells."""
    mask = np.zeros((32, 48), np.bool_)
    mask[y0:y1, x0:x1] = True
    return mask


def answer(
    *queries: Query, strength: float = 4.0, sureness: dict[int, float] | None = None, threshold: float = THRESHOLD
) -> Maps:
    """What becomes of queries that are sure of one class each, in a photo of 4 pixels a cell; sureness: of masks."""
    logits = np.full((len(queries), NO_OBJECT + 1), -4, np.float32)
    for row, (class_id, _) in zip(logits, queries, strict=True):
        row[class_id] = strength
    masks = np.stack([np.where(mask, 6, -6) for _, mask in queries]).astype(np.float32)
    for index, logit in (sureness or {}).items():
        masks[index][masks[index] > 0] = logit
    return resolve(logits, masks, Frame((128, 192), (128, 192), (128, 192)), threshold, 1)


def owners(maps: Maps, *cells: tuple[int, int]) -> list[int]:
    """Whose the middles of cells (row, column) are."""
    return [int(maps.people[4 * row + 2, 4 * column + 2]) for row, column in cells]


def test_the_background_belongs_to_nobody_and_joins_nobody() -> None:
    """Parts that nobody covers stay two people though the background touches both, a human is none by background."""
    face, hat = box(2, 8, 2, 8), box(20, 26, 38, 44)
    apart = owners(answer((FACE, face), (HAT, hat), (0, ~face & ~hat)), (5, 5), (23, 41))
    assert sorted(apart) == [1, 2]
    known, other = box(4, 28, 4, 20), box(4, 28, 20, 40)  # of the other is in sight what the first one's sleeve covers
    queries = ((HUMAN, known), (HUMAN, other), (COAT, known), (UPPER, box(10, 13, 4, 26)))
    for more in ((), ((0, ~known),)):
        first, tip = owners(answer(*queries, *more, sureness={4: 2} if more else None), (20, 10), (11, 25))
        assert first == tip


@pytest.mark.parametrize(("shift", "people"), [(4, 1), (5, 2)])
def test_two_masks_are_of_one_human_where_more_than_three_fifths_are_shared(shift: int, people: int) -> None:
    """Of twenty columns each: 16 of 24 together, or 15 of 25."""
    one, other = box(4, 28, 4, 24), box(4, 28, 4 + shift, 24 + shift)
    maps = answer((HUMAN, one), (HUMAN, other), (HAT, box(4, 8, 4, 8)), (COAT, box(20, 28, 20, 24 + shift)))
    assert len(np.unique(maps.people[maps.people > 0])) == people


@pytest.mark.parametrize(("columns", "people"), [(2, 1), (1, 2)])
def test_a_part_is_somebodys_who_covers_a_tenth_of_it(columns: int, people: int) -> None:
    """Of twenty columns two, or one; below that it is a person of its own."""
    human = box(4, 28, 0, 10 + columns)
    maps = answer((HUMAN, human), (UPPER, box(4, 8, 0, 10)), (COAT, box(12, 20, 10, 30)))
    assert len(np.unique(maps.people[maps.people > 0])) == people


@pytest.mark.parametrize(("rows", "people"), [(5, 2), (4, 1)])
def test_somebody_without_parts_is_in_sight_where_others_parts_cover_a_fifth(rows: int, people: int) -> None:
    """A coat over both: of the second human's 24 rows five are a fifth, and four are not."""
    coat = box(4, 28, 4, 20) | box(4, 4 + rows, 20, 30)
    maps = answer((HUMAN, box(4, 28, 4, 20)), (HUMAN, box(4, 28, 20, 30)), (COAT, coat))
    left, right = owners(maps, (15, 10), (5, 25))
    assert len({left, right}) == people


def test_a_pixel_outside_its_own_person_is_of_the_one_who_covers_it_and_else_its_own() -> None:
    coat = box(4, 28, 4, 12) | box(10, 12, 12, 36)  # with a sleeve across the second person and beyond
    maps = answer((HUMAN, box(4, 28, 4, 12)), (HUMAN, box(4, 28, 20, 30)), (COAT, coat), (UPPER, box(14, 28, 20, 30)))
    first, between, second, beyond, body = owners(maps, (20, 8), (11, 16), (11, 25), (11, 33), (20, 25))
    assert first == between == beyond != second == body


@pytest.mark.parametrize("surer", [1, 2])
def test_of_those_who_cover_a_pixel_the_surest_has_it(surer: int) -> None:
    """A sleeve of the first human goes across two others, who overlap."""
    sleeve = box(4, 28, 0, 16) | box(10, 12, 16, 40)
    humans = [box(4, 28, 0, 16), box(2, 28, 18, 36), box(2, 16, 24, 46)]
    parts = [(COAT, sleeve), (HAT, box(20, 27, 20, 34)), (FACE, box(3, 9, 38, 45))]
    maps = answer(*((HUMAN, mask) for mask in humans), *parts, sureness={surer: 7})
    one, other, both = owners(maps, (22, 25), (5, 41), (11, 30))
    assert one != other and both == (one, other)[surer - 1]


@pytest.mark.parametrize("surer", [0, 1])
def test_of_two_parts_of_a_class_the_surer_has_the_pixel(surer: int) -> None:
    """Two coats that overlap, each on its human, who overlap as well."""
    masks = [box(4, 28, 4, 24), box(4, 28, 18, 40)]
    queries = [*((HUMAN, mask) for mask in masks), *((COAT, mask) for mask in masks)]
    maps = answer(*queries, sureness={2 + surer: 5, 3 - surer: 3})
    *both, between = owners(maps, (15, 8), (15, 35), (15, 21))
    assert sorted(both) == [1, 2] and between == both[surer]
    assert maps.confidence[62, 86] > maps.confidence[62, 34 if surer else 142]


@pytest.mark.parametrize(("strength", "seen"), [(-0.95, False), (-0.9, True)])
def test_what_is_less_than_half_sure_is_not_painted(strength: float, seen: bool) -> None:
    """Class probability, times the mask's mean, times the pixel's, lower at its edge: 0.494 and 0.506."""
    maps = answer((COAT, box(4, 28, 4, 20)), strength=strength)
    assert maps.labels.any() == maps.people.any() == seen
    assert maps.confidence.max() == (129 if seen else 0)


def test_one_may_be_as_sure_as_one_likes() -> None:
    """Beyond 88 the exponential is no float32."""
    assert answer((COAT, box(4, 28, 4, 20)), strength=500).labels.any()


@pytest.mark.parametrize(("threshold", "seen"), [(0.95, True), (0.99, False)])
def test_what_scores_less_than_the_threshold_is_not_painted(threshold: float, seen: bool) -> None:
    assert answer((COAT, box(4, 28, 4, 20)), threshold=threshold).labels.any() == seen


def test_scores_come_from_the_instances() -> None:
    person = parse_scene(SCENES["shrunk"]()).persons[0]
    assert 0.5 < person.score <= 1 and all(0.5 < part.score <= 1 for part in person.parts)


@settings(max_examples=30)
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
