"""The process that decoders are forked from: it has imported what they need, and never sees a file.

It is started with a clean environment, so its children know none of our secrets. Several processes may order children
from one nursery: those that gunicorn forks share their master's. A child's *leash* is a socket of its own between
whoever ordered it and the nursery: closed at the one end, the child is killed; when the child ends, its exit code comes
out of it. So nobody needs a process number, which by then might be another's.
"""

from __future__ import annotations

import gc
import os
import selectors
import signal
import socket
import struct
import subprocess
import sys
from contextlib import ExitStack, suppress
from dataclasses import dataclass
from typing import Final, NoReturn

from humanparse.apart import outlive_signals, start_apart
from humanparse.decoding.child import serve

ORDER: Final = struct.Struct("<Q")  # max_pixels of a child; with it come its end of the line and the leash's
WORD: Final = struct.Struct("<q")  # out of a leash: first the child's process number, at last its exit code


@dataclass(frozen=True)
class Nursery:
    """Our end. The process ends when all who hold such an end have closed it, or are gone.

    owner: the process that started it; those that were forked from that one hold the end, too.
    """

    control: socket.socket
    process: subprocess.Popen[bytes]
    owner: int

    @classmethod
    def start(cls) -> Nursery:
        """A nursery that will be ready when it has imported what it needs. Raises OSError."""
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        try:
            process = start_apart("humanparse.decoding.nursery", [theirs.fileno()])
        except OSError:
            ours.close()
            raise
        finally:
            theirs.close()
        return cls(ours, process, os.getpid())

    def order(self, max_pixels: int) -> tuple[socket.socket, socket.socket]:
        """A new child's line and leash.

        Raises ConnectionError where the nursery is gone, another OSError where this process can hold no more files.
        """
        with ExitStack() as ours, ExitStack() as theirs:
            line, leash = _pair(ours, theirs), _pair(ours, theirs)
            socket.send_fds(self.control, [ORDER.pack(max_pixels)], [line[1].fileno(), leash[1].fileno()])
            ours.pop_all()
        return line[0], leash[0]

    def close(self) -> None:
        """Leave it; whoever started it sees it end, where no other process holds it."""
        self.control.close()
        if os.getpid() == self.owner:
            with suppress(subprocess.TimeoutExpired):
                self.process.wait(1)


def _pair(ours: ExitStack, theirs: ExitStack) -> tuple[socket.socket, socket.socket]:
    """Two ends of a socket, the first to be closed by `ours`, the second by `theirs`. Raises OSError."""
    near, far = socket.socketpair()
    return ours.enter_context(near), theirs.enter_context(far)


class _Keeper:
    """The other end: the nursery's own process."""

    def __init__(self, control: socket.socket) -> None:
        self.control = control
        self.leashes: dict[int, socket.socket] = {}
        self.wait = selectors.DefaultSelector()
        self.deaths, death = socket.socketpair()
        for end in (self.deaths, death):
            end.setblocking(False)
        self.death = death
        signal.signal(signal.SIGCHLD, lambda *_: None)  # a signal that is ignored would not wake us
        signal.set_wakeup_fd(death.fileno(), warn_on_full_buffer=False)
        self.wait.register(control, selectors.EVENT_READ)
        self.wait.register(self.deaths, selectors.EVENT_READ)

    def keep(self) -> None:
        """Fork what is ordered, kill what is let go, tell who died; until nobody is left who might order."""
        while True:
            for key, _ in self.wait.select():
                if key.fileobj is self.control:
                    if not self.obey():
                        return  # nobody holds a line, either: that ends the children
                elif key.fileobj is self.deaths:
                    self.mourn()
                elif self.leashes.get(key.data) is key.fileobj:  # else it ended a moment ago
                    self.wait.unregister(key.fileobj)
                    os.kill(key.data, signal.SIGKILL)

    def obey(self) -> bool:
        """One order; False where there will be no more."""
        order, ends, _, _ = socket.recv_fds(self.control, ORDER.size, 2)
        if not order:
            return False
        if len(ends) < 2:  # we may hold no more files; what is closed says it
            for end in ends:
                os.close(end)
            return True
        line, leash = (socket.socket(fileno=end) for end in ends)
        with line:
            try:
                child = os.fork()
            except OSError:  # both are closed, which says it
                leash.close()
                return True
            if child == 0:
                leash.close()
                self.become(line, ORDER.unpack(order)[0])
        with suppress(OSError):
            leash.sendall(WORD.pack(child))
        self.leashes[child] = leash
        self.wait.register(leash, selectors.EVENT_READ, child)
        return True

    def become(self, line: socket.socket, max_pixels: int) -> NoReturn:
        """The child, which keeps nothing of ours but its line."""
        code = 1
        try:
            signal.set_wakeup_fd(-1)
            signal.signal(signal.SIGCHLD, signal.SIG_DFL)
            self.wait.close()
            for end in (self.control, self.deaths, self.death, *self.leashes.values()):
                end.close()
            serve(line, max_pixels)
            code = 0
        finally:
            os._exit(code)

    def mourn(self) -> None:
        with suppress(BlockingIOError):
            while self.deaths.recv(256):
                pass
        while self.leashes:
            child, status = os.waitpid(-1, os.WNOHANG)
            if not child:
                return
            leash = self.leashes.pop(child)
            with suppress(KeyError):  # it was let go
                self.wait.unregister(leash)
            with suppress(OSError), leash:
                leash.sendall(WORD.pack(os.waitstatus_to_exitcode(status)))


def main() -> None:
    outlive_signals()  # the service finishes what it accepted, and we end with it
    gc.collect()
    gc.freeze()  # what is there now is never looked at again, so children share its pages
    _Keeper(socket.socket(fileno=int(sys.argv[1]))).keep()


if __name__ == "__main__":
    main()
