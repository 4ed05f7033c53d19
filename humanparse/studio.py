"""The studio: bytes -> decode -> [parse] -> effects -> blend -> encode; for API, page and command line."""

from __future__ import annotations

import hashlib
from base64 import b64encode
from collections.abc import Callable, Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from functools import partial
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from humanparse.cache.parsings import HIT, MISS, AnswerCache, digest_of
from humanparse.cache.pictures import Picture, pack, unpack
from humanparse.config import Settings
from humanparse.effects import apply_effect, choose_values
from humanparse.effects.selection import blend, soften
from humanparse.encoding import encode_jpeg
from humanparse.exports.zips import write_zip
from humanparse.gate import Check, Enter, always
from humanparse.options import ParseOptions
from humanparse.pipeline import Pipeline
from humanparse.records import Parsing
from humanparse.stopwatch import Stopwatch, with_total
from humanparse.stylize_options import ENCODERS, MEDIA_TYPES, SUFFIXES, StylizeOptions

Read = Callable[[Stopwatch, Enter], tuple[NDArray[np.uint8], Parsing | None]]
"""The photo (H, W, 3) uint8 RGB, and its Parsing unless the effect goes everywhere; Enter: to the parser's place."""


@dataclass(frozen=True, eq=False)
class Stylized:
    """Encoded pictures by effect, their (height, width), and what part of the photo was changed, from 0 to 1.

    cache: HIT where all came from the cache, else MISS; None without one. photo: itself as a JPEG, where asked for.
    """

    pictures: dict[str, bytes]
    image_format: str
    size: tuple[int, int]
    coverage: float
    timing_ms: dict[str, float]
    cache: str | None = None
    photo: bytes = b""


class Studio:
    """Effects over the pipeline's parser, gate and cache."""

    def __init__(self, settings: Settings, pipeline: Pipeline) -> None:
        self._settings, self._pipeline = settings, pipeline
        cache = pipeline.cache
        self._cache: AnswerCache[Picture] | None = cache.beside(pack, unpack) if cache else None

    def stylize(
        self, data: bytes, options: StylizeOptions, check: Check = always, with_photo: bool = False
    ) -> Stylized:
        """Every effect's picture. Raises InputError, Busy or ParserError, and what `check` raises.

        The photo is made smaller where it has more than `Settings.stylize_pixels`; but not that of `with_photo`.
        """
        with _Work(self._settings, self._pipeline, self._reader(data, options), options, check, with_photo) as work:
            if self._cache is None:
                return work.gather({name: work.make(name) for name in options.effects}, None)
            base, made, hows = self._key_of(data, options), {}, set()
            for name in options.effects:
                key = hashlib.sha256(f"{base} {name}".encode()).hexdigest()
                make = partial(work.make, name)
                made[name], found = self._cache.find(key, make, join=not work.inside)
                hows.add(found)
            return work.gather(made, HIT if hows == {HIT} else MISS)

    def stylize_parsed(
        self,
        read: Callable[[], tuple[NDArray[np.uint8], Parsing]],
        options: StylizeOptions,
        check: Check = always,
    ) -> Stylized:
        """The same of a photo that is parsed already, with the people and parts that it was found to have.

        Nothing of it is cached: whoever keeps the photo may be told to forget it. Raises InvalidOption or Busy, and
        what `check` raises.
        """

        def decode(watch: Stopwatch, enter: Enter) -> tuple[NDArray[np.uint8], Parsing]:
            del enter
            with watch.stage("decode"):
                return read()

        with _Work(self._settings, self._pipeline, decode, options, check) as work:
            return work.gather({name: work.make(name) for name in options.effects}, None)

    def _reader(self, data: bytes, options: StylizeOptions) -> Read:
        """Decodes, and parses where parts are asked for."""

        def read(watch: Stopwatch, enter: Enter) -> tuple[NDArray[np.uint8], Parsing | None]:
            if options.selection.everywhere:
                with watch.stage("decode"):
                    return self._pipeline.decode(data), None
            image, parsing, _ = self._pipeline.find(data, ParseOptions(parser=options.parser), watch, enter)
            return image, parsing

        return read

    def _key_of(self, data: bytes, options: StylizeOptions) -> str:
        """Whatever may change a picture, but for the effect's name, changes it."""
        selection, settings = options.selection, self._settings
        where: list[object] = [sorted(selection.only), sorted(selection.besides), sorted(selection.people)]
        if not selection.everywhere:
            info = self._pipeline.load(options.parser).info
            where += [options.feather, info.name, info.version, settings.precision]
        return digest_of(data, ["studio1", where, options.parameters, options.image_format, settings.stylize_pixels])


