"""The page as people use it: drop, choose, paste, look, compare, pick, save; and when things go wrong."""

from __future__ import annotations

from base64 import b64decode, b64encode
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from playwright.sync_api import Browser, Page, Route, expect

from humanparse.labels import PALETTE
from tests.browser.conftest import Complaints

pytestmark = pytest.mark.browser

PARSE = "**/api/parse?*"
PARSING_TIMEOUT_MS = 60_000  # the first photo also loads the network, perhaps on a busy machine
TRANSFER = """([data, name, type]) => {
    const bytes = Uint8Array.from(atob(data), (letter) => letter.charCodeAt(0));
    const transfer = new DataTransfer();
    transfer.items.add(new File([bytes], name, { type }));
    return transfer;
}"""


def transfer(page: Page, file: Path, name: str = "photo.jpg", kind: str = "image/jpeg") -> Any:
    """A DataTransfer in the page that holds `file`."""
    return page.evaluate_handle(TRANSFER, [b64encode(file.read_bytes()).decode(), name, kind])


def drop(page: Page, file: Path) -> None:
    """Drag `file` over the page and let go of it, far from the form."""
    dragged = transfer(page, file)
    for event in ("dragenter", "dragover"):
        page.dispatch_event("footer", event, {"dataTransfer": dragged})
    expect(page.locator("#drop-anywhere")).to_be_visible()
    page.dispatch_event("footer", "drop", {"dataTransfer": dragged})
    expect(page.locator("#drop-anywhere")).to_be_hidden()


def await_state(page: Page, state: str) -> None:
    expect(page.locator("body")).to_have_attribute("data-state", state, timeout=PARSING_TIMEOUT_MS)


def choose(page: Page, file: Path) -> None:
    page.set_input_files("#image", file)
    await_state(page, "done")


def hold(page: Page) -> list[Route]:
    """Keep requests for parsing back; they land in the list."""
    held: list[Route] = []
    page.route(PARSE, lambda route: held.append(route))  # playwright cannot take the bare method
    return held


def await_held(page: Page, held: list[Route], count: int = 1) -> None:
    for _ in range(200):
        if len(held) >= count:
            return
        page.wait_for_timeout(25)
    raise AssertionError(f"{len(held)} requests, not {count}")


def see(page: Page, selector: str = ".picture") -> np.ndarray:
    """What is on the screen there: (H, W, 3)."""
    return cv2.imdecode(np.frombuffer(page.locator(selector).screenshot(), np.uint8), cv2.IMREAD_COLOR)


def read_canvas(page: Page) -> np.ndarray:
    """The coloured canvas itself: (H, W, 4) RGBA."""
    url = page.locator(".colours").evaluate("(canvas) => canvas.toDataURL()")
    image = cv2.imdecode(np.frombuffer(b64decode(url.partition(",")[2]), np.uint8), cv2.IMREAD_UNCHANGED)
    return cv2.cvtColor(image, cv2.COLOR_BGRA2RGBA)


def move(page: Page, slider: str, value: int) -> None:
    page.locator(slider).fill(str(value))


def save(page: Page, button: str, folder: Path) -> bytes:
    with page.expect_download() as download:
        page.click(button)
    path = folder / download.value.suggested_filename
    download.value.save_as(path)
    return path.read_bytes()


def decode(png: bytes) -> np.ndarray:
    return cv2.cvtColor(cv2.imdecode(np.frombuffer(png, np.uint8), cv2.IMREAD_COLOR), cv2.COLOR_BGR2RGB)


def ask_api(page: Page, file: Path, **fields: str) -> dict[str, Any]:
    photo = {"name": "a.jpg", "mimeType": "image/jpeg", "buffer": file.read_bytes()}
    answer = page.request.post("/api/parse", multipart={**fields, "image": photo})
    assert answer.ok
    body: dict[str, Any] = answer.json()
    return body


# Ways in.


def test_a_dropped_photo_is_parsed(page: Page, astronaut_file: Path) -> None:
    drop(page, astronaut_file)
    await_state(page, "done")
    legend = page.locator("#legend")
    expect(legend).to_contain_text("Face")
    expect(legend).to_contain_text("Hair")
    expect(legend).to_contain_text("Person 1")
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


# Looking at the result.


