"""Keys, limits, other sites' pages, proxies, host names, addresses to fetch, and the headers that browsers obey."""

from __future__ import annotations

import logging
import re
from collections.abc import Callable, Iterator
from dataclasses import replace
from io import BytesIO
from pathlib import Path

import pytest
from flask.testing import FlaskClient

from app import create_app
from humanparse.client import ApiError, Client
from humanparse.config import Settings
from humanparse.errors import ConfigError
from humanparse.keys import KeyFile
from humanparse.pipeline import Pipeline
from humanparse.web import requests
from tests.band_parser import BandParser
from tests.redis_server import free_port
from tests.web.test_addresses import ELSEWHERE
from tests.web.test_api import check_problem, post_form
from tests.web.visits import BROWSER, read_page

MakeClient = Callable[..., FlaskClient]


@pytest.fixture
def make_client(settings: Settings) -> Iterator[MakeClient]:
    made = []

    def make(**own: object) -> FlaskClient:
        changed = replace(settings, cache_bytes=0, **own)  # type: ignore[arg-type]
        made.append(create_app(changed, Pipeline(changed, lambda name, given: BandParser(given))))
        return made[-1].test_client()

    yield make
    for app in made:
        app.extensions["humanparse"].jobs.runner.stop()


@pytest.fixture
def keys(tmp_path: Path) -> KeyFile:
    return KeyFile(tmp_path / "keys.json")


# Keys


def test_with_keys_on_nothing_is_done_without_one(make_client: MakeClient, keys: KeyFile, photo: bytes) -> None:
    client, text = make_client(keys_file=keys.path), keys.add("ada")
    paths = [rule.rule for rule in client.application.url_map.iter_rules() if "GET" in (rule.methods or ())]
    for path in paths:
        status = client.get(re.sub("<[^>]*>", "x", path)).status_code
        is_open = path in ("/health", "/healthz", "/readyz", "/enter", "/palette.css") or path.startswith("/static/")
        assert (status == 401) is not is_open, path
    for path in ("/api/parse", "/api/parse/batch", "/api/jobs", "/upload", "/nowhere"):
        response = client.post(path, data={"image": (BytesIO(photo), "a.jpg")})
        assert response.status_code == 401
    problem = check_problem(client.post("/api/parse"), 401, "key_needed")
    assert "Bearer" in problem["detail"]
    assert client.post("/api/parse").headers["WWW-Authenticate"].startswith("Bearer")
    for header in ({"Authorization": f"Bearer {text}"}, {"Authorization": f"bearer  {text}"}, {"X-API-Key": text}):
        form = {"image": (BytesIO(photo), "a.jpg")}
        assert client.post("/api/parse", data=form, headers=header).status_code == 200
    for header in ({"Authorization": f"Basic {text}"}, {"X-API-Key": text[:-1]}, {"Authorization": "Bearer"}):
        assert client.post("/api/parse", headers=header).status_code == 401
    keys.remove("ada")
    assert client.get("/api/labels", headers={"X-API-Key": text}).status_code == 401


def test_people_enter_their_key_once(make_client: MakeClient, keys: KeyFile, photo: bytes) -> None:
    client, text = make_client(keys_file=keys.path), keys.add("ada")
    away = client.get("/", headers=BROWSER)
    assert (away.status_code, away.headers["Location"]) == (303, "/enter")
    page = read_page(client.get("/enter", headers=BROWSER))
    assert [field.attributes["name"] for field in page.all("input") if field.attributes["type"] == "password"] == [
        "key"
    ]
    wrong = client.post("/enter", data={"key": "hp_wrong"}, headers=BROWSER)
    assert wrong.status_code == 401 and "not known here" in wrong.text
    chosen = client.post("/language", data={"language": "zh", "back": "/enter"}, headers=BROWSER)
    assert (chosen.status_code, chosen.headers["Location"]) == (303, "/enter")
    assert read_page(client.get("/enter", headers=BROWSER)).all("h1")[0].text == "输入密钥"
    right = client.post("/enter", data={"key": f" {text} "}, headers=BROWSER)
    assert (right.status_code, right.headers["Location"]) == (303, "/")
    cookie = right.headers["Set-Cookie"]
    assert "HttpOnly" in cookie and "SameSite=Lax" in cookie and text not in cookie
    start = read_page(client.get("/", headers=BROWSER))
    assert start.all("code", id="curl")[0].attributes["data-key"] == "YOUR_KEY"
    assert post_form(client, photo).status_code == 200
    keys.remove("ada")
    assert post_form(client, photo).status_code == 401


