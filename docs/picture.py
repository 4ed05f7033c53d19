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
from humanparse.pipeline import Pipeline

FOLDER = Path(__file__).parent
SAMPLE = FOLDER.parent / "static" / "sample.jpg"


def main() -> None:
    astronaut = np.ascontiguousarray(data.astronaut())
    SAMPLE.write_bytes(encode_jpeg(astronaut, quality=85))
    photo = encode_jpeg(astronaut)
    answer = Pipeline(Settings()).parse(photo, ParseOptions())
    (FOLDER / "astronaut.jpg").write_bytes(encode_jpeg(np.hstack([answer.image, answer.overlay])))


if __name__ == "__main__":
    main()
