"""Who may ask, and from which pages: keys, other sites, proxies, and the headers that browsers obey.

With keys on, everything asks for one but what says whether the service lives and what it is. The
page asks for it once and keeps a cookie that is signed with the key's hash: it needs no secret of
the service, holds for 30 days, and ends with the key.
"""

from __future__ import annotations

from typing import Final
from urllib.parse import urlsplit

from flask import Blueprint, Flask, Response, current_app, g, redirect, render_template, request, url_for
from flask_cors import CORS
from itsdangerous import BadSignature, TimestampSigner
from werkzeug.middleware.proxy_fix import ProxyFix
from werkzeug.wrappers import Response as AnyResponse

from humanparse.config import Settings
from humanparse.errors import CrossSite, KeyNeeded
from humanparse.keys import Key, KeyFile
from humanparse.web.addresses import local_path
from humanparse.web.errors import wants_page

blueprint = Blueprint("access", __name__)

COOKIE: Final = "humanparse_key"
COOKIE_AGE_S: Final = 30 * 86_400
OPEN: Final = frozenset(
    {"static", "api.healthz", "api.readyz", "recognition.health", "access.enter", "languages.choose", "pages.palette"}
)
SAFE: Final = ("GET", "HEAD", "OPTIONS")  # RFC 9110, 9.2.1
NOTHING: Final = ("microphone", "geolocation", "payment", "usb", "serial", "midi", "display-capture", "browsing-topics")
HEADERS: Final = {
    "Content-Security-Policy": "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' blob: data:; "
    "connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",  # browsers that do not know frame-ancestors
    # A result's address is its key, so no other site hears of it. Not "no-referrer": with that, browsers send
    # forms of pages without https as from nowhere (Origin: null), which we would have to take for another site's.
    "Referrer-Policy": "same-origin",
    "Permissions-Policy": ", ".join(["camera=(self)", *(f"{name}=()" for name in NOTHING)]),
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
}


def install(app: Flask, settings: Settings) -> None:
    """Set up all of it. Raises ConfigError for a setting that cannot be."""
    keys = KeyFile(settings.keys_file) if settings.keys_file.name else None
    origins = _listed(settings.cors_origins)
    app.extensions["humanparse.keys"] = keys
    if settings.hosts:
        app.config["TRUSTED_HOSTS"] = _listed(settings.hosts)
    if settings.proxies:
        count = settings.proxies
        app.wsgi_app = ProxyFix(app.wsgi_app, x_for=count, x_proto=count, x_host=count)  # type: ignore[method-assign]
    app.before_request(lambda: _refuse_other_sites(origins))
    if keys is not None:
        keys.all()  # raises now rather than at the first request
        app.before_request(lambda: _ask_for_key(keys, settings))
        app.register_blueprint(blueprint)
    if settings.rate_limit:
        from humanparse.web import limits  # what it brings along, only those need who limit

        limits.install(app, settings)
    if origins:
        CORS(
            app,
            resources={r"/api/*": {"origins": origins}},
            allow_headers=["Content-Type", "Authorization", "X-API-Key", "Idempotency-Key"],
            expose_headers=[
                "X-Request-ID",
                "Retry-After",
                "Location",
                "Server-Timing",
                "Cache-Status",
                "Humanparse-Coverage",
            ],
            max_age=600,
        )


def add_headers(response: Response) -> Response:
    """HEADERS, but for those that the view has set itself."""
    for name, value in HEADERS.items():
        response.headers.setdefault(name, value)
    return response


def _refuse_other_sites(origins: list[str]) -> None:
    """A page of another site may make a browser send things here; the browser says so. Raises CrossSite.

    Programs that are no browsers send neither header, and are not asked.
    """
    if request.method in SAFE:
        return
    origin, site = request.headers.get("Origin"), request.headers.get("Sec-Fetch-Site")
    if origin in origins and request.path.startswith("/api/"):
        return
    if site is None:  # an older browser, or a program
        foreign = origin is not None and _host_of(origin) != request.host
    else:
        foreign = site not in ("same-origin", "none")
    if foreign:
        raise CrossSite("Another site's page has made your browser send this; it is not done.")


def _host_of(origin: str) -> str | None:
    """Host and port; None for what is no address at all."""
    try:
        return urlsplit(origin).netloc
    except ValueError:  # half of an IPv6 address
        return None


def _ask_for_key(keys: KeyFile, settings: Settings) -> AnyResponse | None:
    """Let in whoever has a key, and remember which. Raises KeyNeeded; people are sent to where they can enter it.

    Operators' pages with a token of their own ask for that: one `Authorization` cannot hold both.
    """
    if request.method == "OPTIONS" or request.endpoint in OPEN:
        return None
    if request.blueprint == "monitoring" and settings.monitoring == "token":
        return None
    key = _given_key(keys)
    if key is not None:
        g.key_id = key.id
        return None
    if wants_page() and request.method in SAFE:
        return redirect(url_for("access.enter", next=_asked_for()), 303)
    raise KeyNeeded("This service asks for an API key: send it as 'Authorization: Bearer KEY' or 'X-API-Key: KEY'.")


def _given_key(keys: KeyFile) -> Key | None:
    scheme, _, token = request.headers.get("Authorization", "").partition(" ")
    text = request.headers.get("X-API-Key") or (token.strip() if scheme.lower() == "bearer" else "")
    if text:
        return keys.find(text)
    id, _, _ = request.cookies.get(COOKIE, "").partition(".")
    key = keys.by_id(id)
    if key is None:
        return None
    try:
        _signer(key).unsign(request.cookies[COOKIE], max_age=COOKIE_AGE_S)
    except BadSignature:
        return None
    return key


def _asked_for() -> str | None:
    """The page that somebody without a key wanted; None for the start page, where they come anyway."""
    path = request.full_path.rstrip("?")
    return None if path == "/" else path


@blueprint.route("/enter", methods=["GET", "POST"])
def enter() -> AnyResponse | tuple[str, int]:
    """Where people enter their key, on their way to the page `next`."""
    target = local_path(request.values.get("next", "/"))
    back = url_for("access.enter", next=None if target == "/" else target)  # the other language keeps it
    if request.method == "GET":
        return render_template("enter.html", wrong=False, next=target, back=back), 200
    keys: KeyFile = current_app.extensions["humanparse.keys"]
    key = keys.find(request.form.get("key", "").strip())
    if key is None:
        return render_template("enter.html", wrong=True, next=target, back=back), 401
    answer = redirect(target, 303)
    signed = _signer(key).sign(key.id).decode()
    answer.set_cookie(COOKIE, signed, max_age=COOKIE_AGE_S, httponly=True, samesite="Lax", secure=request.is_secure)
    return answer


def _signer(key: Key) -> TimestampSigner:
    return TimestampSigner(key.sha256, salt="humanparse.page")


def _listed(text: str) -> list[str]:
    return [item.strip() for item in text.split(",") if item.strip()]
