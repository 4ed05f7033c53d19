"""A network of recognition in OpenVINO: one photo at the network's size in, one row of probabilities out."""

from __future__ import annotations

import numpy as np
import openvino as ov
from numpy.typing import NDArray

from humanparse.errors import ParserError, RecognizerUnavailable
from humanparse.parsers.inference import latency_options


class Runtime:
    """A compiled graph, warmed. Raises RecognizerUnavailable where OpenVINO cannot run it here."""

    def __init__(self, name: str, graph: ov.Model, precision: str, threads: int) -> None:
        self._name = name
        try:
            compiled = ov.Core().compile_model(graph, "CPU", latency_options(precision, threads))
            self._request = compiled.create_infer_request()
        except RuntimeError as exc:  # OpenVINO's errors have no type of their own
            raise RecognizerUnavailable(f"OpenVINO cannot run {name} here: {exc}") from exc

    def run(self, image: NDArray[np.generic]) -> NDArray[np.float32]:
        """(classes,) float32 that sum to 1; `image`: the network's input without its first axis. Raises ParserError."""
        try:
            self._request.infer({0: image[None]}, share_inputs=True)
            scores = np.array(self._request.get_output_tensor(0).data[0], np.float32)
        except RuntimeError as exc:
            raise ParserError(f"OpenVINO failed in {self._name}.") from exc
        return np.asarray(scores / scores.sum())  # bfloat16 leaves a sum of 0.99 to 1.01
