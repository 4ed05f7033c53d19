"""What `configuration.json` beside the weights says of the network; nothing of it is assumed."""

from __future__ import annotations

import json
import logging
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from humanparse.errors import WeightsDamaged
from humanparse.labels import NAMES, plain_name

FILE: Final = "configuration.json"
MODEL_TYPE: Final = "m2fp"
DEPTHS: Final = {50: (3, 4, 6, 3), 101: (3, 4, 23, 3), 152: (3, 8, 36, 3)}
LEVELS: Final = 3  # of the pixel decoder's attention and of the decoder's: strides 32, 16, 8
POINTS: Final = 4  # sampled by an attention head in each level

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Backbone:
    """DeepLab-stem ResNet; `multi_grid` are the dilation factors of res5's blocks."""

    blocks: tuple[int, int, int, int]
    groups: int
    width_per_group: int
    stem_channels: int
    res2_channels: int
    stride_in_1x1: bool
    res4_dilation: int
    res5_dilation: int
    multi_grid: tuple[int, ...]

    @property
    def channels(self) -> tuple[int, int, int, int]:
        """Of res2, res3, res4 and res5."""
        first = self.res2_channels
        return first, 2 * first, 4 * first, 8 * first


@dataclass(frozen=True)
class PixelDecoder:
    """Deformable-attention encoder over res3 to res5 and the finer map of stride 4."""

    width: int
    mask_width: int
    heads: int
    feedforward: int
    layers: int


@dataclass(frozen=True)
class QueryDecoder:
    """Masked-attention decoder: `queries` look for a mask each."""

    width: int
    mask_width: int
    heads: int
    feedforward: int
    layers: int
    queries: int
    pre_norm: bool
    project_input: bool


@dataclass(frozen=True)
class Configuration:
    """The whole network. `classes` are the parts (background first) and `Human` last."""

    backbone: Backbone
    pixel_decoder: PixelDecoder
    query_decoder: QueryDecoder
    classes: tuple[str, ...]
    paste_threshold: float

    @property
    def parts(self) -> int:
        """Classes that are parts, background among them; the next id is `Human`."""
        return len(self.classes) - 1


def read_configuration(folder: Path) -> Configuration:
    """The configuration in `folder`. Raises WeightsDamaged where it is missing, broken or of another model."""
    path = folder / FILE
    try:
        document = json.loads(path.read_text("utf-8"))
    except OSError as exc:
        raise WeightsDamaged(f"{path} cannot be read: {exc.strerror}.") from exc
    except ValueError as exc:
        raise WeightsDamaged(f"{path} is not JSON; fetch the model again.") from exc
    return make_configuration(document)


def make_configuration(document: Mapping[str, Any]) -> Configuration:
    """The network that ModelScope's `configuration.json`, as a dict, describes. Raises WeightsDamaged."""
    try:
        model = document["model"]
        if model["type"].lower() != MODEL_TYPE:
            raise WeightsDamaged(f"The configuration is of a model of type {model['type']!r}, not {MODEL_TYPE!r}.")
        configuration = _from_model(model)
    except (KeyError, TypeError, AttributeError, ValueError) as exc:
        raise WeightsDamaged(f"The configuration of M2FP lacks something or has it wrong: {exc!r}.") from exc
    _check_classes(configuration.classes)
    return configuration


def _from_model(model: Mapping[str, Any]) -> Configuration:
    resnet, encoder, decoder = model["backbone"], model["encoder"], model["decoder"]
    fixed = {  # what the published recipe has and this code knows no other of
        "single_human": (model["single_human"], False),
        "parsing_on": (model["parsing_on"], True),
        "num_parsing": (model["num_parsing"], len(NAMES)),
        "backbone.depth": (resnet["depth"], tuple(DEPTHS)),
        "backbone.norm": (resnet["norm"], ("BN", "nnSyncBN")),
        "backbone.out_features": (resnet["out_features"], ["res2", "res3", "res4", "res5"]),
        "encoder.transformer_in_features": (encoder["transformer_in_features"], ["res3", "res4", "res5"]),
        "encoder.common_stride": (encoder["common_stride"], 4),
        "decoder.num_classes": (decoder["num_classes"], len(model["classes"])),
        "classes": (len(model["classes"]), len(NAMES) + 1),
    }
    for key, (value, allowed) in fixed.items():
        if value != allowed and not (isinstance(allowed, tuple) and value in allowed):
            raise WeightsDamaged(f"The configuration has {key} = {value!r}; this parser knows {allowed!r}.")
    return Configuration(
        Backbone(
            blocks=DEPTHS[resnet["depth"]],
            groups=int(resnet["num_groups"]),
            width_per_group=int(resnet["width_per_group"]),
            stem_channels=int(resnet["stem_out_channels"]),
            res2_channels=int(resnet["res2_out_channels"]),
            stride_in_1x1=bool(resnet["stride_in_1x1"]),
            res4_dilation=int(resnet["res4_dilation"]),
            res5_dilation=int(resnet["res5_dilation"]),
            multi_grid=tuple(int(factor) for factor in resnet["res5_multi_grid"]),
        ),
        PixelDecoder(
            width=int(encoder["conv_dim"]),
            mask_width=int(encoder["mask_dim"]),
            heads=int(encoder["transformer_nheads"]),
            feedforward=int(encoder["transformer_dim_feedforward"]),
            layers=int(encoder["transformer_enc_layers"]),
        ),
        QueryDecoder(
            width=int(decoder["hidden_dim"]),
            mask_width=int(decoder["mask_dim"]),
            heads=int(decoder["nheads"]),
            feedforward=int(decoder["dim_feedforward"]),
            layers=int(decoder["dec_layers"]),
            queries=int(decoder["num_queries"]),
            pre_norm=bool(decoder["pre_norm"]),
            project_input=bool(decoder["enforce_input_project"]) or encoder["conv_dim"] != decoder["hidden_dim"],
        ),
        classes=tuple(str(name) for name in model["classes"]),
        paste_threshold=float(model["parsing_ins_score_thr"]),
    )


def _check_classes(classes: tuple[str, ...]) -> None:
    """The order rules, as in CIHP; names that we would not have expected are worth a word in the log."""
    for ours, theirs in zip((*NAMES, "Human"), classes, strict=True):
        if plain_name(ours) != plain_name(theirs):
            log.warning("M2FP's configuration calls class %r %r; the order of CIHP is taken", ours, theirs)
