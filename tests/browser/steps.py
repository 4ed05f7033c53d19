"""What a person does and sees, as functions: drop, choose, save, what is on the screen."""

from __future__ import annotations

from base64 import b64decode, b64encode
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from playwright.sync_api import Locator, Page, Route, expect

PARSE = "**/api/results"
PARSING_TIMEOUT_MS = 60_000  # the first photo also loads the network, perhaps on a busy machine
TRANSFER = """(files) => {
    const transfer = new DataTransfer();
    for (const data of files) {
        const bytes = Uint8Array.from(atob(data), (letter) => letter.charCodeAt(0));
        transfer.items.add(new File([bytes], "photo.jpg", { type: "image/jpeg" }));
    }
    return transfer;
}"""


def transfer(page: Page, *files: Path) -> Any:
    """A DataTransfer in the page that holds `files`."""
    return page.evaluate_handle(TRANSFER, [b64encode(file.read_bytes()).decode() for file in files])


def drop(page: Page, *files: Path) -> None:
    """Drag `files` over the page and let go of them, far from the form."""
    dragged = transfer(page, *files)
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


def read_canvas(page: Page, selector: str = ".colours") -> np.ndarray:
    """A canvas itself: (H, W, 4) RGBA."""
    url = page.locator(selector).evaluate("(canvas) => canvas.toDataURL()")
    image = cv2.imdecode(np.frombuffer(b64decode(url.partition(",")[2]), np.uint8), cv2.IMREAD_UNCHANGED)
    return cv2.cvtColor(image, cv2.COLOR_BGRA2RGBA)


def move(page: Page, slider: str, value: int) -> None:
    page.locator(slider).fill(str(value))


def shown_parts(page: Page) -> set[tuple[int, ...]]:
    """The colours on the coloured canvas that are painted at full strength."""
    canvas = read_canvas(page)
    return {tuple(colour) for colour in canvas[canvas[..., 3] == 255][:, :3].tolist()}


def row(page: Page, name: str, person: int = 1) -> Locator:
    """The legend's row of a part, or with "" the head of the person."""
    lines = page.locator("#legend .person").nth(person - 1).locator(".line")
    return lines.filter(has_text=name).first if name else lines.first


def save(page: Page, button: str, folder: Path) -> bytes:
    with page.expect_download() as download:
        page.click(button)
    path = folder / download.value.suggested_filename
    download.value.save_as(path)
    return path.read_bytes()


def decode(png: bytes) -> np.ndarray:
    """(H, W, 3) RGB, or (H, W, 4) RGBA."""
    image = cv2.imdecode(np.frombuffer(png, np.uint8), cv2.IMREAD_UNCHANGED)
    return cv2.cvtColor(image, cv2.COLOR_BGRA2RGBA if image.shape[2] == 4 else cv2.COLOR_BGR2RGB)


def get(page: Page, url: str) -> bytes:
    answer = page.request.get(url)
    assert answer.ok
    return answer.body()


def ask_api(page: Page, file: Path, **fields: str) -> dict[str, Any]:
    photo = {"name": "a.jpg", "mimeType": "image/jpeg", "buffer": file.read_bytes()}
    answer = page.request.post("/api/parse", multipart={**fields, "image": photo})
    assert answer.ok
    body: dict[str, Any] = answer.json()
    return body
