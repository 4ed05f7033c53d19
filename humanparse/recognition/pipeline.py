"""bytes -> decode -> recognize -> the most likely classes; the way of a photo for API, page, jobs and command line."""

from __future__ import annotations

import json
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import asdict, dataclass, field, replace
from typing import Any, Final

import numpy as np

from humanparse import recognition, telemetry
from humanparse.cache.parsings import HIT, AnswerCache, ParsingCache, digest_of
from humanparse.config import Settings
from humanparse.decoding import Decode
from humanparse.gate import Check, Enter, always
from humanparse.loading import LoadedOnce
from humanparse.recognition.contract import Recognizer, RecognizerInfo
from humanparse.recognition.options import MOST, RecognizeOptions
from humanparse.stopwatch import Stopwatch, with_total

DIGITS: Final = 6  # of a probability that are told
STAGES: Final = ("wait", "decode", "recognize")  # that are told of every photo, if only to say that they took no time


@dataclass(frozen=True)
class Prediction:
    """One class and how likely it is, from 0 to 1."""

    class_id: int
    label: str
    label_zh: str
    probability: float


@dataclass(frozen=True)
class Recognition:
    """One photo's predictions, most likely first; its (height, width); who said so; milliseconds by stage.

    cache: how it was come by (HIT, MISS, COLLAPSED of the cache); None without one.
    """

    predictions: tuple[Prediction, ...]
    size: tuple[int, int]
    recognizer: RecognizerInfo
    timing_ms: dict[str, float] = field(default_factory=dict)
    cache: str | None = None


class RecognitionPipeline:
    """Recognizers, loaded when first needed, in the line that parsers' photos stand in, too, and the cache.

    admit: a place at the end of that line, and with it the way to the place where one photo is worked on.
    """

    def __init__(
        self,
        settings: Settings,
        decode: Decode,
        admit: Callable[[Check], AbstractContextManager[Enter]],
        cache: ParsingCache | None = None,
        make_recognizer: Callable[[str, Settings], Recognizer] = recognition.make_recognizer,
    ) -> None:
        self.settings, self._decode, self._admit = settings, decode, admit
        self._cache: AnswerCache[Recognition] | None = cache.beside(pack, unpack) if cache else None
        self._make_recognizer = make_recognizer
        self._recognizers = LoadedOnce(self._load)

    def load(self, name: str) -> Recognizer:
        """The recognizer called `name`, loaded. Raises ParserError where it cannot run on this machine."""
        return self._recognizers[name]

    def _load(self, name: str) -> Recognizer:
        recognizer = self._make_recognizer(name, self.settings)
        recognizer.load()
        return recognizer

    def is_loaded(self, name: str) -> bool:
        """Whether the recognizer is in memory; to ask does not load it."""
        return name in self._recognizers

    def recognize(
        self, data: bytes, options: RecognizeOptions, check: Check = always, decode: Decode | None = None
    ) -> Recognition:
        """The answer for one photo's bytes. Raises InputError, Busy or ParserError, and what `check` raises.

        A photo that is in the cache is not even decoded: decode and recognize took 0 ms then. decode: reads the bytes;
        without it, they are read as those of strangers are.
        """
        watch = Stopwatch()
        recognizer = self.load(options.recognizer)

        def run() -> Recognition:
            with watch.wait_for(self._admit(check)) as enter:
                return _run(recognizer, decode or self._decode, data, watch, enter)

        if self._cache is None or not options.cache:
            found, cached = run(), None
        else:
            key = digest_of(data, ["recognition1", recognizer.info, self.settings.precision, MOST])
            with watch.stage("cache"):
                found, cached = self._cache.find(key, run)
        telemetry.photo_recognized(recognizer.info.name, cached)
        return replace(
            found,
            predictions=found.predictions[: options.top_k],
            timing_ms=with_total({**dict.fromkeys(STAGES, 0.0), **watch.timing_ms}),
            cache=cached,
        )


def _run(recognizer: Recognizer, decode: Decode, data: bytes, watch: Stopwatch, enter: Enter) -> Recognition:
    with watch.stage("decode"):
        image = decode(data)
    with watch.wait_for(enter()), watch.stage("recognize", recognizer.info.name):
        probabilities = recognizer.recognize(image)
    best = np.argsort(-probabilities, kind="stable")[:MOST]
    predictions = tuple(
        Prediction(i, label.name, label.name_zh, round(float(probabilities[i]), DIGITS))
        for i, label in ((int(i), recognizer.labels[i]) for i in best)
    )
    height, width = image.shape[:2]
    return Recognition(predictions, (height, width), recognizer.info)


def describe_recognition(found: Recognition) -> dict[str, Any]:
    """The JSON answer."""
    return {
        "status": "success",
        "predictions": [asdict(prediction) for prediction in found.predictions],
        "recognizer": found.recognizer._asdict(),
        "image": {"width": found.size[1], "height": found.size[0]},
        "cached": found.cache == HIT,
        "timing_ms": found.timing_ms,
    }


def pack(found: Recognition) -> bytes:
    """What the cache keeps."""
    rows = [list(asdict(prediction).values()) for prediction in found.predictions]
    return json.dumps([rows, found.size, found.recognizer]).encode()


def unpack(data: bytes) -> Recognition | None:
    """The Recognition, or None for what is not one."""
    try:
        rows, (height, width), info = json.loads(data)
        return Recognition(tuple(Prediction(*row) for row in rows), (height, width), RecognizerInfo(*info))
    except (ValueError, TypeError):
        return None
