"""The weight file: checked before use, small enough, described."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from safetensors.numpy import save

from humanparse.errors import ParserUnavailable, WeightsDamaged
from humanparse.parsers.compact import weights


def test_the_weights_in_the_repository_are_whole_and_small() -> None:
    tensors = weights.read_weights()
    assert all(np.isfinite(tensor).all() for tensor in tensors.values())
    assert weights.FILE.stat().st_size <= 12_000_000


def test_a_damaged_file_is_told_from_the_right_one(tmp_path: Path) -> None:
    damaged = bytearray(weights.FILE.read_bytes())
    damaged[len(damaged) // 2] ^= 1
    (tmp_path / "copy").write_bytes(damaged)
    with pytest.raises(WeightsDamaged, match="damaged"):
        weights.read_weights(tmp_path / "copy", weights.CHECKSUM)


def test_a_file_cut_short_is_damaged(tmp_path: Path) -> None:
    (tmp_path / "copy").write_bytes(weights.FILE.read_bytes()[:-1])
    with pytest.raises(WeightsDamaged):
        weights.read_weights(tmp_path / "copy", weights.CHECKSUM)


def test_a_file_that_matches_its_checksum_but_holds_no_tensors_is_damaged(tmp_path: Path) -> None:
    from hashlib import sha256

    (tmp_path / "copy").write_bytes(b"no tensors here")
    (tmp_path / "sum").write_text(sha256(b"no tensors here").hexdigest() + "  copy\n")
    with pytest.raises(WeightsDamaged, match="not a safetensors file"):
        weights.read_weights(tmp_path / "copy", tmp_path / "sum")


def test_a_missing_file_is_unavailable(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(save({"x": np.zeros(1, np.float32)}))
    with pytest.raises(ParserUnavailable):
        weights.read_weights(tmp_path / "missing", weights.CHECKSUM)
    with pytest.raises(ParserUnavailable):
        weights.read_weights(tmp_path / "file", tmp_path / "missing")


def test_the_version_is_the_head_of_the_checksum(tmp_path: Path) -> None:
    assert weights.CHECKSUM.read_text().startswith(weights.weights_version())
    assert weights.weights_version(tmp_path / "missing") == "none"


def test_the_model_card_says_which_weights_it_describes() -> None:
    assert weights.weights_version() in (weights.FOLDER / "MODEL_CARD.md").read_text()
