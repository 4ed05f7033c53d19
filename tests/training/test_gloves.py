"""Gloves on bare hands: beyond the wrist, in another colour, and nowhere else."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np

from training.dataset import Sample, read_samples
from training.gloves import ARMS, GLOVE, SHARE, Gloved, put_on
from training.pose import no_pose


def first(data: Path) -> Sample:
    """The drawn person's arms end at its wrists; here the wrists are half-way, and what follows are hands."""
    sample = read_samples(data, "train")[0]
    points = sample.points.copy()
    points[[9, 10]] = (points[[7, 8]] + points[[9, 10]]) / 2
    return replace(sample, points=points)


def test_only_hands_change(data: Path) -> None:
    sample = first(data)
    for seed in range(8):
        made = put_on(sample, np.random.default_rng(seed))
        gloves = made.labels == GLOVE
        assert gloves.sum() > 40
        assert np.isin(sample.labels[gloves], ARMS).all()
        assert np.isin(made.labels, ARMS).any(), "the arm stays an arm"
        assert np.array_equal(made.labels[~gloves], sample.labels[~gloves])
        changed = (made.image != sample.image).any(axis=2)
        assert changed[gloves].mean() > 0.9
        ys, xs = np.nonzero(gloves)
        box = np.s_[ys.min() - 4 : ys.max() + 5, xs.min() - 4 : xs.max() + 5]
        outside = np.ones_like(changed)
        outside[box] = False
        assert not changed[outside].any()


def test_a_glove_is_farther_from_the_elbow_than_the_wrist(data: Path) -> None:
    sample = first(data)
    reach = []
    for seed in range(12):
        made = put_on(sample, np.random.default_rng(seed))
        elbow, wrist = sample.points[[7, 9], :2]
        ys, xs = np.nonzero((made.labels == GLOVE) & (sample.labels == ARMS[0]))
        along = (np.stack([xs, ys], axis=1) - elbow) @ (wrist - elbow) / ((wrist - elbow) ** 2).sum()
        reach.append(along.min())
    assert np.median(reach) > 0.8
    assert min(reach) > 0.25


def test_without_a_clear_forearm_nothing_changes(data: Path) -> None:
    sample = replace(first(data), points=no_pose())
    made = put_on(sample, np.random.default_rng(0))
    assert np.array_equal(made.labels, sample.labels)
    assert np.array_equal(made.image, sample.image)


def test_some_of_the_people_wear_them(data: Path) -> None:
    samples = Gloved([first(data)], np.random.default_rng(0))
    assert len(samples) == 1
    worn = np.mean([(samples[0].labels == GLOVE).any() for _ in range(200)])
    assert 0.5 * SHARE < worn < 2 * SHARE
