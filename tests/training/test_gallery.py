"""Galleries and comparisons draw every photo of a folder, and nothing of the photos where they may not."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from humanparse.parsers.compact import weights
from training import compare, gallery


def test_every_photo_gets_its_picture(data: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    gallery.main([str(data / "photos"), "--out", str(tmp_path), "--height", "100"])
    assert {path.name for path in tmp_path.iterdir()} == {f"{number:04d}.png" for number in range(6)}
    with Image.open(tmp_path / "0003.png") as picture:
        assert picture.size == (210, 100)  # photo, overlay, label map
    assert "0003.jpg: " in capsys.readouterr().out


def test_a_folder_without_photos_says_so(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="holds no photo"):
        gallery.main([str(tmp_path), "--out", str(tmp_path / "out")])


def test_a_comparison_shows_both_and_no_photo(tmp_path: Path) -> None:
    (tmp_path / "in").mkdir()
    Image.fromarray(np.full((90, 120, 3), (200, 30, 60), np.uint8)).save(tmp_path / "in" / "red.png")
    compare.main(
        [str(tmp_path / "in"), "--before", str(weights.FILE), "--out", str(tmp_path / "s.png"), "--width", "60"]
    )
    sheet = np.asarray(Image.open(tmp_path / "s.png"))
    before, after = sheet[:, :68], sheet[:, 68:]
    assert np.array_equal(before, after)
    assert (before[:45, :60] == 255).all()  # nobody there, and not the red of the photo
