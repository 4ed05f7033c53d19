"""The compact network as an OpenVINO graph, built from the stored weights without torch.

The twin of `training/network.py`: same layers, same keys, batch normalisation folded into the
convolutions; a test holds the two together. Why not an exported graph file: the weights stay one
small file that training can also start from, and the graph stays readable.

The ranges of int8 are those that `training.calibrate` saw; what the heads answer is not rounded.
"""

from __future__ import annotations

import numpy as np
import openvino as ov
from openvino import Node, Output
from openvino import opset13 as ops

from humanparse.layers import RANGE, Layers, Tensors, constant, convolve

BLOCKS = 21
STRIDES = {1: 2, 4: 2, 7: 2, 15: 2}  # block -> stride, where it is not 1
TAPS = (3, 6, 14, 20)  # blocks whose outputs are the maps of stride 4, 8, 16, 32
HEADS = ("parts", "people", "joints")
JOINTS_KEY = "joints.out.weight"  # weights made before version 2 have no key points
MULTIPLE = 32  # height and width must be multiples of the coarsest stride
STRIDE = 4  # of the output maps


def has_ranges(tensors: Tensors) -> bool:
    """Whether the weights carry what int8 needs."""
    return any(key.startswith(RANGE) for key in tensors)


def build_graph(tensors: Tensors, int8: bool = False, maps: dict[str, Output] | None = None) -> ov.Model:
    """Graph: `image` (1, H, W, 3) uint8 RGB -> `parts` (1, 20, H/4, W/4), `people` (1, 3, H/4, W/4),
    and `joints` (1, 17, H/4, W/4) if the weights have that head.

    H and W are multiples of 32. `parts` are logits; `people` is the centre logit and the offset
    (dy, dx) to the person's centre; `joints` are the logits of the 17 COCO key points. `maps`, if given,
    is filled with every map that has a range in int8. Raises KeyError for a tensor that is missing and
    ValueError for one that is left over.
    """
    builder = _Builder(tensors, int8)
    model = builder.model()
    if maps is not None:
        maps.update(builder.maps)
    return model


class _Builder(Layers):
    def model(self) -> ov.Model:
        image = ops.parameter([1, -1, -1, 3], np.uint8, name="image")
        fine = self.decoder(self.encoder(self.normalise(image)))
        outputs = []
        for head in HEADS if JOINTS_KEY in self.tensors else HEADS[:2]:
            result = ops.result(self.head(fine, head))
            result.output(0).set_names({head})
            outputs.append(result)
        self.check_all_used()
        return ov.Model(outputs, [image], "compact")

    def encoder(self, x: Output) -> list[Output]:
        x = self.conv_norm(x, "encoder.stem", stride=2)
        taps = []
        for index in range(BLOCKS):
            x = self.block(x, f"encoder.blocks.{index}", STRIDES.get(index, 1))
            if index in TAPS:
                taps.append(x)
        return taps

    def decoder(self, taps: list[Output]) -> Output:
        c4, c8, c16, c32 = taps
        x = self.conv_norm(self.conv_norm(c32, "decoder.lateral32"), "decoder.context")
        for stride, lateral in ((16, c16), (8, c8)):
            side = self.conv_norm(lateral, f"decoder.lateral{stride}", linear=True)
            x = self.conv_norm(
                self.rounded(ops.add(_double(x), side), f"decoder.sum{stride}"), f"decoder.smooth{stride}"
            )
        side = self.conv_norm(c4, "decoder.lateral4", linear=True)
        fine = _double(self.conv_norm(x, "decoder.narrow", linear=True))
        return self.conv_norm(self.rounded(ops.add(fine, side), "decoder.sum4"), "decoder.smooth4")

    def head(self, x: Output, key: str) -> Node:
        y = self.conv_norm(x, f"{key}.hidden")
        weight, bias = self.take(f"{key}.out.weight"), self.take(f"{key}.out.bias")
        return convolve(y, weight, bias, 1, int8=self.int8)


def _double(x: Output) -> Output:
    """Twice the height and width, bilinear, pixel centres aligned by halves."""
    node = ops.interpolate(
        x,
        constant([2.0, 2.0]),
        mode="linear_onnx",
        shape_calculation_mode="scales",
        coordinate_transformation_mode="half_pixel",
        axes=constant([2, 3]),
    )
    return node.output(0)
