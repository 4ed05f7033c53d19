"""What is going on can be seen: the line, the steps, the result's address and its end, the language."""

from __future__ import annotations

import json
import re
import threading
from pathlib import Path

import pytest
from playwright.sync_api import BrowserContext, Page, expect

from app import create_app
from humanparse.config import Settings
from humanparse.pipeline import Pipeline
from tests.band_parser import BandParser
from tests.browser.conftest import Complaints
from tests.browser.steps import PARSING_TIMEOUT_MS, await_state, choose, drop, read_canvas, row
from tests.conftest import serving

pytestmark = pytest.mark.browser


def test_the_place_in_the_line_is_told(
    context: BrowserContext, complaints: Complaints, settings: Settings, photo: bytes, tmp_path: Path
) -> None:
    pipeline = Pipeline(settings, lambda *_: BandParser())
    let_go = [threading.Event() for _ in range(2)]

    def stay(event: threading.Event) -> None:
        with pipeline._gate.enter():
            event.wait(20)

    before = [threading.Thread(target=stay, args=(event,)) for event in let_go]
    file = tmp_path / "photo.jpg"
    file.write_bytes(photo)
    with serving(create_app(settings, pipeline)) as address:
        for thread in before:
            thread.start()
        page = context.new_page()
        complaints.listen(page)
        page.goto(address)
        page.set_input_files("#image", file)
        stage = page.locator("#stage-text")
        expect(stage).to_have_text("Waiting: 2 before this one")
        let_go[0].set()
        expect(stage).to_have_text("Waiting: 1 before this one")
        let_go[1].set()
        await_state(page, "done")
        expect(page.locator("#headline")).to_have_text("2 people, 3 kinds of parts")
        page.close()
    for thread in before:
        thread.join()
    assert not complaints.unexpected


def test_a_result_has_an_address_that_works_until_it_is_removed(
    page: Page, complaints: Complaints, pair_file: Path
) -> None:
    choose(page, pair_file)
    assert re.search(r"/results/[\w-]{22}$", page.url)
    address = page.url
    expect(page.locator("#kept-words")).to_contain_text(re.compile(r"works until \w+ \d+, \d{4}"))
    shown = read_canvas(page)
    page.reload()
    expect(page.locator("#headline")).to_contain_text("2 people")
    assert (read_canvas(page) == shown).all()
    expect(page.locator("#kept")).to_be_hidden()
    page.get_by_role("link", name="More photos").click()
    page.go_back()
    expect(page.locator("#headline")).to_contain_text("2 people")
    page.get_by_role("button", name="Remove it now").click()
    page.wait_for_url("**/")
    complaints.expect("404")
    page.goto(address)
    expect(page.locator("h1")).to_have_text("This result has expired")


def test_removing_a_fresh_result_leads_to_the_start(page: Page, astronaut_file: Path) -> None:
    choose(page, astronaut_file)
    page.get_by_role("button", name="Remove it now").click()
    await_state(page, "start")
    expect(page.locator("#status")).to_contain_text("removed from the server")
    assert page.evaluate("location.pathname") == "/"


def test_a_result_that_is_gone_can_be_made_again(
    page: Page, complaints: Complaints, astronaut_file: Path, pair_file: Path
) -> None:
    complaints.expect("404")
    with page.expect_response(lambda answer: answer.url.endswith("/api/results")) as first:
        drop(page, astronaut_file, pair_file)
    del first
    with page.expect_response(lambda answer: answer.url.endswith("/api/results")) as second:
        await_state(page, "done")
    expect(page.locator(".strip [data-state=done]")).to_have_count(2, timeout=PARSING_TIMEOUT_MS)
    last = json.loads(second.value.text().strip().splitlines()[-1])
    assert page.request.delete(f"/api/results/{last['result']['id']}").ok
    page.get_by_role("button", name="Photo 2, done").click()
    expect(page.locator("#message")).to_contain_text("This result has expired")
    page.get_by_role("button", name="Try again").click()
    await_state(page, "done")
    expect(page.locator("#headline")).to_contain_text("2 people")


def test_when_its_time_is_over_the_page_says_so(page: Page, astronaut_file: Path) -> None:
    page.clock.install()
    choose(page, astronaut_file)
    expect(page.get_by_role("link", name="Everything ZIP")).to_be_visible()
    page.clock.run_for(3_700_000)
    expect(page.locator("#kept-words")).to_contain_text("have been removed")
    expect(page.get_by_role("link", name="Everything ZIP")).to_be_hidden()
    expect(page.get_by_role("button", name="Picture as shown")).to_be_visible()


def test_the_back_key_leads_back(page: Page, astronaut_file: Path) -> None:
    expect(page).to_have_title("Human parsing")
    choose(page, astronaut_file)
    expect(page).to_have_title(re.compile(r"1 person, \d+ kinds of parts · Human parsing"))
    page.go_back()
    await_state(page, "start")
    expect(page).to_have_title("Human parsing")
    page.go_forward()
    await_state(page, "done")
    expect(page.locator("#legend")).to_contain_text("Face")


def test_another_language_keeps_the_result(page: Page, astronaut_file: Path) -> None:
    choose(page, astronaut_file)
    address = page.url
    page.get_by_role("button", name="中文").click()
    expect(page.locator("html")).to_have_attribute("lang", "zh-CN")
    assert page.url == address
    expect(page.locator("#headline")).to_have_text(re.compile(r"1 个人，\d+ 种部位"))
    expect(row(page, "脸")).to_be_visible()
    page.goto("/")
    expect(page.locator("h1").first).to_have_text("每个人，每个部位")  # it is kept
    page.get_by_role("button", name="English").click()
    expect(page.locator("h1").first).to_have_text("Every person, every part")
