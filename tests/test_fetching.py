"""Photos by address: public ones only, at every redirect and every connection; bounded in bytes and time."""

from __future__ import annotations

import socket
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from ipaddress import ip_address
from typing import Any

import pytest

from humanparse import outbound
from humanparse.errors import TooManyBytes, UrlFailed, UrlRefused
from humanparse.fetching import fetch_photo, name_of
from humanparse.outbound import Address
from tests.http_server import Silent, running
from tests.jobs.test_callbacks import PRIVATE


class Site(Silent, BaseHTTPRequestHandler):
    asked: list[str]

    def do_GET(self) -> None:
        self.asked.append(self.path)
        kind, _, rest = self.path[1:].partition("/")
        if kind == "to":
            self.send_response(302)
            self.send_header("Location", rest)
            self.end_headers()
        elif kind == "drip":
            self.send_response(200)
            self.end_headers()
            for _ in range(100):
                self.wfile.write(b"x")
                time.sleep(0.05)
        else:
            self.send_response(int(kind) if kind.isdigit() else 200)
            self.end_headers()
            self.wfile.write(b"p" * 1000)


@pytest.fixture
def site() -> Iterator[Any]:
    kind = type("OwnSite", (Site,), {"asked": []})
    with running(ThreadingHTTPServer(("127.0.0.1", 0), kind)) as kind.address:
        yield kind


def local(address: Address) -> bool:
    """Stands for a public network: the tests' own machine, at one address."""
    return address == ip_address("127.0.0.1")


def fetch(url: str, max_bytes: int = 10_000, timeout_s: float = 10) -> bytes:
    return fetch_photo(url, max_bytes, timeout_s, local)


def test_a_file_comes_also_from_where_an_address_leads(site: Any) -> None:
    assert fetch(f"{site.address}/photo.jpg") == b"p" * 1000
    assert fetch(f"{site.address}/to//photo.jpg") == b"p" * 1000
    assert fetch(f"{site.address}/to/{site.address}/photo.jpg") == b"p" * 1000
    assert name_of(f"{site.address}/a/my%20photo.jpg?x=1") == "my photo.jpg"


def test_an_address_that_leads_to_no_address_at_all(site: Any) -> None:
    with pytest.raises(UrlFailed, match="no address"):
        fetch(f"{site.address}/to/http://[")


@pytest.mark.parametrize("address", PRIVATE)
def test_no_private_address_is_asked(address: str) -> None:
    host = f"[{address}]" if ":" in address else address
    with pytest.raises(UrlRefused, match="not a public one"):
        fetch_photo(f"http://{host}/photo.jpg", 1000, 5)


@pytest.mark.parametrize(
    "url", ["ftp://8.8.8.8/", "file:///etc/passwd", "http://", "//8.8.8.8/x", "http://a@8.8.8.8/", "x"]
)
def test_only_web_addresses(url: str) -> None:
    with pytest.raises(UrlRefused, match="http or https"):
        fetch_photo(url, 1000, 5)


@pytest.mark.parametrize(
    "inner", ["http://10.0.0.1/", "http://[::1]/", "http://169.254.169.254/latest", "file:///etc/passwd"]
)
def test_every_redirect_is_checked(site: Any, inner: str) -> None:
    with pytest.raises(UrlRefused):
        fetch(f"{site.address}/to/{inner}")
    assert len(site.asked) == 1


def test_a_name_is_checked_when_the_connection_is_made(monkeypatch: pytest.MonkeyPatch) -> None:
    """A name that leads to a private address, or to a public and a private one at once."""
    asked: list[str] = []
    for found in (["10.0.0.1"], ["127.0.0.1", "10.0.0.1"], ["::ffff:10.0.0.1"]):

        def look_up(host: str, port: int, *_: Any, found: list[str] = found, **__: Any) -> Any:
            asked.append(host)
            return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, port)) for address in found]

        monkeypatch.setattr(outbound.socket, "getaddrinfo", look_up)
        with pytest.raises(UrlRefused):
            fetch("http://photos.example/photo.jpg")
    assert asked == ["photos.example"] * 3


def test_unknown_names_and_private_ones_are_told_apart_by_nobody(monkeypatch: pytest.MonkeyPatch) -> None:
    def unknown(*_: Any, **__: Any) -> Any:
        raise socket.gaierror("not known")

    monkeypatch.setattr(outbound.socket, "getaddrinfo", unknown)
    with pytest.raises(UrlRefused) as first:
        fetch("http://x.example/")
    monkeypatch.setattr(outbound.socket, "getaddrinfo", lambda *_, **__: [(2, 1, 6, "", ("10.0.0.1", 80))])
    with pytest.raises(UrlRefused) as second:
        fetch("http://x.example/")
    assert first.value.message == second.value.message


def test_bytes_time_turns_and_statuses_are_limited(site: Any) -> None:
    with pytest.raises(TooManyBytes):
        fetch(f"{site.address}/photo.jpg", max_bytes=999)
    began = time.monotonic()
    with pytest.raises(UrlFailed, match=r"within 0\.5 s"):
        fetch(f"{site.address}/drip", timeout_s=0.5)
    assert time.monotonic() - began < 4
    with pytest.raises(UrlFailed, match="more than 5 times"):
        fetch(f"{site.address}" + "/to" * 9 + "/x")
    with pytest.raises(UrlFailed, match="status 404"):
        fetch(f"{site.address}/404")
    with socket.create_server(("127.0.0.1", 0)) as closed:
        port = closed.getsockname()[1]
    with pytest.raises(UrlFailed):
        fetch(f"http://127.0.0.1:{port}/")
