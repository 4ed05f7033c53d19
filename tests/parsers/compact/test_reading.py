"""What the network's maps say of a photo: in its place and size, by the same rules for everybody."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from humanparse.labels import NAMES
from humanparse.parsers.compact.frame import Frame, prepare
from humanparse.parsers.compact.reading import Maps, drop_specks, look, read_out
from humanparse.records import ParserInfo, Parsing
from tests.test_records import check_laws

COAT, PANTS, FACE = (NAMES.index(name) for name in ("Coat", "Pants", "Face"))


def frame_of(height: int, width: int) -> Frame:
    return prepare(np.zeros((height, width, 3), np.uint8), 256)


def maps_of(frame: Frame, *boxes: tuple[int, int, int, int, int]) -> Maps:
    """A network that is sure: boxes (class, y0, y1, x0, x1), in cells, each a person with all joints in its middle."""
    cells = frame.padded.shape[0] // 4, frame.padded.shape[1] // 4
    parts, people = np.zeros((20, *cells), np.float32), np.zeros((3, *cells), np.float32)
    joints = np.full((17, *cells), -9, np.float32)
    parts[0], people[0] = 4, -9
    rows, columns = np.mgrid[: cells[0], : cells[1]]
    for index, y0, y1, x0, x1 in boxes:
        box, y, x = np.s_[y0:y1, x0:x1], (y0 + y1) // 2, (x0 + x1) // 2
        parts[index][box] = 8
        people[1][box], people[2][box] = (y - rows[box]) / 16, (x - columns[box]) / 16
        people[0, y, x], joints[:, y, x] = 4, 4
    return Maps(parts, people, joints)


@settings(max_examples=40)
@given(st.integers(0, 2**31), st.integers(1, 90), st.integers(1, 90), st.booleans())
def test_laws_hold_for_any_maps_and_size(seed: int, height: int, width: int, joints: bool) -> None:
    """`Parsing.from_maps` refuses what contradicts itself; noise of any size must never get there."""
    rng, frame = np.random.default_rng(seed), frame_of(height, width)
    coarse = frame.padded.shape[0] // 16, frame.padded.shape[1] // 16

    def noise(planes: int) -> np.ndarray:
        return rng.normal(0, 3, (planes, *coarse)).astype(np.float32).repeat(4, 1).repeat(4, 2)

    maps = Maps(noise(20), noise(3), noise(17) if joints else None)
    before = [None if head is None else head.copy() for head in maps]
    reading = read_out(maps, frame, (height, width))
    assert all(np.array_equal(head, copy) for head, copy in zip(maps, before, strict=True) if head is not None)
    parsing = Parsing.from_maps(*reading[:3], ParserInfo("compact", "test"), reading.keypoints)
    check_laws(parsing)
    assert parsing.size == (height, width)
    assert (reading.keypoints is not None) == joints
    assert reading.whose.shape == tuple(-(-side // 4) for side in frame.inner)


@pytest.mark.parametrize("size", [(256, 160), (512, 320), (1024, 640), (64, 40), (100, 63)])
def test_a_person_is_where_the_network_saw_it(size: tuple[int, int]) -> None:
    """Whatever the photo's size: the box 10 to 40 of 64 cells down, 5 to 30 of 40 across."""
    frame = frame_of(*size)
    reading = read_out(maps_of(frame, (COAT, 10, 40, 5, 30)), frame, size)
    (person,) = Parsing.from_maps(*reading[:3], ParserInfo("compact", "test"), reading.keypoints).persons
    cell = size[0] / (frame.inner[0] / 4), size[1] / (frame.inner[1] / 4)
    assert [part.name for part in person.parts] == ["Coat"]
    assert person.box == pytest.approx((5 * cell[1], 10 * cell[0], 30 * cell[1], 40 * cell[0]), abs=0.5 * cell[0] + 1)
    x, y, score = person.keypoints[3]
    assert (x, y) == pytest.approx((17.5 * cell[1] - 0.5, 25.5 * cell[0] - 0.5), abs=0.1)
    assert score == pytest.approx(1 / (1 + np.exp(-4)), abs=1e-3)


def test_an_edge_is_where_the_two_classes_are_equal() -> None:
    """Half-way between the middles of two cells, since each is four better than the other there."""
    frame = frame_of(256, 160)
    labels = read_out(maps_of(frame, (COAT, 10, 40, 5, 30)), frame, (256, 160)).labels
    assert np.array_equal(np.flatnonzero(labels[80]), np.arange(20, 120))
    assert np.array_equal(np.flatnonzero(labels[:, 80]), np.arange(40, 160))


def test_a_strip_is_read_by_its_own_scale_in_each_direction() -> None:
    """Seen at 2 by 256 pixels: half a cell for its six rows, 64 for its 640 columns."""
    frame = frame_of(6, 640)
    reading = read_out(maps_of(frame, (COAT, 0, 1, 10, 40)), frame, (6, 640))
    assert frame.inner == (2, 256)
    assert np.array_equal(np.unique(np.nonzero(reading.labels)[1]), np.arange(100, 400))
    assert reading.keypoints is not None and reading.keypoints[0, 0, 0] == pytest.approx(254.5, abs=0.1)


def test_two_people_have_their_own_pixels_and_points() -> None:
    frame = frame_of(256, 256)
    reading = read_out(maps_of(frame, (COAT, 10, 50, 5, 30), (PANTS, 10, 50, 30, 55)), frame, (256, 256))
    left, right = reading.people[120, 60], reading.people[120, 180]
    assert {left, right} == {1, 2}
    assert (reading.people[44:196, 24:116] == left).all() and (reading.people[44:196, 124:216] == right).all()
    assert (reading.labels[44:196, 24:116] == COAT).all() and (reading.labels[44:196, 124:216] == PANTS).all()
    assert reading.keypoints is not None
    assert reading.keypoints[left - 1, 0, 0] < 120 < reading.keypoints[right - 1, 0, 0]
    assert np.array_equal(reading.whose == left, np.pad(np.ones((40, 25), bool), ((10, 14), (5, 34))))


