"""Our network against the reference's: the same keys, and the same numbers at every stage."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch

from humanparse.errors import WeightsDamaged
from humanparse.parsers.m2fp.configuration import Configuration, make_configuration
from humanparse.parsers.m2fp.frame import MEAN, SPREAD
from humanparse.parsers.m2fp.network import M2FP, build
from reference import seeded
from tests.parsers.m2fp.conftest import ROOT, Golden

PHOTOS = {"wide": (53, 90, 0), "tall": (95, 50, 1)}
CLOSE = 1e-4


def read_input(name: str) -> torch.Tensor:
    """The network's input for a photo that is not resized: normalised, then padded to multiples of 32."""
    photo = (seeded.photo(*PHOTOS[name]).astype(np.float32) - MEAN) / SPREAD
    height, width = photo.shape[:2]
    padded = np.zeros((-(-height // 32) * 32, -(-width // 32) * 32, 3), np.float32)
    padded[:height, :width] = photo
    return torch.from_numpy(padded).permute(2, 0, 1)[None]


def test_full_configuration_has_the_checkpoints_keys(golden: Callable[[str], Golden]) -> None:
    keys = golden("keys")
    expected = {
        str(key): tuple(shape[:count])
        for key, shape, count in zip(keys["keys"], keys["shapes"], keys["dimensions"], strict=True)
    }
    with torch.device("meta"):
        network = M2FP(make_configuration(json.loads((ROOT / "reference" / "full.json").read_text())))
    assert len(expected) == 928
    assert {key: tuple(value.shape) for key, value in network.state_dict().items()} == expected


def test_weights_are_the_references(small_shapes: dict[str, tuple[int, ...]], golden: Callable[[str], Golden]) -> None:
    weights = seeded.weights(small_shapes, 0)
    assert seeded.checksum(*(weights[key] for key in sorted(weights))) == str(golden("network")["weights_sha256"])


@pytest.mark.parametrize("name", PHOTOS)
def test_every_stage_is_the_references(small_network: M2FP, name: str, golden: Callable[[str], Golden]) -> None:
    expected = golden("network")
    head = small_network.sem_seg_head
    with torch.inference_mode():
        maps = small_network.backbone(read_input(name))
        features = head.pixel_decoder(maps)
        predictions = head.predictor.predict_all(features)
    for index, found in enumerate(maps):
        np.testing.assert_allclose(found[0], expected[f"{name}_res{index + 2}"], atol=CLOSE, rtol=0)
    for index, found in enumerate(features.levels):
        np.testing.assert_allclose(found[0], expected[f"{name}_level{index}"], atol=CLOSE, rtol=0)
    np.testing.assert_allclose(features.masks[0], expected[f"{name}_mask_features"], atol=CLOSE, rtol=0)
    assert len(predictions) == len(expected[f"{name}_logits"])
    for found, logits, masks in zip(predictions, expected[f"{name}_logits"], expected[f"{name}_masks"], strict=True):
        np.testing.assert_allclose(found.logits[0], logits, atol=CLOSE, rtol=0)
        np.testing.assert_allclose(found.masks[0], masks, atol=CLOSE, rtol=0)


def test_forward_is_the_last_prediction(small_network: M2FP) -> None:
    image = read_input("wide")
    with torch.inference_mode():
        features = small_network.sem_seg_head.pixel_decoder(small_network.backbone(image))
        last = small_network.sem_seg_head.predictor.predict_all(features)[-1]
        found = small_network(image)
    assert torch.equal(found.logits, last.logits) and torch.equal(found.masks, last.masks)


def test_loading_lists_what_does_not_fit(
    small_configuration: Configuration, small_state: dict[str, torch.Tensor]
) -> None:
    first, second = list(small_state)[:2]
    del small_state[first]
    small_state[second] = torch.zeros(3)
    small_state["head.bias"] = torch.zeros(1)
    with pytest.raises(WeightsDamaged) as caught:
        build(small_configuration, small_state)
    for words in (f"1 missing: {first}", "1 unexpected: head.bias", f"1 misshapen: {second}"):
        assert words in caught.value.message


def test_many_misfits_are_counted(small_configuration: Configuration) -> None:
    with pytest.raises(WeightsDamaged, match=r"missing: .* and \d+ more"):
        build(small_configuration, {})


def test_gradients_reach_every_weight(small_network: M2FP) -> None:
    """So that the network can learn: also through sampling, masks and the queries."""
    small_network.requires_grad_(True).train()
    prediction = small_network(torch.randn(1, 3, 64, 64))
    (prediction.logits.square().mean() + prediction.masks.square().mean()).backward()
    without = [name for name, weight in small_network.named_parameters() if weight.grad is None]
    assert not without


def test_golden_files_stay_small() -> None:
    assert sum(path.stat().st_size for path in (Path(__file__).parent / "golden").iterdir()) < 800_000
