"""Every page in every language: chosen by the browser or by hand, no word forgotten."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from babel.messages.extract import extract_from_dir
from babel.messages.pofile import read_po
from flask.testing import FlaskClient

from app import create_app
from humanparse.config import Settings
from humanparse.exports import FORMATS
from humanparse.keys import KeyFile
from humanparse.labels import CLASSES
from humanparse.pipeline import Pipeline
from humanparse.web.errors import STATUS, TITLES
from humanparse.web.languages import FOLDER, LANGUAGES, SOURCE, without_numbers
from humanparse.web.openapi import make_document
from humanparse.web.words import OTHERS, WORDS
from tests.band_parser import BandParser
from tests.web.test_addresses import ELSEWHERE
from tests.web.visits import BROWSER, keep, post, read_page

ROOT = Path(__file__).parent.parent.parent
CHINESE = re.compile("[一-鿿]")
NAMES = re.compile(r"%\((\w+)\)s|\{(\w+)\}")


def extract_words() -> set[str]:
    """The words of the source, plurals by their singular."""
    found = set()
    for folder in ("humanparse/web", "templates"):
        mapping = [("**.py", "python"), ("**.html", "jinja2")]
        for _, _, message, *_ in extract_from_dir(ROOT / folder, mapping):
            found.add(message[0] if isinstance(message, tuple) else message)
    return found


@pytest.mark.parametrize("language", [name for name in LANGUAGES if name != SOURCE])
def test_every_word_is_translated_and_none_is_left_over(language: str) -> None:
    with (FOLDER / language / "LC_MESSAGES" / "messages.po").open("rb") as file:
        catalogue = read_po(file, language)
    told = {}
    for message in catalogue:
        if message.id:
            told[message.id[0] if isinstance(message.id, tuple) else message.id] = message
    assert set(told) == extract_words(), "run `make translations`, then fill in what is empty in messages.po"
    for id, message in told.items():
        strings = message.string if isinstance(message.string, tuple) else (message.string,)
        assert not message.fuzzy and all(strings), id
        for string in strings:
            assert set(NAMES.findall(string)) == set(NAMES.findall(id)), (
                id
            )  # what is filled in, in another order perhaps
            assert string.count("%%") == id.count("%%"), id


@pytest.mark.parametrize(
    ("accepted", "tag"),
    [("zh-CN,zh;q=0.9,en;q=0.8", "zh-CN"), ("zh-TW", "zh-CN"), ("en-GB", "en"), ("de,fr;q=0.5", "en"), ("", "en")],
)
def test_the_browser_chooses(client: FlaskClient, accepted: str, tag: str) -> None:
    answer = client.get("/", headers={**BROWSER, "Accept-Language": accepted})
    assert read_page(answer).all("html", lang=tag)
    assert answer.headers["Content-Language"] == tag
    assert {"accept-language", "cookie"} <= {name.lower() for name in answer.vary}


def test_a_choice_by_hand_is_kept_and_leads_back(client: FlaskClient, photo: bytes) -> None:
    address = keep(client, photo)
    page = read_page(client.get(address, headers=BROWSER))
    (form,) = [form for form in page.all("form") if "language" in form.classes]
    fields = {
        e.attributes["name"]: e.attributes["value"] for e in page.elements if form in e.ancestors and e.tag != "button"
    }
    (button,) = [button for button in page.all("button", name="language") if form in button.ancestors]
    assert button.text == "中文"
    chosen = client.post(form.attributes["action"], data={**fields, "language": button.attributes["value"]})
    assert (chosen.status_code, chosen.headers["Location"]) == (303, address)
    again = read_page(client.get(address, headers=BROWSER))  # the browser still asks for no Chinese
    assert again.all("html", lang="zh-CN")
    assert "人物 1" in again.all("main")[0].text


@pytest.mark.parametrize("back", ELSEWHERE)
def test_a_choice_never_leads_to_another_site(client: FlaskClient, back: str) -> None:
    answer = client.post("/language", data={"language": "zh", "back": back})
    assert answer.headers["Location"] == "/"


def test_an_unknown_language_changes_nothing(client: FlaskClient) -> None:
    answer = client.post("/language", data={"language": "<b>", "back": "/docs"})
    assert (answer.headers["Location"], answer.headers.get("Set-Cookie")) == ("/docs", None)
    client.set_cookie("language", "xx")
    assert read_page(client.get("/", headers=BROWSER)).all("html", lang="en")


def test_parts_have_their_chinese_names(client: FlaskClient) -> None:
    client.set_cookie("language", "zh")
    text = read_page(client.get("/", headers=BROWSER)).all("main")[0].text
    for part in CLASSES[1:]:
        assert part.name_zh in text


def test_errors_are_told_in_both_languages_and_details_are_marked_as_english(client: FlaskClient) -> None:
    client.set_cookie("language", "zh")
    page = read_page(post(client, b"this is text"), 415)
    assert page.all("h1")[0].text == "这不是能读取的图片"
    (detail,) = [p for p in page.all("p", lang="en") if "detail" in p.classes]
    assert "not an image" in detail.text
    assert detail.is_in("details")  # folded away: whoever reads Chinese has read it all above


def texts_of(part: object) -> Iterator[str]:
    """Every summary and description of an OpenAPI document."""
    if isinstance(part, dict):
        for key, value in part.items():
            if key in ("summary", "description") and isinstance(value, str):
                yield value
            else:
                yield from texts_of(value)
    elif isinstance(part, list):
        for value in part:
            yield from texts_of(value)


@pytest.mark.parametrize("language", [name for name in LANGUAGES if name != SOURCE])
def test_every_text_of_the_api_is_translated_and_none_is_left_over(language: str) -> None:
    document = make_document(Settings())
    texts = {*texts_of(document["paths"]), *texts_of(document["components"]), *TITLES.values()}
    texts |= {format.help for format in FORMATS.values()}
    own = {without_numbers(text)[0] for text in texts if text.partition(": ")[0] not in TITLES.values()}
    with (FOLDER / language / "LC_MESSAGES" / "api.po").open("rb") as file:
        told = {message.id: message.string for message in read_po(file, language) if message.id}
    assert set(told) == own | set(TITLES.values())
    for id, string in told.items():
        assert CHINESE.search(string), id
        assert set(re.findall(r"\{\d+\}", string)) == set(re.findall(r"\{\d+\}", id)), id
        assert set(re.findall("`[^`]+`", string)) == set(re.findall("`[^`]+`", id)), id


ENGLISH = re.compile(r"\b(?:the|of|and|is|which|what|your|where|are|this)\b", re.IGNORECASE)


@pytest.mark.parametrize("path", ["/", "/docs", "/enter", "/requests", "/recognize", "/studio", "/nowhere"])
def test_a_page_in_chinese_has_no_english_sentence(settings: Settings, tmp_path: Path, path: str) -> None:
    keys = tmp_path / "keys.json"
    given = {"request_log_rows": 10, "request_log_dir": tmp_path / "logs"}
    if path == "/enter":
        KeyFile(keys).add("ada")
        given["keys_file"] = keys
    client = create_app(replace(settings, **given), Pipeline(settings, lambda *_: BandParser())).test_client()
    client.set_cookie("language", "zh")
    page = read_page(client.get(path, headers=BROWSER), 404 if path == "/nowhere" else 200)
    english = set(page.all("p", lang="en"))
    for element in page.elements:
        if element.tag in ("p", "h1", "h2", "h3", "th", "td", "dd", "summary", "button", "label", "title"):
            assert element in english or not ENGLISH.search(element.text), element.text
            for name in ("aria-label", "title", "placeholder"):
                assert not ENGLISH.search(element.attributes.get(name, "")), element.attributes
    assert CHINESE.search(page.all("title")[0].text) and CHINESE.search(page.all("h1")[0].text)


def test_numbers_of_the_settings_are_told_in_chinese(settings: Settings) -> None:
    client = create_app(replace(settings, max_bytes=123_456)).test_client()
    client.set_cookie("language", "zh")
    text = client.get("/docs", headers=BROWSER).text
    assert "最多 123,456 字节" in text
    assert "base64，" in text  # a number that is part of a name is put back
    assert "123,456 bytes" in client.get("/openapi.json").text


def test_what_programs_read_is_english(client: FlaskClient) -> None:
    client.set_cookie("language", "zh")
    assert not CHINESE.search(client.post("/api/parse").text)


def test_every_problem_that_people_meet_has_words() -> None:
    of_jobs = {"job_expired", "job_conflict", "job_unfinished", "job_cancelled", "queue_full", "idempotency_key_reused"}
    general = {"error", "bad_input", "parser_failed", "job_abandoned", "bad_config", "fetch_failed", "hub_unreachable"}
    of_programs = {"video_too_long", "unreadable_video", "url_refused", "url_failed", "client_gone", "no_space"}
    codes = {error.code for error in STATUS} - of_jobs - general - of_programs
    assert codes <= set(WORDS)
    assert set(OTHERS) == {"4", "5"}
