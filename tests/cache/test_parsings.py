"""The cache in the pipeline: the same answers, made less often."""

from __future__ import annotations

import threading
import time
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

from app import create_app
from humanparse.cache.parsings import COLLAPSED, HIT, MISS, RENDERING, ParsingCache, key_of, open_cache
from humanparse.cache.sqlite_blobs import FILE
from humanparse.config import Settings
from humanparse.errors import Busy, ParserError, UnreadableImage
from humanparse.labels import PALETTES
from humanparse.options import OPTIONS, ParseOptions
from humanparse.pipeline import Answer, Pipeline
from humanparse.records import ParserInfo, Parsing
from tests.band_parser import BandParser
from tests.cache.test_packing import same


class Counted(BandParser):
    """Counts what it parses; its weights' version can be changed, and its next parse be told to fail or wait."""

    parsed = 0
    version = "1"
    failure: Exception | None = None

    def __init__(self, settings: Settings | None = None) -> None:
        super().__init__(settings)
        self.gate = threading.Event()
        self.gate.set()

    @property
    def info(self) -> ParserInfo:
        return ParserInfo("counted", self.version)

    def parse(self, image: np.ndarray[Any, np.dtype[np.uint8]]) -> Parsing:
        self.parsed += 1
        self.gate.wait(20)
        if self.failure:
            failure, self.failure = self.failure, None
            raise failure
        return super().parse(image)


@pytest.fixture
def parser() -> Counted:
    return Counted()


def cached_pipeline(settings: Settings, parser: Counted) -> Pipeline:
    return Pipeline(settings, lambda name, own: parser, open_cache(settings))


@pytest.fixture
def cached(settings: Settings, parser: Counted) -> Pipeline:
    return cached_pipeline(settings, parser)


def equal(one: Answer, other: Answer) -> bool:
    return np.array_equal(one.overlay, other.overlay) and same(one.parsing, other.parsing)


def test_a_photo_that_comes_again_gets_the_same_answer_without_the_parser(
    cached: Pipeline, pipeline: Pipeline, settings: Settings, parser: Counted, photo: bytes
) -> None:
    options = ParseOptions()
    first, second = (cached.parse(photo, options) for _ in range(2))
    other_worker = cached_pipeline(settings, parser).parse(photo, options)
    assert [first.cache, second.cache, other_worker.cache] == [MISS, HIT, HIT]
    assert equal(first, second)
    assert equal(first, other_worker)
    assert parser.parsed == 1
    assert pipeline.parse(photo, options).cache is None
    assert list(second.watch.timing_ms) == ["wait", "decode", "cache", "compose"]
    assert set(first.watch.timing_ms) == {"decode", "cache", "wait", "parse", "compose"}
    assert min(first.watch.timing_ms.values()) >= 0
    assert cached.cache is not None
    assert cached.cache.counts == {HIT: 1, MISS: 1, COLLAPSED: 0}


def test_how_it_is_shown_may_differ(cached: Pipeline, parser: Counted, photo: bytes) -> None:
    cached.parse(photo, ParseOptions())
    for options in (
        ParseOptions(alpha=0.1),
        ParseOptions(outline=False),
        *(ParseOptions(palette=name) for name in PALETTES),
        ParseOptions(format="coco", include=frozenset({"rle"}), overlay="none"),
    ):
        answer = cached.parse(photo, options)
        assert answer.cache == HIT
        plain = Pipeline(cached.settings, lambda name, own: Counted()).parse(photo, options)
        assert equal(answer, plain)
    assert parser.parsed == 1


def test_another_photo_and_other_weights_are_a_miss(cached: Pipeline, parser: Counted, photo: bytes) -> None:
    image = cv2.imdecode(np.frombuffer(photo, np.uint8), cv2.IMREAD_COLOR)
    cached.parse(photo, ParseOptions())
    assert cached.parse(cv2.imencode(".png", image)[1].tobytes(), ParseOptions()).cache == MISS
    assert cached.parse(photo + b"more", ParseOptions()).cache == MISS  # which begins with the same bytes
    parser.version = "2"
    assert cached.parse(photo, ParseOptions()).cache == MISS
    assert cached.parse(photo, ParseOptions()).parsing.parser.version == "2"
    parser.version = "1"
    assert cached.parse(photo, ParseOptions()).cache == HIT


def test_whatever_changes_a_parsing_changes_the_key() -> None:
    def key(**changes: Any) -> str:
        given = {"data": b"x", "parser": ParserInfo("a", "1"), "options": ParseOptions(), "precision": "auto"}
        return key_of(**{**given, **changes})

    keys = [
        key(),
        key(data=b"y"),
        key(parser=ParserInfo("b", "1")),
        key(parser=ParserInfo("a", "2")),
        key(precision="f32"),
    ]
    assert len(set(keys)) == len(keys)
    assert key(options=ParseOptions(alpha=0.1, parser="compact", format="coco")) == keys[0]


@dataclass(frozen=True)
class FutureOptions(ParseOptions):
    """With an option that nobody has thought of yet."""

    closer: bool = False


def test_an_option_is_in_the_key_until_somebody_says_that_it_only_shows() -> None:
    keys = {key_of(b"x", ParserInfo("a", "1"), FutureOptions(closer=closer), "auto") for closer in (False, True)}
    assert len(keys) == 2
    assert set(OPTIONS) >= RENDERING


