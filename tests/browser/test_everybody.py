"""For everybody: by keyboard alone, without scripts, on a phone, in the dark, with eyes that need contrast."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Literal

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, Playwright, Route, expect

from app import create_app
from humanparse.config import Settings
from humanparse.keys import KeyFile
from humanparse.pipeline import Pipeline
from tests.browser.conftest import Complaints, launch
from tests.browser.steps import PARSING_TIMEOUT_MS, await_held, await_state, hold, read_canvas
from tests.conftest import serving

pytestmark = pytest.mark.browser


def test_everything_works_by_keyboard_alone(page: Page, astronaut_file: Path) -> None:
    page.on("filechooser", lambda _: None)  # early: it takes a moment until the browser hands choosers over
    keys = page.keyboard
    keys.press("Tab")
    expect(page.locator(".skip")).to_be_focused()
    services = [f"nav a >> nth={number}" for number in range(page.locator("nav a").count())]
    for place in (".brand", *services, ".language button", "#image"):
        keys.press("Tab")
        expect(page.locator(place)).to_be_focused()
    outline = page.locator(".drop").evaluate("(element) => getComputedStyle(element).outlineStyle")
    assert outline == "solid"  # the focus can be seen, though the field itself is invisible
    with page.expect_file_chooser() as chooser:
        keys.press("Enter")
    chooser.value.set_files(astronaut_file)
    await_state(page, "done")
    expect(page.locator("#headline")).to_be_focused()
    keys.press("Tab")
    expect(page.locator(".picture")).to_be_focused()
    keys.press("Tab")
    compare = page.locator(".compare")
    expect(compare).to_be_focused()
    before = int(compare.input_value())
    keys.press("ArrowRight")
    assert int(compare.input_value()) == before + 1
    places = (
        "[data-zoom=fit]",
        "[data-zoom=in]",
        ".opacity",
        "[name=colour-by]:checked",
        ".look",
        ".outline",
        ".skeleton",
    )
    for place in (*places, "#show"):
        keys.press("Tab")
        expect(page.locator(place)).to_be_focused()
    keys.press("Tab")
    first = page.locator("#legend [data-toggle]").first
    expect(first).to_be_focused()
    keys.press("Space")
    expect(first).to_have_attribute("aria-pressed", "false")
    keys.press("Space")
    expect(first).to_have_attribute("aria-pressed", "true")
    keys.press("Tab")
    only = page.locator("#legend [data-only]").first
    expect(only).to_be_focused()
    expect(only).to_have_accessible_name("Show only Person 1")
    for place in ("#save-overlay", "#save-cutout"):
        page.locator(place).focus()
        expect(page.locator(place)).to_be_focused()


def test_the_form_works_without_scripts(browser: Browser, address: str, astronaut_file: Path) -> None:
    context = browser.new_context(base_url=address, java_script_enabled=False)
    page = context.new_page()
    page.goto("/")
    page.locator("#image").set_input_files(astronaut_file)
    page.get_by_role("slider", name="Opacity").fill("0.8")
    page.get_by_role("button", name="Parse the photo").click()
    page.wait_for_url("**/results/*", timeout=PARSING_TIMEOUT_MS)
    main = page.locator("main")
    expect(main).to_contain_text("Face")
    expect(main).to_contain_text("Hair")
    expect(main).to_contain_text("512 × 512 pixels")
    for name in ("The photo with every person's parts coloured", "Your photo"):
        assert page.get_by_alt_text(name).evaluate("(image) => image.naturalWidth") == 512
    with page.expect_download() as download:
        page.locator("#kept").get_by_role("link", name="Data JSON").click()
    assert download.value.suggested_filename == "parsing.json"
    page.goto("/")
    page.locator("#image").evaluate("(field) => field.removeAttribute('required')")
    page.get_by_role("button", name="Parse the photo").click()
    expect(page.locator("h1")).to_have_text("No photo was chosen")
    page.get_by_role("link", name="Try again").click()
    expect(page.locator("h1").first).to_have_text("Every person, every part")
    context.close()


def test_a_kept_result_can_be_explored(page: Page, astronaut_file: Path) -> None:
    photo = {"name": "a.jpg", "mimeType": "image/jpeg", "buffer": astronaut_file.read_bytes()}
    kept = page.request.post("/upload", multipart={"image": photo})
    page.goto(kept.url)
    expect(page.locator("#viewer")).to_be_visible()
    expect(page.locator("#kept")).to_be_hidden()
    expect(page.locator("#legend")).to_contain_text("Hair")
    assert (read_canvas(page)[..., 3] == 255).mean() > 0.2
    page.locator("#legend [data-only]").first.click()
    expect(page.locator("#show")).to_have_value("person-1" if page.locator("#legend .person").count() > 1 else "")


CONTRAST = """() => {
    const parse = (colour) => (colour.match(/[\\d.]+/g) ?? []).map(Number);
    const light = (rgb) => {
        const [r, g, b] = rgb.map((v) => (v /= 255) <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4);
        return 0.2126 * r + 0.7152 * g + 0.0722 * b;
    };
    const behind = (element) => {
        for (let at = element; at; at = at.parentElement) {
            const [r, g, b, a = 1] = parse(getComputedStyle(at).backgroundColor);
            if (a === 1) return [r, g, b];
        }
    };
    const poor = [];
    for (const element of document.body.querySelectorAll("*")) {
        const own = [...element.childNodes].some((node) => node.nodeType === 3 && node.textContent.trim());
        if (!own || !element.checkVisibility({ visibilityProperty: true }) || element.closest("option")) continue;
        const style = getComputedStyle(element);
        const back = behind(element);
        let opacity = 1;
        for (let at = element; at; at = at.parentElement) opacity *= getComputedStyle(at).opacity;
        const text = parse(style.color).slice(0, 3).map((v, i) => v * opacity + back[i] * (1 - opacity));
        const [a, b] = [light(text), light(back)].sort((x, y) => y - x);
        const large = parseFloat(style.fontSize) >= 24;
        if ((a + 0.05) / (b + 0.05) < (large ? 3 : 4.5)) poor.push(`${element.textContent.trim()}: ${style.color}`);
    }
    return poor;
}"""


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize(("width", "height"), [(1280, 900), (390, 844), (320, 640)])
def test_every_state_fits_and_can_be_read(
    page: Page, complaints: Complaints, astronaut_file: Path, tmp_path: Path, scheme: str, width: int, height: int
) -> None:
    complaints.expect("415")
    page.emulate_media(color_scheme=scheme, reduced_motion="reduce")  # else colours are read half-way through a fade
    page.set_viewport_size({"width": width, "height": height})
    held: list[Route] = []
    text = tmp_path / "really.jpg"
    text.write_text("This is not a photo.")

    def look(state: str) -> None:
        await_state(page, state)
        page.screenshot(path=tmp_path / f"{state}.png", full_page=True)
        assert page.evaluate("document.documentElement.scrollWidth") <= width, state
        assert page.evaluate(CONTRAST) == [], state

    look("start")
    page.set_input_files("#image", text)
    look("error")
    held = hold(page)
    page.set_input_files("#image", astronaut_file)
    await_held(page, held)
    look("working")
    held[0].continue_()
    look("done")
    page.evaluate("scrollTo(0, 0)")
    picture = page.locator(".picture").bounding_box()
    assert picture
    assert picture["y"] + picture["height"] <= height  # the photo is whole on the first screen
    assert picture["width"] > width * 0.5


COMBINATIONS = [("en-US", "light", 1280), ("en-US", "dark", 390), ("zh-CN", "dark", 1280), ("zh-CN", "light", 390)]


@pytest.mark.parametrize(("locale", "scheme", "width"), COMBINATIONS)
def test_axe_finds_nothing_serious(
    browser: Browser,
    address: str,
    complaints: Complaints,
    pair_file: Path,
    tmp_path: Path,
    locale: str,
    scheme: Literal["light", "dark"],
    width: int,
) -> None:
    """axe-core on every state of the pages, in both languages; `serious` and `critical` are what keeps people out."""
    for words in ("415", "404"):
        complaints.expect(words)
    text = tmp_path / "really.jpg"
    text.write_text("This is not a photo.")
    context = browser.new_context(
        base_url=address,
        viewport={"width": width, "height": 844},
        locale=locale,
        color_scheme=scheme,
        reduced_motion="reduce",
        bypass_csp=True,  # axe's own script is put into the page
    )
    page = context.new_page()
    complaints.listen(page)
    found: list[str] = []

    def look(state: str) -> None:
        assert page.evaluate("document.documentElement.scrollWidth") <= width, state
        for violation in Axe().run(page).response["violations"]:
            if violation["impact"] in ("serious", "critical"):
                places = [node["html"][:120] for node in violation["nodes"]]
                found.append(f"{state}: {violation['id']} {places}")

    page.goto("/")
    look("start")
    held = hold(page)
    page.set_input_files("#image", [text, pair_file])
    await_held(page, held)
    look("working")
    held[0].continue_()
    await_state(page, "error")
    look("error")
    await_held(page, held, 2)
    held[1].continue_()
    page.locator(".strip [data-state=done] button").click(timeout=PARSING_TIMEOUT_MS)
    await_state(page, "done")
    page.locator("#legend [data-toggle]").nth(1).click()
    page.locator("#legend [data-only]").nth(3).click()
    look("done")
    page.reload()
    expect(page.locator("#viewer")).to_be_visible()
    look("kept")
    for path in ("/nowhere", "/docs"):
        page.goto(path)
        look(path)
    context.close()
    assert not found
    assert not complaints.unexpected


@pytest.mark.parametrize("locale", ["en-US", "zh-CN"])
def test_a_phone_gets_it_all(browser: Browser, address: str, complaints: Complaints, locale: str) -> None:
    """With a finger, from the sample to a cut-out, in both languages."""
    context = browser.new_context(
        base_url=address, viewport={"width": 390, "height": 844}, locale=locale, has_touch=True, is_mobile=True
    )
    page = context.new_page()
    complaints.listen(page)
    page.goto("/")
    page.locator("#take-sample").tap()
    await_state(page, "done")
    page.locator("#legend [data-toggle]").nth(1).tap()
    expect(page.locator("#legend [data-toggle]").nth(1)).to_have_attribute("aria-pressed", "false")
    page.locator("#show-all").tap()
    page.select_option(".look", "safe")
    page.locator("[data-zoom=in]").tap()
    expect(page.locator(".zoom output")).to_have_text("150 %")
    with page.expect_download():
        page.locator("#save-cutout").tap()
    for button in page.locator("button:visible, a.button:visible, select:visible").all():
        box = button.bounding_box()
        assert box
        assert min(box["width"], box["height"]) >= 24, button.text_content()  # WCAG 2.2, target size
    context.close()
    assert not complaints.unexpected


def test_forms_work_where_there_is_no_https(playwright: Playwright, address: str, astronaut_file: Path) -> None:
    """Under the name of a machine in the house, without https: browsers then tell less of where a form comes from."""
    port = address.rpartition(":")[2]
    with launch(playwright, "--host-resolver-rules=MAP house.test 127.0.0.1") as browser:
        context = browser.new_context(base_url=f"http://house.test:{port}", java_script_enabled=False)
        page = context.new_page()
        page.goto("/")
        page.get_by_role("button", name="中文").click()
        expect(page.locator("h1").first).to_have_text("每个人，每个部位")
        page.locator("#image").set_input_files(astronaut_file)
        page.get_by_role("button", name="解析照片").click()
        page.wait_for_url("**/results/*", timeout=PARSING_TIMEOUT_MS)
        page.locator("#kept form[action$=forget] button").click()
        expect(page.locator("h1")).to_have_text("已删除")


def test_a_key_is_entered_in_the_language_of_the_visitor(
    browser: Browser, settings: Settings, pipeline: Pipeline, tmp_path: Path
) -> None:
    keys = KeyFile(tmp_path / "keys.json")
    key = keys.add("ada")
    with serving(create_app(replace(settings, keys_file=keys.path), pipeline)) as address:
        context = browser.new_context(base_url=address, viewport={"width": 390, "height": 844}, bypass_csp=True)
        page = context.new_page()
        page.goto("/")
        page.get_by_role("button", name="中文").click()
        expect(page.get_by_role("heading", name="输入密钥")).to_be_visible()
        page.get_by_role("textbox", name="密钥").fill("hp_wrong")
        page.get_by_role("button", name="进入").click()
        expect(page.locator("main")).to_contain_text("不认识这个密钥")
        assert not [v for v in Axe().run(page).response["violations"] if v["impact"] in ("serious", "critical")]
        box = page.get_by_role("textbox", name="密钥").bounding_box()
        assert box and box["height"] >= 44 and box["width"] > 200
        page.get_by_role("textbox", name="密钥").fill(key)
        page.get_by_role("button", name="进入").click()
        expect(page.locator("h1").first).to_have_text("每个人，每个部位")
        context.close()