class _Work:
    """One request: the photo and where effects go are made at the first effect that is not in the cache.

    From then on it is inside: it has a place in the line, until the block that it is entered for ends.
    """

    def __init__(
        self,
        settings: Settings,
        pipeline: Pipeline,
        read: Read,
        options: StylizeOptions,
        check: Check,
        with_photo: bool = False,
    ) -> None:
        self._settings, self._pipeline, self._read = settings, pipeline, read
        self._options, self._check, self.watch = options, check, Stopwatch()
        self._with_photo, self._photo = with_photo, b""
        self._place = ExitStack()
        self._ready: tuple[NDArray[np.uint8], NDArray[np.uint8] | None, Enter] | None = None

    def __enter__(self) -> _Work:
        return self

    def __exit__(self, *_: object) -> None:
        self._place.close()

    @property
    def inside(self) -> bool:
        """Has it a place? Then it must wait for nobody who may be waiting for one."""
        return self._ready is not None

    def make(self, name: str) -> Picture:
        image, mask, enter = self._prepare()
        with self.watch.wait_for(enter()), self.watch.stage(name):
            changed = apply_effect(name, image, self._values(name, image), mask)
            if mask is not None:
                blend(image, changed, mask)
        coverage = 1.0 if mask is None else round(cv2.countNonZero(mask) / mask.size, 4)
        with self.watch.stage("encode"):
            data = ENCODERS[self._options.image_format](changed)
        return Picture(data, (image.shape[0], image.shape[1]), coverage)

    def gather(self, made: Mapping[str, Picture], cache: str | None) -> Stylized:
        """All that was made, and the photo if it is wanted."""
        if self._with_photo:
            self._prepare()
        first = next(iter(made.values()))
        pictures = {name: picture.data for name, picture in made.items()}
        timing_ms = with_total(self.watch.timing_ms)
        return Stylized(pictures, self._options.image_format, first.size, first.coverage, timing_ms, cache, self._photo)

    def _values(self, name: str, image: NDArray[np.uint8]) -> Mapping[str, float]:
        return choose_values(name, dict(self._options.parameters), (image.shape[0], image.shape[1]))

    def _prepare(self) -> tuple[NDArray[np.uint8], NDArray[np.uint8] | None, Enter]:
        """The photo as large as it is worked on, the mask (None where effects go everywhere), the way to the cores."""
        if self._ready is None:
            selection = self._options.selection
            enter = self._place.enter_context(self.watch.wait_for(self._pipeline.admit(self._check)))
            image, parsing = self._read(self.watch, enter)
            if self._with_photo:
                with self.watch.stage("encode"):
                    self._photo = encode_jpeg(image)
            mask = None if parsing is None or selection.everywhere else selection.mask(parsing)
            image = _fit(image, self._settings.stylize_pixels)
            if mask is not None:
                mask = self._soften(_resize(mask, image.shape[:2]), image.shape[:2])
            self._ready = image, mask, enter
        return self._ready

    def _soften(self, mask: NDArray[np.uint8], size: tuple[int, ...]) -> NDArray[np.uint8]:
        usual = min(size) / 120
        return soften(mask, usual if self._options.feather is None else self._options.feather)


def describe_stylized(made: Stylized) -> dict[str, Any]:
    """The JSON answer."""
    return {
        "status": "success",
        "image": {"width": made.size[1], "height": made.size[0]},
        "coverage": made.coverage,
        "pictures": [
            {"effect": name, "media_type": MEDIA_TYPES[made.image_format], "data": b64encode(data).decode("ascii")}
            for name, data in made.pictures.items()
        ],
        "cached": made.cache == HIT,
        "timing_ms": made.timing_ms,
    }


def zip_stylized(made: Stylized) -> bytes:
    """A zip with a file for every effect."""
    return write_zip((f"{name}{SUFFIXES[made.image_format]}", data) for name, data in made.pictures.items())


def _fit(image: NDArray[np.uint8], max_pixels: int) -> NDArray[np.uint8]:
    height, width = image.shape[:2]
    if height * width <= max_pixels:
        return image
    scale = (max_pixels / (height * width)) ** 0.5
    size = max(1, int(width * scale)), max(1, int(height * scale))
    return np.asarray(cv2.resize(image, size, interpolation=cv2.INTER_AREA), np.uint8)


def _resize(mask: NDArray[np.uint8], size: tuple[int, ...]) -> NDArray[np.uint8]:
    if mask.shape == size:
        return mask
    return np.asarray(cv2.resize(mask, (size[1], size[0]), interpolation=cv2.INTER_AREA), np.uint8)
