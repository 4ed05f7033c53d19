"""The masked-attention decoder: queries that each look, in the end, for one mask and its class.

Cheng et al., "Masked-attention Mask Transformer for Universal Image Segmentation", 2022. A query
attends only to the cells that its mask of the layer before covers.
"""

from __future__ import annotations

from typing import NamedTuple

import torch.nn.functional as F
from torch import Tensor, nn

from humanparse.parsers.m2fp.configuration import LEVELS, QueryDecoder
from humanparse.parsers.m2fp.pixel_decoder import PixelFeatures
from humanparse.parsers.m2fp.position import encode_positions


class Prediction(NamedTuple):
    """`logits` (1, Q, classes + 1), the last being nothing; `masks` (1, Q, H/4, W/4) logits."""

    logits: Tensor
    masks: Tensor


class CrossAttention(nn.Module):
    """Queries x (Q, C) and their places (Q, C) over cells and positions (S, C) -> (Q, C).

    hidden (Q, S) bool: where a query may not look.
    """

    def __init__(self, plan: QueryDecoder) -> None:
        super().__init__()
        self.multihead_attn = nn.MultiheadAttention(plan.width, plan.heads)
        self.norm = nn.LayerNorm(plan.width)

    def forward(self, x: Tensor, place: Tensor, cells: Tensor, positions: Tensor, hidden: Tensor) -> Tensor:
        return attend(self.multihead_attn, x + place, cells + positions, cells, hidden)


class SelfAttention(nn.Module):
    """Queries x (Q, C) and their places (Q, C) over each other -> (Q, C)."""

    def __init__(self, plan: QueryDecoder) -> None:
        super().__init__()
        self.self_attn = nn.MultiheadAttention(plan.width, plan.heads)
        self.norm = nn.LayerNorm(plan.width)

    def forward(self, x: Tensor, place: Tensor) -> Tensor:
        return attend(self.self_attn, x + place, x + place, x, None)


class FeedForward(nn.Module):
    """(Q, C) -> (Q, C), each query by itself."""

    def __init__(self, plan: QueryDecoder) -> None:
        super().__init__()
        self.linear1 = nn.Linear(plan.width, plan.feedforward)
        self.linear2 = nn.Linear(plan.feedforward, plan.width)
        self.norm = nn.LayerNorm(plan.width)

    def forward(self, x: Tensor) -> Tensor:
        return self.linear2(F.relu(self.linear1(x)))  # type: ignore[no-any-return]


class MLP(nn.Module):
    """(Q, width) -> (Q, cout): three linear layers with ReLU between them."""

    def __init__(self, width: int, cout: int) -> None:
        super().__init__()
        self.layers = nn.ModuleList([nn.Linear(width, width), nn.Linear(width, width), nn.Linear(width, cout)])

    def forward(self, x: Tensor) -> Tensor:
        first, second, third = self.layers
        return third(F.relu(second(F.relu(first(x)))))  # type: ignore[no-any-return]


