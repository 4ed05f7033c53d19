"""Signed notices that a job has ended, to public addresses only.

The form is that of Standard Webhooks (standardwebhooks.com), for which receivers find libraries:
`webhook-id`, `webhook-timestamp`, and `webhook-signature: v1,BASE64`, an HMAC-SHA256 over
"ID.TIMESTAMP.BODY". The address is looked up and checked when the connection is made, and the
connection goes to the address that was checked, so that a name cannot change its meaning between.
Redirects are not followed.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import json
import socket
import ssl
import time
from collections.abc import Callable, Iterable
from datetime import datetime, timezone
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network
from typing import Any, Final
from urllib.parse import urlsplit

import httpcore

from humanparse.errors import InvalidOption
from humanparse.jobs.records import Job

TIMEOUT_S: Final = 10.0  # for the connection, and again for all that follows
WAITS_S: Final = (10.0, 60.0, 300.0, 1800.0, 7200.0)  # before each further try; then no more
LONGEST_URL: Final = 2048
SECRET_PREFIX: Final = "whsec_"
TRANSLATED: Final = tuple(ip_network(net) for net in ("64:ff9b::/96", "64:ff9b:1::/48", "2002::/16"))
"""IPv6 networks that carry IPv4 addresses inside (RFC 6052, 8215, 3056), private ones too."""

Address = IPv4Address | IPv6Address


def check_url(url: str) -> str:
    """The URL, if a callback may go there as far as can be said without a look-up. Raises InvalidOption."""
    try:
        parts = urlsplit(url)
        valid = parts.scheme in ("http", "https") and bool(parts.hostname) and (parts.port is None or parts.port > 0)
    except ValueError:
        valid = False
    if not valid or len(url) > LONGEST_URL or parts.username is not None or not url.isascii() or not url.isprintable():
        raise InvalidOption("callback_url is not an http or https address.", option="callback_url")
    try:
        literal = ip_address(parts.hostname or "")
    except ValueError:
        return url
    if not is_public(literal):
        raise InvalidOption("callback_url is not a public address.", option="callback_url")
    return url


def is_public(address: Address) -> bool:
    """Is it an address of the public Internet, of one machine?"""
    if isinstance(address, IPv6Address):
        if address.ipv4_mapped is not None:
            return is_public(address.ipv4_mapped)
        if any(address in net for net in TRANSLATED):
            return False
    return address.is_global and not address.is_multicast and not address.is_reserved


def sign(secret: str, id: str, timestamp: int, body: bytes) -> str:
    """The value of `webhook-signature`."""
    message = b".".join([id.encode(), str(timestamp).encode(), body])
    digest = hmac.new(_secret_bytes(secret), message, hashlib.sha256).digest()
    return f"v1,{base64.b64encode(digest).decode()}"


def body_of(job: Job) -> bytes:
    """What a notice says: which job, what became of it; the result is fetched."""
    ended_at = datetime.fromtimestamp(job.finished_at or 0, timezone.utc)
    data = {"id": job.id, "state": job.state, "done": job.done, "failed": job.failed, "total": job.order.total}
    return json.dumps({"type": f"job.{job.state}", "timestamp": ended_at.isoformat(), "data": data}).encode()


def send(url: str, id: str, body: bytes, secret: str, allowed: Callable[[Address], bool] = is_public) -> bool:
    """Post a notice once; has the receiver taken it (2xx)?"""
    timestamp = int(time.time())
    headers: dict[bytes | str, bytes | str] = {
        "Host": urlsplit(url).netloc,
        "Content-Type": "application/json",
        "User-Agent": "humanparse",
        "webhook-id": id,
        "webhook-timestamp": str(timestamp),
        "webhook-signature": sign(secret, id, timestamp, body),
    }
    timeout = {"connect": TIMEOUT_S, "read": TIMEOUT_S, "write": TIMEOUT_S, "pool": TIMEOUT_S}
    try:
        with (
            httpcore.ConnectionPool(network_backend=_CheckedBackend(allowed)) as pool,
            pool.stream("POST", url, headers=headers, content=body, extensions={"timeout": timeout}) as answer,
        ):
            return bool(200 <= answer.status < 300)  # its body is nothing to us, and is not read
    except (httpcore.NetworkError, httpcore.TimeoutException, httpcore.ProtocolError, httpcore.UnsupportedProtocol):
        return False


class _CheckedBackend(httpcore.SyncBackend):
    """Connects to allowed addresses only: to the first of the host's, if all of them are allowed."""

    def __init__(self, allowed: Callable[[Address], bool]) -> None:
        self._allowed = allowed

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
            raise httpcore.ConnectError(f"{host} is not known") from exc
        if not found or not all(self._allowed(ip_address(str(address).partition("%")[0])) for address in found):
            raise httpcore.ConnectError(f"{host} is not a public address")
        stream = super().connect_tcp(str(found[0]), port, timeout, local_address, socket_options)
        return _HurriedStream(stream, time.monotonic() + TIMEOUT_S)


class _HurriedStream(httpcore.NetworkStream):
    """A connection with one deadline for all: else a receiver that sends a byte now and then would hold us for days."""

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
            raise error("the receiver takes too long")
        return left if timeout is None else min(left, timeout)


def _secret_bytes(secret: str) -> bytes:
    """A secret as Standard Webhooks write it, whsec_ and base64; any other text is taken as it is."""
    if secret.startswith(SECRET_PREFIX):
        try:
            return base64.b64decode(secret.removeprefix(SECRET_PREFIX), validate=True)
        except binascii.Error:
            pass
    return secret.encode()
