"""A photo by its address, where the operator allows it: a public one, in bounded time, of bounded size."""

from __future__ import annotations

import time
from typing import Final
from urllib.parse import unquote, urljoin, urlsplit

import httpcore

from humanparse.errors import TooManyBytes, UrlFailed, UrlRefused
from humanparse.outbound import ERRORS, Allowed, NotPublic, is_public, is_web_address, names_private_address, request

REDIRECTS: Final = 5
MOVED: Final = (301, 302, 303, 307, 308)
HEADERS: Final = {"Accept": "image/*", "Accept-Encoding": "identity"}


def fetch_photo(url: str, max_bytes: int, timeout_s: float, allowed: Allowed = is_public) -> bytes:
    """The file at `url`; every redirect is checked as the first address was, and again when the connection is made.

    Raises UrlRefused, UrlFailed, TooManyBytes.
    """
    deadline = time.monotonic() + timeout_s
    for _ in range(REDIRECTS + 1):
        if not is_web_address(url):
            raise UrlRefused("The address is not an http or https address.", url=url[:200])
        if names_private_address(url, allowed):
            raise _refusal(url)
        left = deadline - time.monotonic()
        if left <= 0:
            raise UrlFailed(f"The address did not answer within {timeout_s:g} s.")
        try:
            moved, data = _get(url, max_bytes, left, allowed)
        except NotPublic as exc:
            raise _refusal(url) from exc
        except httpcore.TimeoutException as exc:
            raise UrlFailed(f"The address did not answer within {timeout_s:g} s.") from exc
        except ERRORS as exc:
            raise UrlFailed("The address does not answer as a web server does.") from exc
        if moved is None:
            return data
        try:
            url = urljoin(url, moved)
        except ValueError as exc:  # half of an IPv6 address
            raise UrlFailed("The address leads on to what is no address.") from exc
    raise UrlFailed(f"The address leads on more than {REDIRECTS} times.")


def name_of(url: str) -> str:
    """The last part of an address's path."""
    return unquote(urlsplit(url).path.rpartition("/")[2])


def _get(url: str, max_bytes: int, timeout_s: float, allowed: Allowed) -> tuple[str | None, bytes]:
    """Where it leads to, or None and the bytes."""
    with request("GET", url, HEADERS, timeout_s, allowed) as answer:
        headers = {name.lower(): value for name, value in answer.headers}
        if answer.status in MOVED and b"location" in headers:
            return headers[b"location"].decode("latin-1"), b""
        if answer.status != 200:
            raise UrlFailed(f"The address answers with status {answer.status}.", answered=answer.status)
        data = bytearray()
        for piece in answer.iter_stream():
            data += piece
            if len(data) > max_bytes:
                raise TooManyBytes(f"The file has more than {max_bytes:,} bytes, which is the limit.", limit=max_bytes)
        return None, bytes(data)


def _refusal(url: str) -> UrlRefused:
    return UrlRefused("The address is not known, or not a public one.", url=url[:200])
