"""The usual way to serve a network, for `benchmarks.serving` to compare with; the same network, nothing else of ours.

One model in each gunicorn sync worker, loaded at import, on as many threads as there are cores; parsing
in the request with no gate; a whole map for each class at the photo's size; Pillow for pictures.
Its answer is smaller than ours: no people, no key points, no closer look.
"""

from __future__ import annotations

from base64 import b64encode
from io import BytesIO
from typing import Any

import cv2
import numpy as np
from flask import Flask, Response, jsonify, request
from PIL import Image

from humanparse.config import Settings
from humanparse.labels import NAMES, PALETTE
from humanparse.parsers.compact.frame import LONG_SIDE, prepare
from humanparse.parsers.compact.parser import CompactParser

app = Flask(__name__)
parser = CompactParser(Settings(threads=0))
parser.load()


@app.get("/readyz")
def ready() -> str:
    return "ready"


@app.post("/api/parse")
def parse() -> Response:
    image = np.asarray(Image.open(BytesIO(request.get_data())).convert("RGB"))
    height, width = image.shape[:2]
    frame = prepare(image, LONG_SIDE)
    planes = parser.infer(frame.padded).parts
    inner_height, inner_width = -(-frame.inner[0] // 4), -(-frame.inner[1] // 4)
    planes = planes[:, :inner_height, :inner_width]
    whole = np.stack([cv2.resize(plane, (width, height), interpolation=cv2.INTER_LINEAR) for plane in planes])
    labels = whole.argmax(0)
    overlay: Any = image.astype(float)
    for part in np.unique(labels)[1:]:
        mask = labels == part
        overlay[mask] = overlay[mask] * 0.45 + PALETTE[part] * 0.55
    data = BytesIO()
    Image.fromarray(overlay.astype(np.uint8)).save(data, "PNG")
    parts = [NAMES[part] for part in np.unique(labels)[1:]]
    return jsonify(status="success", result_image=b64encode(data.getvalue()).decode(), parts_detected=parts)