@pytest.mark.parametrize("wanted", ["/studio", "/results/AAAAAAAAAAAAAAAAAAAAAA", "/requests?failed=1&before=7"])
def test_whoever_has_entered_a_key_gets_where_they_wanted_to_go(
    make_client: MakeClient, keys: KeyFile, wanted: str
) -> None:
    client, text = make_client(keys_file=keys.path), keys.add("ada")
    where = client.get(wanted, headers=BROWSER).headers["Location"]
    assert where.startswith("/enter?next=")
    page = read_page(client.get(where, headers=BROWSER))
    (back,) = page.all("input", id="back")
    other = client.post("/language", data={"language": "zh", "back": back.attributes["value"]})
    page = read_page(client.get(other.headers["Location"], headers=BROWSER))
    (hidden,) = page.all("input", name="next")
    wrong = client.post("/enter", data={"key": "x", "next": hidden.attributes["value"]}, headers=BROWSER)
    (hidden,) = read_page(wrong, 401).all("input", name="next")
    right = client.post("/enter", data={"key": text, "next": hidden.attributes["value"]}, headers=BROWSER)
    assert (right.status_code, right.headers["Location"]) == (303, wanted)


@pytest.mark.parametrize("target", ELSEWHERE)
def test_a_key_never_leads_to_another_site(make_client: MakeClient, keys: KeyFile, target: str) -> None:
    client, text = make_client(keys_file=keys.path), keys.add("ada")
    page = read_page(client.get("/enter", query_string={"next": target}, headers=BROWSER))
    assert page.all("input", name="next")[0].attributes["value"] == "/"
    answer = client.post("/enter", data={"key": text, "next": target}, headers=BROWSER)
    assert (answer.status_code, answer.headers["Location"]) == (303, "/")


def test_a_cookie_cannot_be_made_up_or_changed(make_client: MakeClient, keys: KeyFile) -> None:
    client = make_client(keys_file=keys.path)
    keys.add("ada")
    client.post("/enter", data={"key": keys.add("grace")})
    own = client.get_cookie("humanparse_key").value  # type: ignore[union-attr]
    ada, grace = (key.id for key in keys.all())
    for forged in ("", "x", ada, own.replace(grace, ada), own[:-1], f"{own}x", own.upper()):
        client.set_cookie("humanparse_key", forged)
        assert client.get("/api/labels").status_code == 401, forged
    client.set_cookie("humanparse_key", own)
    assert client.get("/api/labels").status_code == 200


def test_a_damaged_file_of_keys_stops_the_start(make_client: MakeClient, keys: KeyFile) -> None:
    keys.path.write_text("{}")
    with pytest.raises(ConfigError, match="not a file of keys"):
        make_client(keys_file=keys.path)


# Other sites


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({}, 200),
        ({"Sec-Fetch-Site": "same-origin", "Origin": "http://behind-a-proxy"}, 200),
        ({"Sec-Fetch-Site": "none"}, 200),
        ({"Origin": "http://localhost"}, 200),
        ({"Sec-Fetch-Site": "cross-site", "Origin": "http://localhost"}, 403),
        ({"Sec-Fetch-Site": "same-site"}, 403),
        ({"Origin": "http://evil.example"}, 403),
        ({"Origin": "null"}, 403),
        ({"Origin": "http://localhost.evil.example"}, 403),
        ({"Origin": "http://["}, 403),
        ({"Origin": "http://[::1"}, 403),
        ({"Origin": ""}, 403),
    ],
)
def test_what_another_sites_page_sends_is_not_done(
    make_client: MakeClient, photo: bytes, headers: dict[str, str], status: int
) -> None:
    client = make_client()
    for path, good in (("/api/parse", 200), ("/upload", 303), ("/api/jobs", 202)):
        response = client.post(path, data={"image": (BytesIO(photo), "a.jpg")}, headers=headers)
        assert response.status_code == (good if status == 200 else 403), (path, response.text)
    if status == 403:
        check_problem(client.delete("/api/jobs/x", headers=headers), 403, "cross_site")


