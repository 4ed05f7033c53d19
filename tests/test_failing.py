"""A failed test shows why the service refused, and where it slipped, once, and no log of every request."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parent.parent


def test_a_failed_test_shows_what_went_wrong_and_little_else() -> None:
    command = [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", "tests/failing.py"]
    ended = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    assert "2 failed" in ended.stdout, ended.stdout + ended.stderr
    assert "<415 unsupported_format: This is not an image of a type that we take: JPEG, PNG" in ended.stdout
    assert "<500 internal: " in ended.stdout
    assert ended.stdout.count("ZeroDivisionError: division by zero") == 1
    assert "Captured stderr" not in ended.stdout
    assert "POST /api/parse" not in ended.stdout
