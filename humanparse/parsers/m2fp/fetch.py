"""Getting M2FP's weights: from ModelScope, or from a folder that is already there."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from humanparse.hub import HubModel, fetch_model
from humanparse.parsers.m2fp.configuration import read_configuration
from humanparse.parsers.m2fp.runtime import converted
from humanparse.parsers.m2fp.weights import FILES

MODELS: Final = (  # the same one under its present and its older name
    "iic/cv_resnet101_image-multiple-human-parsing",
    "damo/cv_resnet101_image-multiple-human-parsing",
)
REVISION: Final = "v1.0.1"
MODEL: Final = HubModel("m2fp", MODELS, REVISION, FILES, download_bytes=720_000_000, converted_bytes=270_000_000)
NOTICE: Final = (
    f"M2FP (Mask2Former-Parsing, ResNet-101), {MODELS[0]}, revision {REVISION}, from ModelScope.\n"
    f"{MODEL.sizes}\n"
    "Licence of the weights: CC BY-NC 4.0, for NON-COMMERCIAL use only. The compact parser has no such limit.\n"
)


def fetch(folder: Path, source: Path | None = None, endpoint: str | None = None) -> None:
    """Make `folder` a usable model folder, or leave it as it was.

    source: a folder with the model's files instead of the network. endpoint: another hub's address.
    Raises HubUnreachable, NoSpace, WeightsDamaged, ParserUnavailable or FetchFailed.
    """

    def prepare(ready: Path) -> None:
        read_configuration(ready)
        converted(ready)

    fetch_model(MODEL, folder, prepare, source, endpoint)
