"""The compact parser's weight file: found in model/ beside this module, checked before use."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray
from safetensors import SafetensorError
from safetensors.numpy import load

from humanparse.errors import ParserUnavailable, WeightsDamaged

FOLDER: Final = Path(__file__).parent / "model"
FILE: Final = FOLDER / "compact.safetensors"
CHECKSUM: Final = FOLDER / "compact.sha256"  # in the form that `sha256sum --check` reads


def read_weights(file: Path = FILE, checksum: Path = CHECKSUM) -> dict[str, NDArray[np.floating]]:
    """Tensors by key. Raises ParserUnavailable without the file, WeightsDamaged for another one."""
    try:
        data = file.read_bytes()
        expected = checksum.read_text().split()[0]
    except (OSError, IndexError) as exc:
        raise ParserUnavailable(f"The compact parser's weights cannot be read ({file.name}): {exc}.") from exc
    found = hashlib.sha256(data).hexdigest()
    if found != expected:
        raise WeightsDamaged(
            f"{file.name} is damaged: its SHA-256 is {found[:12]}..., expected {expected[:12]}.... "
            "Check the file out again.",
            expected=expected,
            found=found,
        )
    try:
        return load(data)
    except SafetensorError as exc:
        raise WeightsDamaged(f"{file.name} is not a safetensors file: {exc}.") from exc


def weights_version(checksum: Path = CHECKSUM) -> str:
    """The first eight digits of the weights' checksum; "none" where there is no file."""
    try:
        return checksum.read_text()[:8]
    except OSError:
        return "none"
