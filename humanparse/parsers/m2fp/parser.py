"""The M2FP parser: photo -> network -> label map and people map."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from humanparse.config import Settings
from humanparse.cpu import usable_cores
from humanparse.errors import ParserUnavailable
from humanparse.hub import missing_from
from humanparse.parsers.contract import Parser
from humanparse.parsers.inference import choose_precision
from humanparse.parsers.m2fp import weights
from humanparse.parsers.m2fp.configuration import Configuration, read_configuration
from humanparse.parsers.m2fp.frame import prepare
from humanparse.records import ParserInfo, Parsing

if TYPE_CHECKING:  # it brings numba, which those do without who only ask whether the weights are here
    from humanparse.parsers.m2fp.runtime import Runtime


class M2FPParser(Parser):
    """The ModelScope model, from the folder that `Settings.m2fp_dir` names."""

    memory_bytes = 1_900_000_000  # docs/performance.md, with some room
    formats = ("f16", "bf16")  # f16 is ten times closer to float32

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._threads = settings.threads or usable_cores()
        self._loaded: tuple[Runtime, Configuration] | None = None
        self._info: ParserInfo | None = None  # from loading on, when the version is known for good

    @property
    def info(self) -> ParserInfo:
        return self._info or self._read_info()

    def _read_info(self) -> ParserInfo:
        return ParserInfo("m2fp", weights.known_version(self._settings.m2fp_dir))

    def available(self) -> str | None:
        missing = missing_from(self._settings.m2fp_dir, weights.FILES)
        if missing is None:
            return None
        return (
            f"its {missing} is not in the folder HUMANPARSE_M2FP_DIR; fetch it with `python -m humanparse fetch m2fp`"
        )

    def load(self) -> None:
        missing = self.available()
        if missing is not None:
            raise ParserUnavailable(f"M2FP cannot be used: {missing}.")
        from humanparse.parsers.m2fp.runtime import make_runtime

        folder = self._settings.m2fp_dir
        configuration = read_configuration(folder)
        precision = choose_precision(self._settings.precision, self.formats)
        runtime = make_runtime(folder, self._settings.m2fp_runtime, precision, self._threads)
        self._loaded = runtime, configuration
        self._info = self._read_info()
        self.parse(np.zeros((480, 640, 3), np.uint8))  # compiles the loops over masks

    def parse(self, image: NDArray[np.uint8]) -> Parsing:
        if self._loaded is None:
            raise ParserUnavailable("The M2FP parser is not loaded.")
        from humanparse.parsers.m2fp.people import resolve

        runtime, configuration = self._loaded
        tensor, frame = prepare(image)
        logits, masks = runtime.run(tensor)
        maps = resolve(logits, masks, frame, configuration.paste_threshold, self._threads)
        return Parsing.from_maps(*maps, self.info)
