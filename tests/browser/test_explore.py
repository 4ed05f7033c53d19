"""Looking at a result: opacity, palettes, what is shown, pointing, zoom, comparing; nothing asks the server."""

from __future__ import annotations

import json
from pathlib import Path

import cv2
import numpy as np
import pytest
from playwright.sync_api import CDPSession, Page, expect

from humanparse.labels import PALETTE, PALETTES
from tests.browser.steps import PARSE, ask_api, choose, decode, move, read_canvas, row, save, see, shown_parts

pytestmark = pytest.mark.browser

HAIR, FACE = 2, 13


def colour(part: int, palette: str = "humanparse") -> tuple[int, ...]:
    return tuple(PALETTES[palette][part].tolist())


def point(page: Page, x: float, y: float) -> dict[str, float]:
    """A position on the picture, from shares of it."""
    box = page.locator(".picture").bounding_box()
    assert box
    return {"x": box["width"] * x, "y": box["height"] * y}


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
    # Where the clip of an enlarged canvas changes, Chromium resamples a column of it differently.
    assert (np.abs(half[:, right].astype(int) - coloured[:, right]).max(axis=2) > 8).mean() < 0.005
    assert np.abs(coloured[:, right].astype(int) - bare[:, right]).max() > 100
    move(page, ".opacity", 0)
    assert (np.abs(see(page)[:, right].astype(int) - bare[:, right]).max(axis=2) > 8).mean() < 0.005
    expect(page.locator(".opacity-told")).to_have_text("0 %")
    assert page.locator(".compare").get_attribute("aria-valuetext") == "50 % of the photo without colours"
    page.select_option(".look", "safe")
    row(page, "Face").locator("[data-toggle]").click()
    assert not [url for url in requests if "/api/" in url or "/results/" in url]


def test_the_legend_tells_what_the_api_tells(page: Page, astronaut_file: Path) -> None:
    choose(page, astronaut_file)
    told = ask_api(page, astronaut_file)
    assert page.locator(".person").count() == told["num_persons"]
    face = next(part for part in told["people"][0]["parts"] if part["name"] == "Face")
    line = row(page, "Face")
    expect(line).to_contain_text(f"{face['area'] / told['people'][0]['area'] * 100:.1f} %")
    expect(line).to_contain_text(f"{face['score']:.2f}")
    swatch = line.locator(".swatch").evaluate("(element) => getComputedStyle(element).backgroundColor")
    assert swatch == "rgb({}, {}, {})".format(*PALETTE[FACE])


@pytest.mark.parametrize("palette", ["humanparse", "safe", "monochrome"])
def test_a_palette_colours_picture_and_legend(page: Page, astronaut_file: Path, palette: str) -> None:
    choose(page, astronaut_file)
    page.select_option(".look", palette)
    shown = shown_parts(page)
    assert {colour(HAIR, palette), colour(FACE, palette)} <= shown <= {colour(part, palette) for part in range(1, 20)}
    swatch = row(page, "Face").locator(".swatch").evaluate("(element) => getComputedStyle(element).backgroundColor")
    assert swatch == "rgb({}, {}, {})".format(*colour(FACE, palette))


@pytest.mark.parametrize("palette", ["humanparse", "safe", "monochrome"])
def test_people_can_be_coloured_apart(page: Page, pair_file: Path, palette: str) -> None:
    choose(page, pair_file)
    parts = read_canvas(page)
    page.select_option(".look", palette)
    page.get_by_role("radio", name="People").check()
    people = read_canvas(page)
    assert np.array_equal(parts[..., 3], people[..., 3])
    assert len(shown_parts(page)) == 2


# What is shown.


def test_a_click_hides_and_shows_a_part_or_a_person(page: Page, pair_file: Path) -> None:
    choose(page, pair_file)
    everything = read_canvas(page)
    toggle = row(page, "Face").locator("[data-toggle]")
    toggle.click()
    page.mouse.move(5, 5)
    expect(toggle).to_have_attribute("aria-pressed", "false")
    without = read_canvas(page)
    gone = (everything[..., 3] == 255) & (without[..., 3] == 0)
    assert {tuple(value) for value in everything[gone][:, :3].tolist()} == {colour(FACE)}
    head = row(page, "", 2).locator("[data-toggle]")
    head.click()
    page.mouse.move(5, 5)
    for each in page.locator(".person").nth(1).locator("[data-toggle]").all():
        expect(each).to_have_attribute("aria-pressed", "false")
    half = read_canvas(page)[..., 3] == 255
    assert 0 < half.sum() < (without[..., 3] == 255).sum() * 0.8
    expect(page.locator("#show")).to_have_value("some")
    page.get_by_role("button", name="Show everything").click()
    assert np.array_equal(read_canvas(page), everything)


