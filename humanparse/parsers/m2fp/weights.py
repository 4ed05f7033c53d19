"""The model's folder: what must lie in it, and the form converted for the runtime beside it.

    FOLDER/configuration.json     hyper-parameters, as ModelScope publishes them
    FOLDER/pytorch_model.pt       the checkpoint
    FOLDER/runtime/KEY/           the network as OpenVINO reads it, made from the two
    FOLDER/runtime/checkpoint.json  the checkpoint's SHA-256, with the size and time of the file it was read from

KEY comes from the contents of both files, OpenVINO's version and this code's own, so that a form
that no longer fits is never used. Everything is written under another name first, then moved.
"""

from __future__ import annotations

import hashlib
import json
from importlib.metadata import version
from pathlib import Path
from typing import Final

from humanparse.errors import WeightsDamaged
from humanparse.hub import hash_file
from humanparse.parsers.m2fp import configuration

CHECKPOINT: Final = "pytorch_model.pt"
FILES: Final = (configuration.FILE, CHECKPOINT)
RUNTIME: Final = "runtime"
GRAPH: Final = "m2fp.xml"
FORM: Final = 1  # of our own code: raise it when the network or the conversion changes


def checkpoint_digest(folder: Path) -> str:
    """SHA-256 of the checkpoint; remembered as long as the file keeps its size and time."""
    path, note = folder / CHECKPOINT, folder / RUNTIME / "checkpoint.json"
    try:
        status = path.stat()
        stamp = {"bytes": status.st_size, "mtime_ns": status.st_mtime_ns}
        known = _read_note(note)
        if known and {key: known.get(key) for key in stamp} == stamp:
            return str(known["sha256"])
        digest = hash_file(path)
    except OSError as exc:
        raise WeightsDamaged(f"{path} cannot be read: {exc.strerror}.") from exc
    if note.parent.is_dir():
        _write_note(note, {**stamp, "sha256": digest})
    return digest


def known_version(folder: Path) -> str:
    """The first eight digits of the checkpoint's SHA-256, if it was ever taken; else "unknown"."""
    known = _read_note(folder / RUNTIME / "checkpoint.json")
    return str(known["sha256"])[:8] if known else "unknown"


def graph_path(folder: Path) -> Path:
    """Where the converted form of what is in `folder` now lies, or will."""
    parts = [
        checkpoint_digest(folder),
        (folder / configuration.FILE).read_text("utf-8"),
        version("openvino"),
        str(FORM),
    ]
    key = hashlib.sha256("\n".join(parts).encode()).hexdigest()[:16]
    return folder / RUNTIME / key / GRAPH


def _read_note(path: Path) -> dict[str, object] | None:
    try:
        note = json.loads(path.read_text())
    except (OSError, ValueError):
        return None
    return note if isinstance(note, dict) and isinstance(note.get("sha256"), str) else None


def _write_note(path: Path, note: dict[str, object]) -> None:
    """Only a memory: a folder that cannot be written to is no reason to fail."""
    part = path.with_suffix(".part")
    try:
        part.write_text(json.dumps(note))
        part.replace(path)
    except OSError:
        return
