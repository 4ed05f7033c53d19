"""Label maps from the PyTorch network in training."""

from __future__ import annotations

import cv2
import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from torch import nn

from humanparse.layers import MIDDLE, SPREAD
from humanparse.parsers.compact.frame import prepare


@torch.no_grad()
def predict_labels(network: nn.Module, image: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """(H, W) uint8 labels of one photo, one pass."""
    height, width = image.shape[:2]
    padded, inner = prepare(image)
    x = torch.from_numpy((padded.astype(np.float32) - MIDDLE) / SPREAD).permute(2, 0, 1)[None]
    with torch.autocast("cpu", torch.bfloat16):
        logits = network(x.contiguous(memory_format=torch.channels_last))[0].float()
    logits = F.interpolate(logits, scale_factor=4.0, mode="bilinear", align_corners=False)
    labels = logits[0, :, : inner[0], : inner[1]].argmax(0).numpy().astype(np.uint8)
    return np.asarray(cv2.resize(labels, (width, height), interpolation=cv2.INTER_NEAREST), np.uint8)