def test_a_double_click_shows_one_alone_and_again_everything(page: Page, astronaut_file: Path) -> None:
    choose(page, astronaut_file)
    everything = read_canvas(page)
    row(page, "Face").locator("[data-toggle]").dblclick()
    page.mouse.move(5, 5)
    assert shown_parts(page) == {colour(FACE)}
    assert set(np.unique(read_canvas(page)[..., 3])) == {0, 255}  # the others are not faint: they are gone
    only = page.get_by_role("button", name="Show only Person 1, Face")
    expect(only).to_have_attribute("aria-pressed", "true")
    only.click()
    page.mouse.move(5, 5)
    assert np.array_equal(read_canvas(page), everything)


def test_one_person_or_one_kind_of_part_can_be_chosen(page: Page, pair_file: Path) -> None:
    choose(page, pair_file)
    field = page.get_by_role("combobox", name="Show")
    field.select_option(label="Face")
    assert shown_parts(page) == {colour(FACE)}
    faces = read_canvas(page)[..., 3] == 255
    assert cv2.connectedComponents(faces.astype(np.uint8))[0] >= 3  # nobody's, and two faces
    field.select_option(label="Person 2")
    second = np.flatnonzero((read_canvas(page)[..., 3] == 255).any(axis=0))
    assert np.ptp(second) < faces.shape[1] * 0.7
    field.select_option(label="Everything")
    assert (read_canvas(page)[..., 3] == 255).sum() > faces.sum()


def test_outlines_go_with_what_they_surround(page: Page, astronaut_file: Path) -> None:
    choose(page, astronaut_file)
    assert read_canvas(page, ".outlines").any()
    row(page, "").locator("[data-toggle]").click()
    assert not read_canvas(page, ".outlines").any()
    row(page, "").locator("[data-toggle]").click()
    assert read_canvas(page, ".outlines").any()
    page.locator(".outline").uncheck()
    expect(page.locator(".outlines")).to_be_hidden()


# Pointing.


def test_pointing_reads_and_a_click_picks_out(page: Page, astronaut_file: Path) -> None:
    choose(page, astronaut_file)
    face = next(part for part in ask_api(page, astronaut_file)["people"][0]["parts"] if part["name"] == "Face")
    person = ask_api(page, astronaut_file)["people"][0]
    page.locator(".picture").hover(position=point(page, 0.44, 0.27))
    share = f"{face['area'] / person['area'] * 100:.1f} %"
    expect(page.locator(".readout")).to_have_text(f"Person 1 · Face · {share} of this person")
    page.locator(".picture").click(position=point(page, 0.44, 0.27))
    expect(page.locator(".line.picked")).to_contain_text("Face")
    assert shown_parts(page) == {colour(FACE)}
    canvas = read_canvas(page)
    assert ((canvas[..., 3] > 0) & (canvas[..., 3] < 255)).any()  # the rest is still there, faintly
    page.keyboard.press("Escape")
    expect(page.locator(".line.picked")).to_have_count(0)
    page.mouse.move(5, 5)
    assert set(np.unique(read_canvas(page)[..., 3])) == {0, 255}
    page.locator(".picture").dblclick(position=point(page, 0.44, 0.27))
    page.mouse.move(5, 5)
    assert shown_parts(page) == {colour(FACE)}


def test_a_row_that_is_pointed_at_stands_out(page: Page, astronaut_file: Path) -> None:
    choose(page, astronaut_file)
    row(page, "Hair").hover()
    assert shown_parts(page) == {colour(HAIR)}
    page.mouse.move(5, 5)
    assert len(shown_parts(page)) > 2


def test_arrow_keys_read_the_picture(page: Page, astronaut_file: Path) -> None:
    choose(page, astronaut_file)
    page.locator(".picture").focus()
    keys = page.keyboard
    keys.press("ArrowUp")  # begins in the middle
    expect(page.locator(".crosshair")).to_be_visible()
    for _ in range(14):
        keys.press("ArrowUp")
    for _ in range(3):
        keys.press("ArrowLeft")
    expect(page.locator("#status")).to_contain_text("Person 1 · Face")
    keys.press("i")
    page.mouse.move(5, 5)
    assert shown_parts(page) == {colour(FACE)}
    keys.press("a")
    assert len(shown_parts(page)) > 2
    keys.press("h")
    assert colour(FACE) not in shown_parts(page)
    keys.press("a")
    keys.press("Enter")
    expect(page.locator(".line.picked")).to_contain_text("Face")
    for _ in range(60):
        keys.press("ArrowRight")
    expect(page.locator("#status")).to_contain_text("Nobody here")


# Zoom.


def scale(page: Page) -> float:
    told = page.locator(".zoom output").text_content()
    assert told
    return float(told.removesuffix("%"))


