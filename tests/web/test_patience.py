"""How long an answer may be taken: over all of its pieces, not anew with each. (Real servers: test_load.py.)"""

from __future__ import annotations

import socket
import time
from collections.abc import Iterator

from humanparse.web.patience import Patience

GRACE_S = 0.6


def serve(pieces: list[bytes], bytes_per_s: int, between_s: float) -> tuple[int, bool]:
    """How many pieces a client got that takes one in `between_s`, and whether the line was still up then."""
    ours, theirs = socket.socketpair()
    environ = {"gunicorn.socket": ours, "wsgi.input": None}
    output = Patience(lambda environ, start: iter(pieces), bytes_per_s, GRACE_S)(environ, lambda *_: None)  # type: ignore
    taken = 0
    with ours, theirs:
        theirs.settimeout(5)
        for piece in output:
            time.sleep(between_s)  # as a server's `send` would, to a client that does not read
            try:
                ours.sendall(piece)
            except OSError:
                break
            taken += 1
        output.close()  # type: ignore[attr-defined]
        return taken, taken == len(pieces)


def test_who_takes_a_piece_now_and_then_has_no_new_grace_for_each() -> None:
    taken, whole = serve([b"x" * 10] * 12, 1000, between_s=0.2)
    assert not whole
    assert 2 <= taken <= 4


def test_who_keeps_up_gets_all_however_long_it_takes() -> None:
    assert serve([b"x" * 100] * 12, 1000, between_s=0.09) == (12, True)


def test_what_we_take_to_make_the_pieces_counts_for_nobody() -> None:
    def slowly() -> Iterator[bytes]:
        for _ in range(4):
            time.sleep(0.3)
            yield b"x"

    ours, theirs = socket.socketpair()
    with ours, theirs:
        environ = {"gunicorn.socket": ours, "wsgi.input": None}
        output = Patience(lambda environ, start: slowly(), 1000, GRACE_S)(environ, lambda *_: None)  # type: ignore
        for piece in output:
            ours.sendall(piece)
        output.close()  # type: ignore[attr-defined]
        ours.shutdown(socket.SHUT_WR)
        assert theirs.recv(100) == b"xxxx"
