"""Checkpoints without torch: the same tensors as torch reads, and nothing but tensors."""

from __future__ import annotations

import collections
import io
import os
import pickle
from typing import Any

import numpy as np
import pytest
import torch

from humanparse.errors import WeightsDamaged
from humanparse.recognition.efficientnet_lite.checkpoint import MAGIC, VERSION, read_checkpoint
from humanparse.recognition.efficientnet_lite.weights import find_checkpoint


def saved(state: Any, **options: Any) -> bytes:
    stream = io.BytesIO()
    torch.save(state, stream, **{"_use_new_zipfile_serialization": False, **options})
    return stream.getvalue()


@pytest.fixture
def state() -> collections.OrderedDict[str, torch.Tensor]:
    whole = torch.arange(60, dtype=torch.float32).reshape(5, 12) / 7
    return collections.OrderedDict(
        plain=whole,
        turned=whole.T,  # another view of the same storage
        part=whole[1:4, 2::3],
        counter=torch.tensor(7),
        whole_numbers=torch.arange(4),
        nothing=torch.zeros(0, 3),
        other=torch.full((2, 2), -1.5),
    )


def test_tensors_are_those_that_torch_reads(state: dict[str, torch.Tensor]) -> None:
    read = read_checkpoint(saved(state))
    assert list(read) == list(state)
    for key, value in state.items():
        assert read[key].dtype == value.numpy().dtype
        assert np.array_equal(read[key], value.numpy())
        assert read[key].flags.c_contiguous


def test_the_package_s_file_is_read_as_torch_reads_it() -> None:
    path = find_checkpoint(2)
    assert path is not None
    expected = torch.load(path, weights_only=True)
    read = read_checkpoint(path.read_bytes())
    assert read.keys() == expected.keys()
    assert all(np.array_equal(read[key], value.numpy()) for key, value in expected.items())


def test_a_file_that_ends_anywhere_is_told(state: dict[str, torch.Tensor]) -> None:
    data = saved(state)  # an empty storage may lie at its end
    for length in range(len(data)):
        with pytest.raises(WeightsDamaged):
            read_checkpoint(data[:length])


def test_other_forms_are_told(state: dict[str, torch.Tensor]) -> None:
    others = [b"", b"no checkpoint", saved(state, _use_new_zipfile_serialization=True), pickle.dumps({"a": 1}),
              saved([1, 2]), saved({"a": 1}), saved({"a": torch.zeros(3, dtype=torch.float64)})]  # fmt: skip
    for data in others:
        with pytest.raises(WeightsDamaged):
            read_checkpoint(data)


def with_views(views: bytes) -> bytes:
    start = b"".join(pickle.dumps(part, 2) for part in (MAGIC, VERSION, {}))
    return start + views + pickle.dumps([], 2)


class Call:
    """What an attacker writes: a function and its arguments, called when the file is read."""

    def __init__(self, function: Any, *given: Any) -> None:
        self.reduced = function, given

    def __reduce__(self) -> tuple[Any, tuple[Any, ...]]:
        return self.reduced


@pytest.mark.parametrize("function", [os.system, eval, print, getattr, np.load])
def test_no_code_is_run(function: Any, capfd: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(WeightsDamaged, match="it names"):
        read_checkpoint(with_views(pickle.dumps({"a": Call(function, "echo ran")}, 2)))
    assert "ran" not in capfd.readouterr().out


def test_a_view_beyond_its_storage_is_refused(state: dict[str, torch.Tensor]) -> None:
    data = saved({"a": state["other"]})
    assert data.count(b"K\x02K\x02\x86") == 1  # the shape; the strides (2, 1) are others
    for shape in (b"K\x02K\x03\x86", b"K\xffK\x02\x86"):
        with pytest.raises(WeightsDamaged):
            read_checkpoint(data.replace(b"K\x02K\x02\x86", shape))
