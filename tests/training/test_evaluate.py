"""Scores, from counts whose scores are known."""

from __future__ import annotations

import numpy as np
import pytest

from training.dataset import Sample
from training.evaluate import cut_upper, format_report, side_confusion
from training.validate import confusion, score_confusion, score_parts


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
    report = format_report(counts, 12.3, "abcd1234")
    assert "| mean IoU over the 20 classes, absent ones as 0 | 0.5000 |" in report
    assert "| mean IoU over the 10 classes in the photos | 1.0000 |" in report
    assert "| Face | not in the photos |" in report
    assert "abcd1234" in report
