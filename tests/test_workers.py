"""How many workers and threads: by cores and memory, unless settings say otherwise."""

from __future__ import annotations

from pathlib import Path

import pytest

from humanparse import workers
from humanparse.config import Settings
from humanparse.memory import Limit

GIGA = 1_000_000_000


def machine(monkeypatch: pytest.MonkeyPatch, cores: int, memory: int = 1000 * GIGA) -> None:
    monkeypatch.setattr(workers, "usable_cores", lambda: cores)
    monkeypatch.setattr(workers, "memory_limit", lambda: Limit(memory, 0, "cgroup"))


@pytest.mark.parametrize(("cores", "planned"), [(1, (1, 1)), (2, (2, 1)), (3, (2, 1)), (4, (2, 2)), (16, (8, 2))])
def test_by_cores(monkeypatch: pytest.MonkeyPatch, cores: int, planned: tuple[int, int]) -> None:
    machine(monkeypatch, cores)
    assert workers.plan(Settings(parser="compact"))[:2] == planned


@pytest.mark.parametrize(("memory", "planned"), [(8 * GIGA, (3, 2)), (2 * GIGA, (1, 8)), (GIGA // 4, (1, 8))])
def test_no_more_than_the_memory_has_room_for(
    monkeypatch: pytest.MonkeyPatch, memory: int, planned: tuple[int, int]
) -> None:
    machine(monkeypatch, 8, memory)
    assert workers.plan(Settings(parser="m2fp"))[:2] == planned


def test_settings_and_the_command_line_decide_first(monkeypatch: pytest.MonkeyPatch) -> None:
    machine(monkeypatch, 8, GIGA)
    assert workers.plan(Settings(workers=5))[:2] == (5, 1)
    assert workers.plan(Settings(threads=3, parser="compact"))[1] == 3
    assert workers.plan(Settings(workers=5), workers=2)[:2] == (2, 4)


def test_auto_is_as_heavy_as_the_parser_that_it_means(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    machine(monkeypatch, 8, 2 * GIGA)
    assert workers.plan(Settings(m2fp_dir=tmp_path)).workers == 4
    monkeypatch.setattr(workers, "choose_parser", lambda settings: "m2fp")
    assert workers.plan(Settings()).workers == 1


def test_whoever_waits_for_the_parser_leaves_threads_for_the_rest() -> None:
    assert workers.plan(Settings(queue_length=7)).request_threads == 19
