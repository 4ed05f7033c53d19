"""How fast the page reacts to a toggle, in a real browser: `python -m benchmarks.page PHOTO...`.

Every photo is enlarged or shrunk to 1920x1080 and parsed by `compact`; without a photo it is five
copies of scikit-image's astronaut side by side. Then each toggle of the page is pulled again and
again. Two times of each, in milliseconds: `script`, from the event to the end of our code, and
`frame`, from the event until the browser has painted the next frame, which is at best the wait for
that frame (16.7 at 60 Hz). Needs Chromium and playwright.
"""

from __future__ import annotations

import argparse
import platform
import shutil
import statistics
import tempfile
import threading
from pathlib import Path
from typing import Any, Final

import cv2
import numpy as np
from numpy.typing import NDArray
from playwright.sync_api import Page, sync_playwright
from skimage import data
from werkzeug.serving import make_server

from app import create_app
from humanparse.config import Settings
from humanparse.cpu import usable_cores

SIZE: Final = (1920, 1080)
TOGGLES: Final = {
    # what is measured -> a JavaScript function that does it; every second time it undoes it
    "hide or show a part": "() => document.querySelectorAll('#legend [data-toggle]')[1].click()",
    "hide or show a person": "() => document.querySelectorAll('#legend [data-toggle]')[0].click()",
    "show one part alone, all": "() => document.querySelectorAll('#legend [data-only]')[1].click()",
    "show one person alone, all": "() => document.querySelectorAll('#legend [data-only]')[0].click()",
    "another palette": """() => {
        const field = document.querySelector('.look');
        field.selectedIndex = (field.selectedIndex + 1) % field.options.length;
        field.dispatchEvent(new Event('change', { bubbles: true }));
    }""",
    "parts or people": "() => document.querySelector('[name=colour-by]:not(:checked)').click()",
    "outlines": "() => document.querySelector('.outline').click()",
    "opacity": """() => {
        const field = document.querySelector('.opacity');
        field.value = (Number(field.value) + 37) % 100;
        field.dispatchEvent(new Event('input', { bubbles: true }));
    }""",
    "zoom": "() => document.querySelector(Math.random() < 0.5 ? '[data-zoom=in]' : '[data-zoom=fit]').click()",
}
MEASURE: Final = """async ([toggle, times]) => {
    const rows = [];
    const pull = TOGGLES[toggle];
    for (let i = 0; i < times; i++) {
        await new Promise((done) => setTimeout(done, 30));
        const start = performance.now();
        pull();
        const script = performance.now() - start;
        // The message is delivered after the frame whose callback posts it is painted.
        await new Promise((done) => requestAnimationFrame(() => {
            const { port1, port2 } = new MessageChannel();
            port1.onmessage = done;
            port2.postMessage(null);
        }));
        rows.push([script, performance.now() - start]);
    }
    return rows;
}"""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("photos", nargs="*", type=Path, metavar="PHOTO")
    parser.add_argument("--times", type=int, default=40, help="how often each is pulled (default %(default)s)")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        settings = Settings(results_dir=folder / "results", jobs_dir=folder / "jobs", cache_bytes=0)
        server = make_server("127.0.0.1", 0, create_app(settings), threaded=True)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        try:
            _measure(f"http://127.0.0.1:{server.server_port}", folder, options.photos, options.times)
        finally:
            server.shutdown()


def _measure(address: str, folder: Path, photos: list[Path], times: int) -> None:
    browser_path = shutil.which("chromium") or shutil.which("google-chrome")
    with (
        sync_playwright() as playwright,
        playwright.chromium.launch(executable_path=browser_path, args=["--no-sandbox"]) as browser,
    ):
        print(f"{platform.processor() or platform.machine()}, {usable_cores()} cores, Chromium {browser.version}")
        chosen: list[Path | None] = [*photos] or [None]
        for photo in chosen:
            page = browser.new_page(base_url=address, viewport={"width": 1280, "height": 900}, bypass_csp=True)
            page.goto("/")
            page.set_input_files("#image", _write(photo, folder))
            page.wait_for_selector("body[data-state=done]", timeout=120_000)
            functions = ", ".join(f"{name!r}: {code}" for name, code in TOGGLES.items())
            page.evaluate(f"() => {{ window.TOGGLES = {{ {functions} }}; }}")
            print(f"\n{photo.name if photo else 'five astronauts'}, {page.locator('#facts').text_content()}")
            print("| toggle | script, median | slowest | frame, median | slowest |\n|---|---|---|---|---|")
            for toggle in TOGGLES:
                print(_row(toggle, page, times))
            page.close()


def _row(toggle: str, page: Page, times: int) -> str:
    rows: list[list[Any]] = page.evaluate(MEASURE, [toggle, times])
    cells = [f"{value:.1f}" for column in zip(*rows, strict=True) for value in (statistics.median(column), max(column))]
    return f"| {toggle} | {' | '.join(cells)} |"


def _write(photo: Path | None, folder: Path) -> Path:
    """The photo at SIZE as a JPEG file."""
    image = cv2.imread(str(photo)) if photo else _crowd()
    if image is None:
        raise SystemExit(f"{photo} cannot be read.")
    path = folder / "photo.jpg"
    cv2.imwrite(str(path), cv2.resize(image, SIZE, interpolation=cv2.INTER_AREA))
    return path


def _crowd() -> NDArray[np.uint8]:
    astronaut: NDArray[np.uint8] = data.astronaut()  # type: ignore[no-untyped-call]
    return np.hstack([astronaut[:, :380, ::-1]] * 5)


if __name__ == "__main__":
    main()