def test_opacity_and_comparison_follow_their_sliders(page: Page, astronaut_file: Path) -> None:
    choose(page, astronaut_file)
    requests: list[str] = []
    page.on("request", lambda request: requests.append(request.url))
    move(page, ".compare", 0)
    coloured = see(page)
    move(page, ".compare", 100)
    bare = see(page)
    move(page, ".compare", 50)
    half = see(page)
    width = bare.shape[1]
    left, right = slice(60, width // 2 - 60), slice(width // 2 + 60, width - 60)  # grip and divider aside
    assert np.array_equal(half[:, left], bare[:, left])
    # A shade: where the clip of an enlarged canvas changes, Chromium resamples one column of it differently.
    assert np.abs(half[:, right].astype(int) - coloured[:, right]).max() < 16
    assert np.abs(coloured[:, right].astype(int) - bare[:, right]).max() > 100
    move(page, ".opacity", 0)
    assert np.array_equal(see(page)[:, right], bare[:, right])
    expect(page.locator("output")).to_have_text("0 %")
    assert page.locator(".compare").get_attribute("aria-valuetext") == "50 % of the photo without colours"
    assert not requests


@pytest.mark.parametrize(
    ("opacity", "outline", "tolerance"),
    [(100, False, 0), (55, False, 1), (55, True, 1), (0, True, 0)],  # 1: browser and OpenCV round differently
)
def test_the_saved_picture_is_the_servers_overlay(
    page: Page, astronaut_file: Path, tmp_path: Path, opacity: int, outline: bool, tolerance: int
) -> None:
    choose(page, astronaut_file)
    page.set_checked(".outline", outline)
    move(page, ".opacity", opacity)
    saved = decode(save(page, "#save-overlay", tmp_path))
    told = ask_api(page, astronaut_file, alpha=str(opacity / 100), outline=str(outline))
    served = decode(b64decode(told["result_image"]))
    assert saved.shape == served.shape
    assert np.abs(saved.astype(int) - served).max() <= tolerance


def test_the_saved_data_is_the_apis(page: Page, astronaut_file: Path, tmp_path: Path) -> None:
    choose(page, astronaut_file)
    path = tmp_path / "parsing.json"
    saved = page.evaluate("JSON.parse", save(page, "#save-json", tmp_path).decode())
    assert path.exists()
    told = ask_api(page, astronaut_file)
    for body in (saved, told):
        body.pop("timing_ms")
        body.pop("result_image", None)
    assert saved == told


def test_the_legend_tells_what_the_api_tells(page: Page, astronaut_file: Path) -> None:
    choose(page, astronaut_file)
    told = ask_api(page, astronaut_file)
    assert page.locator(".person").count() == told["num_persons"]
    face = next(part for part in told["people"][0]["parts"] if part["name"] == "Face")
    share = f"{face['area'] / told['people'][0]['area'] * 100:.1f} %"
    row = page.locator(".person").first.locator("li", has_text="Face")
    expect(row).to_contain_text(share)
    expect(row).to_contain_text(f"{face['score']:.2f}")
    swatch = row.locator(".swatch").evaluate("(element) => getComputedStyle(element).backgroundColor")
    assert swatch == "rgb({}, {}, {})".format(*PALETTE[13])


def test_a_row_picks_its_part_out(page: Page, astronaut_file: Path) -> None:
    choose(page, astronaut_file)
    row = page.locator(".person").first.locator("button", has_text="Face")
    row.click()
    expect(row).to_have_attribute("aria-pressed", "true")
    canvas = read_canvas(page)
    strong = {tuple(colour) for colour in canvas[canvas[..., 3] == 255][:, :3].tolist()}
    assert strong == {tuple(PALETTE[13].tolist())}
    assert ((canvas[..., 3] > 0) & (canvas[..., 3] < 255)).any()  # the rest is still there, faintly
    page.keyboard.press("Escape")
    expect(row).to_have_attribute("aria-pressed", "false")
    page.mouse.move(5, 5)
    assert set(np.unique(read_canvas(page)[..., 3])) == {0, 255}


def test_a_click_on_the_picture_finds_its_row(page: Page, astronaut_file: Path) -> None:
    choose(page, astronaut_file)
    box = page.locator(".picture").bounding_box()
    assert box
    face = {"x": box["width"] * 0.44, "y": box["height"] * 0.27}
    page.locator(".picture").hover(position=face)
    expect(page.locator(".readout")).to_have_text("Person 1 · Face")
    page.locator(".picture").click(position=face)
    expect(page.locator("button[aria-pressed=true]")).to_contain_text("Face")


def test_people_can_be_coloured_apart(page: Page, astronaut_file: Path) -> None:
    choose(page, astronaut_file)
    parts = read_canvas(page)
    page.get_by_role("radio", name="People").check()
    people = read_canvas(page)
    assert np.array_equal(parts[..., 3], people[..., 3])
    assert not np.array_equal(parts, people)


# When things go wrong.


def test_a_bad_file_is_told_and_the_next_photo_works(
    page: Page, complaints: Complaints, astronaut_file: Path, tmp_path: Path
) -> None:
    complaints.expect("415")
    text = tmp_path / "really.jpg"
    text.write_text("This is not a photo.")
    drop(page, text)
    await_state(page, "error")
    message = page.locator("#message")
    expect(message).to_contain_text("not an image of a type that we take")
    expect(message).to_be_focused()
    expect(page.locator("#retry")).to_be_hidden()  # the same file would fail again
    drop(page, astronaut_file)
    await_state(page, "done")
    expect(message).to_be_hidden()


@pytest.mark.parametrize(
    ("answer", "words", "again"),
    [
        ({"status": 413, "body": "<html>from a proxy"}, "too large for the server", False),
        ({"status": 415, "body": ""}, "does not take this type", False),
        ({"status": 422, "json": {"detail": "alpha is '2'."}}, "alpha is '2'.", False),
        (
            {"status": 503, "headers": {"Retry-After": "7"}, "json": {"detail": "Too many photos are waiting."}},
            "Too many photos are waiting. Ready again in about 7 s.",
            True,
        ),
        ({"status": 502, "body": "bad gateway"}, "status 502", True),
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
    page.on("request", lambda request: pytest.fail(f"asked for {request.url}"))
    page.locator("#upload").evaluate("(form) => (form.dataset.maxBytes = 2048)")
    page.set_input_files("#image", astronaut_file)
    await_state(page, "error")
    expect(page.locator("#message")).to_contain_text("The limit is 0 MB")
    page.set_input_files("#image", {"name": "empty.jpg", "mimeType": "image/jpeg", "buffer": b""})
    expect(page.locator("#message")).to_contain_text("empty")


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
    assert any("ERR_ABORTED" in text for text in complaints.heard)
    page.unroute(PARSE)
    choose(page, astronaut_file)


def test_a_late_answer_is_not_shown(page: Page, complaints: Complaints, astronaut_file: Path, tmp_path: Path) -> None:
    complaints.expect("ERR_ABORTED")
    small = tmp_path / "small.jpg"
    cv2.imwrite(str(small), cv2.resize(cv2.imread(str(astronaut_file)), (256, 256)))
    held = hold(page)
    page.set_input_files("#image", astronaut_file)
    await_held(page, held)
    page.set_input_files("#image", small)
    await_held(page, held, 2)
    held[1].continue_()
    await_state(page, "done")
    page.wait_for_timeout(200)
    expect(page.locator("#facts")).to_contain_text("256 × 256 pixels")


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
    assert page.evaluate("alive.size") == 1  # the photo that is shown
    text = tmp_path / "really.jpg"
    text.write_text("This is not a photo.")
    page.set_input_files("#image", text)
    await_state(page, "error")
    assert page.evaluate("alive.size") == 1


# Without a mouse, without scripts, kept results.


def test_everything_works_by_keyboard_alone(page: Page, astronaut_file: Path) -> None:
    keys = page.keyboard
    keys.press("Tab")
    expect(page.locator(".skip")).to_be_focused()
    keys.press("Tab")
    keys.press("Tab")
    expect(page.locator("#image")).to_be_focused()
    outline = page.locator(".drop").evaluate("(element) => getComputedStyle(element).outlineStyle")
    assert outline == "solid"  # the focus can be seen, though the field itself is invisible
    with page.expect_file_chooser() as chooser:
        keys.press("Enter")
    chooser.value.set_files(astronaut_file)
    await_state(page, "done")
    expect(page.locator("#headline")).to_be_focused()
    keys.press("Tab")
    compare = page.locator(".compare")
    expect(compare).to_be_focused()
    before = int(compare.input_value())
    keys.press("ArrowRight")
    assert int(compare.input_value()) == before + 1
    for place in (".opacity", "[name=colour-by]:checked", ".outline"):
        keys.press("Tab")
        expect(page.locator(place)).to_be_focused()
    keys.press("Tab")
    first = page.locator("#legend button").first
    expect(first).to_be_focused()
    keys.press("Space")
    expect(first).to_have_attribute("aria-pressed", "true")
    keys.press("Escape")
    expect(first).to_have_attribute("aria-pressed", "false")


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
        page.get_by_role("link", name="Data JSON").click()
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


# Looks.

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
    page.emulate_media(color_scheme=scheme)
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
