"""The network of training and the graph of the service are the same function."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import openvino as ov
import pytest
import torch

from humanparse.parsers.compact.graph import HEADS, build_graph
from training.export import exported_state, load_exported, make_rarer
from training.network import TEACHING, CompactNetwork


@pytest.fixture(scope="module")
def network() -> CompactNetwork:
    """Random weights, with norms that are not the identity."""
    torch.manual_seed(7)
    made = CompactNetwork().eval()
    for module in made.modules():
        if isinstance(module, torch.nn.BatchNorm2d):
            torch.nn.init.uniform_(module.weight, 0.5, 1.5)
            torch.nn.init.normal_(module.bias, 0, 0.2)
            torch.nn.init.normal_(module.running_mean, 0, 0.2)
            torch.nn.init.uniform_(module.running_var, 0.5, 1.5)
    state = {key: value.float() for key, value in exported_state(made).items()}
    made.load_state_dict(state, strict=False)  # rounded to what the file can hold
    return made


@pytest.mark.parametrize("size", [(64, 96), (128, 64)])
def test_graph_and_network_agree(network: CompactNetwork, size: tuple[int, int]) -> None:
    image = np.random.default_rng(1).integers(0, 256, (1, *size, 3), np.uint8)
    tensors = {key: value.numpy() for key, value in exported_state(network).items()}
    compiled = ov.Core().compile_model(build_graph(tensors), "CPU", {"INFERENCE_PRECISION_HINT": "f32"})
    with torch.no_grad():
        maps = network((torch.from_numpy(image).permute(0, 3, 1, 2).float() - 127) / 128)
    answer = compiled([image])
    assert answer["parts"].shape == (1, 20, size[0] // 4, size[1] // 4)
    assert answer["joints"].shape == (1, 17, size[0] // 4, size[1] // 4)
    for head, expected in zip(HEADS, maps, strict=True):
        assert np.abs(answer[head] - expected.numpy()).max() < 1e-4 * max(1.0, float(expected.abs().max())), head


def test_the_graph_refuses_tensors_that_do_not_fit(network: CompactNetwork) -> None:
    tensors = {key: value.numpy() for key, value in exported_state(network).items()}
    with pytest.raises(ValueError, match="no place for"):
        build_graph({**tensors, "stranger": np.zeros(1, np.float32)})
    del tensors["decoder.smooth4.conv.weight"]
    with pytest.raises(KeyError, match="smooth4"):
        build_graph(tensors)


def test_an_exported_file_fills_a_network_again(network: CompactNetwork, tmp_path: Path) -> None:
    from safetensors.torch import save_file

    save_file(exported_state(network), tmp_path / "w.safetensors")
    other = CompactNetwork().eval()
    load_exported(other, tmp_path / "w.safetensors")
    x = torch.randn(1, 3, 64, 64)
    with torch.no_grad():
        assert torch.equal(other(x)[0], network(x)[0])


def test_a_file_with_other_keys_is_refused(network: CompactNetwork, tmp_path: Path) -> None:
    from safetensors.torch import save_file

    state = exported_state(network)
    state["stranger"] = state.pop("parts.out.bias")
    save_file(state, tmp_path / "w.safetensors")
    with pytest.raises(ValueError, match=r"missing \['parts.out.bias'\], unexpected \['stranger'\]"):
        load_exported(CompactNetwork(), tmp_path / "w.safetensors")


def test_a_class_may_be_made_rarer_and_no_other_changes() -> None:
    network = CompactNetwork().eval()
    image = torch.zeros(1, 3, 64, 64)
    with torch.no_grad():
        before = network(image)[0]
        make_rarer(network, "Glove", 1.5)
        after = network(image)[0]
    assert torch.allclose(before[:, 3] - after[:, 3], torch.tensor(1.5), atol=1e-5)
    others = [index for index in range(20) if index != 3]
    assert torch.equal(before[:, others], after[:, others])


def test_what_only_teaches_is_not_exported() -> None:
    network = CompactNetwork().train()
    assert [len(network.learn(torch.zeros(2, 3, 64, 64))), len(network(torch.zeros(2, 3, 64, 64)))] == [4, 3]
    assert not [key for key in exported_state(network) if key.startswith(TEACHING)]
