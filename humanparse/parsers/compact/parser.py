"""The compact parser: photo -> network -> label map, people map and key points."""

from __future__ import annotations

from functools import cached_property
from pathlib import Path

import numpy as np
import openvino as ov
from numpy.typing import NDArray

from humanparse.config import Settings
from humanparse.cpu import usable_cores
from humanparse.errors import ParserError, ParserUnavailable
from humanparse.parsers.compact import weights
from humanparse.parsers.compact.detail import look_closer
from humanparse.parsers.compact.frame import LONG_SIDE
from humanparse.parsers.compact.graph import build_graph, has_ranges
from humanparse.parsers.compact.mirror import both_ways
from humanparse.parsers.compact.reading import Maps, Reading, look
from humanparse.parsers.contract import Parser
from humanparse.parsers.inference import choose_precision, latency_options
from humanparse.records import ParserInfo, Parsing


class CompactParser(Parser):
    """Our own EfficientNet-Lite2 network, run by OpenVINO in the fastest form the CPU has."""

    memory_bytes = 300_000_000  # docs/performance.md, with some room
    whole_numbers = True
    formats = ("bf16",)  # f16 was never measured for it

    def __init__(self, settings: Settings, file: Path | None = None) -> None:
        """`file`: other weights than the embedded ones, with a .sha256 beside it; training compares so."""
        self._settings = settings
        self._file = file or weights.FILE
        self._checksum = self._file.with_suffix(".sha256")
        self._request: ov.InferRequest | None = None
        self._heads: tuple[str, ...] = ()

    @cached_property  # not read in the constructor: `auto` makes a parser per request to ask if it is available
    def info(self) -> ParserInfo:
        return ParserInfo("compact", weights.weights_version(self._checksum))

    def available(self) -> str | None:
        if self._file.exists():
            return None
        return f"its weights ({self._file.name}) are not in this checkout; fetch the file again with git"

    def load(self) -> None:
        try:
            tensors = weights.read_weights(self._file, self._checksum)
            int8 = self._settings.precision in ("auto", "int8") and has_ranges(tensors)
            graph = build_graph(tensors, int8)
            precision = choose_precision(self._settings.precision, self.formats)  # in int8: of what is not rounded
            options = latency_options(precision, self._settings.threads or usable_cores())
            compiled = ov.Core().compile_model(graph, "CPU", options)
            self._heads = tuple(output.get_any_name() for output in compiled.outputs)
            self._request = compiled.create_infer_request()
        except RuntimeError as exc:  # OpenVINO's errors have no type of their own
            raise ParserUnavailable(f"OpenVINO cannot run the compact network here: {exc}") from exc
        self.parse(np.zeros((480, 640, 3), np.uint8))

    def parse(self, image: NDArray[np.uint8]) -> Parsing:
        infer = both_ways(self.infer)
        first, inner = look(image, LONG_SIDE, infer)
        if max(inner) == LONG_SIDE:  # in a close-up, and in a tiny photo, nobody is too small
            first = look_closer(image, first, inner, infer)
        return self._record(first)

    def glance(self, image: NDArray[np.uint8]) -> Parsing:
        return self._record(look(image, LONG_SIDE, self.infer)[0])

    def _record(self, reading: Reading) -> Parsing:
        return Parsing.from_maps(reading.labels, reading.people, reading.confidence, self.info, reading.keypoints)

    def infer(self, padded: NDArray[np.uint8]) -> Maps:
        """The network's maps for a padded frame."""
        if self._request is None:
            raise ParserUnavailable("The compact parser is not loaded.")
        try:
            self._request.infer({"image": padded[None]})
            return Maps(**{head: self._request.get_tensor(head).data[0].copy() for head in self._heads})
        except RuntimeError as exc:
            raise ParserError(f"OpenVINO failed on a {padded.shape[1]}x{padded.shape[0]} input.") from exc
