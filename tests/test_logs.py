"""Logs: a JSON object a line, or text; with ids, tracebacks, and nothing of the photo."""

from __future__ import annotations

import json
import logging
from collections.abc import Iterator
from dataclasses import replace

import pytest

from humanparse import logs
from humanparse.config import Settings

log = logging.getLogger("tests.logs")


@pytest.fixture(autouse=True)
def as_before() -> Iterator[None]:
    """Handlers and level of the root logger, and this thread's ids, are put back."""
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    yield
    root.handlers[:], root.level = handlers, level
    logs.begin()


def lines(capsys: pytest.CaptureFixture[str]) -> list[str]:
    return capsys.readouterr().err.splitlines()


def test_a_json_line_has_event_fields_ids_and_time(capsys: pytest.CaptureFixture[str]) -> None:
    logs.configure(Settings(log_format="json"))
    logs.begin(request_id="r-1")
    with logs.about(job_id="j-1"):
        log.info("parsed %s", "it", extra={"people": 2, "stages_ms": {"parse": 1.5}})
    log.warning("after")
    first, second = (json.loads(line) for line in lines(capsys))
    assert first.pop("timestamp").endswith("Z")
    assert first == {
        "event": "parsed it",
        "level": "info",
        "logger": "tests.logs",
        "request_id": "r-1",
        "job_id": "j-1",
        "people": 2,
        "stages_ms": {"parse": 1.5},
    }
    assert (second["request_id"], "job_id" in second) == ("r-1", False)


def test_a_new_request_has_none_of_the_last_ones_ids(capsys: pytest.CaptureFixture[str]) -> None:
    logs.configure(Settings(log_format="json"))
    logs.begin(request_id="old", job_id="old")
    logs.begin(request_id="new")
    log.info("now")
    assert {"request_id": "new"}.items() <= json.loads(lines(capsys)[0]).items()
    log.info("now")
    assert "job_id" not in json.loads(lines(capsys)[0])


def test_a_traceback_is_in_the_line_of_its_request_without_local_values(capsys: pytest.CaptureFixture[str]) -> None:
    for format in ("json", "text"):
        logs.configure(Settings(log_format=format))
        logs.begin(request_id="r-2")
        pixels = "pixels of a " + "photo"
        try:
            raise ZeroDivisionError("why")
        except ZeroDivisionError as error:
            log.error("unforeseen", exc_info=error)
        written = capsys.readouterr().err
        assert "ZeroDivisionError: why" in written
        assert "r-2" in written
        assert pixels not in written
        if format == "json":
            assert written.count("\n") == 1


def test_a_line_break_in_a_value_does_not_begin_a_json_line(capsys: pytest.CaptureFixture[str]) -> None:
    logs.configure(Settings(log_format="json"))
    log.info("one", extra={"value": 'a\n{"event": "forged"}'})
    (line,) = lines(capsys)
    assert json.loads(line)["event"] == "one"


def test_auto_is_json_where_nobody_reads_along(capsys: pytest.CaptureFixture[str]) -> None:
    logs.configure(Settings())
    log.info("to a file")
    assert json.loads(lines(capsys)[0])["event"] == "to a file"


def test_text_is_readable_and_the_level_counts(capsys: pytest.CaptureFixture[str]) -> None:
    logs.configure(Settings(log_format="text", log_level="WARNING"))
    log.info("unseen")
    log.warning("seen", extra={"people": 3})
    (line,) = lines(capsys)
    assert "seen" in line
    assert "people=3" in line
    assert not line.startswith("{")


def test_to_configure_again_doubles_nothing_and_leaves_others_handlers(capsys: pytest.CaptureFixture[str]) -> None:
    others = logging.NullHandler()
    logging.getLogger().addHandler(others)
    settings = Settings(log_format="json")
    logs.configure(settings)
    logs.configure(replace(settings, log_level="ERROR"))
    log.error("once")
    assert len(lines(capsys)) == 1
    assert others in logging.getLogger().handlers
