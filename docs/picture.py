"""Makes the README's picture and the page's sample photo: `python -m docs.picture`.

From NASA's public-domain portrait of Eileen Collins, which scikit-image ships.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
from skimage import data

from humanparse.config import Settings
from humanparse.encoding import encode_jpeg
from humanparse.options import ParseOptions
from humanparse.pipeline import Answer, Pipeline

FOLDER = Path(__file__).parent
SAMPLE = FOLDER.parent / "static" / "sample.jpg"


PICTURE = FOLDER / "astronaut.jpg"


def main() -> None:
    SAMPLE.write_bytes(encode_jpeg(np.ascontiguousarray(data.astronaut()), quality=85))
    answer = parse_astronaut()
    PICTURE.write_bytes(encode_jpeg(np.hstack([answer.image, answer.overlay])))


def parse_astronaut() -> Answer:
    """The photo and its overlay, side by side in the README."""
    return Pipeline(Settings()).parse(encode_jpeg(np.ascontiguousarray(data.astronaut())), ParseOptions())


if __name__ == "__main__":
    main()
