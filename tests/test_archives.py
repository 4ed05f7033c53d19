"""Names and zip files from strangers."""

from __future__ import annotations

import pytest

from humanparse.archives import base_name


@pytest.mark.parametrize(
    ("path", "name"),
    [
        ("a.jpg", "a.jpg"),
        ("../../etc/My Holiday.jpg", "My Holiday.jpg"),
        ("C:\\photos\\a.jpg", "a.jpg"),
        ("folder/", ""),
        ("a\x00\n\r\x1b[31m.jpg", "a[31m.jpg"),
        ("..", ""),
        (" .hidden. ", "hidden"),
        ("度假.jpg", "度假.jpg"),
        ("x" * 500 + ".jpg", "x" * 116 + ".jpg"),
    ],
)
def test_only_the_last_part_of_a_path_is_a_name(path: str, name: str) -> None:
    assert base_name(path) == name
