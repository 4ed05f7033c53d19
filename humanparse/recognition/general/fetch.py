"""Getting general recognition's weights: from ModelScope, or from a folder that is already there."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from humanparse.hub import HubModel, fetch_model
from humanparse.recognition.general.convert import convert_apart
from humanparse.recognition.general.weights import FILES, read_labels

MODEL: Final = HubModel(
    command="general",
    names=("iic/cv_resnest101_general_recognition", "damo/cv_resnest101_general_recognition"),
    revision="master",
    files=FILES,
    download_bytes=640_000_000,  # 157 million float32 numbers, by the network's shapes
    converted_bytes=320_000_000,
)
NOTICE: Final = (
    f"General recognition (ResNeSt-101, 54,092 classes, Chinese), {MODEL.names[0]}, from ModelScope.\n"
    f"{MODEL.sizes}\n"
    "Read the licence on the model's page at ModelScope before you use it.\n"
)


def fetch(folder: Path, source: Path | None = None, endpoint: str | None = None) -> None:
    """Make `folder` a usable model folder, or leave it as it was.

    source: a folder with the model's files instead of the network. endpoint: another hub's address.
    Raises HubUnreachable, NoSpace, WeightsDamaged, RecognizerUnavailable or FetchFailed.
    """

    def prepare(ready: Path) -> None:
        read_labels(ready)
        convert_apart(ready)

    fetch_model(MODEL, folder, prepare, source, endpoint)
