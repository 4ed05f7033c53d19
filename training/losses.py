"""What the network is asked for: parts (cross entropy, dice, sides) and people (centres, offsets, key points)."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor

from humanparse.labels import NUM_CLASSES
from training.dataset import IGNORE
from training.pose import LIMBS
from training.targets import PEAK


def parts_loss(logits: Tensor, labels: Tensor, weights: Tensor) -> Tensor:
    """Weighted cross entropy plus soft dice over the classes in sight.

    logits (N, 20, H/4, W/4); labels (N, H/2, W/2) int64 with 255 = ignore.
    """
    logits = F.interpolate(logits.float(), scale_factor=2.0, mode="bilinear", align_corners=False)
    log_probability = F.log_softmax(logits, dim=1)
    valid = labels != IGNORE
    target = labels.where(valid, torch.zeros_like(labels))
    picked = -log_probability.gather(1, target[:, None])[:, 0]
    weight = weights[target] * valid
    entropy = (picked * weight).sum() / weight.sum().clamp(min=1.0)

    probability = log_probability.exp() * valid[:, None]
    truth = F.one_hot(target, NUM_CLASSES).permute(0, 3, 1, 2) * valid[:, None]
    axes = (0, 2, 3)
    overlap = (probability * truth).sum(axes)
    total = probability.sum(axes) + truth.sum(axes)
    present = truth.sum(axes) > 0
    dice = 1 - (2 * overlap + 1) / (total + 1)
    return entropy + dice[present].mean()


def sides_loss(logits: Tensor, labels: Tensor) -> Tensor:
    """Which side, apart from which limb: cross entropy between left and right on limbs and shoes, each kind alike.

    The cross entropy over all classes sees a leg on the wrong side as hardly worse than a leg that is a little unsure
    to be one, and there are few such pixels. logits (N, 20, H/4, W/4); labels (N, H/2, W/2) int64 with 255 = ignore.
    """
    logits = F.interpolate(logits.float(), scale_factor=2.0, mode="bilinear", align_corners=False)
    total = logits.new_zeros(())
    for left, right, _ in LIMBS:
        limb = (labels == left) | (labels == right)
        lead = (logits[:, left] - logits[:, right])[limb]
        is_left = (labels[limb] == left).float()
        total = total + F.binary_cross_entropy_with_logits(lead, is_left, reduction="sum") / limb.sum().clamp(min=200)
    return total


def fields_loss(logits: Tensor, fields: Tensor) -> Tensor:
    """Which arm, which leg is nearer: cross entropy where known.

    logits, fields (N, 2, h, w): 1 left, -1 right, 0 unknown.
    """
    known = fields != 0
    entropy = F.binary_cross_entropy_with_logits(logits.float(), (fields > 0).float(), reduction="none") * known
    each = entropy.sum((0, 2, 3)) / known.sum((0, 2, 3)).clamp(min=200)
    return 0.5 * each.sum()


def people_loss(output: Tensor, heat: Tensor, offset: Tensor, owned: Tensor, known: Tensor) -> Tensor:
    """Focal loss on centres (CenterNet) plus L1 on offsets, all on the grid of the network's output.

    output (N, 3, h, w); heat (N, h, w) in [0, 1], 1 at centres; offset (N, 2, h, w) in
    units of `grouping.OFFSET_UNIT` cells; owned (N, h, w) bool, pixels of a person; known (N, h, w) bool, not ignored.
    """
    output = output.float()
    distance = (output[:, 1:] - offset).abs() * owned[:, None]
    return 0.25 * focal(output[:, 0], heat, known) + 2.0 * distance.sum() / (2 * owned.sum().clamp(min=1))


def joints_loss(logits: Tensor, heat: Tensor, known: Tensor) -> Tensor:
    """Focal loss on key points: logits and heat (N, 17, h, w), known (N, 17, h, w) bool, where to learn."""
    return 0.2 * focal(logits.float(), heat, known)


def focal(logits: Tensor, heat: Tensor, known: Tensor) -> Tensor:
    """CenterNet's loss per peak; all of one shape, heat in [0, 1] with 1 at peaks, known bool, not ignored."""
    probability = logits.sigmoid()
    peak = heat >= PEAK
    positive = F.logsigmoid(logits) * (1 - probability) ** 2 * peak
    negative = F.logsigmoid(-logits) * probability**2 * (1 - heat) ** 4 * (known & ~peak)
    return -(positive.sum() + negative.sum()) / peak.sum().clamp(min=1)
