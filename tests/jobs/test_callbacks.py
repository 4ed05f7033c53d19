"""Notices: signed as Standard Webhooks say, and to public addresses only."""

from __future__ import annotations

import base64
import hashlib
import hmac
import socket
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from ipaddress import ip_address
from typing import Any

import pytest

from humanparse import outbound
from humanparse.errors import InvalidOption
from humanparse.jobs import callbacks
from humanparse.jobs.callbacks import check_url, send, sign
from humanparse.outbound import is_public
from tests.http_server import Silent, running

PRIVATE = [
    "127.0.0.1", "10.1.2.3", "192.168.1.1", "172.16.0.1", "169.254.169.254", "100.64.0.1", "0.0.0.0",
    "224.0.0.1", "239.1.1.1", "255.255.255.255", "240.0.0.1", "::1", "::", "fe80::1", "fc00::1", "ff02::1",
    "::ffff:127.0.0.1", "::ffff:10.0.0.1", "64:ff9b::7f00:1", "64:ff9b::a9fe:a9fe", "2002:7f00:1::", "2001:db8::1",
]  # fmt: skip
PUBLIC = ["8.8.8.8", "1.1.1.1", "2606:4700:4700::1111", "::ffff:8.8.8.8"]


class Receiver(Silent, BaseHTTPRequestHandler):
    """Remembers what it is told; `status` is what it answers."""

    seen: list[tuple[str, dict[str, str], bytes]]
    status: int

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.seen.append((self.path, {name.lower(): value for name, value in self.headers.items()}, body))
        self.send_response(self.status)
        if self.status == 302:
            self.send_header("Location", "/elsewhere")
        self.end_headers()


@pytest.fixture
def receiver() -> Iterator[Any]:
    kind = type("OwnReceiver", (Receiver,), {"seen": [], "status": 204})
    with running(HTTPServer(("127.0.0.1", 0), kind)) as kind.address:
        yield kind


def test_a_notice_arrives_with_a_signature_that_the_receiver_can_check(receiver: Any) -> None:
    secret = "whsec_" + base64.b64encode(b"the shared secret").decode()
    assert send(f"{receiver.address}/told?x=1", "the-job", b'{"a": 1}', secret, allowed=lambda address: True)
    ((path, headers, body),) = receiver.seen
    assert (path, body, headers["content-type"]) == ("/told?x=1", b'{"a": 1}', "application/json")
    signed = f"{headers['webhook-id']}.{headers['webhook-timestamp']}.".encode() + body
    expected = base64.b64encode(hmac.new(b"the shared secret", signed, hashlib.sha256).digest()).decode()
    assert headers["webhook-signature"] == f"v1,{expected}"
    assert headers["webhook-id"] == "the-job"
    assert headers["host"] in receiver.address


def test_the_signature_is_that_of_the_standards_own_example() -> None:
    secret = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"  # of the reference libraries' tests
    made = sign(secret, "msg_p5jXN8AQM9LWM0D4loKWxJek", 1614265330, b'{"test": 2432232314}')
    assert made == "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="


def test_a_secret_may_be_any_text() -> None:
    assert sign("plain", "id", 1, b"x") == sign("plain", "id", 1, b"x") != sign("other", "id", 1, b"x")
    assert sign("whsec_no base64!", "id", 1, b"x").startswith("v1,")


@pytest.mark.parametrize("status", [302, 400, 500])
def test_anything_but_2xx_is_no_delivery_and_redirects_are_not_followed(receiver: Any, status: int) -> None:
    receiver.status = status
    assert not send(f"{receiver.address}/", "id", b"{}", "s", allowed=lambda address: True)
    assert len(receiver.seen) == 1


def test_a_receiver_that_answers_a_byte_at_a_time_does_not_hold_us(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(callbacks, "TIMEOUT_S", 0.3)
    over = threading.Event()
    with socket.create_server(("127.0.0.1", 0)) as server:

        def drip() -> None:
            connection, _ = server.accept()
            with connection:
                connection.recv(65536)
                while not over.wait(0.05):
                    try:
                        connection.sendall(b"H")
                    except OSError:
                        return

        thread = threading.Thread(target=drip)
        thread.start()
        url = f"http://127.0.0.1:{server.getsockname()[1]}/"
        assert not send(url, "id", b"{}", "s", allowed=lambda address: True)
        over.set()
        thread.join()


def test_nobody_there_is_no_delivery() -> None:
    assert not send("http://127.0.0.1:9/", "id", b"{}", "s", allowed=lambda address: True)
    assert not send("http://nobody.invalid/", "id", b"{}", "s")


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost"])
def test_a_private_address_is_never_connected_to(receiver: Any, host: str) -> None:
    url = receiver.address.replace("127.0.0.1", host)
    assert not send(url, "id", b"{}", "s")
    assert receiver.seen == []


def test_a_name_is_looked_up_once_and_the_connection_goes_where_was_checked(
    receiver: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    lookups: list[str] = []
    real = socket.getaddrinfo

    def fake(host: str, port: int, *args: Any, **options: Any) -> Any:
        lookups.append(host)
        return real("127.0.0.1", port, *args, **options)

    checked = []
    monkeypatch.setattr(outbound.socket, "getaddrinfo", fake)
    url = receiver.address.replace("127.0.0.1", "told.example")
    assert send(url, "id", b"{}", "s", allowed=lambda address: checked.append(str(address)) is None)
    assert checked == ["127.0.0.1"]
    assert [name for name in lookups if name != "127.0.0.1"] == ["told.example"]
    assert receiver.seen[0][1]["host"].startswith("told.example:")


def test_a_host_with_one_private_address_among_its_own_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    found = [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, 80)) for address in ("8.8.8.8", "10.0.0.1")]
    monkeypatch.setattr(outbound.socket, "getaddrinfo", lambda *args, **options: found)
    assert not send("http://told.example/", "id", b"{}", "s")


@pytest.mark.parametrize("address", PRIVATE)
def test_private_special_and_translated_addresses_are_not_public(address: str) -> None:
    assert not is_public(ip_address(address))


@pytest.mark.parametrize("address", PUBLIC)
def test_public_addresses_are(address: str) -> None:
    assert is_public(ip_address(address))


@pytest.mark.parametrize(
    "url",
    [
        "ftp://example.org/", "file:///etc/passwd", "example.org", "http://", "https:///x", "http://[::1", "", "http://a:b:c",
        "http://user:secret@example.org/", "http://example.org/\r\nHost: x", "http://exämple.org/", "http://127.0.0.1/",
        "http://[::1]/", "http://169.254.169.254/latest", "https://example.org/" + "x" * 2048, "http://example.org:99999/",
    ],
)  # fmt: skip
def test_what_is_no_public_web_address_is_refused_at_once(url: str) -> None:
    with pytest.raises(InvalidOption, match="callback_url"):
        check_url(url)


def test_web_addresses_are_taken() -> None:
    for url in (
        "https://example.org/a?b=c",
        "http://example.org:8080",
        "http://8.8.8.8/",
        "https://[2606:4700::1111]/",
    ):
        assert check_url(url) == url