class QueryDecoderNetwork(nn.Module):
    """PixelFeatures -> Prediction."""

    def __init__(self, plan: QueryDecoder, pixel_width: int, classes: int) -> None:
        super().__init__()
        self.pre_norm = plan.pre_norm
        layers = range(plan.layers)
        self.transformer_self_attention_layers = nn.ModuleList(SelfAttention(plan) for _ in layers)
        self.transformer_cross_attention_layers = nn.ModuleList(CrossAttention(plan) for _ in layers)
        self.transformer_ffn_layers = nn.ModuleList(FeedForward(plan) for _ in layers)
        self.decoder_norm = nn.LayerNorm(plan.width)
        self.query_feat = nn.Embedding(plan.queries, plan.width)
        self.query_embed = nn.Embedding(plan.queries, plan.width)
        self.level_embed = nn.Embedding(LEVELS, plan.width)
        self.input_proj = nn.ModuleList(
            nn.Conv2d(pixel_width, plan.width, 1) if plan.project_input else nn.Sequential() for _ in range(LEVELS)
        )
        self.class_embed = nn.Linear(plan.width, classes + 1)
        self.mask_embed = MLP(plan.width, plan.mask_width)

    def forward(self, features: PixelFeatures) -> Prediction:
        return self.predict_all(features, last_only=True)[-1]

    def predict_all(self, features: PixelFeatures, last_only: bool = False) -> list[Prediction]:
        """The predictions before the first layer and after every layer (training looks at all of them)."""
        cells, positions, small = [], [], []
        for index, level in enumerate(features.levels):
            x = self.input_proj[index](level)
            positions.append(encode_positions(x, x.shape[1]).flatten(2)[0].T)
            cells.append(x.flatten(2)[0].T + self.level_embed.weight[index])
            # The reference makes each layer's masks at full size and shrinks them; shrinking is linear,
            # so the features can be shrunk instead, once, and 9 of 10 large products are saved.
            small.append(F.interpolate(features.masks, size=level.shape[-2:], mode="bilinear", align_corners=False))
        x, place = self.query_feat.weight, self.query_embed.weight
        predictions = [] if last_only else [self._predict(x, features.masks)]
        layers = zip(
            self.transformer_cross_attention_layers,
            self.transformer_self_attention_layers,
            self.transformer_ffn_layers,
            strict=True,
        )
        for index, (cross, among, feedforward) in enumerate(layers):
            which = index % LEVELS
            hidden = self._hidden(x, small[which])
            x = self._add(cross, x, place, cells[which], positions[which], hidden)
            x = self._add(among, x, place)
            x = self._add(feedforward, x)
            if not last_only:
                predictions.append(self._predict(x, features.masks))
        return predictions or [self._predict(x, features.masks)]

    def _add(self, layer: nn.Module, x: Tensor, *others: Tensor) -> Tensor:
        if self.pre_norm:
            return x + layer(layer.norm(x), *others)  # type: ignore[operator, no-any-return]
        return layer.norm(x + layer(x, *others))  # type: ignore[operator, no-any-return]

    def _predict(self, x: Tensor, masks: Tensor) -> Prediction:
        x = self.decoder_norm(x)
        return Prediction(self.class_embed(x).unsqueeze(0), _masks(self.mask_embed(x), masks))

    def _hidden(self, x: Tensor, masks: Tensor) -> Tensor:
        """(Q, S) bool: cells outside the query's mask; a query whose mask is empty may look everywhere."""
        outside = _masks(self.mask_embed(self.decoder_norm(x)), masks).flatten(2)[0].detach() < 0
        return outside & ~outside.all(1, keepdim=True)


def _masks(queries: Tensor, features: Tensor) -> Tensor:
    """(Q, C) and (1, C, H, W) -> (1, Q, H, W)."""
    height, width = features.shape[-2:]
    return (queries @ features[0].flatten(1)).view(1, -1, height, width)


def attend(
    attention: nn.MultiheadAttention, query: Tensor, key: Tensor, value: Tensor, hidden: Tensor | None
) -> Tensor:
    """What `attention` gives for query (Q, C), key and value (S, C), and hidden (Q, S) bool.

    torch's module also averages the weights of the heads, which nobody asks for here, and its
    traced form fixes the sizes; this one keeps them open.
    """
    width, heads = query.shape[1], attention.num_heads
    weights, biases = attention.in_proj_weight.chunk(3), attention.in_proj_bias.chunk(3)
    q, k, v = (
        F.linear(x, weight, bias).view(-1, heads, width // heads).transpose(0, 1).unsqueeze(0)
        for x, weight, bias in zip((query, key, value), weights, biases, strict=True)
    )
    mask = None if hidden is None else ~hidden
    found = F.scaled_dot_product_attention(q, k, v, attn_mask=mask)
    return attention.out_proj(found[0].transpose(0, 1).reshape(-1, width))  # type: ignore[no-any-return]
