"""Scores, from counts whose scores are known."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from training import evaluate
from training.dataset import Sample, read_samples
from training.evaluate import Scores, cut_upper, format_report, side_confusion, worst_photos
from training.panoptic import PanopticScore, compose_scenes, score_people
from training.scores import Hits, confusion, keypoint_hits, score_confusion, score_parts


def test_iou_by_hand() -> None:
    truth = np.array([[0, 0, 5, 5], [9, 9, 255, 255]], np.uint8)
    answer = np.array([[0, 5, 5, 5], [9, 0, 5, 9]], np.uint8)
    score = score_parts([answer], [truth])
    assert score.iou[0] == pytest.approx(1 / 3)
    assert score.iou[5] == pytest.approx(2 / 3)
    assert score.iou[9] == pytest.approx(1 / 2)
    assert np.isnan(score.iou[13])
    assert score.mean == pytest.approx((1 / 3 + 2 / 3 + 1 / 2) / 3)
    assert score.pixel_accuracy == pytest.approx(4 / 6)


def test_a_class_that_is_only_in_the_answer_scores_zero() -> None:
    truth, answer = np.zeros((2, 2), np.uint8), np.array([[0, 0], [0, 3]], np.uint8)
    assert score_confusion(confusion(answer, truth)).iou[3] == 0


def test_only_the_other_side_of_the_same_kind_is_a_confused_side() -> None:
    counts = np.zeros((20, 20), np.int64)
    counts[14, 14], counts[14, 15], counts[14, 5], counts[16, 16] = 60, 10, 999, 30
    assert side_confusion(counts) == pytest.approx(0.1)


def test_a_close_up_is_cut_around_the_head() -> None:
    image, labels = np.zeros((200, 100, 3), np.uint8), np.zeros((200, 100), np.uint8)
    labels[20:180, 40:60] = 5
    labels[20:40, 40:60] = 13
    sample = Sample("made", image, labels, labels > 0)
    cut = cut_upper(sample, 0.25)
    assert cut.labels.shape == (43, 42) == cut.image.shape[:2]
    assert (cut.labels == 13).sum() == 400
    assert cut_upper(sample, 1.0) is sample


def test_the_report_counts_absent_classes_as_nothing_and_says_so() -> None:
    counts = np.diag([5] * 10 + [0] * 10).astype(np.int64)
    people = PanopticScore(matched=8, overlap=6.0, extra=2, missed=2)
    scores = Scores(counts, [12.3], {"0007": 0.25, "0008": 0.5}, Hits(10, 9, 8), people, counts, [45.6])
    report = format_report(scores, "abcd1234")
    assert "| mean IoU over the 20 classes, absent ones as 0 | 0.5000 |" in report
    assert "| mean IoU over the 10 classes in the photos | 1.0000 |" in report
    assert "| Face | not in the photos |" in report
    assert "abcd1234" in report
    assert "0.6000 (0.7500 x 0.8000)" in report
    assert "(PCK) | 0.9000 |" in report
    assert "| mean IoU over the 10 classes in composed scenes | 1.0000 |" in report
    assert "46 ms" in report
    assert "0007 (0.25), 0008 (0.50)" in report


def test_the_worst_photos_come_first_and_are_ten() -> None:
    by_photo = {f"{i:04d}": abs(i - 15) / 15 for i in range(30)}
    worst = worst_photos(Scores(by_photo=by_photo))
    assert worst[0] == "0015"
    assert len(worst) == 10
    assert max(by_photo[name] for name in worst) <= 5 / 15


def test_people_by_hand() -> None:
    truth, found = np.zeros((4, 12), np.uint8), np.zeros((4, 12), np.uint8)
    truth[:, :4], truth[:, 4:8], truth[:, 8:10] = 1, 2, 3
    found[:, :3], found[:, 4:8], found[:, 11] = 5, 6, 7
    score = score_people(found, truth, np.ones_like(truth, np.bool_))
    assert score == PanopticScore(matched=2, overlap=1.75, extra=1, missed=1)
    assert score.quality == pytest.approx(1.75 / 2 * 2 / 3)
    known = np.ones_like(truth, np.bool_)
    known[:, 10:] = False
    assert score_people(found, truth, known).extra == 0  # a bystander of the base photo


def test_two_people_taken_for_one_cost_recognition() -> None:
    truth = np.repeat(np.array([[1, 2]], np.uint8), 4, axis=1)
    score = score_people(np.ones_like(truth), truth, np.ones_like(truth, np.bool_))
    assert (score.matched, score.extra, score.missed) == (0, 1, 2)


def test_composed_scenes_are_always_the_same(data: Path) -> None:
    samples = read_samples(data, "val")
    first, again = (list(compose_scenes(samples, 4)) for _ in range(2))
    for one, two in zip(first, again, strict=True):
        assert np.array_equal(one.image, two.image)
        assert np.array_equal(one.people, two.people)
    assert [scene.image.shape[:2] for scene in first] == [(480, 640), (640, 480)] * 2
    assert all(scene.people.max() >= 1 for scene in first)


def test_key_points_count_where_they_are_sure_and_near() -> None:
    truth = np.zeros((17, 3), np.float32)
    truth[:, 2] = 0.9
    truth[[11, 12], 1] = 50  # hips 50 pixels below everything else
    truth[0, 2] = 0.1
    person = np.ones((200, 40), np.bool_)
    found = truth + np.array([15, 0, 0], np.float32)  # within 20 of the box, not within 10 of the trunk
    found[1, 0] += 10
    assert keypoint_hits(found, truth, person) == Hits(16, 15, 0)


def test_the_command_prints_a_report_and_draws_the_worst(
    data: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    evaluate.main(["--data", str(data), "--scenes", "2", "--draw", str(tmp_path)])
    report = capsys.readouterr().out
    assert "panoptic quality" in report
    assert {path.name for path in tmp_path.iterdir()} == {"0004.png", "0005.png"}
