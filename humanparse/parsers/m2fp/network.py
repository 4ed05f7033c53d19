"""M2FP as a whole, with the checkpoint's keys, and strict loading.

The reference skips what does not fit in silence; here every missing, unexpected or misshapen key
is an error that lists them.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

import torch
from torch import Tensor, nn

from humanparse.errors import WeightsDamaged
from humanparse.parsers.m2fp.backbone import ResNet
from humanparse.parsers.m2fp.configuration import Configuration
from humanparse.parsers.m2fp.pixel_decoder import PixelDecoderNetwork
from humanparse.parsers.m2fp.query_decoder import Prediction, QueryDecoderNetwork

LISTED: Final = 8  # keys of each kind that an error names


class Head(nn.Module):
    """Only holds its two, under the checkpoint's keys; M2FP runs them."""

    def __init__(self, configuration: Configuration) -> None:
        super().__init__()
        self.pixel_decoder = PixelDecoderNetwork(configuration.pixel_decoder, configuration.backbone.channels)
        self.predictor = QueryDecoderNetwork(
            configuration.query_decoder, configuration.pixel_decoder.width, len(configuration.classes)
        )


class M2FP(nn.Module):
    """(1, 3, H, W) float32, RGB normalised, H and W multiples of 32 -> Prediction."""

    def __init__(self, configuration: Configuration) -> None:
        super().__init__()
        self.backbone = ResNet(configuration.backbone)
        self.sem_seg_head = Head(configuration)

    def forward(self, image: Tensor) -> Prediction:
        head = self.sem_seg_head
        return head.predictor(head.pixel_decoder(self.backbone(image)))  # type: ignore[no-any-return]


def build(configuration: Configuration, state: Mapping[str, Tensor]) -> M2FP:
    """The network with the weights of `state`. Raises WeightsDamaged unless they fit exactly."""
    with torch.device("meta"):
        network = M2FP(configuration)
    wanted = network.state_dict()
    troubles = []
    for kind, keys in (
        ("missing", [key for key in wanted if key not in state]),
        ("unexpected", [key for key in state if key not in wanted]),
        ("misshapen", [key for key in wanted if key in state and state[key].shape != wanted[key].shape]),
    ):
        if keys:
            more = f" and {len(keys) - LISTED} more" if len(keys) > LISTED else ""
            troubles.append(f"{len(keys)} {kind}: {', '.join(keys[:LISTED])}{more}")
    if troubles:
        raise WeightsDamaged(f"The weights do not fit M2FP's configuration; {'; '.join(troubles)}.")
    network.load_state_dict(state, assign=True)
    return network.eval().requires_grad_(False)
