"""Connections to the public Internet, and to nothing else: for callbacks of jobs, and photos by their address.

A name is looked up and its addresses are checked when the connection is made, and the connection
goes to an address that was checked, so that a name cannot change its meaning between. Each
connection has one deadline for all that is done with it.
"""

from __future__ import annotations

import socket
import ssl
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network
from typing import Any, Final
from urllib.parse import urlsplit

import httpcore

LONGEST_URL: Final = 2048
TRANSLATED: Final = tuple(ip_network(net) for net in ("64:ff9b::/96", "64:ff9b:1::/48", "2002::/16"))
"""IPv6 networks that carry IPv4 addresses inside (RFC 6052, 8215, 3056), private ones too."""

GLOBAL_UNICAST: Final = ip_network("2000::/3")  # RFC 4291, 2.4, and IANA's registry

Address = IPv4Address | IPv6Address
Allowed = Callable[[Address], bool]
ERRORS: Final = (
    httpcore.NetworkError, httpcore.TimeoutException, httpcore.ProtocolError, httpcore.UnsupportedProtocol,
)  # fmt: skip
"""What httpcore raises where a request fails."""


class NotPublic(httpcore.ConnectError):
    """A host that may not be asked, or that nobody knows: who sent us there shall not learn which."""


def is_web_address(url: str) -> bool:
    """Is it an http or https address, as far as can be said without a look-up?"""
    try:
        parts = urlsplit(url)
        valid = parts.scheme in ("http", "https") and bool(parts.hostname) and (parts.port is None or parts.port > 0)
    except ValueError:
        return False
    return valid and len(url) <= LONGEST_URL and parts.username is None and url.isascii() and url.isprintable()


def names_private_address(url: str, allowed: Allowed) -> bool:
    """Is the host of this web address written as an IP address, and one that is not allowed?"""
    try:
        return not allowed(ip_address(urlsplit(url).hostname or ""))
    except ValueError:
        return False


def is_public(address: Address) -> bool:
    """Is it an address of the public Internet, of one machine?

    Of IPv6 only what IANA has given out as global unicast: whatever lies outside of that (site-local
    addresses, those that carry an IPv4 address in the old way) is somebody's own.
    """
    if isinstance(address, IPv6Address):
        if address.ipv4_mapped is not None:
            return is_public(address.ipv4_mapped)
        if address not in GLOBAL_UNICAST or any(address in net for net in TRANSLATED):
            return False
    return address.is_global and not address.is_multicast and not address.is_reserved


@contextmanager
def request(
    method: str, url: str, headers: Mapping[str, str], timeout_s: float, allowed: Allowed, body: bytes | None = None
) -> Iterator[httpcore.Response]:
    """The answer of an allowed address, not read yet; redirects are answers like others.

    timeout_s: for the connection, and again for all that follows. Raises ERRORS, NotPublic among them.
    """
    sent: list[tuple[bytes | str, bytes | str]] = [*headers.items(), ("User-Agent", "humanparse")]
    timeout = dict.fromkeys(("connect", "read", "write", "pool"), timeout_s)
    with (
        httpcore.ConnectionPool(network_backend=_CheckedBackend(allowed, timeout_s)) as pool,
        pool.stream(method, url, headers=sent, content=body, extensions={"timeout": timeout}) as answer,
    ):
        yield answer


class _CheckedBackend(httpcore.SyncBackend):
    """Connects to allowed addresses only: to the first of the host's, if all of them are allowed."""

    def __init__(self, allowed: Allowed, timeout_s: float) -> None:
        self._allowed, self._timeout_s = allowed, timeout_s

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[Any] | None = None,
    ) -> httpcore.NetworkStream:
        try:
            found = [info[4][0] for info in socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)]
        except (OSError, UnicodeError) as exc:
            raise NotPublic(f"{host} is not known") from exc
        if not found or not all(self._allowed(ip_address(str(address).partition("%")[0])) for address in found):
            raise NotPublic(f"{host} is not a public address")
        stream = super().connect_tcp(str(found[0]), port, timeout, local_address, socket_options)
        return _HurriedStream(stream, time.monotonic() + self._timeout_s)


class _HurriedStream(httpcore.NetworkStream):
    """A connection with one deadline for all: else a peer that sends a byte now and then would hold us for days."""

    def __init__(self, stream: httpcore.NetworkStream, deadline: float) -> None:
        self._stream, self._deadline = stream, deadline

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        return self._stream.read(max_bytes, self._left(timeout, httpcore.ReadTimeout))

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        self._stream.write(buffer, self._left(timeout, httpcore.WriteTimeout))

    def close(self) -> None:
        self._stream.close()

    def start_tls(
        self, ssl_context: ssl.SSLContext, server_hostname: str | None = None, timeout: float | None = None
    ) -> httpcore.NetworkStream:
        left = self._left(timeout, httpcore.ConnectTimeout)
        return _HurriedStream(self._stream.start_tls(ssl_context, server_hostname, left), self._deadline)

    def get_extra_info(self, info: str) -> Any:
        return self._stream.get_extra_info(info)

    def _left(self, timeout: float | None, error: type[httpcore.TimeoutException]) -> float:
        left = self._deadline - time.monotonic()
        if left <= 0:
            raise error("the other side takes too long")
        return left if timeout is None else min(left, timeout)
