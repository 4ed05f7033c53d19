"""Servers in a thread of the tests: of our own app, or standing for what others serve."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import HTTPServer


class Silent:
    """Of a handler: it prints nothing."""

    def log_message(self, *_: object) -> None:
        pass


@contextmanager
def running(server: HTTPServer) -> Iterator[str]:
    """http://... of a server at 127.0.0.1, which ends with the `with`."""
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
