"""Bytes by key in Redis. Age is ours; bytes are that Redis's: `maxmemory` and its policy (docs/jobs.md)."""

from __future__ import annotations

import logging
from typing import Any, Final

import redis

from humanparse.errors import StorageError

log = logging.getLogger(__name__)

PREFIX: Final = "humanparse:cache:"
TIMEOUT_S: Final = 1.0  # a cache that is slower than that is none


class RedisBlobs:
    """See `parsings.Blobs`."""

    def __init__(self, url: str, max_age_s: int) -> None:
        # Any: its types are those of the asynchronous client at the same time
        self._redis: Any = redis.Redis.from_url(url, socket_timeout=TIMEOUT_S, socket_connect_timeout=TIMEOUT_S)
        self._max_age_s = max_age_s

    def get(self, key: str) -> bytes | None:
        try:
            data: bytes | None = self._redis.get(PREFIX + key)
        except redis.RedisError as error:
            log.warning("the cache does not answer: %s", error)
            return None
        return data

    def expire(self) -> None:
        """Redis does it."""

    def clear(self) -> None:
        """Remove everything. Raises StorageError: who asks for this wants to know."""
        try:
            for key in self._redis.scan_iter(PREFIX + "*", 500):
                self._redis.delete(key)
        except redis.RedisError as exc:
            raise StorageError("The cache's Redis does not answer; not all of the cache is deleted.") from exc

    def put(self, key: str, data: bytes) -> bool:
        try:
            self._redis.set(PREFIX + key, data, ex=self._max_age_s)
        except redis.RedisError as error:
            log.warning("the cache does not answer: %s", error)
            return False
        return True
