"""The composition root: settings, pipeline and rooms wired into one Flask app.

`python app.py` serves on http://127.0.0.1:5000; `flask --app app run` and `gunicorn app:app` work
as usual.
"""

from __future__ import annotations

import sys

from flask import Flask
from werkzeug.serving import WSGIRequestHandler

from humanparse import logs
from humanparse.allocator import settle
from humanparse.cache.parsings import open_cache
from humanparse.config import Settings
from humanparse.errors import ConfigError
from humanparse.gate import Gate
from humanparse.jobs.backends import open_jobs
from humanparse.parsers import AUTO, PARSERS
from humanparse.pipeline import Pipeline
from humanparse.recognition import RECOGNIZERS
from humanparse.request_log import open_request_log
from humanparse.storage import Storage
from humanparse.studio import Studio
from humanparse.web import (
    Service,
    access,
    api,
    batch,
    errors,
    gallery,
    jobs,
    languages,
    monitoring,
    observing,
    openapi,
    pages,
    recognition,
    result_pages,
    results,
    studio,
)
from humanparse.web.patience import Patience

FORM_ROOM = 64 * 1024  # bytes of a request that are not the photo
FILES_AT_ONCE = 2  # files of kept results that one worker makes at a time


def create_app(settings: Settings | None = None, pipeline: Pipeline | None = None) -> Flask:
    """The app. Without arguments: settings from the environment, parsers loaded when first needed."""
    settings = settings or Settings.from_env()
    _check_names(settings)
    app = Flask(__name__)
    app.url_map.merge_slashes = False  # it would send people to another address, of whatever host the request named
    app.config["MAX_CONTENT_LENGTH"] = settings.max_bytes * 4 // 3 + FORM_ROOM  # base64 is 4/3 as long
    app.json.sort_keys = False  # type: ignore[attr-defined]
    logs.configure(settings)
    storage = Storage(settings.results_dir, settings.result_age_s, settings.results_bytes)
    pipeline = pipeline or Pipeline(settings, cache=open_cache(settings))
    expiries = [storage.expire, *([pipeline.cache.expire] if pipeline.cache else [])]
    request_log = open_request_log(settings)
    own_jobs = open_jobs(settings, pipeline, errors.describe_error, expiries, request_log)
    making = Gate(settings.queue_length, settings.queue_timeout_s, FILES_AT_ONCE)
    service = Service(settings, pipeline, storage, own_jobs, Studio(settings, pipeline), making, request_log)
    app.extensions["humanparse"] = service
    for room in (api, batch, jobs, recognition, studio, monitoring, openapi, pages, gallery, results, result_pages):
        app.register_blueprint(room.blueprint)
    languages.install(app)
    errors.install(app)
    app.wsgi_app = Patience(app.wsgi_app, settings.slowest_bytes_s)  # type: ignore[method-assign]
    app.after_request(access.add_headers)
    observing.install(app, request_log)
    access.install(app, settings)
    return app


def _check_names(settings: Settings) -> None:
    """An unknown name stops the start. (Settings cannot check it: they do not know parsers and recognizers.)"""
    for name, allowed in (("parser", (AUTO, *PARSERS)), ("recognizer", tuple(RECOGNIZERS))):
        value = getattr(settings, name)
        if value not in allowed:
            raise ConfigError(f"HUMANPARSE_{name.upper()} is {value!r}; it must be one of {', '.join(allowed)}.")


def __getattr__(name: str) -> Flask:
    """`app:app` for WSGI servers, made when asked for, so that importing this module does nothing."""
    if name == "app":
        globals()["app"] = create_app()
        see_to_jobs(globals()["app"])
        return globals()["app"]  # type: ignore[no-any-return]
    raise AttributeError(name)


def see_to_jobs(app: Flask) -> None:
    """Begin with the jobs that an earlier process left. A process that only makes an app leaves them alone."""
    app.extensions["humanparse"].jobs.runner.start()


class _QuietHandler(WSGIRequestHandler):
    def log_request(self, code: int | str = "-", size: int | str = "-") -> None:
        """Nothing: the service logs each request itself."""


def main() -> None:
    """Serve with Flask's own server, for one person on one machine."""
    try:
        settings = Settings.from_env()
        settle()
        app = create_app(settings)
    except ConfigError as error:
        sys.exit(error.message)
    see_to_jobs(app)
    app.run(host=settings.host, port=settings.port, threaded=True, request_handler=_QuietHandler)


if __name__ == "__main__":
    main()