@pytest.mark.parametrize("index", range(1, len(NAMES)))
def test_every_class_but_the_background_is_somebodys(index: int) -> None:
    frame = frame_of(256, 256)
    reading = read_out(maps_of(frame, (index, 10, 50, 5, 30)), frame, (256, 256))
    assert reading.whose[30, 17] == reading.people[120, 70] == 1
    assert reading.labels[120, 70] == index


def test_the_padding_says_nothing() -> None:
    frame = frame_of(256, 150)
    maps = maps_of(frame, (COAT, 10, 40, 5, 30))
    plain = read_out(maps, frame, (256, 150))
    for head in maps:
        assert head is not None
        head[:, :, 38:] = 50  # beyond the 37.5 cells of the photo
    for one, other in zip(plain, read_out(maps, frame, (256, 150)), strict=True):
        assert np.array_equal(one, other)


def test_confidence_is_the_probability_of_the_class_that_won() -> None:
    frame = frame_of(256, 256)
    maps = maps_of(frame, (COAT, 10, 50, 5, 30))
    maps.parts[:] = -99
    maps.parts[0], maps.parts[COAT, 10:50, 5:30] = 0, np.log(6)
    confidence = read_out(maps, frame, (256, 256)).confidence
    assert (confidence[60:180, 40:100] == round(255 * 6 / 7)).all()
    assert (confidence[:, 150:] == 255).all()
    between = (250.5, 241.5, 232.5, 223.5)  # from the middle of one cell to that of the next
    assert confidence[38:42, 80] == pytest.approx(between, abs=1)
    assert confidence[80, 18:22] == pytest.approx(between, abs=1)


def test_who_is_dropped_is_nobody_for_sure() -> None:
    """Also where a neighbour's cells are: nothing of the dropped one is left between them."""
    frame = frame_of(256, 256)
    maps = maps_of(frame, (COAT, 10, 50, 5, 30), (PANTS, 40, 50, 50, 60))
    maps.people[0, 45, 55] = -9  # no peak, and nobody else whom it could belong to
    reading = read_out(maps, frame, (256, 256))
    assert set(np.unique(reading.labels)) == {0, COAT}
    assert (reading.confidence[164:196, 204:236] == 255).all()


def test_nobody_is_nobody() -> None:
    frame = frame_of(100, 80)
    reading = read_out(maps_of(frame), frame, (100, 80))
    assert not reading.labels.any() and not reading.people.any() and not reading.whose.any()
    assert reading.keypoints is not None and reading.keypoints.shape == (0, 17, 3)


def test_a_leg_on_the_wrong_side_is_settled_person_by_person() -> None:
    left, right = NAMES.index("Left-leg"), NAMES.index("Right-leg")
    frame = frame_of(256, 256)
    maps = maps_of(frame, (left, 10, 50, 5, 30))
    maps.parts[right, 20:24, 10:14] = 9
    labels = read_out(maps, frame, (256, 256)).labels
    assert set(np.unique(labels)) == {0, left}


@given(st.integers(0, 2**31), st.integers(1, 20))
def test_at_a_cell_only_the_class_that_won_is_taken_away(seed: int, classes: int) -> None:
    logits = np.random.default_rng(seed).integers(-3, 3, (20, 6, 9)).astype(np.float32)
    logits[classes:] = -9
    cleaned = drop_specks(logits)
    changed = cleaned != logits
    assert (cleaned[changed] == -30).all()
    assert changed.sum(axis=0).max() <= 1
    assert (logits.argmax(axis=0)[changed.any(axis=0)] == changed.argmax(axis=0)[changed.any(axis=0)]).all()


@pytest.mark.parametrize(("cells", "stays"), [(3, False), (4, True)])
def test_a_patch_of_four_cells_stays(cells: int, stays: bool) -> None:
    logits = np.zeros((20, 12, 12), np.float32)
    logits[0] = 1
    logits[5, range(cells), range(cells)] = 3  # corner to corner
    assert drop_specks(logits).argmax(axis=0).any() == stays


def test_a_close_up_is_looked_at_again_from_further_away() -> None:
    """And what is told then is what the second look saw."""
    seen: list[tuple[int, ...]] = []

    def infer(padded: np.ndarray) -> Maps:
        seen.append(padded.shape[:2])
        frame = Frame(padded, (padded.shape[0], padded.shape[1]))
        tall = (FACE, 2, 60, 2, 60) if len(seen) == 1 else (COAT, 5, 30, 5, 30)
        return maps_of(frame, tall)

    reading, inner = look(np.zeros((512, 512, 3), np.uint8), 512, infer)
    assert seen == [(512, 512), (192, 192)] and inner == (192, 192)
    assert set(np.unique(reading.labels)) == {0, COAT}
    assert reading.labels[500, 500] == 0 and reading.labels[200, 200] == COAT


def test_what_is_no_close_up_is_looked_at_once() -> None:
    seen: list[tuple[int, ...]] = []

    def infer(padded: np.ndarray) -> Maps:
        seen.append(padded.shape[:2])
        return maps_of(Frame(padded, (padded.shape[0], padded.shape[1])), (COAT, 5, 30, 5, 30))

    reading, inner = look(np.zeros((600, 1000, 3), np.uint8), 512, infer)
    assert seen == [(320, 512)] and inner == (307, 512)
    assert reading.labels.shape == (600, 1000) and reading.labels[100, 100] == COAT
