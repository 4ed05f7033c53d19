"""A real browser before the real app, with the real compact parser; and an ear for its complaints."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import cv2
import numpy as np
import pytest
from playwright.sync_api import Browser, BrowserContext, Page, Playwright, Request, sync_playwright

CHROMIUM = ("chromium", "chromium-browser", "google-chrome")
DESKTOP = {"width": 1280, "height": 900}


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """A browser that hangs up amid a static file leaves it, in Werkzeug's development server, to the collector."""
    left_open = r"ignore:Exception ignored in.*FileIO name='[^']*/static/:pytest.PytestUnraisableExceptionWarning"
    for item in items:
        if item.path.parent == Path(__file__).parent:
            item.add_marker(pytest.mark.filterwarnings(left_open))


@dataclass
class Complaints:
    """What the browser finds wrong: console errors (broken CSP rules among them), exceptions, failed requests."""

    heard: list[str] = field(default_factory=list)
    expected: list[str] = field(default_factory=list)

    def expect(self, words: str) -> None:
        """A complaint with these words is the point of the test."""
        self.expected.append(words)

    def listen(self, page: Page) -> None:
        page.on("console", lambda message: message.type in ("error", "warning") and self.heard.append(message.text))
        page.on("pageerror", lambda error: self.heard.append(f"exception: {error}"))
        page.on("requestfailed", self._failed)

    def _failed(self, request: Request) -> None:
        left = request.failure == "net::ERR_ABORTED" and request.resource_type not in ("xhr", "fetch")
        if not left:  # a picture that was loading when the page was left is nobody's fault
            self.heard.append(f"{request.failure} {request.url}")

    def await_words(self, page: Page, words: str) -> None:
        """Wait until the browser has told it: its events come after the page has reacted."""
        for _ in range(200):
            if any(words in text for text in self.heard):
                return
            page.wait_for_timeout(25)
        raise AssertionError(f"{words!r} was never heard, only {self.heard}")

    @property
    def unexpected(self) -> list[str]:
        return [text for text in self.heard if not any(words in text for words in self.expected)]


@pytest.fixture(scope="session")
def playwright() -> Iterator[Playwright]:
    with sync_playwright() as playwright:
        yield playwright


def launch(playwright: Playwright, *arguments: str) -> Browser:
    """An installed Chromium; the caller closes it."""
    path = next(filter(None, map(shutil.which, CHROMIUM)), None)
    if path is None:
        pytest.fail(
            f"The browser tests need one of {', '.join(CHROMIUM)}: `apt-get install chromium`; "
            'leave them out with `pytest -m "not browser"`.',
            pytrace=False,
        )
    return playwright.chromium.launch(executable_path=path, args=["--no-sandbox", *arguments])


@pytest.fixture(scope="session")
def browser(playwright: Playwright) -> Iterator[Browser]:
    with launch(playwright) as browser:
        yield browser


@pytest.fixture
def complaints() -> Complaints:
    return Complaints()


@pytest.fixture
def context(browser: Browser, address: str) -> Iterator[BrowserContext]:
    context = browser.new_context(base_url=address, viewport=DESKTOP)
    yield context
    context.close()


@pytest.fixture
def page(context: BrowserContext, complaints: Complaints) -> Iterator[Page]:
    """The start page; the test fails if the browser complains of anything that it does not expect."""
    page = context.new_page()
    complaints.listen(page)
    page.goto("/")
    yield page
    assert not complaints.unexpected


@pytest.fixture(scope="session")
def pair_file(astronaut: np.ndarray, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two people: the astronaut and her mirror image, as a JPEG file."""
    path = tmp_path_factory.mktemp("photos") / "pair.jpg"
    cv2.imwrite(str(path), cv2.cvtColor(np.hstack([astronaut[:, :400], astronaut[:, 399::-1]]), cv2.COLOR_RGB2BGR))
    return path


@pytest.fixture(scope="session")
def astronaut_file(astronaut: np.ndarray, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The astronaut as a JPEG file."""
    path = tmp_path_factory.mktemp("photos") / "astronaut.jpg"
    cv2.imwrite(str(path), cv2.cvtColor(astronaut, cv2.COLOR_RGB2BGR))
    return path
