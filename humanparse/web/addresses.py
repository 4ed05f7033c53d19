"""Where a form may send a browser next: to pages of this service, never to another site."""

from __future__ import annotations

import re
from typing import Final

# One slash, and neither a second one nor what browsers take for one (WHATWG URL: a backslash; and they leave out tabs
# and line ends before they look).
LOCAL: Final = re.compile(r"/(?![/\\])[^\x00-\x20\\\x7f]*")


def local_path(text: str) -> str:
    """`text` where it is a path of this service, else the start page's."""
    return text if LOCAL.fullmatch(text) else "/"
