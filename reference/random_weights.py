"""Writes a model folder of the real shape with random weights: `python -m reference.random_weights FOLDER`.

For measuring: what a photo costs does not depend on the values. Runs under either torch. The folder has the form of
ModelScope's download: configuration.json, and pytorch_model.pt, a dict with the state dict under `model`.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from reference import seeded

HERE = Path(__file__).parent
KEYS = HERE.parent / "tests" / "parsers" / "m2fp" / "golden" / "keys.npz"


def full_shapes() -> dict[str, tuple[int, ...]]:
    """Every key of the published network's state dict, as the reference builds it, with its shape."""
    with np.load(KEYS) as file:
        rows = zip(file["keys"], file["shapes"], file["dimensions"], strict=True)
        return {str(key): tuple(int(n) for n in shape[:count]) for key, shape, count in rows}


def write(folder: Path, configuration: Mapping[str, Any], shapes: Mapping[str, Sequence[int]], seed: int) -> None:
    """Makes `folder` a model folder: `configuration` as it is, weights by seeded.weights."""
    import torch

    folder.mkdir(parents=True, exist_ok=True)
    (folder / "configuration.json").write_text(json.dumps(configuration, indent=2) + "\n")
    state = {key: torch.from_numpy(array) for key, array in seeded.weights(shapes, seed).items()}
    torch.save({"model": state}, folder / "pytorch_model.pt")


def main() -> None:
    parser = argparse.ArgumentParser(description="Write a model folder of M2FP's real shape with random weights.")
    parser.add_argument("folder", type=Path)
    parser.add_argument("--seed", type=int, default=0)
    arguments = parser.parse_args()
    write(arguments.folder, json.loads((HERE / "full.json").read_text()), full_shapes(), arguments.seed)


if __name__ == "__main__":
    main()
