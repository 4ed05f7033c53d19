"""Milliseconds by stage: of stages within stages, of waiting, of stages that fail."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from humanparse.stopwatch import Stopwatch, with_total


def set_clock(monkeypatch: pytest.MonkeyPatch, *seconds: float) -> None:
    clock = iter(seconds)
    monkeypatch.setattr("humanparse.stopwatch.time.perf_counter", lambda: next(clock))


def test_a_stage_within_another_counts_once(monkeypatch: pytest.MonkeyPatch) -> None:
    set_clock(monkeypatch, 0, 1, 4, 10)  # outer begins, inner begins, inner ends, outer ends
    watch = Stopwatch()
    with watch.stage("cache"), watch.stage("parse"):
        pass
    assert watch.timing_ms == {"parse": 3000, "cache": 7000}


def test_what_is_done_in_a_place_is_not_the_wait_for_it(monkeypatch: pytest.MonkeyPatch) -> None:
    seen = []

    @contextmanager
    def place() -> Iterator[str]:
        seen.append("in")
        yield "a place"
        seen.append("out")

    set_clock(monkeypatch, 0, 2, 3, 7, 10, 11)  # wait, parse within the place, wait again
    watch = Stopwatch()
    with watch.wait_for(place()) as entered, watch.stage("parse"):
        assert (entered, seen) == ("a place", ["in"])
    assert seen == ["in", "out"]
    with watch.wait_for(place()):
        pass
    assert watch.timing_ms == {"wait": 3000, "parse": 4000}


def test_who_is_not_let_in_has_waited(monkeypatch: pytest.MonkeyPatch) -> None:
    @contextmanager
    def closed() -> Iterator[None]:
        raise PermissionError
        yield

    set_clock(monkeypatch, 0, 5)
    watch = Stopwatch()
    with pytest.raises(PermissionError), watch.wait_for(closed()):
        pytest.fail("nobody is let in")
    assert watch.timing_ms == {"wait": 5000}


def test_the_total_is_the_sum() -> None:
    assert with_total({"decode": 1.25, "parse": 2.5}) == {"decode": 1.25, "parse": 2.5, "total": 3.75}
    assert with_total({}) == {"total": 0}
