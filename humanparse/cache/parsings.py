"""Parsings by what they are made from: the photo's bytes, the parser, its weights, its options."""

from __future__ import annotations

import hashlib
import json
import threading
from collections.abc import Callable
from concurrent.futures import Future
from concurrent.futures import TimeoutError as WaitedTooLong  # not the built-in one before Python 3.11
from dataclasses import fields
from typing import Any, Final, Generic, Protocol, TypeVar

from humanparse import __version__
from humanparse.cache.packing import FORMAT, pack, unpack
from humanparse.cache.sqlite_blobs import SqliteBlobs
from humanparse.config import Settings
from humanparse.errors import Busy
from humanparse.options import ParseOptions
from humanparse.records import ParserInfo, Parsing

T = TypeVar("T")
Other = TypeVar("Other")

RENDERING: Final = frozenset({"parser", "alpha", "outline", "palette", "include", "overlay", "format"})
"""Options that change what is shown of a parsing, not the parsing; `parser` is in the key by its own name.
Every other option is in the key, those of the future too."""

HIT: Final = "hit"
MISS: Final = "miss"
COLLAPSED: Final = "collapsed"  # a miss that waited for another's answer to the same question


class Blobs(Protocol):
    """Bytes by key, bounded. Only `clear` raises for what is wrong with the store: StorageError."""

    def get(self, key: str) -> bytes | None: ...

    def put(self, key: str, data: bytes) -> bool:
        """Keep the bytes; were they kept?"""

    def expire(self) -> None: ...

    def clear(self) -> None: ...


class AnswerCache(Generic[T]):
    """`find` answers from the cache, or makes the answer, once for all who ask for it at the same time.

    pack, unpack: an answer as bytes and back (None for what is not one, or not whole).
    counts: how often each of HIT, MISS and COLLAPSED was, in this process.
    """

    def __init__(
        self, blobs: Blobs, timeout_s: float, pack: Callable[[T], bytes], unpack: Callable[[bytes], T | None]
    ) -> None:
        self._blobs, self._timeout_s = blobs, timeout_s
        self._pack, self._unpack = pack, unpack
        self._lock = threading.Lock()
        self._making: dict[str, Future[T]] = {}
        self.counts = {HIT: 0, MISS: 0, COLLAPSED: 0}

    def beside(self, pack: Callable[[Other], bytes], unpack: Callable[[bytes], Other | None]) -> AnswerCache[Other]:
        """A cache of other answers in the same room."""
        return AnswerCache(self._blobs, self._timeout_s, pack, unpack)

    def find(self, key: str, make: Callable[[], T], join: bool = True) -> tuple[T, str]:
        """The answer under `key` and how it was come by. Raises what `make` raises, and Busy; errors are not kept.

        join: wait for whoever makes this answer already; not for those who hold what that one may be waiting for.
        """
        while True:
            with self._lock:
                other = self._making.get(key)
                if other is None:
                    own = self._making[key] = Future()
            if other is None:
                return self._lead(key, make, own)
            if not join:
                return make(), self._count(MISS)
            try:
                return other.result(self._timeout_s), self._count(COLLAPSED)
            except WaitedTooLong as exc:
                raise Busy("The same photo is being parsed, and takes long; try again in 1 s.") from exc
            except _NotMade:
                continue  # the other's failure is the other's (its time was up, say): try ourselves

    def expire(self) -> None:
        """Remove what is too old."""
        self._blobs.expire()

    def clear(self) -> None:
        """Remove everything that is kept."""
        self._blobs.clear()

    def _lead(self, key: str, make: Callable[[], T], own: Future[T]) -> tuple[T, str]:
        try:
            found = self._read(key)
            answer = make() if found is None else found
        except BaseException:
            self._end(key)
            own.set_exception(_NotMade())
            raise
        if found is None:
            self._blobs.put(key, self._pack(answer))
        self._end(key)
        own.set_result(answer)
        return answer, self._count(MISS if found is None else HIT)

    def _read(self, key: str) -> T | None:
        data = self._blobs.get(key)
        return None if data is None else self._unpack(data)

    def _end(self, key: str) -> None:
        with self._lock:
            del self._making[key]

    def _count(self, kind: str) -> str:
        with self._lock:
            self.counts[kind] += 1
        return kind


class ParsingCache(AnswerCache[Parsing]):
    """The cache of parsings."""

    def __init__(self, blobs: Blobs, timeout_s: float) -> None:
        super().__init__(blobs, timeout_s, pack, unpack)


class _NotMade(Exception):
    """The one who was to make it could not."""


def open_cache(settings: Settings) -> ParsingCache | None:
    """The cache of a service with these settings; None where it is off."""
    if settings.cache_bytes == 0:
        return None
    if settings.cache_url:
        from humanparse.cache.redis_blobs import RedisBlobs  # only those who share one need redis

        blobs: Blobs = RedisBlobs(settings.cache_url, settings.cache_age_s)
    else:
        blobs = SqliteBlobs(settings.cache_dir, settings.cache_bytes, settings.cache_age_s)
    return ParsingCache(blobs, settings.queue_timeout_s)


def key_of(data: bytes, parser: ParserInfo, options: ParseOptions, precision: str) -> str:
    """The key of a photo's parsing: whatever may change the parsing changes it."""
    chosen: dict[str, Any] = {
        field.name: getattr(options, field.name) for field in fields(options) if field.name not in RENDERING
    }
    return digest_of(data, [FORMAT.decode(), parser.name, parser.version, precision, chosen])


def digest_of(data: bytes, made_from: list[object]) -> str:
    """A key for what this version makes of a photo's bytes; all else that changes it stands in `made_from`, as JSON."""
    words = json.dumps([__version__, *made_from], sort_keys=True, default=sorted)
    digest = hashlib.sha256(words.encode())
    digest.update(hashlib.sha256(data).digest())
    return digest.hexdigest()
