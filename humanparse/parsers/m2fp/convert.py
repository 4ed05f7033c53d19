"""Checkpoint -> the network in torch, and as OpenVINO's graph; the only room here that needs torch to run.

It is run in a process of its own, so that a service never holds torch and both forms of the weights.
"""

from __future__ import annotations

import fcntl
import pickle
import shutil
from pathlib import Path
from typing import Any, Final

import openvino as ov
import torch
from openvino.frontend.pytorch import ConversionExtension, ModuleExtension
from openvino.frontend.pytorch.ts_decoder import TorchScriptPythonDecoder

from humanparse.errors import ParserUnavailable, WeightsDamaged
from humanparse.parsers.m2fp.configuration import read_configuration
from humanparse.parsers.m2fp.deformable import Sampling
from humanparse.parsers.m2fp.network import M2FP, build
from humanparse.parsers.m2fp.sampling import DeformableSampling
from humanparse.parsers.m2fp.weights import CHECKPOINT, RUNTIME, graph_path

EXAMPLE: Final = (128, 192)  # (height, width) of the traced input; the graph takes any multiples of 32


def load_network(folder: Path) -> M2FP:
    """The network with the checkpoint's weights, for inference. Raises WeightsDamaged."""
    return build(read_configuration(folder), _read_checkpoint(folder / CHECKPOINT))


def convert(folder: Path) -> Path:
    """Make the runtime's form beside the weights, unless it is there; returns its path.

    Two processes that want the same make it once. Raises WeightsDamaged, and ParserUnavailable
    where the folder cannot be written to.
    """
    try:
        (folder / RUNTIME).mkdir(exist_ok=True)
        with (folder / RUNTIME / "lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            graph = graph_path(folder)
            if not graph.exists():
                _write(export(load_network(folder)), graph)
            return graph
    except OSError as exc:
        raise ParserUnavailable(
            f"M2FP's converted form cannot be written to {folder / RUNTIME}: {exc.strerror or exc}."
        ) from exc


def export(network: M2FP) -> ov.Model:
    """The network as a graph: `image` (1, 3, H, W) -> `logits`, `masks`. The module is of no use afterwards."""
    sampling = ModuleExtension(
        Sampling,
        "DeformableSampling",
        convert=lambda module, operation, *inputs, **_: operation(*inputs),
        evaluate=lambda module, value, *_: torch.zeros_like(value),  # only its shape matters to the trace
    )
    operation = ConversionExtension(
        "DeformableSampling",
        lambda context: DeformableSampling([context.get_input(i) for i in range(4)]).outputs(),
    )
    decoder = TorchScriptPythonDecoder(
        network,
        example_input=(torch.zeros(1, 3, *EXAMPLE),),
        module_extensions={Sampling: sampling},
        trace_kwargs={"check_trace": False},  # tests compare all of it with the network, in several sizes
    )
    shape = ov.PartialShape([1, 3, -1, -1])
    model = ov.convert_model(decoder, input=[("image", shape)], extension=[operation])
    for output, name in zip(model.outputs, ("logits", "masks"), strict=True):
        output.get_tensor().set_names({name})
    return model


def _write(model: ov.Model, graph: Path) -> None:
    """Save under another name, then move; forms of earlier contents or versions go."""
    part = graph.parent.with_suffix(".part")
    shutil.rmtree(part, ignore_errors=True)
    part.mkdir(parents=True)
    try:
        ov.save_model(model, part / graph.name, compress_to_fp16=False)
        part.replace(graph.parent)
    except (OSError, RuntimeError) as exc:
        shutil.rmtree(part, ignore_errors=True)
        raise OSError(f"{exc} (is the disk full?)") from exc
    for other in graph.parent.parent.iterdir():
        if other.is_dir() and other != graph.parent:
            shutil.rmtree(other, ignore_errors=True)


def _read_checkpoint(path: Path) -> dict[str, Any]:
    """The state dict under `model`. Only tensors are unpickled, never code."""
    try:
        checkpoint = torch.load(path, map_location="cpu", weights_only=True, mmap=True)
        state = checkpoint["model"]
        return {str(key): value for key, value in state.items()}
    except FileNotFoundError as exc:
        raise WeightsDamaged(f"{path} is not there.") from exc
    except (RuntimeError, pickle.UnpicklingError, EOFError, ValueError, OSError) as exc:
        first = str(exc).splitlines()[0] if str(exc) else type(exc).__name__
        raise WeightsDamaged(f"{path.name} is cut short or damaged ({first}); fetch it again.") from exc
    except (KeyError, TypeError, AttributeError) as exc:
        raise WeightsDamaged(f"{path.name} is no M2FP checkpoint: it has no dict of tensors under 'model'.") from exc
