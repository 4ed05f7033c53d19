"""A zip of a batch's files, made piece by piece while the photos are parsed."""

from __future__ import annotations

import json
from io import BytesIO
from typing import Any, Final
from zipfile import ZipFile

from humanparse.exports import FORMATS
from humanparse.exports.zips import make_member

INDEX: Final = "results.json"  # what became of every photo, and the name of its file


class Bundle:
    """`add` every photo's row and file, then `finish`; both give the zip's next bytes."""

    def __init__(self, format: str) -> None:
        self._format = FORMATS[format]
        self._stream = _Pieces()
        self._zip = ZipFile(self._stream, "w")  # type: ignore[call-overload]  # write, flush: enough without seeking
        self._rows: list[dict[str, Any]] = []
        self._shared: list[bytes] = []
        self._taken = {INDEX}

    def add(self, row: dict[str, Any], file: bytes | None) -> bytes:
        """`row` gets `output`, the name of the photo's file in the zip; `file` is None for a photo that failed."""
        self._rows.append(row)
        if file is None:
            return b""
        if self._format.join:
            row["output"] = f"photos{self._format.suffix}"
            self._shared.append(file)
            return b""
        row["output"] = self._free_name(row["file"].rpartition(".")[0] or row["file"])
        self._write(row["output"], file)
        return self._stream.take()

    def finish(self) -> bytes:
        """The file of all photos where the format has one, then results.json and the zip's table of contents."""
        if self._shared and self._format.join:
            self._write(f"photos{self._format.suffix}", self._format.join(self._shared))
        failed = sum(row["status"] == "error" for row in self._rows)
        index = {"results": self._rows, "succeeded": len(self._rows) - failed, "failed": failed}
        self._write(INDEX, json.dumps(index, indent=1).encode())
        self._zip.close()
        return self._stream.take()

    def _write(self, name: str, data: bytes) -> None:
        self._zip.writestr(make_member(name), data)

    def _free_name(self, stem: str) -> str:
        """`stem` and the format's suffix, with a number between where an earlier photo had the same."""
        name, number = f"{stem}{self._format.suffix}", 2
        while name in self._taken:
            name, number = f"{stem}-{number}{self._format.suffix}", number + 1
        self._taken.add(name)
        return name


class _Pieces:
    """A file to write to whose bytes are taken away as they come."""

    def __init__(self) -> None:
        self._buffer = BytesIO()

    def write(self, data: bytes) -> int:
        return self._buffer.write(data)

    def flush(self) -> None:
        pass

    def take(self) -> bytes:
        data = self._buffer.getvalue()
        self._buffer = BytesIO()
        return data
