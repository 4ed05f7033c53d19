"""Paths of this service, and what only looks like one."""

from __future__ import annotations

from urllib.parse import urljoin

import pytest

from humanparse.web.addresses import local_path

ELSEWHERE = (
    "",
    "https://example.org/",
    "//example.org",
    "/\\example.org",
    "/\t/example.org",  # browsers leave tabs and line ends out
    "/\n/example.org",
    "\t//example.org",
    "/a\r\nSet-Cookie: a=b",
    "javascript:alert(1)",
    "results/AAAA",
    " /studio",
)


@pytest.mark.parametrize("text", ELSEWHERE)
def test_what_leads_elsewhere_is_the_start_page(text: str) -> None:
    assert local_path(text) == "/"


@pytest.mark.parametrize(
    "text", ["/", "/studio", "/results/A-b_9", "/requests?failed=1&before=7", "/x?u=http://e.org/"]
)
def test_paths_of_ours_are_kept(text: str) -> None:
    assert local_path(text) == text
    assert urljoin("https://ours.example/", text).startswith("https://ours.example/")
