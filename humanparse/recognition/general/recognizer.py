"""The general recognizer: photo -> probabilities of 54,092 things with Chinese names."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import numpy as np
import openvino as ov
from numpy.typing import NDArray

from humanparse.config import Settings
from humanparse.cpu import usable_cores
from humanparse.errors import RecognizerUnavailable
from humanparse.hub import missing_from
from humanparse.parsers.inference import choose_precision
from humanparse.recognition.contract import Label, Recognizer, RecognizerInfo
from humanparse.recognition.general.convert import convert_apart
from humanparse.recognition.general.frame import prepare
from humanparse.recognition.general.weights import FILES, GRAPH, is_converted, read_labels, read_note
from humanparse.recognition.runtime import Runtime

FORMATS: Final = ("f16", "bf16")


class GeneralRecognizer(Recognizer):
    """ModelScope's model, from the folder that `Settings.general_dir` names."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._runtime: Runtime | None = None
        self._labels: tuple[Label, ...] = ()
        self._info: RecognizerInfo | None = None

    @property
    def info(self) -> RecognizerInfo:
        known = str(read_note(self._settings.general_dir).get("sha256", "unknown"))
        return self._info or RecognizerInfo("general", known[:8])

    @property
    def labels(self) -> Sequence[Label]:
        return self._labels

    def available(self) -> str | None:
        missing = missing_from(self._settings.general_dir, FILES)
        if missing is None:
            return None
        folder = "the folder HUMANPARSE_GENERAL_DIR"  # its path is nobody's business who asks from outside
        return f"its {missing} is not in {folder}; fetch it with `python -m humanparse fetch general`"

    def load(self) -> None:
        missing = self.available()
        if missing is not None:
            raise RecognizerUnavailable(f"General recognition cannot be used: {missing}.")
        folder = self._settings.general_dir
        if not is_converted(folder):
            convert_apart(folder)
        self._labels = read_labels(folder)
        precision = choose_precision(self._settings.precision, FORMATS)
        try:
            graph = ov.Core().read_model(folder / GRAPH)
        except RuntimeError as exc:
            raise RecognizerUnavailable(f"{GRAPH} cannot be read: {exc}") from exc
        self._runtime = Runtime("general recognition", graph, precision, self._settings.threads or usable_cores())
        self._info = self.info
        self.recognize(np.zeros((256, 256, 3), np.uint8))

    def recognize(self, image: NDArray[np.uint8]) -> NDArray[np.float32]:
        if self._runtime is None:
            raise RecognizerUnavailable("General recognition is not loaded.")
        return self._runtime.run(prepare(image))
