"""The pages of recognition and of the studio in a real browser, with the real networks."""

from __future__ import annotations

from pathlib import Path

import pytest
from playwright.sync_api import BrowserContext, Page, expect

from humanparse.effects import ART
from tests.browser.steps import PARSING_TIMEOUT_MS

pytestmark = pytest.mark.browser


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