def test_other_origins_only_where_they_are_listed(make_client: MakeClient, photo: bytes) -> None:
    theirs = {"Origin": "https://app.example", "Sec-Fetch-Site": "cross-site"}
    asking = {**theirs, "Access-Control-Request-Method": "POST", "Access-Control-Request-Headers": "x-api-key"}
    off = make_client()
    assert "Access-Control-Allow-Origin" not in off.options("/api/parse", headers=asking).headers
    on = make_client(cors_origins="https://app.example, https://other.example")
    preflight = on.options("/api/parse", headers=asking)
    assert preflight.headers["Access-Control-Allow-Origin"] == "https://app.example"
    assert "x-api-key" in preflight.headers["Access-Control-Allow-Headers"].lower()
    answer = on.post("/api/parse", data={"image": (BytesIO(photo), "a.jpg")}, headers=theirs)
    assert (answer.status_code, answer.headers["Access-Control-Allow-Origin"]) == (200, "https://app.example")
    assert "Access-Control-Allow-Credentials" not in answer.headers
    refused = on.post("/api/parse", data=b"x", headers={**theirs, "Origin": "https://evil.example"})
    assert refused.status_code == 403 and "Access-Control-Allow-Origin" not in refused.headers
    assert on.post("/upload", headers=theirs).status_code == 403  # the page is not the API


def test_every_answer_carries_the_headers(make_client: MakeClient, photo: bytes) -> None:
    client = make_client()
    for response in (client.get("/"), post_form(client, photo), client.get("/nowhere"), client.get("/static/icon.svg")):
        assert "default-src 'none'" in response.headers["Content-Security-Policy"]
        assert "frame-ancestors 'none'" in response.headers["Content-Security-Policy"]
        assert response.headers["X-Frame-Options"] == "DENY"
        assert response.headers["X-Content-Type-Options"] == "nosniff"
        assert response.headers["Referrer-Policy"] == "same-origin"
        assert response.headers["Permissions-Policy"].startswith("camera=(self), microphone=()")
        assert response.headers["Cross-Origin-Resource-Policy"] == "same-origin"
        response.close()


def test_nobody_is_sent_to_a_host_that_the_request_named(make_client: MakeClient) -> None:
    client = make_client()
    for path in ("/static//icon.svg", "/results//x", "/docs/", "/docs//"):
        response = client.get(path, headers={"Host": "evil.example"})
        assert response.status_code == 404, path
        assert "evil" not in response.headers.get("Location", "")


def test_nothing_can_be_listed(make_client: MakeClient) -> None:
    client = make_client()
    for path in ("/results/", "/results", "/uploads/", "/api/jobs/", "/static/", "/static/js/", "/results/../uploads/"):
        assert client.get(path).status_code == 404, path
    assert client.get("/api/jobs").status_code == 405


# Limits, proxies, hosts


def test_a_client_that_asks_too_often_is_told_when_to_go_on(make_client: MakeClient, photo: bytes) -> None:
    client = make_client(rate_limit="3/minute")
    assert [post_form(client, photo).status_code for _ in range(4)] == [200, 200, 200, 429]
    response = client.post("/api/jobs", data=photo)  # one count for all that is asked
    problem = check_problem(response, 429, "rate_limited")
    assert 1 <= int(response.headers["Retry-After"]) <= 61
    assert problem["retry_after_s"] == int(response.headers["Retry-After"])
    assert [client.get(path).status_code for path in ("/", "/healthz", "/api/labels")] == [200] * 3
    other = client.post("/api/parse", data=photo, environ_base={"REMOTE_ADDR": "203.0.113.9"})
    assert other.status_code == 200


def test_proxies_are_believed_only_so_far_as_the_settings_say(make_client: MakeClient, photo: bytes) -> None:
    def statuses(client: FlaskClient) -> list[int]:
        return [
            client.post("/api/parse", data=photo, headers={"X-Forwarded-For": f"203.0.113.{i}"}).status_code
            for i in range(3)
        ]

    assert statuses(make_client(rate_limit="1/minute", proxies=1)) == [200, 200, 200]
    assert statuses(make_client(rate_limit="1/minute")) == [200, 429, 429]  # else anybody could name another address


