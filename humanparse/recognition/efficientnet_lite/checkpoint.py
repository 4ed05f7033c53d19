"""PyTorch's checkpoint file of before 1.6, read without torch: only tensors, never code.

The packages' files are such: five pickles one after the other (a magic number, the format's version, the machine
that wrote it, the tensors as views of named storages, the order of the storages), then the storages themselves,
each its count of numbers as int64 and the numbers. A pickle may name any function to be called; here the few names
below are known, and another one ends the reading. Source of the form: `_legacy_save` in torch/serialization.py.
"""

from __future__ import annotations

import pickle
from collections import OrderedDict
from io import BytesIO
from typing import Any, Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from humanparse.errors import WeightsDamaged

MAGIC: Final = 0x1950A86A20F9469CFC6C
VERSION: Final = 1001
STORAGES: Final = {
    # classes of torch -> what they hold
    "FloatStorage": np.dtype("<f4"),
    "LongStorage": np.dtype("<i8"),
}


class _Storage(NamedTuple):
    key: str
    dtype: np.dtype[Any]
    size: int  # in numbers


class _View(NamedTuple):
    """A tensor: numbers of a storage, `strides` of them apart, from `offset` on."""

    storage: _Storage
    offset: int
    shape: tuple[int, ...]
    strides: tuple[int, ...]

    def cut(self, numbers: NDArray[Any]) -> NDArray[Any]:
        """Its own copy out of the storage's numbers. Raises ValueError or TypeError where they do not hold it."""
        each = numbers.itemsize
        strides = tuple(step * each for step in self.strides)
        return np.ndarray(self.shape, numbers.dtype, numbers.data, self.offset * each, strides).copy()


def read_checkpoint(data: bytes) -> dict[str, NDArray[Any]]:
    """Tensors by their keys. Raises WeightsDamaged for a file of another form, or one that is not whole."""
    stream = BytesIO(data)
    try:
        if _Unpickler(stream).load() != MAGIC or _Unpickler(stream).load() != VERSION:
            raise ValueError("another form")
        _Unpickler(stream).load()  # the machine that wrote it
        unpickler = _Unpickler(stream)
        views = unpickler.load()
        order = _Unpickler(stream).load()
        numbers = {key: _read_storage(stream, unpickler.storages[key]) for key in order}
        return {key: view.cut(numbers[view.storage.key]) for key, view in views.items()}
    except (pickle.UnpicklingError, ValueError, TypeError, LookupError, AttributeError, EOFError, OverflowError) as exc:
        raise WeightsDamaged(f"This is no checkpoint of PyTorch, or not a whole one ({exc}).") from exc


def _read_storage(stream: BytesIO, storage: _Storage) -> NDArray[Any]:
    count = stream.read(8)
    numbers = np.frombuffer(stream.read(storage.size * storage.dtype.itemsize), storage.dtype)
    if count != storage.size.to_bytes(8, "little") or len(numbers) != storage.size:
        raise ValueError("it ends too early")
    return numbers


class _Unpickler(pickle.Unpickler):
    """Knows how a checkpoint writes its tensors, and no other name.

    storages: those that it met, by key.
    """

    def __init__(self, stream: BytesIO) -> None:
        super().__init__(stream)
        self.storages: dict[str, _Storage] = {}

    def find_class(self, module: str, name: str) -> Any:
        if (module, name) == ("collections", "OrderedDict"):
            return OrderedDict
        if (module, name) == ("torch._utils", "_rebuild_tensor_v2"):
            return _rebuild
        if module == "torch" and name in STORAGES:
            return STORAGES[name]
        raise pickle.UnpicklingError(f"it names {module}.{name}")

    def persistent_load(self, saved: Any) -> _Storage:
        kind, dtype, key, _, count, *_ = saved
        if kind != "storage" or dtype not in STORAGES.values():
            raise pickle.UnpicklingError("it refers to what is no storage")
        return self.storages.setdefault(key, _Storage(key, dtype, count))


def _rebuild(storage: _Storage, offset: int, shape: tuple[int, ...], strides: tuple[int, ...], *_: object) -> _View:
    return _View(storage, offset, shape, strides)
