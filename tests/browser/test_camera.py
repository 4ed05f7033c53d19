"""The camera: a photo of what it sees, and frames parsed as they come. Chromium plays a film in a camera's place."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page, Playwright, expect

from tests.browser.conftest import Complaints, launch
from tests.browser.steps import PARSING_TIMEOUT_MS, await_state

pytestmark = pytest.mark.browser

SERIOUS = ("serious", "critical")


@pytest.fixture(scope="module")
def film(astronaut: np.ndarray, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("film") / "film.mjpeg"
    path.write_bytes(cv2.imencode(".jpg", astronaut[..., ::-1])[1].tobytes() * 3)
    return path


def test_the_camera_takes_a_photo_and_parses_live(
    playwright: Playwright, address: str, film: Path, complaints: Complaints
) -> None:
    arguments = ("--use-fake-ui-for-media-stream", "--use-fake-device-for-media-stream")
    with launch(playwright, *arguments, f"--use-file-for-fake-video-capture={film}") as browser:
        page = browser.new_page(base_url=address, bypass_csp=True)  # for axe's own script
        complaints.listen(page)
        page.goto("/")
        page.get_by_role("button", name="Use the camera").click()
        await_state(page, "camera")
        expect(page.get_by_role("button", name="Take the photo")).to_be_focused(timeout=10_000)
        live_mode(page)
        assert [found for found in Axe().run(page).response["violations"] if found["impact"] in SERIOUS] == []
        page.get_by_role("button", name="Take the photo").click()
        await_state(page, "done")
        expect(page.locator("#legend")).to_contain_text("Face")
        assert page.locator("video").evaluate("(video) => video.srcObject") is None  # the camera is let go
        page.get_by_role("button", name="Use the camera").click()
        await_state(page, "camera")
        page.keyboard.press("Escape")
        await_state(page, "done")
    assert not complaints.unexpected


def live_mode(page: Page) -> None:
    kept: list[str] = []
    page.on("request", lambda request: "/api/results" in request.url and kept.append(request.url))
    live = page.get_by_role("button", name="Live")
    live.click()
    expect(live).to_have_attribute("aria-pressed", "true")
    rate = page.locator(".rate")
    expect(rate).to_contain_text("frames a second · 1 person", timeout=PARSING_TIMEOUT_MS)
    first = rate.text_content()
    expect(rate).not_to_have_text(first or "", timeout=PARSING_TIMEOUT_MS)  # it goes on
    colours = page.locator(".live").evaluate("(canvas) => canvas.width * canvas.height")
    assert colours > 100_000
    live.click()
    expect(rate).to_be_hidden()
    assert not kept


def test_a_camera_that_is_refused_is_told(page: Page) -> None:
    """This browser has none."""
    page.get_by_role("button", name="Use the camera").click()
    expect(page.locator("#message")).to_contain_text("The camera cannot be used")
    await_state(page, "error")
