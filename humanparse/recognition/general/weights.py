"""The model's folder: what must lie in it, and the converted form beside it.

FOLDER/pytorch_model.pt     the checkpoint, as ModelScope publishes it
FOLDER/meta_info.txt        a class a line; its Chinese name behind the first tab
FOLDER/general.xml, .bin    the network as OpenVINO reads it
FOLDER/general.json         what that was made from
"""

from __future__ import annotations

import json
from importlib.metadata import version
from pathlib import Path
from typing import Any, Final

from humanparse.errors import WeightsDamaged
from humanparse.recognition.contract import Label

CHECKPOINT: Final = "pytorch_model.pt"
LABELS: Final = "meta_info.txt"
FILES: Final = (CHECKPOINT, LABELS)
GRAPH: Final = "general.xml"
NOTE: Final = "general.json"
FORM: Final = 1  # of our own code: raise it when the network or the conversion changes


def read_labels(folder: Path) -> tuple[Label, ...]:
    """By class id: line i is class i, as the reference reads it. Raises WeightsDamaged."""
    try:
        lines = (folder / LABELS).read_text("utf-8").rstrip("\n").split("\n")
        names = [line.split("\t")[1].strip() for line in lines]
    except (OSError, UnicodeDecodeError, IndexError) as exc:
        raise WeightsDamaged(f"{LABELS} is not a list of classes with tabs between: {exc}.") from exc
    return tuple(Label(name, name) for name in names)


def stamp(folder: Path) -> dict[str, Any]:
    """What a converted form has to be made from, to be the one of the checkpoint that is here. Raises OSError."""
    status = (folder / CHECKPOINT).stat()
    return {
        "bytes": status.st_size,
        "mtime_ns": status.st_mtime_ns,
        "openvino": version("openvino"),
        "form": FORM,
    }


def read_note(folder: Path) -> dict[str, Any]:
    """What the converted form was made from; empty without one."""
    try:
        note = json.loads((folder / NOTE).read_text())
    except (OSError, ValueError):
        return {}
    return note if isinstance(note, dict) else {}


def is_converted(folder: Path) -> bool:
    """Is the converted form here, and that of this checkpoint?"""
    note = read_note(folder)
    return (folder / GRAPH).is_file() and all(note.get(key) == value for key, value in stamp(folder).items())
