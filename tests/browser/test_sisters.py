"""The pages of recognition and of the studio in a real browser, with the real networks."""

from __future__ import annotations

from pathlib import Path

import pytest
from playwright.sync_api import BrowserContext, Page, expect

from humanparse.effects import ART
from tests.browser.steps import PARSING_TIMEOUT_MS

pytestmark = pytest.mark.browser
RECORD = """() => {
    const real = window.fetch;
    window.sent = {};
    window.fetch = (url, options) => {
        window.sent[url] = [...options.body].filter(([name]) => name !== "image");
        return real(url, options);
    };
}"""  # what is sent beside the photo


@pytest.fixture
def cat(tmp_path: Path) -> Path:
    import cv2
    from skimage import data

    cv2.imwrite(str(tmp_path / "cat.jpg"), data.chelsea()[..., ::-1])
    return tmp_path / "cat.jpg"


def test_a_cat_is_recognized_and_shown(page: Page, cat: Path) -> None:
    page.goto("/recognize")
    page.set_input_files("#image", cat)
    expect(page.locator("#guesses li")).to_have_count(5, timeout=PARSING_TIMEOUT_MS)
    expect(page.locator("#guesses li").first).to_contain_text("cat")
    expect(page.locator("#guesses li").first).to_contain_text("猫")
    expect(page.locator("#preview")).to_be_visible()
    assert page.evaluate("document.activeElement.id") == "outcome-title"


def test_the_studio_paints_four_pictures_then_only_where_it_is_told(page: Page, astronaut_file: Path) -> None:
    page.goto("/studio")
    page.set_input_files("#image", astronaut_file)
    for effect in ART:
        picture = page.locator(f"figure[data-effect={effect}] img")
        expect(picture).to_be_visible(timeout=PARSING_TIMEOUT_MS)
        assert picture.evaluate("image => image.decode().then(() => image.naturalWidth)") == 512
    expect(page.locator("#guessed")).to_be_visible()
    page.select_option("select[name=effect]", "sepia")
    page.select_option("select[name=only]", "background")
    page.click("#again")
    expect(page.locator("figure[data-effect=sepia]")).to_be_visible(timeout=PARSING_TIMEOUT_MS)
    expect(page.locator("#gallery figure")).to_have_count(1)
    with page.expect_download() as saved:
        page.click("figure [data-save]")
    assert saved.value.suggested_filename == "sepia.jpg"


def test_what_an_effect_can_be_told_is_shown_for_the_chosen_one_and_sent(page: Page, astronaut_file: Path) -> None:
    page.goto("/studio")
    page.locator(".tuning summary").click()
    expect(page.locator(".tuning [data-several]")).to_be_visible()
    page.select_option("select[name=effect]", "posterize")
    expect(page.locator(".tuning fieldset:visible")).to_have_count(2)  # its own, and the soft edge's
    page.fill("[name='posterize.levels']", "2")
    page.evaluate(RECORD)
    page.set_input_files("#image", astronaut_file)
    expect(page.locator("figure[data-effect=posterize]")).to_be_visible(timeout=PARSING_TIMEOUT_MS)
    assert page.evaluate("sent")["/api/stylize?format=json"] == [["effect", "posterize"], ["levels", "2"]]
    page.fill("[name='posterize.levels']", "1")
    page.locator(".tuning summary").click()  # closed: it opens, or nobody would see why nothing happens
    page.click("#again")
    expect(page.locator("[name='posterize.levels']")).to_be_focused()
    assert page.locator("[name='posterize.levels']").evaluate("field => field.validity.rangeUnderflow")
    page.select_option("select[name=effect]", "invert")  # whatever stands in the fields of others
    page.click("#again")
    expect(page.locator("figure[data-effect=invert]")).to_be_visible(timeout=PARSING_TIMEOUT_MS)


def test_recognition_can_be_asked_again(page: Page, cat: Path) -> None:
    page.goto("/recognize")
    page.set_input_files("#image", cat)
    expect(page.locator("#guesses li")).to_have_count(5, timeout=PARSING_TIMEOUT_MS)
    page.fill("[name=top_k]", "2")
    page.get_by_role("button", name="Recognize again").click()
    expect(page.locator("#guesses li")).to_have_count(2, timeout=PARSING_TIMEOUT_MS)


def test_a_file_that_is_no_photo_is_told_and_the_next_works(page: Page, cat: Path, complaints) -> None:  # type: ignore[no-untyped-def]
    complaints.expect("415")
    page.goto("/recognize")
    wrong = cat.with_name("wrong.jpg")
    wrong.write_text("no photo")
    page.set_input_files("#image", wrong)
    expect(page.locator("#message")).to_contain_text("not an image")
    page.set_input_files("#image", cat)
    expect(page.locator("#guesses li").first).to_contain_text("cat", timeout=PARSING_TIMEOUT_MS)
    expect(page.locator("#message")).to_be_hidden()


def test_the_services_are_linked_from_every_page(context: BrowserContext, page: Page) -> None:
    del context
    for name in ("Recognize", "Studio"):
        page.goto("/")
        page.get_by_role("navigation", name="Services").get_by_role("link", name=name).click()
        expect(page.locator("h1")).to_be_visible()
        assert page.url.endswith(name.lower())
