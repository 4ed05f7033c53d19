"""The page as people use it: drop, choose, paste, look, compare, pick, save."""

from __future__ import annotations

from base64 import b64decode
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from playwright.sync_api import Page, expect

from humanparse.labels import PALETTE
from tests.browser.steps import (
    PARSE,
    ask_api,
    await_held,
    await_state,
    choose,
    decode,
    drop,
    hold,
    move,
    read_canvas,
    save,
    see,
    transfer,
)

pytestmark = pytest.mark.browser

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
    assert not [url for url in requests if "/api/" in url or "/results/" in url]


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
    told = ask_api(page, astronaut_file, include="keypoints")
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


def answer_with(page: Page, file: Path, keypoints: list[list[float]]) -> None:
    """Let the next requests for parsing be answered with these key points for everybody."""
    told = ask_api(page, file, alpha="0", outline="false", include="label_map,people_map,keypoints")
    for person in told["people"]:
        person["keypoints"] = keypoints
    page.route(PARSE, lambda route: route.fulfill(json=told))


def test_skeletons_are_drawn_where_key_points_are_known_and_asked_for(
    page: Page, astronaut_file: Path, tmp_path: Path
) -> None:
    """Key points down the diagonal, so that every bone lies on it; the last of them a guess."""
    answer_with(page, astronaut_file, [[100 + 20 * i, 100 + 20 * i, 0.1 if i == 16 else 0.9] for i in range(17)])
    choose(page, astronaut_file)
    switch = page.locator(".skeleton")
    expect(switch).to_be_visible()
    expect(page.locator(".skeletons")).to_be_hidden()
    plain = decode(save(page, "#save-overlay", tmp_path))
    switch.check()
    expect(page.locator(".skeletons")).to_be_visible()
    changed = (decode(save(page, "#save-overlay", tmp_path)) != plain).any(axis=2)
    assert changed[250, 250]
    assert not changed[250, 270]
    assert not changed[415, 415]  # from here on only the bone to the guess would lead


def test_without_key_points_there_is_no_skeleton_to_switch_on(page: Page, astronaut_file: Path) -> None:
    answer_with(page, astronaut_file, [])
    choose(page, astronaut_file)
    expect(page.locator(".outline")).to_be_visible()
    expect(page.locator(".skeleton")).to_be_hidden()
