"""Training as a user runs it: it learns, stops, goes on, and exports what the service can read."""

from __future__ import annotations

import csv
import hashlib
import json
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from training import export, hard, train
from training.dataset import Sample, read_samples
from training.losses import fields_loss, joints_loss, parts_loss, people_loss, sides_loss
from training.scores import confused_sides
from training.train import DECAY_SHARE, WARMUP_STEPS, rate_at

ARGUMENTS = ["--batch", "2", "--workers", "0", "--validate-every", "2", "--save-every", "1"]


@pytest.fixture(autouse=True)
def small_frames(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(train, "SIZES", ((64, 64), (96, 64)))
    monkeypatch.setattr(train, "USUAL_PIXELS", 64 * 64)
    threads = torch.get_num_threads()
    yield
    torch.set_num_threads(threads)


def run(data: Path, folder: Path, steps: int) -> dict[str, torch.Tensor]:
    train.main(["--data", str(data), "--run", str(folder), "--steps", str(steps), *ARGUMENTS])
    saved = torch.load(folder / "last.pt", weights_only=True)
    assert saved["step"] == steps
    return saved["average"]


def test_a_stopped_run_goes_on_where_it_was(data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(train, "rate_at", lambda step, total: 0.1)  # the same schedule, however long the run
    run(data, tmp_path / "stopped", 2)
    assert {"last.pt", "log.csv", "curve.png", "val_000002.png"} <= {p.name for p in (tmp_path / "stopped").iterdir()}
    shutil.copytree(tmp_path / "stopped", tmp_path / "again")
    one = run(data, tmp_path / "stopped", 4)
    two = run(data, tmp_path / "again", 4)
    assert all(torch.equal(one[key], two[key]) for key in one)
    with (tmp_path / "stopped" / "log.csv").open(newline="") as file:
        assert [row["step"] for row in csv.DictReader(file) if row["miou"]] == ["2", "4"]


def test_an_export_is_what_its_checksum_says(data: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    run(data, tmp_path / "run", 1)
    out = tmp_path / "compact.safetensors"
    export.main(["--run", str(tmp_path / "run"), "--out", str(out)])
    digest = hashlib.sha256(out.read_bytes()).hexdigest()
    assert digest in capsys.readouterr().out
    assert out.with_suffix(".sha256").read_text() == f"{digest}  compact.safetensors\n"
    assert out.stat().st_size < 12_000_000
    run_from = ["--data", str(data), "--run", str(tmp_path / "next"), "--steps", "1", "--start", str(out)]
    train.main([*run_from, *ARGUMENTS])


def test_the_rate_warms_up_holds_and_falls_to_nothing() -> None:
    total = 1000
    rates = [rate_at(step, total) for step in range(total + 1)]
    hold = range(WARMUP_STEPS, int(total * (1 - DECAY_SHARE)))
    assert rates[0] == 1 / WARMUP_STEPS
    assert all(rates[step] == 1 for step in hold)
    falling = rates[hold.stop + 1 :]
    assert falling == sorted(falling, reverse=True)
    assert rates[-1] == pytest.approx(0)


def test_a_right_answer_costs_less_than_a_wrong_one_and_ignored_pixels_nothing() -> None:
    labels = torch.zeros(1, 8, 8, dtype=torch.long)
    labels[:, 4:] = 5
    right = torch.full((1, 20, 4, 4), -5.0)
    right[:, 0, :2] = 5.0
    right[:, 5, 2:] = 5.0
    weights = torch.ones(20)
    assert parts_loss(right, labels, weights) < 0.3 * parts_loss(right.flip(2), labels, weights)
    ignored = labels.clone()
    ignored[:, 4:] = 255
    changed = right.clone()
    changed[:, 7, 3:] = 50.0
    assert parts_loss(changed, ignored, weights) == pytest.approx(float(parts_loss(right, ignored, weights)), abs=1e-3)


def test_people_loss_is_lowest_at_the_truth() -> None:
    heat = torch.zeros(1, 8, 8)
    heat[0, 4, 4] = 1
    offset, owned = torch.zeros(1, 2, 8, 8), torch.zeros(1, 8, 8, dtype=torch.bool)
    owned[0, 2:6, 2:6] = True
    offset[:, :, 2:6, 2:6] = 0.5
    known = torch.ones(1, 8, 8, dtype=torch.bool)
    truth = torch.cat([heat[:, None] * 12 - 6, offset], dim=1)
    best = people_loss(truth, heat, offset, owned, known)
    for channel in range(3):
        wrong = truth.clone()
        wrong[:, channel] = -wrong[:, channel]
        assert people_loss(wrong, heat, offset, owned, known) > best


def test_joints_loss_is_lowest_at_the_truth_and_nothing_where_nothing_is_known() -> None:
    heat = torch.zeros(1, 17, 8, 8)
    heat[0, :, 3, 5] = 1
    known = torch.ones(1, 17, 8, 8, dtype=torch.bool)
    truth = heat * 12 - 6
    assert joints_loss(truth, heat, known) < 0.1 * joints_loss(-truth, heat, known)
    assert joints_loss(truth + 20 * (1 - heat), heat, known & (heat > 0)) == joints_loss(
        truth, heat, known & (heat > 0)
    )


def test_larger_frames_come_in_smaller_batches() -> None:
    steps = [len(keys) for keys in train.Steps(0, 4, 6)]
    assert steps == [6, 4, 6, 4]


def test_only_limbs_and_their_sides_count_for_the_sides() -> None:
    labels = torch.zeros(1, 32, 32, dtype=torch.long)
    labels[:, 8:24, :16], labels[:, 8:24, 16:] = 16, 17
    logits = torch.zeros(1, 20, 16, 16)
    logits[:, 16, :, :8], logits[:, 17, :, 8:] = 4.0, 4.0
    swapped = logits.clone()
    swapped[:, [16, 17]] = logits[:, [17, 16]]
    assert sides_loss(logits, labels) < 0.1 * sides_loss(swapped, labels)
    louder = logits.clone()
    louder[:, 5] = 50.0
    assert torch.equal(sides_loss(louder, labels), sides_loss(logits, labels))
    assert sides_loss(logits, torch.full_like(labels, 255)) == 0


def test_made_photos_are_learned_from_too(data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    made = tmp_path / "made"
    (made / "labels").mkdir(parents=True)
    shutil.copy(data / "labels" / "0003.png", made / "labels" / "0003.png")
    (made / "pseudo.txt").write_text("0003")
    seen: list[int] = []
    scenes = train.Scenes.__init__

    def count(self: train.Scenes, samples: list[Sample], *rest: Any) -> None:
        seen.append(len(samples))
        scenes(self, samples, *rest)

    monkeypatch.setattr(train.Scenes, "__init__", count)
    train.main(["--data", str(data), "--run", str(tmp_path / "run"), "--steps", "1", "--pseudo", str(made), *ARGUMENTS])
    assert seen == [5]


def test_fields_count_where_they_are_known_and_arms_as_much_as_legs() -> None:
    fields = torch.zeros(1, 2, 32, 32, dtype=torch.int8)
    fields[0, 0, :, :16], fields[0, 0, :, 16:], fields[0, 1, :16] = 1, -1, 1
    truth = fields.float() * 4
    assert fields_loss(truth, fields) < 0.1 * fields_loss(-truth, fields)
    assert torch.equal(fields_loss(truth + 9 * (fields == 0), fields), fields_loss(truth, fields))
    arms, legs = truth.clone(), truth.clone()
    arms[0, 0], legs[0, 1] = -truth[0, 0], -truth[0, 1]
    assert fields_loss(arms, fields) == pytest.approx(float(fields_loss(legs, fields)))
    assert fields_loss(truth, torch.zeros_like(fields)) == 0


def test_hard_photos_are_drawn_more_often(tmp_path: Path, data: Path) -> None:
    hard.main(["--data", str(data), "--out", str(tmp_path / "hard.json")])
    samples = read_samples(data, "train")
    assert set(json.loads((tmp_path / "hard.json").read_text())) <= {sample.name for sample in samples}
    (tmp_path / "hard.json").write_text(json.dumps({samples[0].name: 10**6, samples[1].name: hard.ALL // 2}))
    assert hard.repeat_hard(samples, tmp_path / "hard.json")[:3] == pytest.approx([hard.MOST, (1 + hard.MOST) / 2, 1])
    even, uneven = (train.Scenes(samples, 0, file).weights for file in (None, tmp_path / "hard.json"))
    assert (uneven / even)[0] == pytest.approx(hard.MOST * (uneven / even)[2])
    assert uneven.sum() == pytest.approx(1)


def test_sides_confused_are_counted_both_ways() -> None:
    counts = np.zeros((20, 20), np.int64)
    counts[14, 15], counts[19, 18], counts[14, 16], counts[14, 14] = 3, 4, 50, 90
    assert confused_sides(counts) == 7
