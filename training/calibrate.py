"""The ranges that int8 needs: `python -m training.calibrate --data FOLDER --weights FILE`.

Runs the network on training photos and on composed scenes and adds to the weight file, for every
map between layers, the range (low, high) its values lie in: the mean over the pictures of the
lowest and of the highest value. The checksum beside the file is written anew.
"""

from __future__ import annotations

import argparse
import hashlib
from collections.abc import Iterable, Iterator
from pathlib import Path

import numpy as np
import openvino as ov
from numpy.typing import NDArray
from openvino import opset13 as ops
from safetensors import safe_open
from safetensors.numpy import load_file, save_file
from tqdm import tqdm

from humanparse.layers import RANGE
from humanparse.parsers.compact.frame import LONG_SIDE, prepare
from humanparse.parsers.compact.graph import build_graph
from training.dataset import Sample, read_samples
from training.panoptic import compose_scenes

PHOTOS, SCENES = 64, 64
SEED = 77  # not the scenes that people are scored on


def pictures(samples: list[Sample], scenes: int) -> Iterator[NDArray[np.uint8]]:
    """The photos as the parser sees them, then as many composed scenes."""
    for sample in samples:
        yield prepare(sample.image, LONG_SIDE).padded
    for scene in compose_scenes(samples, scenes, SEED):
        yield prepare(scene.image, LONG_SIDE).padded


def find_ranges(
    tensors: dict[str, NDArray[np.floating]], images: Iterable[NDArray[np.uint8]]
) -> dict[str, list[float]]:
    """Map -> mean of the lowest and of the highest values over `images`, each (h, w, 3) uint8."""
    maps: dict[str, ov.Output] = {}
    graph = build_graph(tensors, maps=maps)
    every = ops.constant([0, 1, 2, 3])
    for key, output in maps.items():
        for bound, reduce in (("low", ops.reduce_min), ("high", ops.reduce_max)):
            result = ops.result(reduce(output, every))
            result.output(0).set_names({f"{key} {bound}"})
            graph.add_results([result])
    request = ov.Core().compile_model(graph, "CPU", {"INFERENCE_PRECISION_HINT": "f32"}).create_infer_request()
    seen = []
    for image in images:
        request.infer({"image": image[None]})
        seen.append([[float(request.get_tensor(f"{key} {bound}").data) for bound in ("low", "high")] for key in maps])
    return dict(zip(maps, np.mean(seen, axis=0).tolist(), strict=True))


def main(arguments: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(prog="python -m training.calibrate", description=__doc__)
    parser.add_argument("--data", type=Path, required=True, help="folder as for training.train")
    parser.add_argument("--weights", type=Path, required=True, help="exported weights, changed in place")
    args = parser.parse_args(arguments)
    with safe_open(args.weights, "numpy") as file:
        metadata = file.metadata()
    tensors = {key: value for key, value in load_file(args.weights).items() if not key.startswith(RANGE)}
    samples = read_samples(args.data, "train", limit=PHOTOS)
    images = tqdm(pictures(samples, SCENES), total=len(samples) + SCENES, unit="picture")
    for key, bounds in find_ranges(tensors, images).items():
        tensors[RANGE + key] = np.array(bounds, np.float32)
    save_file(tensors, args.weights, metadata=metadata)
    digest = hashlib.sha256(args.weights.read_bytes()).hexdigest()
    args.weights.with_suffix(".sha256").write_text(f"{digest}  {args.weights.name}\n")
    print(f"{digest}  {args.weights}")


if __name__ == "__main__":
    main()
