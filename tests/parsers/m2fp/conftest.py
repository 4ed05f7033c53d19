"""A small M2FP with seeded weights, as the reference was given it, and golden files of what that made of it."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from numpy.typing import NDArray

from humanparse.parsers.m2fp.configuration import Configuration, make_configuration
from humanparse.parsers.m2fp.network import M2FP, build
from reference import seeded
from reference.random_weights import write

ROOT = Path(__file__).parents[3]
GOLDEN = Path(__file__).parent / "golden"

Golden = dict[str, NDArray[Any]]


@pytest.fixture(scope="session")
def golden() -> Callable[[str], Golden]:
    """The arrays of tests/parsers/m2fp/golden/NAME.npz."""

    def read(name: str) -> Golden:
        with np.load(GOLDEN / f"{name}.npz") as file:
            return dict(file)

    return read


@pytest.fixture(scope="session")
def small_document() -> dict[str, Any]:
    document: dict[str, Any] = json.loads((ROOT / "reference" / "small.json").read_text())
    return document


@pytest.fixture(scope="session")
def small_configuration(small_document: dict[str, Any]) -> Configuration:
    return make_configuration(small_document)


@pytest.fixture(scope="session")
def small_shapes(small_configuration: Configuration) -> dict[str, tuple[int, ...]]:
    with torch.device("meta"):
        return {key: tuple(value.shape) for key, value in M2FP(small_configuration).state_dict().items()}


@pytest.fixture
def small_state(small_shapes: dict[str, tuple[int, ...]]) -> dict[str, torch.Tensor]:
    return {key: torch.from_numpy(array) for key, array in seeded.weights(small_shapes, 0).items()}


@pytest.fixture
def small_network(small_configuration: Configuration, small_state: dict[str, torch.Tensor]) -> M2FP:
    return build(small_configuration, small_state)


@pytest.fixture(scope="session")
def small_folder(
    small_document: dict[str, Any], small_shapes: dict[str, tuple[int, ...]], tmp_path_factory: pytest.TempPathFactory
) -> Path:
    """A model folder as ModelScope's download, of the small network."""
    folder = tmp_path_factory.mktemp("m2fp")
    write(folder, small_document, small_shapes, 0)
    return folder
