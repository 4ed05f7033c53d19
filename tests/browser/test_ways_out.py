"""What can be taken away from a result: pictures, cut-outs, data, the command that does the same."""

from __future__ import annotations

import json
import shutil
import subprocess
from io import BytesIO
from pathlib import Path
from zipfile import ZipFile

import cv2
import numpy as np
import pytest
from PIL import Image
from playwright.sync_api import Page, expect

from humanparse.labels import PALETTES
from tests.browser.steps import ask_api, choose, decode, get, move, row, save
from utils import compose_overlay

pytestmark = pytest.mark.browser


def kept_maps(page: Page) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Photo (H, W, 3) RGB, labels and people (H, W) of the result on the page."""
    address = page.evaluate("location.pathname")
    labels, people = (
        np.array(Image.open(BytesIO(get(page, f"{address}/{name}.png")))) for name in ("labels", "people")
    )
    return decode(get(page, f"{address}/photo.jpg")), labels, people


@pytest.mark.parametrize(
    ("opacity", "outline", "palette"),
    [(100, False, "humanparse"), (55, True, "humanparse"), (55, True, "safe"), (0, True, "monochrome")],
)
def test_the_saved_picture_is_the_servers_overlay(
    page: Page, astronaut_file: Path, tmp_path: Path, opacity: int, outline: bool, palette: str
) -> None:
    choose(page, astronaut_file)
    page.set_checked(".outline", outline)
    page.select_option(".look", palette)
    move(page, ".opacity", opacity)
    saved = decode(save(page, "#save-overlay", tmp_path))[..., :3]
    photo, labels, people = kept_maps(page)
    served = compose_overlay(photo, labels, people if outline else None, PALETTES[palette], opacity / 100)
    assert saved.shape == served.shape
    assert np.abs(saved.astype(int) - served).max() <= 6  # Chromium and OpenCV decode and round differently


def test_a_cut_out_is_what_is_shown(page: Page, pair_file: Path, tmp_path: Path) -> None:
    choose(page, pair_file)
    photo, labels, people = kept_maps(page)

    def check(mask: np.ndarray) -> None:
        cut = decode(save(page, "#save-cutout", tmp_path))
        ys, xs = np.flatnonzero(mask.any(axis=1)), np.flatnonzero(mask.any(axis=0))
        box = slice(ys[0], ys[-1] + 1), slice(xs[0], xs[-1] + 1)
        assert np.array_equal(cut[..., 3] == 255, mask[box])
        assert np.abs(cut[..., :3].astype(int) - photo[box])[mask[box]].max() <= 6

    check(people > 0)
    page.get_by_role("combobox", name="Show").select_option(label="Person 2")
    check(people == 2)
    row(page, "Face", 1).locator("[data-only]").click()
    check((people == 1) & (labels == 13))
    row(page, "Face", 1).locator("[data-toggle]").click()
    expect(page.locator("#save-cutout")).to_be_disabled()  # nothing is shown: nothing to cut out
    page.get_by_role("button", name="Show everything").click()
    expect(page.locator("#save-cutout")).to_be_enabled()


def test_a_picture_that_is_taken_shows_what_is_shown(page: Page, pair_file: Path, tmp_path: Path) -> None:
    choose(page, pair_file)
    page.set_checked(".outline", False)
    row(page, "", 1).locator("[data-toggle]").click()
    saved = decode(save(page, "#save-overlay", tmp_path))[..., :3].astype(int)
    photo, _, people = kept_maps(page)
    assert np.abs(saved - photo)[people == 1].max() <= 3
    assert np.abs(saved - photo)[people == 2].max() > 50


def test_every_file_can_be_taken(page: Page, astronaut_file: Path) -> None:
    choose(page, astronaut_file)
    told = ask_api(page, astronaut_file, include="keypoints")
    links = {link.get_attribute("data-file"): link for link in page.locator("a[data-file]").all()}
    assert len(links) == 7
    files = {}
    for name, link in links.items():
        with page.expect_download() as download:
            link.click()
        assert download.value.suggested_filename == name
        files[name] = Path(download.value.path()).read_bytes()
    parsing = json.loads(files["parsing.json"])
    for key in ("people", "parser", "image", "keypoint_names"):
        assert parsing[key] == told[key]
    coco = json.loads(files["coco.json"])
    assert len(coco["annotations"]) == len(told["people"][0]["parts"])
    for name in ("labels.png", "people.png"):
        assert cv2.imdecode(np.frombuffer(files[name], np.uint8), cv2.IMREAD_COLOR).shape == (512, 512, 3)
    with ZipFile(BytesIO(files["everything.zip"])) as archive:
        assert archive.testzip() is None
        assert archive.read("labels.png") == files["labels.png"]


def test_the_command_does_the_same(page: Page, astronaut_file: Path, tmp_path: Path) -> None:
    """A name that a shell and curl would misread, and another look than the first."""
    name = 'it\'s; a "photo", 1.jpg'
    shutil.copy(astronaut_file, tmp_path / name)
    choose(page, tmp_path / name)
    page.select_option(".look", "safe")
    move(page, ".opacity", 30)
    page.locator(".outline").uncheck()
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    page.get_by_role("button", name="Copy", exact=True).click()
    expect(page.get_by_role("button", name="Copied")).to_be_visible()
    command = page.evaluate("navigator.clipboard.readText()")
    assert command == page.locator("#curl").text_content()
    ended = subprocess.run(f"{command} --silent", shell=True, cwd=tmp_path, capture_output=True, text=True, check=True)
    told = ask_api(page, astronaut_file, parser="compact", alpha="0.3", palette="safe", outline="false")
    answered = json.loads(ended.stdout)
    assert answered["result_image"] == told["result_image"]
    page.get_by_role("button", name="Copy link").click()
    assert page.evaluate("navigator.clipboard.readText()") == page.url


def test_the_command_has_a_place_for_the_key_where_one_is_asked_for(page: Page, astronaut_file: Path) -> None:
    page.locator("#curl").evaluate("(command) => (command.dataset.key = 'YOUR_KEY')")  # as the server writes it
    choose(page, astronaut_file)
    expect(page.locator("#curl")).to_contain_text("curl -H 'X-API-Key: YOUR_KEY' -F 'image=@")


def test_without_https_copying_works_too(page: Page, astronaut_file: Path) -> None:
    """Browsers then have no navigator.clipboard; what is copied is read back by pasting it."""
    page.add_init_script("Object.defineProperty(navigator, 'clipboard', { value: undefined })")
    page.goto("/")
    choose(page, astronaut_file)
    heard = "() => document.addEventListener('copy', () => (window.copied = document.activeElement.value))"
    page.evaluate(heard)
    page.get_by_role("button", name="Copy link").click()
    expect(page.get_by_role("button", name="Copied")).to_be_visible()
    assert page.evaluate("window.copied") == page.url
