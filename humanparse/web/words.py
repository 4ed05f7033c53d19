"""What a problem is in words for people: what happened, and what to do next. Programs compare the code instead.

`{name}` is filled from the problem's own values, on the server for error pages and by
static/js/messages.js for the others.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Final, NamedTuple

from flask_babel import lazy_gettext as _


class Words(NamedTuple):
    """What happened, and what to do next."""

    title: Any
    advice: Any


WORDS: Final[Mapping[str, Words]] = {
    "missing_image": Words(
        _("No photo was chosen"), _("The form arrived without a photo. Choose one, then send it again.")
    ),
    "unreadable_image": Words(
        _("This photo cannot be read"),
        _("The file is damaged or was cut short. Open it in a photo program, save it again and try that copy."),
    ),
    "unsupported_format": Words(
        _("This is not an image that can be read"),
        _("Save it as JPEG or PNG and try that file."),
    ),
    "type_mismatch": Words(
        _("The file is not what its name says"), _("Give it the ending of its own type, or save it again as JPEG.")
    ),
    "decode_timeout": Words(
        _("This photo takes too long to open"),
        _("Open it in a photo program, save it again as JPEG and try that copy."),
    ),
    "slow_upload": Words(_("The photo did not arrive in time"), _("The connection is slow. Try a smaller photo.")),
    "rate_limited": Words(_("Too many photos in a short time"), _("You can go on in about {retry_after_s} s.")),
    "cross_site": Words(
        _("This came from another site's page"), _("Open this service's start page and choose the photo there.")
    ),
    "key_needed": Words(_("A key is needed here"), _("Ask whoever runs the server for one, and enter it.")),
    "no_access": Words(_("This is not for everybody"), _("Ask whoever runs the server for access.")),
    "too_many_bytes": Words(
        _("This file is too large"), _("Save the photo smaller, or as a JPEG of lower quality, and try again.")
    ),
    "too_many_pixels": Words(
        _("This photo has too many pixels"), _("Make it smaller in a photo program and try again.")
    ),
    "too_many_files": Words(_("These are too many photos at once"), _("Send fewer at a time.")),
    "not_acceptable": Words(_("The browser asks for a type that is not made here"), _("Open the start page anew.")),
    "invalid_option": Words(
        _("An option is not right"), _("One of the choices has a value that is not allowed. Open the start page anew.")
    ),
    "not_found": Words(_("There is nothing at this address"), _("It may be mistyped. The start page takes photos.")),
    "result_expired": Words(
        _("This result has expired"),
        _("Results are kept for a limited time, then removed. This one is gone, or never was. Parse the photo again."),
    ),
    "method_not_allowed": Words(
        _("This address is not for opening"), _("A form sends photos here. Open the start page and choose one there.")
    ),
    "busy": Words(
        _("The server is busy"),
        _("Too many photos are waiting. There should be room again in about {retry_after_s} s."),
    ),
    "parser_unavailable": Words(
        _("This parser is not installed"),
        _("Its weights are not on this server. Choose “Best available”, or ask whoever runs the server to fetch them."),
    ),
    "recognizer_unavailable": Words(
        _("This recognizer is not installed"),
        _("Its weights are not on this server. Ask whoever runs the server to fetch them."),
    ),
    "weights_damaged": Words(
        _("This parser cannot start"), _("Its weights are damaged. Ask whoever runs the server to fetch them again.")
    ),
    "storage_failed": Words(
        _("The result cannot be kept"), _("The server has no room left or may not write. Tell whoever runs it.")
    ),
}
OTHERS: Final[Mapping[str, Words]] = {
    # where there is no code of ours, by who is at fault
    "4": Words(_("The server refused this request"), _("Open the start page and try again from there.")),
    "5": Words(
        _("Something went wrong on the server"),
        _("It was not your photo's fault. Try again in a moment; if it happens again, tell whoever runs the server."),
    ),
}


def words_for(problem: Mapping[str, Any]) -> Words:
    """The words for a problem+json body, filled in, in the language of the current page."""
    words = WORDS.get(str(problem["code"])) or OTHERS["5" if int(problem["status"]) >= 500 else "4"]
    return Words(*(re.sub(r"\{(\w+)\}", lambda match: str(problem.get(match[1], "")), str(text)) for text in words))
