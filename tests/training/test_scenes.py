"""Composed scenes: labels and people agree, sides follow flips, and a key decides everything."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from training.dataset import IGNORE, Sample, class_weights, read_samples, repeat_weights
from training.placing import FLIP
from training.scenes import MIN_VISIBLE, Scene, make_scene
from training.targets import make_targets


@pytest.fixture(scope="module")
def samples(data: Path) -> list[Sample]:
    return read_samples(data, "train")


def scenes(samples: list[Sample], count: int = 40) -> list[Scene]:
    return [make_scene(samples, i % len(samples), (128, 96), np.random.default_rng(i)) for i in range(count)]


def test_labels_are_read_as_ids(samples: list[Sample]) -> None:
    assert set(np.unique(samples[0].labels)) == {0, 7, 13, 14, 15, 16, 17, 18, 19, IGNORE}


def test_a_bag_in_front_of_the_body_is_cut_out_with_it(samples: list[Sample]) -> None:
    sample = samples[0]
    assert sample.person[sample.labels == IGNORE].all()
    assert not sample.person[sample.labels == 0].any()


def test_arrays_fit_and_every_part_is_somebodys(samples: list[Sample]) -> None:
    for scene in scenes(samples):
        assert scene.image.shape == (128, 96, 3)
        assert scene.labels.shape == scene.people.shape == (128, 96)
        seen = (scene.labels > 0) & (scene.labels != IGNORE)
        lone = seen & (scene.people == 0)
        assert lone.sum() < 4 * MIN_VISIBLE  # only people of whom next to nothing is in sight
        assert not (scene.people[scene.labels == 0]).any()


def test_people_are_numbered_without_gaps_and_come_in_crowds(samples: list[Sample]) -> None:
    counts = []
    for scene in scenes(samples):
        numbers = np.unique(scene.people)
        assert numbers.max() == len(numbers) - (0 in numbers)
        counts.append(int(numbers.max()))
    assert max(counts) >= 4
    assert min(counts) == 0


def test_a_crowd_is_as_large_as_asked_for_but_for_who_is_hidden(samples: list[Sample]) -> None:
    for crowd in range(9):
        found = [make_scene(samples, 0, (128, 96), np.random.default_rng(i), crowd).people.max() for i in range(8)]
        assert max(found) <= crowd
        assert max(found) >= crowd / 2


def test_key_points_stay_on_their_part_of_their_person(samples: list[Sample]) -> None:
    """Of the elbows and knees that are in sight; a pixel on the edge of the part may be lost by rounding."""
    on, off = 0, 0
    for scene in scenes(samples):
        assert scene.points.shape == (int(scene.people.max()), 17, 3)
        for number, points in enumerate(scene.points, start=1):
            for joint, part in ((7, 14), (8, 15), (13, 16), (14, 17)):
                x, y = points[joint, :2].round().astype(int)
                if 0 <= x < 96 and 0 <= y < 128 and scene.people[y, x] == number:
                    on, off = on + (scene.labels[y, x] == part), off + (scene.labels[y, x] != part)
    assert on > 100
    assert off < 0.05 * on


def test_joints_are_learned_where_they_are_in_sight_and_only_there(samples: list[Sample]) -> None:
    for scene in scenes(samples, 12):
        targets = make_targets(scene)
        heat, learn = targets["joints"], targets["joints_known"]
        assert heat.shape == learn.shape == (17, 32, 24)
        people = np.pad(scene.people[2::4, 2::4], 1)
        for joint, row, column in zip(*np.nonzero(heat == 1), strict=True):
            assert learn[joint, row, column]
            assert people[row : row + 3, column : column + 3].any()
    hidden = replace(scene, points=scene.points * (1, 1, 0))
    assert not make_targets(hidden)["joints"].any()
    assert not make_targets(hidden)["joints_known"][:, scene.people[2::4, 2::4] > 0].any()


def test_fields_say_which_limb_is_nearer_also_beside_the_limb(samples: list[Sample]) -> None:
    right, wrong, clothed = 0, 0, 0
    for scene in scenes(samples):
        fields = make_targets(scene)["fields"]
        labels, people = (maps[2::4, 2::4] for maps in (scene.labels, scene.people))
        assert fields.shape == (2, *people.shape) and not fields[:, people == 0].any()
        for field, left, other in ((fields[0], 14, 15), (fields[1], 16, 17)):
            right += int((field[labels == left] == 1).sum() + (field[labels == other] == -1).sum())
            wrong += int((field[labels == left] == -1).sum() + (field[labels == other] == 1).sum())
        clothed += int((fields[:, labels == 7] != 0).sum())
    assert right > 500 and clothed > 100
    assert wrong < 0.05 * right
    hidden = replace(scene, points=scene.points * (1, 1, 0))
    assert not make_targets(hidden)["fields"].any()


def test_the_same_key_gives_the_same_scene(samples: list[Sample]) -> None:
    one, two = (make_scene(samples, 1, (96, 128), np.random.default_rng(9)) for _ in range(2))
    assert np.array_equal(one.image, two.image)
    assert np.array_equal(one.labels, two.labels)


def test_a_flip_swaps_sides_and_nothing_else() -> None:
    assert [FLIP[i] for i in (14, 15, 16, 17, 18, 19)] == [15, 14, 17, 16, 19, 18]
    assert np.array_equal(FLIP[FLIP], np.arange(256))
    assert all(FLIP[i] == i for i in (*range(14), IGNORE))


def test_left_and_right_stay_the_persons_own(samples: list[Sample]) -> None:
    """The drawn person faces us: its right arm is on our left, unless the photo was flipped with swapped names."""
    for scene in scenes(samples):
        for number in range(1, int(scene.people.max()) + 1):
            mine = scene.people == number
            right, left = (np.nonzero(mine & (scene.labels == i))[1] for i in (15, 14))
            legs = [np.nonzero(mine & (scene.labels == i))[1] for i in (17, 16)]
            if min(len(right), len(left), len(legs[0]), len(legs[1])) > MIN_VISIBLE:
                assert (right.mean() < left.mean()) == (legs[0].mean() < legs[1].mean())


def test_targets_point_at_the_middle_of_each_person(samples: list[Sample]) -> None:
    for scene in scenes(samples, 12):
        targets = make_targets(scene)
        people = scene.people[2::4, 2::4]
        rows, columns = np.mgrid[: people.shape[0], : people.shape[1]]
        for number in range(1, int(people.max()) + 1):
            mine = people == number
            if not mine.any():
                continue
            y = rows[mine] + targets["offset"][0][mine] * 16
            x = columns[mine] + targets["offset"][1][mine] * 16
            assert np.ptp(y) < 1e-3
            assert np.ptp(x) < 1e-3
            assert targets["heat"][round(float(y[0])), round(float(x[0]))] == 1


def test_rare_classes_weigh_more(samples: list[Sample]) -> None:
    weights = class_weights(samples)
    counts = sum(np.bincount(s.labels.ravel(), minlength=256)[:20] for s in samples)
    order = np.argsort(counts)
    assert (np.diff(weights[order]) <= 1e-6).all()
    assert repeat_weights(samples).sum() == pytest.approx(1)
