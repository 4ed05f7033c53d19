"""One upload, three services: what is in the photo of a result, and the studio on it, with nothing sent again."""

from __future__ import annotations

import re
from base64 import b64decode
from pathlib import Path

import cv2
import numpy as np
import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, Request, expect

from humanparse.effects import ART
from tests.browser.conftest import Complaints
from tests.browser.steps import PARSING_TIMEOUT_MS, choose, decode, get

pytestmark = pytest.mark.browser


def sizes_sent(page: Page) -> list[int]:
    """Bytes of every request's body from now on."""
    sizes: list[int] = []

    def hear(request: Request) -> None:
        if request.method == "POST":
            sizes.append(len(request.post_data_buffer or b""))

    page.on("request", hear)
    return sizes


def picture(page: Page, effect: str) -> np.ndarray:
    """(H, W, 3) RGB of a picture in the gallery."""
    image = page.locator(f"#gallery [data-effect={effect}] img")
    expect(image).to_be_visible(timeout=PARSING_TIMEOUT_MS)
    url = image.evaluate("""async (image) => {
        const bytes = await (await fetch(image.src)).blob();
        return new Promise((done) => {
            const reader = new FileReader();
            reader.onload = () => done(reader.result);
            reader.readAsDataURL(bytes);
        });
    }""")
    return decode(b64decode(url.partition(",")[2]))


def bypass(browser: Browser, address: str, complaints: Complaints, **options: object) -> Page:
    """A page whose own rules let the tests read its pictures and run axe."""
    page = browser.new_context(base_url=address, bypass_csp=True, **options).new_page()  # type: ignore[arg-type]
    complaints.listen(page)
    page.goto("/")
    return page


def test_one_upload_gives_parts_names_and_pictures(
    browser: Browser, address: str, complaints: Complaints, pair_file: Path
) -> None:
    page = bypass(browser, address, complaints, reduced_motion="reduce")
    choose(page, pair_file)
    sent = sizes_sent(page)
    names = page.locator("#recognition")
    names.get_by_role("button", name="Recognize").click()
    expect(names.locator("li")).to_have_count(5, timeout=PARSING_TIMEOUT_MS)
    expect(names.locator("li").first).to_contain_text(re.compile("[a-z].*[一-鿿]"))
    studio = page.locator("#paint")
    studio.get_by_label("Effect").select_option("invert")
    studio.get_by_label("Whom").select_option("Person 2")
    studio.get_by_role("button", name="Paint").click()
    painted = picture(page, "invert").astype(int)
    address_of = page.evaluate("location.pathname")
    photo = decode(get(page, f"{address_of}/photo.jpg"))[..., :3].astype(int)
    people = decode_ids(get(page, f"{address_of}/people.png"))
    inside = cv2.erode((people == 2).astype(np.uint8), np.ones((15, 15))) > 0
    outside = cv2.dilate((people == 2).astype(np.uint8), np.ones((15, 15))) == 0
    assert np.abs(painted - (255 - photo))[inside].mean() < 6
    assert np.abs(painted - photo)[outside].mean() < 6
    studio.get_by_label("Whom").select_option("")
    studio.get_by_label("Only").select_option("Face")
    studio.get_by_label("Effect").select_option("all")
    studio.get_by_role("button", name="Paint").click()
    for effect in ART:
        picture(page, effect)
    expect(page.locator("#gallery figure")).to_have_count(4)
    with page.expect_download() as saved:
        page.locator("#gallery [data-save]").first.click()
    assert saved.value.suggested_filename == "pencil.jpg"
    assert len(sent) == 3
    assert max(sent) < 2000  # choices, never the photo
    assert not [v for v in Axe().run(page).response["violations"] if v["impact"] in ("serious", "critical")]
    page.context.close()
    assert not complaints.unexpected


def decode_ids(png: bytes) -> np.ndarray:
    from io import BytesIO

    from PIL import Image

    return np.array(Image.open(BytesIO(png)))


def test_another_photo_begins_anew_and_a_reload_keeps_the_services(
    page: Page, astronaut_file: Path, pair_file: Path
) -> None:
    choose(page, astronaut_file)
    names = page.locator("#recognition")
    names.get_by_role("button", name="Recognize").click()
    expect(names.locator("li")).to_have_count(5, timeout=PARSING_TIMEOUT_MS)
    expect(page.locator("#paint [name=people] option")).to_have_count(2)
    choose(page, pair_file)
    expect(page.locator("#headline")).to_contain_text("2 people")
    expect(names.locator("li")).to_have_count(0)
    expect(page.locator("#paint [name=people] option")).to_have_count(3)
    page.reload()
    expect(page.locator("#viewer")).to_be_visible()
    expect(page.locator("#paint [name=people] option")).to_have_count(3)
    page.get_by_role("button", name="Recognize").click()
    expect(names.locator("li")).to_have_count(5, timeout=PARSING_TIMEOUT_MS)


def test_what_is_not_in_the_photo_is_told(page: Page, complaints: Complaints, astronaut_file: Path) -> None:
    choose(page, astronaut_file)
    studio = page.locator("#paint")
    studio.get_by_label("Effect").select_option("grey")
    studio.get_by_label("Only").select_option("shoes")
    studio.get_by_role("button", name="Paint").click()
    expect(studio).to_contain_text("Nothing of what you chose is in this photo", timeout=PARSING_TIMEOUT_MS)
    expect(studio.locator("figure")).to_have_count(0)
    complaints.expect("404")
    assert page.request.delete(page.url.replace("/results/", "/api/results/")).ok
    studio.get_by_role("button", name="Paint").click()
    expect(studio.get_by_role("alert")).to_contain_text("This result has expired")


def test_without_scripts_the_same_result_has_it_all(browser: Browser, address: str, astronaut_file: Path) -> None:
    context = browser.new_context(base_url=address, java_script_enabled=False, locale="zh-CN")
    page = context.new_page()
    page.goto("/")
    page.locator("#image").set_input_files(astronaut_file)
    page.get_by_role("button", name="解析照片").click()
    page.wait_for_url("**/results/*", timeout=PARSING_TIMEOUT_MS)
    page.locator("#recognition button").click()
    expect(page.locator("#recognition li")).to_have_count(5, timeout=PARSING_TIMEOUT_MS)
    page.locator("#paint [name=effect]").select_option("sepia")
    page.locator("#paint [name=only]").select_option("background")
    page.locator("#paint button").click()
    page.wait_for_url("**/studio/*", timeout=PARSING_TIMEOUT_MS)
    shown = page.locator("#gallery [data-effect=sepia] img")
    expect(shown).to_be_visible()
    assert shown.evaluate("(image) => image.naturalWidth") == 512
    context.close()
