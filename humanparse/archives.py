"""Zip files of photos, read one member at a time, without trust.

Owns what a zip may hold and do here: no nesting, no encryption, no exotic compression, no paths.
Knows nothing of images or requests.
"""

from __future__ import annotations


def base_name(path: str) -> str:
    """The last part of a path of any system, printable, at most 120 characters; empty where nothing is left."""
    name = path.replace("\\", "/").rpartition("/")[2]
    return "".join(character for character in name if character.isprintable()).strip(" .")[-120:]
