"""Telemetry: what the pipeline did is in the metrics and in the account of who asked."""

from __future__ import annotations

import threading

import pytest
from prometheus_client import CollectorRegistry

from humanparse import metrics, telemetry
from humanparse.errors import UnreadableImage
from humanparse.gate import Gate
from humanparse.options import ParseOptions
from humanparse.pipeline import Pipeline


def value(name: str, registry: CollectorRegistry = metrics.REGISTRY, **labels: str) -> float:
    return registry.get_sample_value(name, labels) or 0.0


def test_a_photo_is_counted_with_its_people_and_stages(pipeline: Pipeline, photo: bytes) -> None:
    def counts() -> list[float]:
        return [
            value("humanparse_photos_total", parser="bands"),
            value("humanparse_people_total", parser="bands"),
            value("humanparse_stage_seconds_count", stage="parse", parser="bands"),
            value("humanparse_stage_seconds_count", stage="decode", parser=""),
        ]

    before = counts()
    account = telemetry.open_account()
    pipeline.parse(photo, ParseOptions())
    assert [new - old for new, old in zip(counts(), before, strict=True)] == [1, 2, 1, 1]
    assert (account.parser, account.photos, account.people, account.cache) == ("bands", 1, 2, None)
    assert set(account.stages_ms) == {"decode", "wait", "parse"}
    assert account.facts(0.25)["ms"] == 250


def test_a_stage_that_fails_is_timed_too_and_no_photo_is_counted(pipeline: Pipeline) -> None:
    before = value("humanparse_photos_total", parser="bands")
    account = telemetry.open_account()
    with pytest.raises(UnreadableImage):
        pipeline.parse(b"\xff\xd8\xff\xe0 cut short", ParseOptions())
    assert list(account.stages_ms) == ["wait", "decode"]
    assert value("humanparse_photos_total", parser="bands") == before


def test_loading_a_parser_is_timed(pipeline: Pipeline) -> None:
    pipeline.load("compact")
    assert value("humanparse_model_load_seconds", parser="compact") > 0


def test_an_account_is_one_threads() -> None:
    account = telemetry.open_account()
    thread = threading.Thread(target=telemetry.photo_parsed, args=("bands", None, 1))
    thread.start()
    thread.join()
    assert account.photos == 0


def test_the_queue_is_what_waits_and_what_is_inside() -> None:
    places, waiting = value("humanparse_queue_places"), value("humanparse_queue_waiting")
    gate = Gate(length=4, timeout_s=10, counted=True)
    assert value("humanparse_queue_places") == places + 4
    with Gate(length=4, timeout_s=10).enter():  # of another line nothing is told
        assert value("humanparse_queue_running") == 0
    assert value("humanparse_queue_places") == places + 4
    with gate.enter():
        assert value("humanparse_queue_running") == 1
        assert value("humanparse_queue_waiting") == waiting
        come, go = threading.Event(), threading.Event()

        def visit() -> None:
            come.set()
            with gate.enter():
                go.wait(10)

        visitor = threading.Thread(target=visit)
        visitor.start()
        come.wait(10)
        for _ in range(1000):
            if value("humanparse_queue_waiting") == waiting + 1:
                break
            threading.Event().wait(0.01)
        assert value("humanparse_queue_waiting") == waiting + 1
    go.set()
    visitor.join()
    assert value("humanparse_queue_running") == 0
    assert value("humanparse_queue_waiting") == waiting
