"""The composition root: settings, pipeline and rooms wired into one Flask app.

`python app.py` serves on http://127.0.0.1:5000; `flask --app app run` and `gunicorn app:app` work
as usual.
"""

from __future__ import annotations

import sys
from errno import EADDRINUSE
from socket import create_server, socket

from flask import Flask
from werkzeug.serving import WSGIRequestHandler, make_server, select_address_family

from humanparse import logs
from humanparse.allocator import settle
from humanparse.cache.parsings import open_cache
from humanparse.checks import check_settings, read_settings
from humanparse.config import PREFIX, Settings
from humanparse.errors import ConfigError
from humanparse.gate import Gate
from humanparse.jobs.backends import open_jobs
from humanparse.pipeline import Pipeline
from humanparse.request_log import open_request_log
from humanparse.storage import Storage
from humanparse.studio import Studio
from humanparse.web import (
    Service,
    access,
    api,
    batch,
    errors,
    jobs,
    languages,
    monitoring,
    observing,
    openapi,
    pages,
    recognition,
    result_pages,
    results,
    sister_pages,
    studio,
)
from humanparse.web.patience import Patience

FORM_ROOM = 64 * 1024  # bytes of a request that are not the photo
FILES_AT_ONCE = 2  # files of kept results that one worker makes at a time


def create_app(settings: Settings | None = None, pipeline: Pipeline | None = None) -> Flask:
    """The app. Without arguments: settings from the environment, parsers loaded when first needed."""
    settings = settings or Settings.from_env()
    check_settings(settings)
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
    rooms = api, batch, jobs, recognition, studio, monitoring, openapi, pages, sister_pages, results, result_pages
    for room in rooms:
        app.register_blueprint(room.blueprint)
    languages.install(app)
    errors.install(app)
    app.wsgi_app = Patience(app.wsgi_app, settings.slowest_bytes_s)  # type: ignore[method-assign]
    app.after_request(access.add_headers)
    observing.install(app, request_log)
    access.install(app, settings)
    return app


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
    """Serve with Werkzeug's own server, for one person on one machine."""
    try:
        settings = read_settings()
        with _listen(settings) as listening:
            settle()
            app = create_app(settings)
            see_to_jobs(app)
            server = make_server(
                settings.host, settings.port, app, True, request_handler=_QuietHandler, fd=listening.fileno()
            )
    except ConfigError as error:
        sys.exit(error.message)
    host = f"[{settings.host}]" if ":" in settings.host else settings.host
    print(f"http://{host}:{settings.port} (Ctrl-C ends it; for others to reach: docs/deployment.md)", file=sys.stderr)
    server.serve_forever()


def _listen(settings: Settings) -> socket:
    """The socket of the address that the settings name. Raises ConfigError where it cannot be had."""
    address = settings.host, settings.port
    try:
        return create_server(address, family=select_address_family(*address))
    except OSError as exc:
        if exc.errno == EADDRINUSE:
            other = f"{PREFIX}PORT={settings.port + 1 if settings.port < 65_535 else 5001}"
            raise ConfigError(f"Another program has port {settings.port}; take another one: {other} make run") from exc
        message = f"{PREFIX}HOST {settings.host}, port {settings.port} cannot be listened on: {exc.strerror}."
        raise ConfigError(message) from exc


if __name__ == "__main__":
    main()
