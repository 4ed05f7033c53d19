"""The compact network as an OpenVINO graph, built from the stored weights without torch.

The twin of `training/network.py`: same layers, same keys, batch normalisation folded into the
convolutions; a test holds the two together. Why not an exported graph file: the weights stay one
small file that training can also start from, and the graph stays readable.

In int8 every map between layers has 256 levels over the range that `training.calibrate` saw it in,
and every convolution's weights have 255 over each output channel's own; OpenVINO then computes with
whole numbers. What the heads answer is not rounded.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import openvino as ov
from numpy.typing import NDArray
from openvino import Node, Output
from openvino import opset13 as ops

Tensors = Mapping[str, NDArray[np.floating]]

NORM_EPS = 1e-3  # EfficientNet's own
BLOCKS = 21
STRIDES = {1: 2, 4: 2, 7: 2, 15: 2}  # block -> stride, where it is not 1
TAPS = (3, 6, 14, 20)  # blocks whose outputs are the maps of stride 4, 8, 16, 32
MIDDLE, SPREAD = 127.0, 128.0  # EfficientNet-Lite's own normalisation
HEADS = ("parts", "people", "joints")
JOINTS_KEY = "joints.out.weight"  # weights made before version 2 have no key points
MULTIPLE = 32  # height and width must be multiples of the coarsest stride
STRIDE = 4  # of the output maps
RANGE = "range."  # the key of a map's range (low, high) among the tensors is this and the name of what makes the map


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
    return _Builder(tensors, int8, {} if maps is None else maps).model()


class _Builder:
    def __init__(self, tensors: Tensors, int8: bool, maps: dict[str, Output]) -> None:
        self.tensors, self.int8, self.maps = tensors, int8, maps
        self.used = {key for key in tensors if key.startswith(RANGE) and not int8}

    def model(self) -> ov.Model:
        image = ops.parameter([1, -1, -1, 3], np.uint8, name="image")
        planes = ops.transpose(ops.convert(image, "f32"), _constant([0, 3, 1, 2]))
        x = self.rounded(ops.divide(ops.subtract(planes, _constant(MIDDLE)), _constant(SPREAD)), "image")
        fine = self.decoder(self.encoder(x))
        outputs = []
        for head in HEADS if JOINTS_KEY in self.tensors else HEADS[:2]:
            result = ops.result(self.head(fine, head))
            result.output(0).set_names({head})
            outputs.append(result)
        left_over = sorted(set(self.tensors) - self.used)
        if left_over:
            raise ValueError(f"tensors that the graph has no place for: {left_over[:5]}")
        return ov.Model(outputs, [image], "compact")

    def encoder(self, x: Output) -> list[Output]:
        x = self.conv_norm(x, "encoder.stem", stride=2)
        taps = []
        for index in range(BLOCKS):
            x = self.block(x, f"encoder.blocks.{index}", STRIDES.get(index, 1))
            if index in TAPS:
                taps.append(x)
        return taps

    def block(self, x: Output, key: str, stride: int) -> Output:
        y = x
        if f"{key}.expand.conv.weight" in self.tensors:
            y = self.conv_norm(y, f"{key}.expand")
        y = self.conv_norm(y, f"{key}.depthwise", stride=stride, depthwise=True)
        y = self.conv_norm(y, f"{key}.project", linear=True)
        same = stride == 1 and _channels(x) == _channels(y)
        return self.rounded(ops.add(x, y), key) if same else y

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
        return self.convolve(y, weight, bias, 1)

    def conv_norm(self, x: Output, key: str, stride: int = 1, depthwise: bool = False, linear: bool = False) -> Output:
        """Convolution with the batch normalisation that follows it folded in, then ReLU6."""
        weight = self.take(f"{key}.conv.weight")
        scale = self.take(f"{key}.norm.weight") / np.sqrt(self.take(f"{key}.norm.running_var") + NORM_EPS)
        bias = self.take(f"{key}.norm.bias") - self.take(f"{key}.norm.running_mean") * scale
        y = self.convolve(x, weight * scale[:, None, None, None], bias, stride, depthwise)
        return self.rounded(y if linear else ops.clamp(y, 0.0, 6.0), key)

    def convolve(
        self, x: Output, weight: NDArray[np.float32], bias: NDArray[np.float32], stride: int, depthwise: bool = False
    ) -> Node:
        kernel = weight.shape[-1]
        if stride == 2:  # as TensorFlow's SAME pads even sizes
            near, far = (kernel - 2) // 2, (kernel - 1) // 2
        else:
            near = far = kernel // 2
        layout = ([stride, stride], [near, near], [far, far], [1, 1])
        kernels = _constant(weight[:, None] if depthwise else weight)
        if self.int8:
            kernels = _round_weight(kernels, weight)
        y = (ops.group_convolution if depthwise else ops.convolution)(x, kernels, *layout)
        return ops.add(y, _constant(bias[None, :, None, None]))

    def rounded(self, x: Node, key: str) -> Output:
        """In int8, `x` in 256 levels: from 0 where it is never negative, else as far below 0 as above."""
        self.maps[key] = x.output(0)
        if not self.int8:
            return x.output(0)
        low, high = (float(bound) for bound in self.take(RANGE + key))
        if low < 0:
            high = max(high, -low * 127 / 128)
            low = -high * 128 / 127
        bounds = _constant(low), _constant(high)
        return ops.fake_quantize(x, *bounds, *bounds, levels=256).output(0)

    def take(self, key: str) -> NDArray[np.float32]:
        self.used.add(key)
        return self.tensors[key].astype(np.float32)


def _round_weight(kernels: Node, weight: NDArray[np.float32]) -> Node:
    """A convolution's weights in 255 levels, as far below 0 as above, for each output channel."""
    highest = np.maximum(np.abs(weight).max(axis=(1, 2, 3)), 1e-8)
    bound = highest.reshape(-1, *[1] * (len(kernels.get_output_shape(0)) - 1))
    bounds = _constant(-bound), _constant(bound)
    return ops.fake_quantize(kernels, *bounds, *bounds, levels=255)


def _double(x: Output) -> Output:
    """Twice the height and width, bilinear, pixel centres aligned by halves."""
    node = ops.interpolate(
        x,
        _constant([2.0, 2.0]),
        mode="linear_onnx",
        shape_calculation_mode="scales",
        coordinate_transformation_mode="half_pixel",
        axes=_constant([2, 3]),
    )
    return node.output(0)


def _channels(x: Output) -> int:
    return int(x.get_partial_shape()[1].get_length())


def _constant(value: object) -> Node:
    array = np.asarray(value)
    if array.dtype == np.float64:
        array = array.astype(np.float32)
    return ops.constant(array)
