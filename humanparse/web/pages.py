"""The start page, the colours of all pages, and what their templates need."""

from __future__ import annotations

import re
from typing import Any, Final

from flask import Blueprint, Response, current_app, render_template, request
from flask_babel import gettext, ngettext
from flask_babel import lazy_gettext as _

from humanparse.exports import PEOPLE_PALETTE
from humanparse.image_formats import FORMATS, accept_attribute
from humanparse.keypoints import MIN_SCORE, SKELETON
from humanparse.labels import CLASSES, NAMES, PALETTE, PALETTES
from humanparse.parsers import AUTO, PARSERS, make_parser
from humanparse.web import service
from humanparse.web.languages import language
from humanparse.web.words import OTHERS, WORDS

blueprint = Blueprint("pages", __name__)

NAVIGATION: Final = [
    # endpoint and words of every page that the head of all pages leads to: a new service is one line here
    ("pages.index", _("Parse")),
    ("sister_pages.recognition", _("Recognize")),
    ("sister_pages.studio", _("Studio")),
    ("openapi.page", _("API")),
]
LOOKS: Final = {
    # palettes that the page offers -> what it calls them
    "humanparse": _("Standard"),
    "safe": _("Colour-blind safe"),
    "monochrome": _("Monochrome"),
}
WORD_EDGE: Final = re.compile(r"-|(?<=[a-z])(?=[A-Z])")  # Left-arm, UpperClothes


@blueprint.get("/")
def index() -> str:
    """The page that takes a photo."""
    settings = service().settings
    return render_template(
        "index.html",
        accept=accept_attribute(),
        formats=format_names(),
        max_bytes=settings.max_bytes,
        alpha=settings.alpha,
        kept_for=duration(settings.result_age_s),
        classes=CLASSES[1:],
        parsers=_choices(),
        parser=settings.parser,
    )


@blueprint.get("/palette.css")
def palette() -> Response:
    """The colours as classes .part-ID and .person-NUMBER: the pages may not carry inline styles."""
    rules = [_rule(f"part-{i}", colour) for i, colour in enumerate(PALETTE)]
    rules += [_rule(f"person-{i}", colour) for i, colour in enumerate(PEOPLE_PALETTE)]
    rules.append('[class*="part-"], [class*="person-"] { background-color: var(--own); fill: var(--own); }')
    answer = Response("\n".join(rules), content_type="text/css; charset=utf-8")
    answer.headers["Cache-Control"] = "no-cache"  # ask again, and be told 304 while it is the same
    answer.add_etag()
    answer.make_conditional(request)
    return answer


@blueprint.app_context_processor
def shared() -> dict[str, Any]:
    """What the templates of several pages need: navigation, what the viewer draws from, words for problems."""
    return {
        "navigation": NAVIGATION,
        "bones": SKELETON,
        "min_score": MIN_SCORE,
        "looks": LOOKS,
        "palettes": {name: PALETTES[name].ravel().tolist() for name in LOOKS},
        "problem_words": {**WORDS, **OTHERS},
        "asks_for_key": current_app.extensions["humanparse.keys"] is not None,
    }


def format_names() -> str:
    """The types of photos that are taken, in the language of the page: JPEG, PNG, ... and HEIC."""
    *names, last = (format.name for format in FORMATS)
    return str(gettext("%(first)s and %(last)s", first=gettext(", ").join(names), last=last))


@blueprint.app_template_filter()
def spoken(part: int) -> str:
    """A class's name as people write it, in their language: UpperClothes -> Upper clothes."""
    if language() == "zh":
        return CLASSES[part].name_zh
    return WORD_EDGE.sub(" ", NAMES[part]).capitalize()


@blueprint.app_template_filter()
def percent(share: float) -> str:
    """0.1234 -> 12.3 %."""
    return "< 0.1 %" if share < 0.001 else f"{share * 100:.1f} %"


@blueprint.app_template_filter()
def duration(seconds: float) -> str:
    """A time span in one unit, for people: 60 minutes, 3 hours."""
    if seconds >= 2 * 86400:
        return str(ngettext("%(num)d day", "%(num)d days", round(seconds / 86400)))
    if seconds >= 2 * 3600:
        return str(ngettext("%(num)d hour", "%(num)d hours", round(seconds / 3600)))
    if seconds >= 2 * 60:
        return str(ngettext("%(num)d minute", "%(num)d minutes", round(seconds / 60)))
    return str(gettext("a minute"))


def _choices() -> list[dict[str, Any]]:
    """What the parser field offers; `missing` says why one cannot be chosen here."""
    settings = service().settings
    rows: list[dict[str, Any]] = [{"name": AUTO, "missing": None}]
    return rows + [{"name": name, "missing": make_parser(name, settings).available()} for name in PARSERS]


def _rule(name: str, colour: Any) -> str:
    red, green, blue = (int(channel) for channel in colour)
    return f".{name} {{ --own: rgb({red} {green} {blue}); }}"
