"""The lesson by heart: matching finds the right queries, and the loss of a small network falls."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import torch

from humanparse.parsers.m2fp.convert import load_network
from humanparse.parsers.m2fp.query_decoder import Prediction
from training import m2fp
from training.m2fp import HUMAN, Lesson, loss_of, make_lesson, match

ROOT = Path(__file__).parents[2]


def perfect(lesson: Lesson, queries: int = 12) -> Prediction:
    """What a network would answer that knows the lesson: target i from query i + 2."""
    logits = torch.full((1, queries, HUMAN + 2), -8.0)
    logits[:, :, -1] = 8.0
    masks = torch.full((1, queries, *lesson.masks.shape[1:]), -8.0)
    for i, (kind, mask) in enumerate(zip(lesson.classes, lesson.masks, strict=True)):
        logits[0, i + 2, -1], logits[0, i + 2, kind] = -8.0, 8.0
        masks[0, i + 2] = mask * 16 - 8
    return Prediction(logits, masks)


@pytest.fixture
def lesson() -> Lesson:
    masks = torch.zeros(3, 8, 6)
    masks[0, :, :3], masks[1, 2:5, 3:], masks[2, :, 3:] = 1, 1, 1
    return Lesson(torch.zeros(1, 3, 32, 24), torch.tensor([0, 13, HUMAN]), masks)


def test_each_target_gets_the_query_that_shows_it(lesson: Lesson) -> None:
    queries, targets = match(perfect(lesson), lesson)
    assert dict(zip(queries.tolist(), targets.tolist(), strict=True)) == {2: 0, 3: 1, 4: 2}


def test_knowing_costs_nothing_and_guessing_much(lesson: Lesson) -> None:
    known = perfect(lesson)
    guess = Prediction(torch.zeros_like(known.logits), torch.zeros_like(known.masks))
    assert float(loss_of(known, lesson)) < 0.1 < 5 < float(loss_of(guess, lesson))


def test_a_lesson_has_background_parts_and_the_person(data: Path) -> None:
    from training.dataset import read_names, read_sample

    lesson = make_lesson(read_sample(data, read_names(data, "train")[0]))
    classes = lesson.classes.tolist()
    assert classes[0] == 0 and classes[-1] == HUMAN and len(classes) == len(lesson.masks) >= 3
    person, background = lesson.masks[-1], lesson.masks[0]
    assert torch.equal(person, 1 - background)


def test_a_small_network_learns_and_is_written_as_a_model_folder(data: Path, tmp_path: Path) -> None:
    arguments = ["--data", str(data), "--photos", "2", "--configuration", str(ROOT / "reference" / "small.json")]
    lines: list[float] = []
    learn = m2fp.learn

    def watch(*given: object) -> float:
        lines.append(learn(*given))  # type: ignore[arg-type]
        return lines[-1]

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(m2fp, "learn", watch)
        patch.setattr(m2fp, "SIZE", (96, 64))
        m2fp.main([*arguments, "--out", str(tmp_path / "model"), "--steps", "30", "--minutes", "5"])
    assert len(lines) == 30 and sum(lines[-5:]) < 0.8 * sum(lines[:5])
    assert json.loads((tmp_path / "model" / "configuration.json").read_text())["model"]["type"] == "m2fp"
    load_network(tmp_path / "model")  # strictly
