"""The slim installation: without torch and modelscope the service works, and says what it lacks."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parent.parent.parent
PROGRAM = """
import sys
for name in ("torch", "modelscope"):
    sys.modules[name] = None  # as if it were not installed
import cv2, numpy as np
from pathlib import Path
from skimage import data
from app import create_app
from humanparse.config import Settings
folder = Path(sys.argv[1])
weights = folder / "m2fp"
weights.mkdir()
folders = {"results_dir": folder / "r", "jobs_dir": folder / "j", "cache_dir": folder / "c", "m2fp_dir": weights}
settings = Settings(**folders, threads=1)
app = create_app(settings)
client = app.test_client()
assert client.get("/readyz").get_json()["parser"]["name"] == "compact"
photo = cv2.imencode(".jpg", data.astronaut()[..., ::-1])[1].tobytes()
answer = client.post("/api/parse?overlay=none", data=photo, content_type="image/jpeg").get_json()
assert answer["num_persons"] == 1, answer
refused = client.post("/api/parse?parser=m2fp", data=photo, content_type="image/jpeg")
assert (refused.status_code, refused.get_json()["code"]) == (503, "parser_unavailable"), refused.text
cat = cv2.imencode(".jpg", data.chelsea()[..., ::-1])[1].tobytes()
found = client.post("/api/recognize", data=cat, content_type="image/jpeg").get_json()
assert found["predictions"][0]["label"] == "Egyptian cat", found
assert client.get("/").status_code == client.get("/docs").status_code == client.get("/api/parsers").status_code == 200
painted = client.post("/api/stylize?effect=pencil", data=photo, content_type="image/jpeg")
assert painted.content_type == "image/jpeg", painted.text
print("parsed")
"""


def test_the_service_parses_recognizes_and_paints_without_torch(tmp_path: Path) -> None:
    command = [sys.executable, "-c", PROGRAM, str(tmp_path)]
    ended = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=120)
    assert ended.returncode == 0, ended.stderr
    assert ended.stdout.strip() == "parsed"
