"""The inputs of the golden files are built anew here: they must be the ones that the reference was given."""

from __future__ import annotations

import json
import zipfile
from pathlib import Path

import numpy as np
import pytest

from reference import random_weights, scenes, seeded

GOLDEN = Path(__file__).parent.parent / "parsers" / "m2fp" / "golden"


def preprocessed() -> list[str]:
    """HxW of the recorded photos, in the order that their seeds count."""
    return [
        name.removesuffix("_shape.npy")
        for name in zipfile.ZipFile(GOLDEN / "preprocess.npz").namelist()
        if name.endswith("_shape.npy")
    ]


@pytest.mark.parametrize("name", scenes.SCENES)
def test_a_scene_is_the_one_that_the_reference_was_given(name: str) -> None:
    scene = scenes.SCENES[name]()
    with np.load(GOLDEN / "postprocess.npz") as golden:
        assert seeded.checksum(scene.logits, scene.masks) == str(golden[f"{name}_input_sha256"])


@pytest.mark.parametrize("name", scenes.SCENES)
def test_a_scene_fits_together(name: str) -> None:
    scene = scenes.SCENES[name]()
    assert scene.logits.shape == (len(scene.masks), scenes.CLASSES + 1)
    assert scene.masks.shape[1:] == tuple(size // 4 for size in scene.padded)
    assert all(size % 32 == 0 for size in scene.padded)
    assert all(0 <= padded - network < 32 for padded, network in zip(scene.padded, scene.network, strict=True))


def test_a_photo_is_the_one_that_the_reference_was_given() -> None:
    with np.load(GOLDEN / "preprocess.npz") as golden:
        for seed, name in enumerate(preprocessed()):
            height, width = map(int, name.split("x"))
            assert seeded.checksum(seeded.photo(height, width, seed)) == str(golden[f"{name}_photo_sha256"]), name


def test_weights_depend_on_key_and_seed_alone() -> None:
    shapes = {"a.weight": (3, 4), "b.weight": (3, 4), "b.num_batches_tracked": ()}
    one, other = seeded.weights(shapes, 0), seeded.weights({"b.weight": (3, 4)}, 0)
    assert np.array_equal(one["b.weight"], other["b.weight"])
    assert not np.array_equal(one["a.weight"], one["b.weight"])
    assert not np.array_equal(one["b.weight"], seeded.weights(shapes, 1)["b.weight"])
    assert one["b.num_batches_tracked"].dtype == np.int64


def test_both_configurations_differ_in_sizes_only() -> None:
    full, small = (json.loads((random_weights.HERE / f"{name}.json").read_text()) for name in ("full", "small"))
    for room in ("backbone", "encoder", "decoder"):
        assert full["model"][room].keys() == small["model"][room].keys()
    assert full["model"]["classes"] == small["model"]["classes"]


def test_the_key_table_is_the_published_network() -> None:
    shapes = random_weights.full_shapes()
    assert len(shapes) == 928
    learned = (shape for key, shape in shapes.items() if not key.endswith(("_mean", "_var", "_tracked")))
    assert round(sum(int(np.prod(shape)) for shape in learned) / 1e6, 1) == 63.1
