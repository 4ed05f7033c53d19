"""The media types that requests are read and answers are written by, where more than one room names them."""

from __future__ import annotations

from typing import Final

FORM: Final = "multipart/form-data"
FORMS: Final = (FORM, "application/x-www-form-urlencoded")
JSON_TYPE: Final = "application/json"
JSON_LINES: Final = "application/x-ndjson"
PROBLEM: Final = "application/problem+json"  # RFC 9457
ZIP: Final = "application/zip"
ZIP_TYPES: Final = (ZIP, "application/x-zip-compressed")  # the second is what Windows says
BYTES: Final = "application/octet-stream"
