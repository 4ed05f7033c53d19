"""Recognition and the studio stand in the parser's line: however many wait, few photos are decoded at a time."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from humanparse import studio as studio_room
from humanparse.cache.parsings import open_cache
from humanparse.config import Settings
from humanparse.errors import Busy
from humanparse.pipeline import ON_DECK, Pipeline
from humanparse.recognition.options import RecognizeOptions
from humanparse.studio import Studio
from humanparse.stylize_options import StylizeOptions
from tests.band_parser import BandParser
from tests.colour_recognizer import ColourRecognizer

CROWD = 8
Work = Callable[[bytes], object]


class Crowd:
    """A pipeline whose work does not end before `go` is set, and what it decoded until then."""

    def __init__(self, settings: Settings) -> None:
        self.go, self.decoded, self.settings = threading.Event(), 0, settings
        self.pipeline = Pipeline(settings, lambda *_: BandParser(), None, lambda *_: self.recognizer())
        self._decode = self.pipeline.decode
        self.pipeline.decode = self.pipeline.recognition._decode = self.decode  # type: ignore[method-assign]

    def recognizer(self) -> ColourRecognizer:
        made = ColourRecognizer()
        own = made.recognize
        made.recognize = lambda image: (self.go.wait(20), own(image))[1]  # type: ignore[method-assign]
        return made

    def decode(self, data: bytes) -> NDArray[np.uint8]:
        self.decoded += 1
        return self._decode(data)

    def gather(self, work: Work, photo: bytes) -> list[object]:
        """What each got, once all have come and the work goes on."""
        got: list[object] = []

        def come() -> None:
            try:
                got.append(work(photo))
            except Busy as busy:
                got.append(busy)

        threads = [threading.Thread(target=come) for _ in range(CROWD)]
        for thread in threads:
            thread.start()
        time.sleep(0.5)
        assert 1 <= self.decoded <= ON_DECK + 1
        self.go.set()
        for thread in threads:
            thread.join()
        return got


@pytest.fixture
def crowd(settings: Settings) -> Crowd:
    return Crowd(replace(settings, cache_bytes=0, queue_length=CROWD))


def test_recognition(crowd: Crowd, photo: bytes) -> None:
    got = crowd.gather(lambda data: crowd.pipeline.recognition.recognize(data, RecognizeOptions()), photo)
    assert len(got) == CROWD
    assert not any(isinstance(one, Busy) for one in got)


@pytest.mark.parametrize("given", [{}, {"only": "background"}])
def test_the_studio(crowd: Crowd, photo: bytes, given: dict[str, object], monkeypatch: pytest.MonkeyPatch) -> None:
    apply: Callable[..., Any] = studio_room.apply_effect
    monkeypatch.setattr(studio_room, "apply_effect", lambda *given: (crowd.go.wait(20), apply(*given))[1])
    studio = Studio(crowd.settings, crowd.pipeline)
    options = StylizeOptions.from_strings({"effect": "grey,invert", **given}, crowd.settings)
    got = crowd.gather(lambda data: studio.stylize(data, options), photo)
    assert len(got) == CROWD
    assert not any(isinstance(one, Busy) for one in got)


def test_who_has_a_place_waits_for_nobody_who_has_none(
    settings: Settings, photo: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Those inside want what one who waits for a place has begun: else all would wait until their time is up."""
    settings = replace(settings, queue_timeout_s=5)
    pipeline = Pipeline(settings, lambda *_: BandParser(), open_cache(settings))
    studio, inside, go = Studio(settings, pipeline), threading.Semaphore(0), threading.Event()
    apply: Callable[..., Any] = studio_room.apply_effect
    decode = pipeline.decode
    pipeline.decode = lambda data: (inside.release(), decode(data))[1]  # type: ignore[method-assign]
    monkeypatch.setattr(studio_room, "apply_effect", lambda *given: (go.wait(20), apply(*given))[1])

    def stylize(effects: str) -> dict[str, bytes]:
        return studio.stylize(photo, StylizeOptions.from_strings({"effect": effects}, settings)).pictures

    first = ["invert,grey", "sepia,grey", "blur,grey"]
    assert len(first) == ON_DECK + 1  # as many as there are places
    with ThreadPoolExecutor(len(first) + 1) as pool:
        made = [pool.submit(stylize, effects) for effects in first]
        for _ in first:
            assert inside.acquire(timeout=20)
        made.append(pool.submit(stylize, "grey"))
        time.sleep(0.3)  # it has begun, and waits for a place
        go.set()
        assert len({one.result()["grey"] for one in made}) == 1  # nobody was Busy


def test_who_finds_the_line_full_is_told(settings: Settings, photo: bytes) -> None:
    crowd = Crowd(replace(settings, cache_bytes=0, queue_length=1))
    got = crowd.gather(lambda data: crowd.pipeline.recognition.recognize(data, RecognizeOptions()), photo)
    assert sum(isinstance(one, Busy) for one in got) == CROWD - (ON_DECK + 1) - 1
