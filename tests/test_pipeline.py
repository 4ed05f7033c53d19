"""The pipeline: one way for every photo, parsers loaded once, failures that leave nothing behind."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, ClassVar

import numpy as np
import pytest
from flask.testing import FlaskClient
from hypothesis import HealthCheck, given
from hypothesis import settings as examples
from hypothesis import strategies as st

from humanparse import pipeline as pipeline_room
from humanparse.config import Settings
from humanparse.encoding import encode_png
from humanparse.errors import Busy, HumanParseError, ParserUnavailable, UnreadableImage
from humanparse.images import read_image
from humanparse.options import ParseOptions
from humanparse.parsers.contract import Parser
from humanparse.pipeline import ON_DECK, Pipeline
from humanparse.recognition.options import RecognizeOptions
from humanparse.records import Parsing
from humanparse.studio import Studio
from humanparse.stylize_options import StylizeOptions
from tests.band_parser import BandParser
from tests.colour_recognizer import ColourRecognizer
from tests.test_records import check_laws


def test_an_answer_holds_photo_overlay_parsing_and_timing(pipeline: Pipeline, photo: bytes) -> None:
    answer = pipeline.parse(photo, ParseOptions(alpha=0.5))
    assert np.array_equal(answer.image, read_image(photo, max_bytes=10**6, max_pixels=10**6))
    assert answer.overlay.shape == answer.image.shape
    assert not np.array_equal(answer.overlay, answer.image)
    assert answer.parsing.size == answer.image.shape[:2]
    assert list(answer.watch.timing_ms) == ["wait", "decode", "parse", "compose"]
    assert all(value >= 0 for value in answer.watch.timing_ms.values())


def test_an_overlay_is_drawn_once_and_only_for_who_wants_it(
    pipeline: Pipeline, client: FlaskClient, photo: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    drawn = []
    compose = pipeline_room.compose_overlay
    monkeypatch.setattr(pipeline_room, "compose_overlay", lambda *given: (drawn.append(1), compose(*given))[1])
    answer = pipeline.parse(photo, ParseOptions())
    assert (drawn, "compose" in answer.watch.timing_ms) == ([], False)
    assert answer.overlay is answer.overlay and drawn == [1]
    for path in (
        "/api/results",
        "/upload",
        "/api/parse?overlay=none",
        "/api/parse?format=coco",
        "/api/parse?format=masks",
    ):
        assert client.post(path, data=photo, content_type="image/jpeg").status_code in (200, 201, 303)
    assert drawn == [1]
    for path in ("/api/parse", "/api/parse?format=png", "/api/parse?format=everything"):
        assert client.post(path, data=photo, content_type="image/jpeg").status_code == 200
    assert drawn == [1] * 4


def test_alpha_0_gives_the_photo_back(pipeline: Pipeline, photo: bytes) -> None:
    answer = pipeline.parse(photo, ParseOptions(alpha=0.0))
    assert np.array_equal(answer.overlay, answer.image)


def test_without_outline_the_background_is_the_photo(pipeline: Pipeline, photo: bytes) -> None:
    answer = pipeline.parse(photo, ParseOptions(alpha=1.0, outline=False))
    nobody = answer.parsing.people == 0
    assert np.array_equal(answer.overlay[nobody], answer.image[nobody])


@examples(max_examples=30, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.integers(1, 60), st.integers(1, 60), st.integers(0, 99))
def test_laws_hold_for_any_size(pipeline: Pipeline, height: int, width: int, seed: int) -> None:
    image = np.random.default_rng(seed).integers(0, 256, (height, width, 3), np.uint8)
    answer = pipeline.parse(encode_png(image), ParseOptions())
    assert np.array_equal(answer.image, image)
    check_laws(answer.parsing)


def test_a_parser_is_loaded_once_however_many_ask(settings: Settings, photo: bytes) -> None:
    made: list[BandParser] = []

    def make(_: str, own: Settings) -> Parser:
        made.append(BandParser(own))
        return made[-1]

    pipeline = Pipeline(settings, make_parser=make)
    threads = [threading.Thread(target=pipeline.parse, args=(photo, ParseOptions())) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [parser.loads for parser in made] == [1]


def test_a_bad_photo_fails_and_the_next_good_one_works(pipeline: Pipeline, photo: bytes) -> None:
    with pytest.raises(UnreadableImage):
        pipeline.parse(photo[: len(photo) // 2], ParseOptions())
    assert pipeline.parse(photo, ParseOptions()).parsing.persons


def test_a_parser_that_fails_frees_the_gate_and_is_asked_again(settings: Settings, photo: bytes) -> None:
    class Moody(BandParser):
        moods = iter([HumanParseError("not today"), None])

        def parse(self, image: np.ndarray) -> object:  # type: ignore[override]
            mood = next(self.moods)
            if mood:
                raise mood
            return super().parse(image)

    pipeline = Pipeline(settings, make_parser=lambda name, own: Moody(own))
    with pytest.raises(HumanParseError, match="not today"):
        pipeline.parse(photo, ParseOptions())
    assert pipeline.parse(photo, ParseOptions()).parsing.persons


def test_detail_decides_between_a_parse_and_a_glance(settings: Settings, photo: bytes) -> None:
    class Telling(BandParser):
        asked: ClassVar[list[str]] = []

        def parse(self, image: np.ndarray) -> Parsing:
            self.asked.append("parse")
            return super().parse(image)

        def glance(self, image: np.ndarray) -> Parsing:
            self.asked.append("glance")
            return super().parse(image)

    pipeline = Pipeline(settings, make_parser=lambda name, own: Telling(own))
    for detail in (True, False):
        pipeline.parse(photo, ParseOptions(detail=detail))
    assert Telling.asked == ["parse", "glance"]


def test_a_parser_that_cannot_load_is_tried_again_next_time(settings: Settings, photo: bytes) -> None:
    class Late(BandParser):
        tries = 0

        def load(self) -> None:
            Late.tries += 1
            if Late.tries == 1:
                raise ParserUnavailable("weights are still on their way")

    pipeline = Pipeline(settings, make_parser=lambda name, own: Late(own))
    with pytest.raises(ParserUnavailable):
        pipeline.parse(photo, ParseOptions())
    assert pipeline.parse(photo, ParseOptions()).parsing.persons


def test_whatever_decodes_has_been_let_in_and_only_so_many_are(settings: Settings) -> None:
    """A crowd of parsers, recognizers and studios holds the pixels of three photos, not of one for each thread."""
    pipeline = Pipeline(settings, lambda name, own: BandParser(own), make_recognizer=lambda *_: ColourRecognizer())
    studio, decode, held, most, lock = Studio(settings, pipeline), pipeline.decode, [0], [0], threading.Lock()
    admitted: list[object] = []
    admit = pipeline.admit

    @contextmanager
    def counting(*given: Any) -> Iterator[Any]:
        with admit(*given) as enter:
            with lock:
                held[0] += 1
                most[0] = max(most[0], held[0])
                admitted.append(threading.get_ident())
            try:
                yield enter
            finally:
                with lock:
                    held[0] -= 1

    def seen(data: bytes) -> Any:
        assert held[0] >= 1
        time.sleep(0.05)
        return decode(data)

    pipeline.admit = counting  # type: ignore[method-assign,assignment]
    pipeline.decode = pipeline.recognition._decode = seen
    pipeline.recognition._admit = counting
    stylize = StylizeOptions.from_strings({"effect": "sepia"}, settings)
    partly = StylizeOptions.from_strings({"effect": "sepia,grey", "only": "person"}, settings)
    done: list[object] = []
    kinds: list[Callable[[bytes], object]] = [
        lambda data: pipeline.parse(data, ParseOptions()),
        lambda data: pipeline.recognition.recognize(data, RecognizeOptions()),
        lambda data: studio.stylize(data, stylize),
        lambda data: studio.stylize(data, partly),
    ]
    photos = [encode_png(np.full((9, 9, 3), shade, np.uint8)) for shade in range(12)]
    threads = [
        threading.Thread(target=lambda make=make, data=data: done.append(make(data)))  # type: ignore[misc]
        for make, data in zip(kinds * 3, photos, strict=True)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(done) == len(admitted) == 12
    assert most[0] == ON_DECK + 1


def test_a_frame_of_a_video_finds_a_place_beside_all_who_were_let_in(settings: Settings) -> None:
    class Slow(BandParser):
        def parse(self, image: Any) -> Parsing:
            time.sleep(0.1)
            return super().parse(image)

    pipeline, failed = Pipeline(settings, lambda name, own: Slow(own)), []

    def work(step: Callable[[], object]) -> None:
        try:
            step()
        except Busy as error:
            failed.append(error)

    photos = [encode_png(np.full((9, 9, 3), shade, np.uint8)) for shade in range(6)]
    frame = np.zeros((9, 9, 3), np.uint8)
    steps = [lambda: [pipeline.parse_frame(frame, ParseOptions()) for _ in range(6)]]
    steps += [lambda data=data: pipeline.parse(data, ParseOptions()) for data in photos]  # type: ignore[misc]
    threads = [threading.Thread(target=work, args=(step,)) for step in steps]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failed == []
