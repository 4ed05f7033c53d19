"""When things go wrong on the page: it says what, and the next photo works."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import Complaints
from tests.browser.steps import PARSE, await_held, await_state, choose, drop, hold

pytestmark = pytest.mark.browser

FAILED = """{"step": "waiting", "before": 1}
{"step": "failed", "problem": {"status": 503, "code": "busy", "retry_after_s": 9}}
"""


def test_a_bad_file_is_told_and_the_next_photo_works(
    page: Page, complaints: Complaints, astronaut_file: Path, tmp_path: Path
) -> None:
    complaints.expect("415")
    text = tmp_path / "really.jpg"
    text.write_text("This is not a photo.")
    drop(page, text)
    await_state(page, "error")
    message = page.locator("#message")
    expect(message).to_contain_text("This is not an image that can be read")
    expect(message).to_be_focused()
    expect(page.locator("#retry")).to_be_hidden()  # the same file would fail again
    drop(page, astronaut_file)
    await_state(page, "done")
    expect(message).to_be_hidden()


@pytest.mark.parametrize(
    ("answer", "words", "again"),
    [
        ({"status": 413, "body": "<html>from a proxy"}, "This file is too large", False),
        ({"status": 415, "body": ""}, "not an image that can be read", False),
        ({"status": 422, "json": {"code": "invalid_option", "detail": "alpha is '2'."}}, "alpha is '2'.", False),
        ({"status": 503, "json": {"code": "busy", "retry_after_s": 7}}, "room again in about 7 s", True),
        ({"status": 502, "body": "bad gateway"}, "Something went wrong on the server", True),
        ({"status": 200, "body": FAILED}, "room again in about 9 s", True),
        ({"status": 200, "body": '{"step": "parsing"}\n'}, "cannot be reached", True),
        (None, "cannot be reached", True),
    ],
)
def test_every_refusal_has_words(
    page: Page, complaints: Complaints, astronaut_file: Path, answer: dict[str, Any] | None, words: str, again: bool
) -> None:
    complaints.expect(str(answer["status"]) if answer else "ERR_CONNECTION_REFUSED")
    page.route(PARSE, lambda route: route.fulfill(**answer) if answer else route.abort("connectionrefused"))
    page.set_input_files("#image", astronaut_file)
    await_state(page, "error")
    expect(page.locator("#message")).to_contain_text(words)
    expect(page.locator("#retry")).to_be_visible(visible=again)
    page.unroute(PARSE)
    if again:
        page.click("#retry")
        await_state(page, "done")
    else:
        choose(page, astronaut_file)


def test_too_large_a_file_is_not_even_sent(page: Page, astronaut_file: Path) -> None:
    requests: list[str] = []
    page.on("request", lambda request: requests.append(request.url))
    page.locator("#upload").evaluate("(form) => (form.dataset.maxBytes = 2048)")
    page.set_input_files("#image", astronaut_file)
    await_state(page, "error")
    expect(page.locator("#message")).to_contain_text("the limit is 0 MB")
    page.set_input_files("#image", {"name": "empty.jpg", "mimeType": "image/jpeg", "buffer": b""})
    expect(page.locator("#message")).to_contain_text("empty")
    assert not [url for url in requests if "/api/" in url]


@pytest.mark.parametrize("way", ["key", "button"])
def test_a_running_request_can_be_cancelled(page: Page, complaints: Complaints, astronaut_file: Path, way: str) -> None:
    complaints.expect("ERR_ABORTED")
    held = hold(page)
    page.set_input_files("#image", astronaut_file)
    await_held(page, held)
    page.keyboard.press("Escape") if way == "key" else page.click("#cancel")
    await_state(page, "start")
    expect(page.locator("#image")).to_be_focused()
    expect(page.locator("#status")).to_contain_text("Cancelled")
    complaints.await_words(page, "ERR_ABORTED")
    page.unroute(PARSE)
    choose(page, astronaut_file)


def test_a_cancelled_photo_never_comes_back(
    page: Page, complaints: Complaints, astronaut_file: Path, pair_file: Path
) -> None:
    complaints.expect("ERR_ABORTED")
    held = hold(page)
    page.set_input_files("#image", astronaut_file)
    await_held(page, held)
    page.keyboard.press("Escape")
    page.set_input_files("#image", pair_file)
    await_held(page, held, 2)
    held[1].continue_()
    await_state(page, "done")
    page.wait_for_timeout(200)
    expect(page.locator("#headline")).to_contain_text("2 people")
    expect(page.locator("#queue")).to_be_hidden()


def test_object_urls_are_given_back(page: Page, complaints: Complaints, astronaut_file: Path, tmp_path: Path) -> None:
    complaints.expect("415")
    page.add_init_script("""
        window.alive = new Set();
        const { createObjectURL, revokeObjectURL } = URL;
        URL.createObjectURL = (blob) => { const url = createObjectURL(blob); alive.add(url); return url; };
        URL.revokeObjectURL = (url) => { alive.delete(url); revokeObjectURL(url); };
    """)
    page.goto("/")
    for _ in range(3):
        choose(page, astronaut_file)
    assert page.evaluate("alive.size") == 0
    text = tmp_path / "really.jpg"
    text.write_text("This is not a photo.")
    page.set_input_files("#image", text)
    await_state(page, "error")
    assert page.evaluate("alive.size") == 0
