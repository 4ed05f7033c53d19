"""How photos come to the page: drop, choose, paste, camera, sample; one or several."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from playwright.sync_api import Page, expect

from humanparse.labels import PALETTE
from tests.browser.conftest import Complaints
from tests.browser.steps import (
    PARSE,
    PARSING_TIMEOUT_MS,
    await_held,
    await_state,
    choose,
    drop,
    hold,
    move,
    read_canvas,
    see,
    transfer,
)

pytestmark = pytest.mark.browser


def test_a_dropped_photo_is_parsed(page: Page, astronaut_file: Path) -> None:
    drop(page, astronaut_file)
    await_state(page, "done")
    legend = page.locator("#legend")
    for words in ("Face", "Hair", "Person 1"):
        expect(legend).to_contain_text(words)
    expect(page.locator("#headline")).to_contain_text("kinds of parts")
    expect(page.locator("#facts")).to_contain_text("512 × 512 pixels · parser compact")
    canvas = read_canvas(page)
    coloured = canvas[..., 3] == 255
    assert coloured.mean() > 0.2
    colours = {tuple(colour) for colour in canvas[coloured][:, :3].tolist()}
    assert {tuple(PALETTE[i].tolist()) for i in (2, 13)} <= colours  # Hair, Face
    assert colours <= {tuple(colour) for colour in PALETTE.tolist()}
    seen = see(page)
    move(page, ".opacity", 0)
    assert (np.abs(see(page).astype(int) - seen).max(axis=2) > 20).mean() > 0.1


def test_a_pasted_photo_is_parsed(page: Page, astronaut_file: Path) -> None:
    page.evaluate(
        """(clipboardData) => document.body.dispatchEvent(
            new ClipboardEvent("paste", { clipboardData, bubbles: true, cancelable: true }))""",
        transfer(page, astronaut_file),
    )
    await_state(page, "done")
    expect(page.locator("#legend")).to_contain_text("Face")


def test_the_same_file_can_be_chosen_twice(page: Page, astronaut_file: Path) -> None:
    choose(page, astronaut_file)
    with page.expect_response(PARSE):
        page.set_input_files("#image", astronaut_file)
    await_state(page, "done")


def test_what_is_no_file_is_said_to_be_none(page: Page) -> None:
    text = page.evaluate_handle("() => { const t = new DataTransfer(); t.setData('text/plain', 'hello'); return t; }")
    page.dispatch_event("body", "drop", {"dataTransfer": text})
    expect(page.locator("#message")).to_contain_text("not an image file")


def test_the_sample_needs_nothing_but_a_click(page: Page) -> None:
    loaded: list[str] = []
    page.on("request", lambda request: loaded.append(request.url))
    page.reload()
    assert not [url for url in loaded if "sample" in url]  # only when it is asked for
    page.get_by_role("button", name="Try a sample photo").click()
    await_state(page, "done")
    expect(page.locator("#legend")).to_contain_text("Face")


def test_the_first_view_is_small(page: Page) -> None:
    page.reload()
    page.wait_for_load_state("networkidle")
    sizes = page.evaluate(
        """() => [...performance.getEntriesByType("resource"), ...performance.getEntriesByType("navigation")]
            .map((entry) => entry.decodedBodySize)"""
    )
    assert len(sizes) > 8
    assert sum(sizes) < 100_000


def test_the_photo_is_shown_at_once_and_progress_told(page: Page, astronaut_file: Path) -> None:
    held = hold(page)
    page.set_input_files("#image", astronaut_file)
    await_held(page, held)
    await_state(page, "working")
    preview = page.locator(".preview img")
    expect(preview).to_be_visible()
    assert preview.get_attribute("src").startswith("blob:")
    expect(page.locator("#status")).to_contain_text("Sending the photo")
    held[0].continue_()
    await_state(page, "done")
    expect(page.locator("#status")).to_contain_text("kinds of parts")


def test_a_photo_that_browsers_cannot_show_is_shown(page: Page, astronaut: np.ndarray, tmp_path: Path) -> None:
    tiff = tmp_path / "astronaut.tiff"
    Image.fromarray(astronaut).save(tiff)
    held = hold(page)
    page.set_input_files("#image", tiff)
    await_held(page, held)
    expect(page.locator(".no-preview")).to_be_visible()
    held[0].continue_()
    await_state(page, "done")
    expect(page.locator(".no-preview")).to_be_hidden()
    assert page.locator(".photo").evaluate("(image) => image.naturalWidth") == 512


def test_the_files_name_stays_with_its_owner(page: Page, astronaut_file: Path) -> None:
    page.evaluate("""() => {
        const { send } = XMLHttpRequest.prototype;
        XMLHttpRequest.prototype.send = function (form) {
            window.sentNames = [...form.values()].filter((value) => value instanceof File).map((file) => file.name);
            send.call(this, form);
        };
    }""")
    choose(page, astronaut_file)
    assert page.evaluate("sentNames") == ["photo"]


# Several.


def test_several_photos_are_parsed_one_after_the_other(
    page: Page, complaints: Complaints, astronaut_file: Path, pair_file: Path, tmp_path: Path
) -> None:
    text = tmp_path / "really.jpg"
    text.write_text("This is not a photo.")
    complaints.expect("415")
    held = hold(page)
    drop(page, astronaut_file, text, pair_file)
    await_held(page, held)
    thumbs = page.locator(".strip li")
    expect(thumbs).to_have_count(3)
    assert [thumb.get_attribute("data-state") for thumb in thumbs.all()] == ["working", "waiting", "waiting"]
    expect(page.locator("#total-words")).to_have_text("0 of 3 photos done")
    assert len(held) == 1  # one at a time
    for index in range(3):
        await_held(page, held, index + 1)
        held[index].continue_()
    await_state(page, "done")
    expect(page.locator("#total-words")).to_have_text("2 of 3 photos done, 1 failed", timeout=PARSING_TIMEOUT_MS)
    expect(page.locator("#headline")).to_contain_text("1 person")  # the first stays in sight
    page.get_by_role("button", name="Photo 2, failed").click()
    expect(page.locator("#message")).to_contain_text("not an image that can be read")
    page.get_by_role("button", name="Photo 3, done").click()
    await_state(page, "done")
    expect(page.locator("#headline")).to_contain_text("2 people")
    expect(page.locator(".strip [aria-current]")).to_have_attribute("aria-label", "Photo 3, done")
    drawn = page.locator(".strip canvas").last.evaluate(
        "(canvas) => canvas.getContext('2d').getImageData(9, 9, 1, 1).data[3]"
    )
    assert drawn == 255
    page.go_back()
    expect(page.locator("#headline")).to_contain_text("1 person")


def test_a_folder_that_is_dropped_gives_its_photos(
    page: Page, astronaut_file: Path, pair_file: Path, tmp_path: Path
) -> None:
    folder = tmp_path / "holiday"
    (folder / "day 2").mkdir(parents=True)
    shutil.copy(pair_file, folder / "day 2" / "10.jpg")
    shutil.copy(astronaut_file, folder / "day 2" / "9.JPG")
    (folder / "notes.txt").write_text("not a photo")
    held = hold(page)
    session = page.context.new_cdp_session(page)
    for event in ("dragEnter", "dragOver", "drop"):
        data = {"items": [], "files": [str(folder)], "dragOperationsMask": 1}
        session.send("Input.dispatchDragEvent", {"type": event, "x": 300, "y": 300, "data": data})
    await_held(page, held)
    expect(page.locator(".strip li")).to_have_count(2)
    held[0].continue_()
    await_state(page, "done")
    expect(page.locator("#headline")).to_contain_text("1 person")  # 9 comes before 10
    await_held(page, held, 2)
    held[1].continue_()
    expect(page.locator(".strip [data-state=done]")).to_have_count(2, timeout=PARSING_TIMEOUT_MS)


def test_a_photo_that_comes_while_another_is_parsed_waits_for_it(
    page: Page, astronaut_file: Path, pair_file: Path
) -> None:
    held = hold(page)
    page.set_input_files("#image", astronaut_file)
    await_held(page, held)
    page.set_input_files("#image", pair_file)
    held[0].continue_()
    await_held(page, held, 2)
    expect(page.locator(".strip li").first).to_have_attribute("data-state", "done", timeout=PARSING_TIMEOUT_MS)
    await_state(page, "working")  # what was asked for last is what is waited for
    held[1].continue_()
    await_state(page, "done")
    expect(page.locator("#headline")).to_contain_text("2 people")
