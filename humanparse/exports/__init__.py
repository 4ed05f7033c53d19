"""A Parsing in the forms that other programs read: one file a form, `FORMATS` names them all."""

from __future__ import annotations

from humanparse.exports.description import describe
from humanparse.exports.formats import FORMATS, JSON, Parsed
from humanparse.exports.maps import PEOPLE_PALETTE, label_map_png, people_map_png

__all__ = ["FORMATS", "JSON", "PEOPLE_PALETTE", "Parsed", "describe", "label_map_png", "people_map_png"]