def test_the_wheel_zooms_where_it_points_and_dragging_moves(page: Page, astronaut_file: Path) -> None:
    choose(page, astronaut_file)
    move(page, ".compare", 0)
    place = point(page, 0.44, 0.27)
    page.locator(".picture").hover(position=place)
    page.mouse.wheel(0, -800)
    assert scale(page) > 300
    expect(page.locator(".readout")).to_contain_text("Face")
    page.locator(".picture").hover(position={"x": place["x"] + 1, "y": place["y"]})
    expect(page.locator(".readout")).to_contain_text("Face")  # still the same place
    before = see(page)
    page.mouse.down()
    page.mouse.move(300, 500, steps=5)
    page.mouse.up()
    assert (see(page) != before).any()
    expect(page.locator(".line.picked")).to_have_count(0)  # a drag picks nothing out
    page.mouse.wheel(0, 5000)
    assert scale(page) == 100
    scrolled = page.evaluate("scrollY")
    page.mouse.wheel(0, 300)  # nothing to make smaller: the page scrolls
    page.wait_for_timeout(200)
    assert page.evaluate("scrollY") > scrolled


def test_keys_and_buttons_zoom(page: Page, astronaut_file: Path) -> None:
    choose(page, astronaut_file)
    page.locator(".picture").focus()
    for key in "++":
        page.keyboard.press(key)
    assert scale(page) == 225
    page.keyboard.press("-")
    assert scale(page) == 150
    for _ in range(40):
        page.keyboard.press("ArrowRight")  # the picture follows
    crosshair, picture = (page.locator(name).bounding_box() for name in (".crosshair", ".picture"))
    assert crosshair and picture
    assert picture["x"] < crosshair["x"] < picture["x"] + picture["width"]
    page.keyboard.press("0")
    assert scale(page) == 100
    page.get_by_role("button", name="Zoom in").click()
    assert scale(page) == 150
    page.get_by_role("button", name="Whole photo").click()
    assert scale(page) == 100
    expect(page.get_by_role("button", name="Zoom out")).to_be_disabled()


def test_two_fingers_zoom(page: Page, astronaut_file: Path) -> None:
    choose(page, astronaut_file)
    box = page.locator(".picture").bounding_box()
    assert box
    middle = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
    session = page.context.new_cdp_session(page)
    touch(session, "touchStart", middle, 40)
    for reach in (60, 90, 120):
        touch(session, "touchMove", middle, reach)
    session.send("Input.dispatchTouchEvent", {"type": "touchEnd", "touchPoints": []})
    assert scale(page) == pytest.approx(300, abs=15)


def touch(session: CDPSession, kind: str, middle: tuple[float, float], reach: float) -> None:
    points = [{"x": middle[0] + sign * reach, "y": middle[1], "id": sign + 1} for sign in (-1, 1)]
    session.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": points})


# Skeletons.


def answer_with(page: Page, file: Path, keypoints: list[list[float]]) -> None:
    """Let results be answered with these key points for everybody."""
    photo = {"name": "a.jpg", "mimeType": "image/jpeg", "buffer": file.read_bytes()}
    told = page.request.post("/api/results", multipart={"image": photo}).json()
    for person in told["people"]:
        person["keypoints"] = keypoints
    page.route(PARSE, lambda route: route.fulfill(body=json.dumps({"step": "done", "result": told}) + "\n"))


def test_skeletons_are_drawn_where_key_points_are_known_and_asked_for(
    page: Page, astronaut_file: Path, tmp_path: Path
) -> None:
    """Key points down the diagonal, so that every bone lies on it; the last of them a guess."""
    answer_with(page, astronaut_file, [[100 + 20 * i, 100 + 20 * i, 0.1 if i == 16 else 0.9] for i in range(17)])
    choose(page, astronaut_file)
    switch = page.locator(".skeleton")
    expect(page.get_by_text("Skeleton", exact=True)).to_be_visible()
    expect(page.locator(".skeletons")).to_be_hidden()
    plain = decode(save(page, "#save-overlay", tmp_path))
    switch.check()
    expect(page.locator(".skeletons")).to_be_visible()
    changed = (decode(save(page, "#save-overlay", tmp_path)) != plain).any(axis=2)
    assert read_canvas(page, ".skeletons").any()
    row(page, "").locator("[data-toggle]").click()
    assert not read_canvas(page, ".skeletons").any()  # it goes with its person
    assert changed[250, 250]
    assert not changed[250, 270]
    assert not changed[415, 415]  # from here on only the bone to the guess would lead


def test_without_key_points_there_is_no_skeleton_to_switch_on(page: Page, astronaut_file: Path) -> None:
    answer_with(page, astronaut_file, [])
    choose(page, astronaut_file)
    expect(page.get_by_text("Outlines", exact=True)).to_be_visible()
    expect(page.get_by_text("Skeleton", exact=True)).to_be_hidden()
