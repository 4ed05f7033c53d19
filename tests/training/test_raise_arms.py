"""Raised arms: the arm moves with its labels and key points, and nothing else of the person does."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from training import raise_arms
from training.dataset import IGNORE, Sample, read_names, read_samples
from training.raise_arms import add_headroom, raise_arm, similarity


def first(data: Path) -> Sample:
    return read_samples(data, "train")[0]


def test_headroom_moves_everything_down_together(data: Path) -> None:
    sample = first(data)
    made = add_headroom(sample)
    pad = made.image.shape[0] - sample.image.shape[0]
    assert pad > 20
    assert np.array_equal(made.image[pad:], sample.image)
    assert np.array_equal(made.labels[pad:], sample.labels)
    assert np.array_equal(made.points, sample.points + np.array([0, pad, 0]))
    assert not made.person[:pad].any()


def test_only_the_arm_moves_and_it_moves_up(data: Path) -> None:
    sample = add_headroom(first(data))
    for seed in range(6):
        made = raise_arm(sample, 0, np.random.default_rng(seed))
        assert made is not None
        before, after = (np.nonzero(s.labels == 14)[0].mean() for s in (sample, made))
        assert after < before - 20
        assert made.points[7, 1] < sample.points[7, 1]
        others = [i for i in range(17) if i not in (7, 9)]
        assert np.array_equal(made.points[others], sample.points[others])
        kept = np.isin(sample.labels, (16, 17, 18, 19))
        assert np.array_equal(made.labels[kept], sample.labels[kept])
        x, y = made.points[7, :2].round().astype(int)
        assert made.labels[y, x] == 14
    assert IGNORE in made.labels


def test_an_arm_that_is_unsure_or_up_already_is_left_alone(data: Path) -> None:
    sample = add_headroom(first(data))
    rng = np.random.default_rng(0)
    sample.points[9, 2] = 0.2
    assert raise_arm(sample, 0, rng) is None
    sample.points[10, 1] = 0
    assert raise_arm(sample, 1, rng) is None


def test_a_similarity_takes_two_points_to_two_points() -> None:
    old, new = (np.array([1.0, 2.0]), np.array([4.0, 6.0])), (np.array([-1.0, 0.0]), np.array([3.0, -9.0]))
    matrix = similarity(old, new)
    for before, after in zip(old, new, strict=True):
        assert np.allclose(matrix @ (*before, 1), after)


def test_the_command_writes_what_training_reads(data: Path, tmp_path: Path) -> None:
    raise_arms.main(["--data", str(data), "--out", str(tmp_path)])
    names = read_names(tmp_path, "raised")
    assert len(names) == 4
    samples = read_samples(data, "raised", tmp_path)
    assert all(sample.points[:, 2].all() for sample in samples)
    assert all(sample.image.shape[:2] == sample.labels.shape for sample in samples)
