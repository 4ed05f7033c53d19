"""bytes -> decode -> parse -> compose: the way of a photo, the same for page, API and command line."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from humanparse import parsers, recognition
from humanparse.cache.parsings import ParsingCache, key_of
from humanparse.config import Settings
from humanparse.gate import Gate
from humanparse.images import read_image
from humanparse.labels import PALETTES
from humanparse.options import ParseOptions
from humanparse.parsers.contract import Parser
from humanparse.recognition.contract import Recognizer
from humanparse.recognition.pipeline import RecognitionPipeline
from humanparse.records import Parsing
from utils import compose_overlay


@dataclass(frozen=True, eq=False)
class Answer:
    """One photo's result: photo and overlay (H, W, 3) uint8 RGB, the Parsing, milliseconds by stage.

    cache: how the Parsing was come by (HIT, MISS, COLLAPSED of the cache); None without a cache.
    """

    image: NDArray[np.uint8]
    overlay: NDArray[np.uint8]
    parsing: Parsing
    timing_ms: dict[str, float] = field(default_factory=dict)
    cache: str | None = None

    def timing_with(self, encoding: Stopwatch) -> dict[str, float]:
        """Milliseconds by stage, the encoding's too, and their `total`."""
        timing = {**self.timing_ms, **encoding.timing_ms}
        return {**timing, "total": round(sum(timing.values()), 2)}


def compose(image: NDArray[np.uint8], parsing: Parsing, options: ParseOptions) -> NDArray[np.uint8]:
    """The overlay (H, W, 3) uint8 RGB that `options` ask for."""
    outlined = parsing.people if options.outline else None
    return compose_overlay(image, parsing.labels, outlined, PALETTES[options.palette], options.alpha)


class Stopwatch:
    """Milliseconds spent in named stages."""

    def __init__(self) -> None:
        self.timing_ms: dict[str, float] = {}

    @contextmanager
    def stage(self, name: str) -> Iterator[None]:
        start = time.perf_counter()
        try:
            yield
        finally:
            spent = (time.perf_counter() - start) * 1000
            self.timing_ms[name] = round(self.timing_ms.get(name, 0.0) + spent, 2)


class Pipeline:
    """Parsers, loaded when first needed, the gate in front of them, and a cache of what they made, if one is given."""

    def __init__(
        self,
        settings: Settings,
        make_parser: Callable[[str, Settings], Parser] = parsers.make_parser,
        cache: ParsingCache | None = None,
        make_recognizer: Callable[[str, Settings], Recognizer] = recognition.make_recognizer,
    ) -> None:
        self.settings, self.cache = settings, cache
        self._make_parser = make_parser
        self.gate = Gate(settings.queue_length, settings.queue_timeout_s)
        self.recognition = RecognitionPipeline(settings, self.gate, cache, make_recognizer)
        self._loaded: dict[str, Parser] = {}
        self._loading = threading.Lock()

    def load(self, name: str = parsers.AUTO) -> Parser:
        """The parser called `name`, loaded. Raises ParserError where it cannot run on this machine."""
        name = parsers.choose_parser(self.settings) if name == parsers.AUTO else name
        with self._loading:
            if name not in self._loaded:
                parser = self._make_parser(name, self.settings)
                parser.load()
                self._loaded[name] = parser
            return self._loaded[name]

    def parse(self, data: bytes, options: ParseOptions, tell: Callable[[int], None] | None = None) -> Answer:
        """The answer for one photo's bytes. Raises InputError, Busy or ParserError.

        tell: hears how many photos wait before this one, whenever that changes; 0 when it is being parsed.
        """
        watch = Stopwatch()
        with watch.stage("decode"):
            image = read_image(data, max_bytes=self.settings.max_bytes, max_pixels=self.settings.max_pixels)
        parser = self.load(options.parser)
        if self.cache is None:
            parsing, cached = self._run(parser, image, options.detail, watch, tell), None
        else:
            key = key_of(data, parser.info, options, self.settings.precision)
            with watch.stage("cache"):
                parsing, cached = self.cache.find(key, lambda: self._run(parser, image, options.detail, watch, tell))
            made_ms = watch.timing_ms.get("wait", 0.0) + watch.timing_ms.get("parse", 0.0)
            watch.timing_ms["cache"] = round(watch.timing_ms["cache"] - made_ms, 2)
        with watch.stage("compose"):
            overlay = compose(image, parsing, options)
        return Answer(image, overlay, parsing, watch.timing_ms, cached)

    def _run(
        self,
        parser: Parser,
        image: NDArray[np.uint8],
        detail: bool,
        watch: Stopwatch,
        tell: Callable[[int], None] | None,
    ) -> Parsing:
        with ExitStack() as inside:
            with watch.stage("wait"):
                inside.enter_context(self.gate.enter(tell))
            with watch.stage("parse"):
                return parser.parse(image) if detail else parser.glance(image)