def test_errors_are_not_kept(cached: Pipeline, parser: Counted, photo: bytes) -> None:
    parser.failure = ParserError("not today")
    with pytest.raises(ParserError):
        cached.parse(photo, ParseOptions())
    assert cached.parse(photo, ParseOptions()).cache == MISS
    for _ in range(2):
        with pytest.raises(UnreadableImage):
            cached.parse(photo[: len(photo) // 2], ParseOptions())


def at_once(cached: Pipeline, parser: Counted, photo: bytes, count: int) -> list[Answer | Exception]:
    """`count` requests for a photo, all there before the first is parsed."""
    parser.gate.clear()
    found: list[Answer | Exception] = []

    def ask() -> None:
        try:
            found.append(cached.parse(photo, ParseOptions()))
        except Exception as error:
            found.append(error)

    threads = [threading.Thread(target=ask) for _ in range(count)]
    for thread in threads:
        thread.start()
    end = time.monotonic() + 20
    while parser.parsed == 0 or waiting(cached) < count - 1:
        assert time.monotonic() < end
        time.sleep(0.005)
    parser.gate.set()
    for thread in threads:
        thread.join()
    return found


def waiting(cached: Pipeline) -> int:
    """How many wait for another's answer, or for their turn to ask for it."""
    assert cached.cache is not None
    futures = list(cached.cache._making.values())
    asking = sum(len(future._condition._waiters) for future in futures)  # type: ignore[attr-defined]
    return asking + len(cached._line._line)


def test_the_same_photo_at_the_same_time_is_parsed_once(cached: Pipeline, parser: Counted, photo: bytes) -> None:
    found = at_once(cached, parser, photo, 4)
    answers = [each for each in found if isinstance(each, Answer)]
    assert sorted(str(answer.cache) for answer in answers) == [COLLAPSED, COLLAPSED, HIT, MISS]  # three at a time
    assert parser.parsed == 1
    assert all(equal(answer, answers[0]) for answer in answers)


def test_who_waited_for_one_that_failed_tries_alone(cached: Pipeline, parser: Counted, photo: bytes) -> None:
    parser.failure = ParserError("not today")
    found = at_once(cached, parser, photo, 3)
    assert [type(each) for each in found if isinstance(each, Exception)] == [ParserError]
    assert sum(isinstance(each, Answer) for each in found) == 2
    assert parser.parsed == 2


def test_nobody_waits_for_ever(settings: Settings, parser: Counted, photo: bytes) -> None:
    cached = cached_pipeline(replace(settings, queue_timeout_s=0.01), parser)
    parser.gate.clear()
    first = threading.Thread(target=cached.parse, args=(photo, ParseOptions()))
    first.start()
    while parser.parsed == 0:
        time.sleep(0.005)
    with pytest.raises(Busy, match="same photo"):
        cached.parse(photo, ParseOptions())
    parser.gate.set()
    first.join()


def test_a_damaged_entry_or_folder_is_a_miss(
    cached: Pipeline, settings: Settings, parser: Counted, photo: bytes
) -> None:
    cached.parse(photo, ParseOptions())
    assert cached.cache is not None
    key = key_of(photo, parser.info, ParseOptions(), settings.precision)
    cached.cache._blobs.put(key, b"something else")
    assert cached.parse(photo, ParseOptions()).cache == MISS
    (settings.cache_dir / FILE).write_bytes(b"no database " * 999)
    assert [cached.parse(photo, ParseOptions()).cache for _ in range(2)] == [MISS, HIT]
    (settings.cache_dir / FILE).unlink()
    assert cached.parse(photo, ParseOptions()).cache == MISS


def test_it_can_be_off_and_on_redis(settings: Settings, redis_url: str, parser: Counted, photo: bytes) -> None:
    assert open_cache(replace(settings, cache_bytes=0)) is None
    shared = replace(settings, cache_url=redis_url)
    answers = [cached_pipeline(shared, parser).parse(photo + b"\x00" * 7, ParseOptions()) for _ in range(2)]
    assert [answer.cache for answer in answers] == [MISS, HIT]
    assert not settings.cache_dir.exists()


def test_the_answer_says_how_it_was_come_by(settings: Settings, parser: Counted, photo: bytes, tmp_path: Path) -> None:
    del tmp_path
    client = create_app(settings, cached_pipeline(settings, parser)).test_client()

    def status(query: str = "") -> str | None:
        return client.post(f"/api/parse{query}", data=photo, content_type="image/jpeg").headers.get("Cache-Status")

    assert [status(), status(), status("?format=coco")] == ["humanparse; fwd=uri-miss", *["humanparse; hit"] * 2]
    off = create_app(settings, Pipeline(settings, lambda name, own: parser)).test_client()
    assert "Cache-Status" not in off.post("/api/parse", data=photo, content_type="image/jpeg").headers


def test_a_cache_serves_one_key_while_another_is_made() -> None:
    class Nowhere:
        def get(self, key: str) -> None:
            del key

        def put(self, key: str, data: bytes) -> bool:
            del key, data
            return False

    cache = ParsingCache(Nowhere(), 5)
    image = np.zeros((8, 8, 3), np.uint8)

    def outer() -> Parsing:
        cache.find("other", lambda: BandParser().parse(image))
        return BandParser().parse(image)

    assert cache.find("key", outer)[1] == MISS
    assert cache.counts[MISS] == 2