def test_where_redis_is_away_each_worker_counts_by_itself(make_client: MakeClient, photo: bytes) -> None:
    client = make_client(rate_limit="2/minute", rate_limit_url=f"redis://127.0.0.1:{free_port()}/0")
    assert [post_form(client, photo).status_code for _ in range(3)] == [200, 200, 429]


def test_a_limit_in_redis_holds_for_all_workers(make_client: MakeClient, photo: bytes, redis_url: str) -> None:
    first, second = (make_client(rate_limit="3/minute", rate_limit_url=redis_url) for _ in range(2))
    assert [post_form(each, photo).status_code for each in (first, second, first, second)] == [200, 200, 200, 429]


def test_a_limit_that_is_none_stops_the_start(make_client: MakeClient) -> None:
    with pytest.raises(ConfigError, match="60/minute"):
        make_client(rate_limit="often")


def test_other_host_names_are_refused_where_hosts_are_listed(make_client: MakeClient) -> None:
    """Against DNS rebinding: a page whose name leads here is of the same origin, by that name."""
    client = make_client(hosts="parsing.example, localhost")
    assert client.get("/healthz").status_code == 200
    assert client.get("/healthz", headers={"Host": "parsing.example"}).status_code == 200
    assert client.get("/healthz", headers={"Host": "evil.example"}).status_code == 400


# Addresses


def test_no_address_is_fetched_unless_it_is_turned_on(make_client: MakeClient, monkeypatch: pytest.MonkeyPatch) -> None:
    def fetch(*_: object) -> bytes:
        raise AssertionError("fetched")

    monkeypatch.setattr(requests, "fetch_photo", fetch)
    client = make_client()
    for response in (
        client.post("/api/parse", json={"url": "https://example.org/photo.jpg"}),
        client.post("/api/parse", data={"url": "https://example.org/photo.jpg"}, content_type="multipart/form-data"),
    ):
        check_problem(response, 422, "url_refused")


def test_where_it_is_on_an_address_stands_for_the_photo(
    make_client: MakeClient, photo: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[tuple[str, int, float]] = []
    monkeypatch.setattr(requests, "fetch_photo", lambda *given: (asked.append(given), photo)[1])
    client = make_client(fetch_urls="on", fetch_timeout_s=3.0, max_bytes=5000)
    url = "https://example.org/a/my%20photo.jpg?x=1"
    for response in (
        client.post("/api/parse", json={"url": url, "alpha": 0.3}),
        client.post("/api/parse?format=coco", data={"url": url}, content_type="multipart/form-data"),
    ):
        assert response.status_code == 200, response.text
    assert response.get_json()["images"][0]["file_name"] == "my photo.jpg"
    assert asked == [(url, 5000, 3.0)] * 2


@pytest.mark.parametrize("url", ["http://127.0.0.1/", "http://[::1]:80/x", "http://169.254.169.254/", "file:///x", 7])
def test_where_it_is_on_private_addresses_are_refused(make_client: MakeClient, url: object) -> None:
    check_problem(make_client(fetch_urls="on").post("/api/parse", json={"url": url}), 422, "url_refused")


# Privacy


def test_logs_hold_neither_file_names_nor_pictures(
    make_client: MakeClient, photo: bytes, caplog: pytest.LogCaptureFixture
) -> None:
    secret = "Aunt Agatha in Brighton"
    caplog.set_level(logging.DEBUG)
    caplog.set_level(logging.DEBUG, "humanparse.requests")
    client = make_client()
    for data in (photo, photo[:100], b"x" * 50, b""):
        for path in ("/api/parse", "/api/parse/batch", "/api/jobs", "/upload"):
            client.post(path, data={"image": (BytesIO(data), f"{secret}.jpg")}, buffered=True)
    pipeline = client.application.extensions["humanparse"].pipeline
    pipeline.parse = lambda *_, **__: 1 / 0
    assert client.post("/api/parse", data={"image": (BytesIO(photo), f"{secret}.jpg")}).status_code == 500
    client.application.extensions["humanparse"].jobs.runner.stop()
    assert "ZeroDivisionError" in caplog.text
    assert "Agatha" not in caplog.text
    assert repr(photo[20:60])[2:-1] not in caplog.text


def test_the_client_brings_its_key(address: str) -> None:
    with Client(address, api_key="hp_x") as client:
        assert client._http.headers["Authorization"] == "Bearer hp_x"
        with pytest.raises(ApiError):
            client.job("x" * 22)
