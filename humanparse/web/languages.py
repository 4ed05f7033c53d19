"""The languages of the pages: which one a request gets, and where its words come from.

The words are in translations/LANGUAGE/LC_MESSAGES/messages.po, and those of the API's page in api.po
beside it. They are read as they are: no compiled file that could be missing in a fresh clone, or older
than the words. What programs read (JSON, problem details, /openapi.json) is English in every language.
"""

from __future__ import annotations

import re
from functools import cache
from io import BytesIO
from typing import Final

from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po
from babel.support import NullTranslations, Translations
from flask import Blueprint, Flask, Response, redirect, request
from flask_babel import Babel, Domain, get_locale
from werkzeug.wrappers import Response as AnyResponse

from humanparse.config import ROOT
from humanparse.web.addresses import local_path

blueprint = Blueprint("languages", __name__)

LANGUAGES: Final = {
    # language -> its own name for itself, and the tag that <html lang> gets
    "en": ("English", "en"),
    "zh": ("中文", "zh-CN"),
}
SOURCE: Final = "en"  # the language that the templates are written in
COOKIE: Final = "language"
COOKIE_AGE_S: Final = 365 * 24 * 3600
FOLDER: Final = ROOT / "translations"

NUMBER: Final = re.compile(r"\d[\d,.]*\d|\d")
NUMBER_PLACE: Final = re.compile(r"\{(\d+)\}")


def install(app: Flask) -> None:
    """Translate `app`'s pages: by hand (a cookie), else as the browser asks."""
    _PoBabel().init_app(app, default_locale=SOURCE, locale_selector=choose_language)
    app.register_blueprint(blueprint)
    app.context_processor(lambda: {"language": language(), "languages": LANGUAGES, "tag": LANGUAGES[language()][1]})
    app.after_request(_tell_caches)


def choose_language() -> str:
    """The language that the current request wants and we have."""
    chosen = request.cookies.get(COOKIE, "")
    return chosen if chosen in LANGUAGES else request.accept_languages.best_match(LANGUAGES) or SOURCE


def language() -> str:
    """The language of the current page; outside of requests that of the source."""
    locale = get_locale()
    return str(locale.language) if locale else SOURCE


@blueprint.app_template_filter()
def told(text: str) -> str:
    """A text of the API's document in the language of the page; as it is where nobody has translated it.

    api.po has {0}, {1} ... in place of numbers, which may be settings. Where it lacks the whole, what stands
    before the first ": " is looked up: codes follow there.
    """
    words = read_catalogue(language(), "api")
    key, numbers = without_numbers(text)
    found = words.gettext(key)
    if found == key and ": " in text:
        head, _, tail = text.partition(": ")
        return f"{words.gettext(head)}: {tail}"
    return NUMBER_PLACE.sub(lambda place: numbers[int(place[1])], found)


def without_numbers(text: str) -> tuple[str, list[str]]:
    """`text` with {0}, {1} ... in place of its numbers, and those."""
    numbers: list[str] = []

    def take(match: re.Match[str]) -> str:
        numbers.append(match[0])
        return f"{{{len(numbers) - 1}}}"

    return NUMBER.sub(take, text), numbers


@blueprint.post("/language")
def choose() -> AnyResponse:
    """Keep the language that the form names, and go back to the page that it stood on."""
    answer = redirect(local_path(request.form.get("back", "")), 303)
    chosen = request.form.get("language", "")
    if chosen in LANGUAGES:
        answer.set_cookie(COOKIE, chosen, max_age=COOKIE_AGE_S, samesite="Lax", httponly=True, secure=request.is_secure)
    return answer


@cache
def read_catalogue(name: str, domain: str = "messages") -> NullTranslations:
    """The translations of one language; the source's are its own words. `domain`: of the pages, or "api"."""
    path = FOLDER / name / "LC_MESSAGES" / f"{domain}.po"
    if not path.exists():
        return NullTranslations()
    compiled = BytesIO()
    with path.open("rb") as file:
        write_mo(compiled, read_po(file, name))
    compiled.seek(0)
    return Translations(compiled)


class _PoDomain(Domain):  # type: ignore[misc]  # flask-babel has no types
    """Flask-Babel's source of words, reading .po instead of .mo."""

    def get_translations(self) -> NullTranslations:
        return read_catalogue(language())


class _PoBabel(Babel):  # type: ignore[misc]
    domain_instance = _PoDomain()


def _tell_caches(response: Response) -> Response:
    if response.mimetype == "text/html":
        response.vary.update(("Accept-Language", "Cookie"))
        response.headers["Content-Language"] = LANGUAGES[language()][1]
    return response
