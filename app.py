"""The composition root: settings, pipeline and rooms wired into one Flask app.

`python app.py` serves on http://127.0.0.1:5000; `flask --app app run` and `gunicorn app:app` work
as usual.
"""

from __future__ import annotations

import logging
import uuid

from flask import Flask, Response, g

from humanparse.config import Settings
from humanparse.parsers import AUTO, make_parser
from humanparse.pipeline import Pipeline
from humanparse.storage import Storage
from humanparse.web import Service, api, errors, pages

FORM_ROOM = 64 * 1024  # bytes of a request that are not the photo
CONTENT_SECURITY_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' blob: data:; "
    "connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)


def create_app(settings: Settings | None = None, pipeline: Pipeline | None = None) -> Flask:
    """The app. Without arguments: settings from the environment, parsers loaded when first needed."""
    settings = settings or Settings.from_env()
    if settings.parser != AUTO:
        make_parser(settings.parser, settings)  # an unknown name stops the start
    app = Flask(__name__)
    app.config["MAX_CONTENT_LENGTH"] = settings.max_bytes * 4 // 3 + FORM_ROOM  # base64 is 4/3 as long
    app.json.sort_keys = False  # type: ignore[attr-defined]
    logging.basicConfig(level=settings.log_level, format="%(asctime)s %(levelname)s %(name)s %(message)s")
    storage = Storage(settings.results_dir, settings.result_age_s, settings.results_bytes)
    app.extensions["humanparse"] = Service(settings, pipeline or Pipeline(settings), storage)
    app.register_blueprint(api.blueprint)
    app.register_blueprint(pages.blueprint)
    errors.install(app)
    app.before_request(_name_request)
    app.after_request(_add_headers)
    return app


def _name_request() -> None:
    g.request_id = uuid.uuid4().hex


def _add_headers(response: Response) -> Response:
    response.headers["X-Request-ID"] = g.get("request_id", "")
    response.headers.setdefault("Content-Security-Policy", CONTENT_SECURITY_POLICY)
    response.headers["X-Content-Type-Options"] = "nosniff"
    response.headers["Referrer-Policy"] = "no-referrer"
    return response


def __getattr__(name: str) -> Flask:
    """`app:app` for WSGI servers, made when asked for, so that importing this module does nothing."""
    if name == "app":
        globals()["app"] = create_app()
        return globals()["app"]  # type: ignore[no-any-return]
    raise AttributeError(name)


if __name__ == "__main__":
    own = Settings.from_env()
    create_app(own).run(host=own.host, port=own.port, threaded=True)
