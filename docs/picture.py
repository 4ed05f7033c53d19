"""Makes the README's picture, and the photo that its examples use: `python -m docs.picture`.

From NASA's public-domain portrait of Eileen Collins, which scikit-image ships.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
from skimage import data

from humanparse.config import Settings
from humanparse.images import encode_jpeg
from humanparse.options import ParseOptions
from humanparse.pipeline import Pipeline

FOLDER = Path(__file__).parent


def main() -> None:
    photo = encode_jpeg(np.ascontiguousarray(data.astronaut()))
    answer = Pipeline(Settings()).parse(photo, ParseOptions())
    (FOLDER / "astronaut.jpg").write_bytes(encode_jpeg(np.hstack([answer.image, answer.overlay])))


if __name__ == "__main__":
    main()
