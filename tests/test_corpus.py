"""The corpus runner on some damaged files and bombs, against a real service; and that it sees what is wrong."""

from __future__ import annotations

import itertools
from pathlib import Path

import httpx
import pytest

from humanparse import image_formats
from tests import corpus, wild
from tests.corpus import Row, run, summarise
from tests.damage import bombs, damaged, seeds


def test_damage_is_the_same_each_time_and_comes_in_every_way() -> None:
    first, second = (list(damaged(80, seeds(), 3)) for _ in range(2))
    assert first == second
    names = " ".join(name for name, _ in first)
    assert all(way in names for way in ("flip", "cut", "drop", "double", "number", "zero", "splice"))
    assert len({data for _, data in first}) > 80


def test_bad_files_get_answers_and_the_next_good_photo_is_parsed(tmp_path: Path) -> None:
    for name, data in damaged(60, seeds()):
        if "49-megapixels" not in name and "many-scans" not in name:  # too slow for here
            (tmp_path / name).write_bytes(data)
    files = sorted(tmp_path.iterdir())
    rows = run(files, lambda row: None)
    assert [row.file for row in rows] == [path.name for path in files]
    assert [row for row in rows if row.complaint] == []
    assert all(row.peak_mib > 20 and row.status in (200, 400, 413, 415, 422) for row in rows)
    by_name = {row.file: (row.status, row.code) for row in rows}
    assert by_name["bomb-declared-huge.png"] == (413, "too_many_pixels")
    assert by_name["bomb-polyglot.jpg"] == (200, "success")
    assert by_name["bomb-profile.png"] == (400, "unreadable_image")
    assert "all as promised" in summarise(rows)


@pytest.mark.parametrize(
    ("status", "headers", "complains"),
    [(200, {}, False), (400, {}, False), (500, {}, True), (503, {}, True), (503, {"Retry-After": "1"}, False)],
)
def test_what_is_not_as_promised_is_told(status: int, headers: dict[str, str], complains: bool) -> None:
    complaint = corpus._complaint(httpx.Response(status, headers=headers), "internal")
    assert bool(complaint) is complains
    told = summarise([Row("a.jpg", 1, status, "internal", 0.1, 100, complaint)])
    assert ("NOT AS PROMISED" in told) is complains


def test_every_bomb_has_its_own_name() -> None:
    names = [name for name, _ in bombs()]
    assert len(names) == len(set(names))


def test_files_are_damaged_by_their_structure_in_every_format_that_we_read() -> None:
    made, again = (list(itertools.islice(wild.files([]), 0, 4000, 50)) for _ in range(2))
    assert made == again and {many for *_, many in made} == {True, False}
    kinds = [data for _, data in wild.seeds()]
    for format in image_formats.FORMATS:
        (first, *_) = (data for data in kinds if format.fits(data))
        assert len(list(itertools.islice(wild.hurt(first), 100))) == 100, format.name
    assert any(not format.fits(data) for data in kinds for format in image_formats.FORMATS)


def test_what_a_file_is_made_of_is_found() -> None:
    found = {name.split()[0]: wild.units(data) for name, data in wild.seeds() if name.endswith("RGB")}
    for name in ("JPEG", "PNG", "BMP", "TIFF"):
        assert len(found[name]) >= 3, name
    name, data = next((name, data) for name, data in wild.seeds() if name == "PNG RGB")
    assert [data[begin + 4 : begin + 8] for begin, _ in wild.units(data)] == [b"IHDR", b"IDAT", b"IEND"]
    lies = dict(wild.hurt(data))
    assert len(lies) > 100 and sum(lie != data for lie in lies.values()) > 0.9 * len(lies)


def test_odd_files_get_answers_of_ours(tmp_path: Path) -> None:
    """Those that are two things at once, or full of what is no picture; not the largest, which take their time."""
    for place, (name, data) in enumerate(wild.oddities()):
        if len(data) < 400_000 and (place % 4 == 0 or "exif" in name):
            (tmp_path / f"{place:03}-{name}").write_bytes(data)
    rows = run(sorted(tmp_path.iterdir()), lambda row: None)
    assert len(rows) > 60
    assert [row for row in rows if row.complaint] == []
    statuses = {row.file.split("-", 1)[1]: row.status for row in rows}
    assert statuses["exif-loop.jpg"] == statuses["exif-inside-itself.jpg"] == statuses["exif-beyond.png"] == 200
    assert set(statuses.values()) <= {200, 400, 413, 415}
