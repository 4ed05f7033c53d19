"""What the work tells about itself: to the metrics, and to the account of the request or job at hand."""

from __future__ import annotations

from contextvars import ContextVar
from dataclasses import asdict, dataclass, field
from typing import Any

from humanparse import metrics


@dataclass
class Account:
    """What one request or job did, as far as it got. Nothing of the photo itself.

    stages_ms: by stage, photos added up; cache: of its last photo; code: of its last problem.
    """

    stages_ms: dict[str, float] = field(default_factory=dict)
    parser: str | None = None
    cache: str | None = None
    photos: int = 0
    people: int = 0
    code: str | None = None

    def facts(self, seconds: float) -> dict[str, Any]:
        """All of it and the time it took, as the logs have it."""
        return {**asdict(self), "ms": round(seconds * 1000, 2)}


_current: ContextVar[Account | None] = ContextVar("account", default=None)


def open_account() -> Account:
    """A new account, of what this thread does from now on."""
    account = Account()
    _current.set(account)
    return account


def stage_ended(stage: str, seconds: float, parser: str = "") -> None:
    """One photo is through one stage, or failed in it."""
    metrics.STAGE_SECONDS.labels(stage, parser).observe(seconds)
    account = _current.get()
    if account is not None:
        account.stages_ms[stage] = round(account.stages_ms.get(stage, 0.0) + seconds * 1000, 2)


def photo_parsed(parser: str, cache: str | None, people: int) -> None:
    """A photo has its answer. `cache`: how it was come by; None without a cache."""
    photo_recognized(parser, cache)
    metrics.PEOPLE.labels(parser).inc(people)
    account = _current.get()
    if account is not None:
        account.people += people


def photo_recognized(recognizer: str, cache: str | None) -> None:
    """A photo was named as a whole. `cache` as in `photo_parsed`."""
    metrics.PHOTOS.labels(recognizer).inc()
    if cache is not None:
        metrics.CACHE.labels(cache).inc()
    account = _current.get()
    if account is not None:
        account.parser, account.cache = recognizer, cache
        account.photos += 1


def problem_told(code: str, status: int) -> None:
    """A client was told, or will be, that something went wrong."""
    metrics.ERRORS.labels(code, str(status)).inc()
    account = _current.get()
    if account is not None:
        account.code = code


def parser_loaded(parser: str, seconds: float) -> None:
    """This process has a parser now."""
    metrics.MODEL_LOAD_SECONDS.labels(parser).set(seconds)
