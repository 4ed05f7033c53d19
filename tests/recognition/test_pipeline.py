"""From bytes to predictions: limits, order, the cache, and options that are refused."""

from __future__ import annotations

from contextlib import nullcontext

import cv2
import numpy as np
import pytest

from humanparse import telemetry
from humanparse.cache.parsings import HIT, MISS, open_cache
from humanparse.config import Settings
from humanparse.decoding import make_decode
from humanparse.errors import InvalidOption, TooManyPixels, UnsupportedFormat
from humanparse.gate import Check
from humanparse.recognition import make_recognizer
from humanparse.recognition.options import RecognizeOptions
from humanparse.recognition.pipeline import RecognitionPipeline, describe_recognition, pack, unpack
from tests.colour_recognizer import ColourRecognizer


@pytest.fixture
def recognizer() -> ColourRecognizer:
    return ColourRecognizer()


def admit(check: Check) -> nullcontext[type[nullcontext[None]]]:
    """No line: in at once, and whoever is in has the place."""
    check()
    return nullcontext(nullcontext)


@pytest.fixture
def recognition(settings: Settings, recognizer: ColourRecognizer) -> RecognitionPipeline:
    return RecognitionPipeline(settings, make_decode(settings), admit, open_cache(settings), lambda *_: recognizer)


def green() -> bytes:
    image = np.zeros((20, 30, 3), np.uint8)
    image[..., 1], image[..., 0] = 200, 50  # BGR
    return cv2.imencode(".png", image)[1].tobytes()


def test_the_most_likely_come_first(recognition: RecognitionPipeline) -> None:
    found = recognition.recognize(green(), RecognizeOptions(top_k=2))
    assert [one.label for one in found.predictions] == ["green", "blue"]
    assert [one.class_id for one in found.predictions] == [1, 2]
    assert found.predictions[0].probability == pytest.approx(201 / 253, abs=1e-5)
    assert found.size == (20, 30)
    body = describe_recognition(found)
    assert body["predictions"][0]["label_zh"] == "绿"
    assert body["image"] == {"width": 30, "height": 20}


def test_a_photo_that_comes_again_is_not_recognized_again(
    recognition: RecognitionPipeline, recognizer: ColourRecognizer
) -> None:
    first = recognition.recognize(green(), RecognizeOptions(top_k=1))
    again = recognition.recognize(green(), RecognizeOptions(top_k=3))
    fresh = recognition.recognize(green(), RecognizeOptions(cache=False))
    assert (first.cache, again.cache, fresh.cache) == (MISS, HIT, None)
    assert recognizer.runs == 2
    assert len(again.predictions) == 3
    assert again.predictions[:1] == first.predictions
    assert again.predictions == fresh.predictions
    assert list(fresh.timing_ms) == ["wait", "decode", "recognize", "total"]
    assert set(first.timing_ms) == set(again.timing_ms) == {"wait", "decode", "recognize", "cache", "total"}
    assert first.timing_ms["decode"] > 0
    assert first.timing_ms["total"] == pytest.approx(sum(first.timing_ms.values()) / 2)
    assert again.timing_ms["wait"] == again.timing_ms["decode"] == again.timing_ms["recognize"] == 0


def test_only_stages_that_took_place_are_counted(recognition: RecognitionPipeline) -> None:
    """One that comes from the cache would else pull the mean time of decoding down to nothing."""
    recognition.recognize(green(), RecognizeOptions())
    account = telemetry.open_account()
    recognition.recognize(green(), RecognizeOptions())
    assert list(account.stages_ms) == ["cache"]
    account = telemetry.open_account()
    recognition.recognize(green(), RecognizeOptions(cache=False))
    assert list(account.stages_ms) == ["wait", "decode", "recognize"]
    assert (account.photos, account.parser) == (1, "colours")


def test_what_the_cache_keeps_comes_back(recognition: RecognitionPipeline) -> None:
    found = recognition.recognize(green(), RecognizeOptions(cache=False))
    back = unpack(pack(found))
    assert back is not None
    assert (back.predictions, back.size, back.recognizer) == (found.predictions, found.size, found.recognizer)
    for damaged in (b"", b"{}", b"[1]", b"[[1],[2,3],[4]]", pack(found)[:-4]):
        assert unpack(damaged) is None


def test_input_is_checked_as_everywhere() -> None:
    settings = Settings(max_pixels=1024)
    small = RecognitionPipeline(settings, make_decode(settings), admit, None, lambda *_: ColourRecognizer())
    big = cv2.imencode(".png", np.zeros((40, 40, 3), np.uint8))[1].tobytes()
    with pytest.raises(TooManyPixels):
        small.recognize(big, RecognizeOptions())
    with pytest.raises(UnsupportedFormat):
        small.recognize(b"no photo at all", RecognizeOptions())


@pytest.mark.parametrize(
    "given",
    [
        {"top_k": "0"},
        {"top_k": "101"},
        {"top_k": "5.5"},
        {"top_k": "٣"},
        {"top_k": True},
        {"top_k": None},
        {"recognizer": "magic"},
        {"recognizer": ["general"]},
        {"cache": "maybe"},
        {"topk": "3"},
    ],
)
def test_options_that_are_refused(given: dict[str, object], settings: Settings) -> None:
    with pytest.raises(InvalidOption):
        RecognizeOptions.from_strings(given, settings)


def test_options_that_are_taken(settings: Settings) -> None:
    given = {"top_k": "7", "recognizer": "general", "cache": "no"}
    assert RecognizeOptions.from_strings(given, settings) == RecognizeOptions(7, "general", False)
    assert RecognizeOptions.from_strings({"top_k": 100}, settings).top_k == 100
    with pytest.raises(InvalidOption):
        make_recognizer("magic", settings)
