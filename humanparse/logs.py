"""Logs: one JSON object a line for programs, readable text in a terminal; each line with the ids it belongs to.

Modules log with `logging.getLogger(__name__)` as ever, and put fields in `extra`. No line holds what a
photo shows or what a client calls its file.
"""

from __future__ import annotations

import logging
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, TextIO

import structlog
from structlog.typing import EventDict, Processor

from humanparse.config import Settings

AUTO, JSON, TEXT = "auto", "json", "text"


class _StderrHandler(logging.StreamHandler[TextIO]):
    """Writes to what is stderr at the time, as logging's own last resort does."""

    def __init__(self) -> None:
        logging.Handler.__init__(self)

    @property
    def stream(self) -> TextIO:
        return sys.stderr

    @stream.setter
    def stream(self, value: TextIO) -> None:
        raise AttributeError(f"the stream is stderr, not {value}")


def configure(settings: Settings) -> None:
    """From now on whatever this process logs goes to stderr in our format; what others attached stays."""
    root = logging.getLogger()
    keep_off_stderr()
    root.addHandler(make_handler(settings.log_format))
    root.setLevel(settings.log_level)
    for name in ("httpx", "httpcore"):  # a line for each of our own callbacks would tell their addresses
        logging.getLogger(name).setLevel(logging.WARNING)


def keep_off_stderr() -> None:
    """Takes back what `configure` attached."""
    root = logging.getLogger()
    for handler in [each for each in root.handlers if isinstance(each, _StderrHandler)]:
        root.removeHandler(handler)


def make_handler(format: str) -> logging.Handler:
    """A handler that writes to stderr in `format`: AUTO is TEXT in a terminal, else JSON."""
    terminal = sys.stderr.isatty()
    handler = _StderrHandler()
    handler.setFormatter(_make_formatter(JSON if format == JSON or (format == AUTO and not terminal) else TEXT))
    return handler


def _make_formatter(format: str) -> logging.Formatter:
    """The formatter of JSON or TEXT."""
    before: list[Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        structlog.stdlib.ExtraAdder(),
        _drop_leavings,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
    ]
    after: list[Processor] = [structlog.stdlib.ProcessorFormatter.remove_processors_meta]
    if format == JSON:
        after += [structlog.processors.format_exc_info, structlog.processors.JSONRenderer()]
    else:
        plain = structlog.dev.plain_traceback  # others print local variables, which are photos here
        after += [structlog.dev.ConsoleRenderer(colors=sys.stderr.isatty(), exception_formatter=plain)]
    return structlog.stdlib.ProcessorFormatter(foreign_pre_chain=before, processors=after)


def _drop_leavings(logger: Any, name: str, event: EventDict) -> EventDict:
    """Without what other handlers' formatters left on the record: the event again."""
    del logger, name
    for key in ("message", "asctime"):
        event.pop(key, None)
    return event


def begin(**ids: Any) -> None:
    """What this thread logs from now on belongs to these ids, and to no earlier ones."""
    structlog.contextvars.clear_contextvars()
    structlog.contextvars.bind_contextvars(**ids)


@contextmanager
def about(**ids: Any) -> Iterator[None]:
    """What this thread logs within belongs to these ids too."""
    with structlog.contextvars.bound_contextvars(**ids):
        yield


def gunicorn_config(settings: Settings) -> dict[str, Any]:
    """gunicorn's `logconfig_dict`: its own lines in the same format, master and workers."""
    return {
        "version": 1,
        "disable_existing_loggers": False,
        "formatters": {},
        "handlers": {"ours": {"()": make_handler, "format": settings.log_format}},
        "root": {"level": settings.log_level, "handlers": ["ours"]},
        "loggers": {"gunicorn.error": {"level": settings.log_level, "handlers": [], "propagate": True}},
    }
