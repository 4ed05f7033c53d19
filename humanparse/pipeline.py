"""bytes -> decode -> parse -> compose: the way of a photo, the same for page, API and command line."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field
from functools import cached_property
from typing import Final

import numpy as np
from numpy.typing import NDArray

from humanparse import parsers, recognition, telemetry
from humanparse.cache.parsings import ParsingCache, key_of
from humanparse.config import Settings
from humanparse.decoding import Decoders, make_decode
from humanparse.gate import Check, Enter, Gate, Tell, always
from humanparse.labels import PALETTES
from humanparse.loading import LoadedOnce
from humanparse.options import ParseOptions
from humanparse.parsers.contract import Parser
from humanparse.recognition.contract import Recognizer
from humanparse.recognition.pipeline import RecognitionPipeline
from humanparse.records import Parsing
from humanparse.stopwatch import Stopwatch
from utils import compose_overlay

ON_DECK: Final = 2  # photos that are decoded while another is parsed


@dataclass(frozen=True, eq=False)
class Answer:
    """One photo's result: the photo (H, W, 3) uint8 RGB, its Parsing, what was asked for, and where the time goes.

    watch: of whoever writes the answer, too. cache: how the Parsing was come by (HIT, MISS, COLLAPSED of the cache);
    None without a cache.
    """

    image: NDArray[np.uint8]
    parsing: Parsing
    options: ParseOptions
    watch: Stopwatch = field(default_factory=Stopwatch)
    cache: str | None = None

    @cached_property
    def overlay(self) -> NDArray[np.uint8]:
        """(H, W, 3) uint8 RGB, drawn when it is first asked for: many answers are without."""
        options = self.options
        with self.watch.stage("compose"):
            outlined = self.parsing.people if options.outline else None
            return compose_overlay(self.image, self.parsing.labels, outlined, PALETTES[options.palette], options.alpha)


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
        self.decode = make_decode(settings)
        # Those who wait hold a file, not its pixels: only as many as keep the parser busy are let in to decode.
        self._line = Gate(settings.queue_length, settings.queue_timeout_s, ON_DECK + 1, counted=True)
        # One more than are on deck: the frames of a video skip the line.
        self._gate = Gate(ON_DECK + 1, settings.queue_timeout_s)
        self.recognition = RecognitionPipeline(settings, self.decode, self.admit, cache, make_recognizer)
        self._make_parser = make_parser
        self._parsers = LoadedOnce(self._load)

    def close(self) -> None:
        """End what runs beside us; a pipeline that is not needed any more does it by itself, later."""
        if isinstance(self.decode, Decoders):
            self.decode.close()

    def load(self, name: str = parsers.AUTO) -> Parser:
        """The parser called `name`, loaded. Raises ParserError where it cannot run on this machine."""
        return self._parsers[parsers.choose_parser(self.settings) if name == parsers.AUTO else name]

    def _load(self, name: str) -> Parser:
        parser = self._make_parser(name, self.settings)
        start = time.perf_counter()
        parser.load()
        telemetry.parser_loaded(name, time.perf_counter() - start)
        return parser

    def parse(self, data: bytes, options: ParseOptions, check: Check = always, tell: Tell | None = None) -> Answer:
        """The answer for one photo's bytes. Raises InputError, Busy or ParserError, and what `check` raises.

        check: asked before each step and while we wait; it raises where nobody waits for the answer any more.
        tell: hears how many photos wait before this one, whenever that changes; 0 when it is being parsed.
        """
        watch = Stopwatch()
        with watch.wait_for(self.admit(check, tell)) as enter:
            image, parsing, cached = self.find(data, options, watch, enter)
        return Answer(image, parsing, options, watch, cached)

    @contextmanager
    def admit(self, check: Check = always, tell: Tell | None = None) -> Iterator[Enter]:
        """Wait in the line; who is let in may hold a photo's pixels, and is given the way to the parser's own place.

        For whatever decodes photos or works the same cores. Not to be entered twice by one request: all would
        wait for each other. Raises Busy, and what `check` raises.
        """
        until = time.monotonic() + self.settings.queue_timeout_s

        def enter() -> AbstractContextManager[None]:
            nonlocal until
            first, until = until, math.inf  # who comes again, for a second effect, waits as long as anybody
            return self._gate.enter(check, first, tell)

        with self._line.enter(check, until, _but_the_end(tell)):
            check()
            yield enter

    def find(
        self, data: bytes, options: ParseOptions, watch: Stopwatch, enter: Enter
    ) -> tuple[NDArray[np.uint8], Parsing, str | None]:
        """Photo, Parsing, and how that was come by, for those who have been admitted. Raises as `parse` does."""
        with watch.stage("decode"):
            image = self.decode(data)
        parser = self.load(options.parser)

        def run() -> Parsing:
            return _run(parser, image, options.detail, watch, enter)

        if self.cache is None:
            parsing, cached = run(), None
        else:
            key = key_of(data, parser.info, options, self.settings.precision)
            with watch.stage("cache"):
                parsing, cached = self.cache.find(key, run)
        telemetry.photo_parsed(parsing.parser.name, cached, len(parsing.persons))
        return image, parsing, cached

    def parse_frame(self, image: NDArray[np.uint8], options: ParseOptions) -> Parsing:
        """The Parsing of one frame, (H, W, 3) uint8 RGB, of a video; not cached. Raises Busy or ParserError."""
        return _run(self.load(options.parser), image, options.detail, Stopwatch(), self._gate.enter)


def _run(parser: Parser, image: NDArray[np.uint8], detail: bool, watch: Stopwatch, enter: Enter) -> Parsing:
    with watch.wait_for(enter()), watch.stage("parse", parser.info.name):
        return parser.parse(image) if detail else parser.glance(image)


def _but_the_end(tell: Tell | None) -> Tell | None:
    """Who comes to the end of the line is not in the parser yet."""

    def tell_others(before: int) -> None:
        if tell and before:
            tell(before)

    return tell_others if tell else None
