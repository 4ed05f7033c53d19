"""What holds on every page: the Content-Security-Policy, sound HTML, everything escaped."""

from __future__ import annotations

import re
from dataclasses import replace
from io import BytesIO
from pathlib import Path

import pytest
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from humanparse.config import Settings
from humanparse.labels import CLASSES
from tests.web.html_reader import Page
from tests.web.visits import BROWSER, HOSTILE, HostileParser, NobodyParser, client_of, keep, post

ROOT = Path(__file__).parent.parent.parent


@pytest.fixture
def settings(settings: Settings, tmp_path: Path) -> Settings:
    return replace(settings, request_log_rows=100, request_log_dir=tmp_path / "logs")


@pytest.fixture
def every_page(client: FlaskClient, settings: Settings, photo: bytes) -> dict[str, TestResponse]:
    nobody = client_of(settings, NobodyParser)
    client.get("/nowhere")
    client.application.extensions["humanparse"].request_log.close()  # writes what waits
    address = keep(client, photo)
    chinese = {**BROWSER, "Accept-Language": "zh-CN,zh;q=0.9,en;q=0.8"}
    return {
        "中文 start": client.get("/", headers=chinese),
        "中文 result": client.get(address, headers=chinese),
        "中文 not found": client.get("/nowhere", headers=chinese),
        "中文 recognition": client.get("/recognize", headers=chinese),
        "中文 studio": client.get("/studio", headers=chinese),
        "forgotten": client.post(f"{keep(client, photo)}/forget", headers=BROWSER),
        "start": client.get("/", headers=BROWSER),
        "result": client.get(address, headers=BROWSER),
        "nobody": nobody.get(keep(nobody, photo), headers=BROWSER),
        "docs": client.get("/docs", headers=BROWSER),
        "requests": client.get("/requests", headers=BROWSER),
        "not found": client.get("/nowhere", headers=BROWSER),
        "refused": post(client, b"this is text"),
        "empty": post(client, b"", file=""),
        "wrong method": client.get("/upload", headers=BROWSER),
        "recognition": client.get("/recognize", headers=BROWSER),
        "studio": client.get("/studio", headers=BROWSER),
        "pictures": client.get(paint(client, photo), headers=BROWSER),
    }


def paint(client: FlaskClient, photo: bytes) -> str:
    """The address of kept pictures."""
    answer = client.post("/studio", data={"effect": "grey", "image": (BytesIO(photo), "x.jpg")}, headers=BROWSER)
    assert answer.status_code == 303, answer.text
    return answer.headers["Location"]


def test_pages_obey_the_content_security_policy(every_page: dict[str, TestResponse]) -> None:
    for name, answer in every_page.items():
        policy = answer.headers["Content-Security-Policy"]
        assert "default-src 'none'" in policy
        assert "unsafe" not in policy
        for element in Page(answer.text).elements:
            where = f"{name}: <{element.tag} {element.attributes}>"
            assert element.tag != "style", where
            assert "style" not in element.attributes, where
            assert not any(key.startswith("on") for key in element.attributes), where
            assert element.tag != "script" or (element.attributes.get("src") and not element.text), where
            for key in ("src", "href", "action", "poster", "data"):
                value = element.attributes.get(key, "/")
                assert value.startswith(("/", "#")) and not value.startswith("//"), where  # nothing from elsewhere


def test_pages_are_sound_html(every_page: dict[str, TestResponse]) -> None:
    for name, answer in every_page.items():
        page = Page(answer.text)
        ids = [e.attributes["id"] for e in page.elements if "id" in e.attributes]
        assert len(ids) == len(set(ids)), name
        for element in page.elements:
            named = element.attributes.get("for") or element.attributes.get("aria-labelledby")
            assert not named or named in ids, f"{name}: {element.attributes}"
            assert element.tag != "img" or "alt" in element.attributes, name
        labelled = {label.attributes.get("for") for label in page.all("label")}
        for field in [*page.all("input"), *page.all("select"), *page.all("progress")]:
            known = field.is_in("label") or "aria-label" in field.attributes or field.attributes.get("id") in labelled
            assert known or field.attributes.get("type") == "hidden", f"{name}: {field.attributes}"
        assert page.all("html", lang="zh-CN" if name.startswith("中文") else "en")
        assert page.all("title")[0].text


def test_every_address_on_a_page_is_there(client: FlaskClient, every_page: dict[str, TestResponse]) -> None:
    elements = [element for answer in every_page.values() for element in Page(answer.text).elements]
    addresses = {element.attributes.get("src") or element.attributes.get("href") or "/" for element in elements}
    assert len(addresses) > 30
    for address in sorted(addresses):
        if address.startswith("/"):
            with client.get(address) as found:
                assert found.status_code == 200, address


def test_whatever_is_shown_is_escaped(settings: Settings, photo: bytes) -> None:
    client = client_of(settings, HostileParser)
    answers = {
        "result": client.get(keep(client, photo), headers=BROWSER),
        "option's value": post(client, photo, alpha=HOSTILE),
        "option's name": post(client, photo, **{HOSTILE: "1"}),
        "address": client.get(f"/results/{HOSTILE}", headers=BROWSER),
        "file": client.get(f"/results/AAAAAAAAAAAAAAAAAAAAAA/{HOSTILE}", headers=BROWSER),
    }
    for name, answer in answers.items():
        assert "<script>alert" not in answer.text, name
        assert "<b onclick" not in answer.text, name
        Page(answer.text)
    for name in ("result", "option's value"):
        assert "{{7*7}}" in answers[name].text  # it is shown, as text
    assert "There is no option" in answers["option's name"].text


def test_the_palette_has_every_class(client: FlaskClient) -> None:
    answer = client.get("/palette.css")
    assert answer.mimetype == "text/css"
    for part in CLASSES:
        red, green, blue = part.colour
        assert f".part-{part.id} {{ --own: rgb({red} {green} {blue}); }}" in answer.text
    assert ".person-255 {" in answer.text
    again = client.get("/palette.css", headers={"If-None-Match": answer.headers["ETag"]})
    assert again.status_code == 304


def test_scripts_find_their_texts_and_elements() -> None:
    scripts = "".join(path.read_text() for path in sorted((ROOT / "static/js").glob("*.js")))
    pages = "".join(path.read_text() for path in sorted((ROOT / "templates").glob("*.html")))
    texts = set(re.findall(r'data-text="([\w-]+)"', pages))
    stages = {"sending", "sent", "waiting", "parsing", "fetching"}
    used = set(re.findall(r'\btext\((?:\w+ \? )?"([\w-]+)"', scripts)) | {"queue-going"} | stages
    problems = set(re.findall(r'new Problem\("([\w-]+)"', scripts))
    assert used | {f"{kind}-{name}" for kind in ("title", "advice") for name in problems} <= texts
    built = ("title-", "advice-", "headline-", "photo-")  # names that scripts put together
    assert {name for name in texts - used if not name.startswith(built)} == set()
    assert set(re.findall(r'getElementById\("([\w-]+)"\)', scripts)) <= set(re.findall(r'\bid="([^"]+)"', pages))
