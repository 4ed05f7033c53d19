"""How many processes serve, and with how many threads each; gunicorn.conf.py asks, and the doctor.

Chosen by `make bench-serving`; docs/performance.md has the numbers.
"""

from __future__ import annotations

from typing import Final, NamedTuple

from humanparse.config import Settings
from humanparse.cpu import usable_cores
from humanparse.memory import memory_limit
from humanparse.parsers import AUTO, PARSERS, choose_parser, make_parser

SHARE: Final = 0.8
"""Of the memory that may be taken: where the alert is."""

SPARE: Final = 12  # request threads beside those that wait in line: photos at work, health, pages, results


class Plan(NamedTuple):
    """Processes; threads of the parser in each; threads for requests in each."""

    workers: int
    parser_threads: int
    request_threads: int


def plan(settings: Settings, workers: int = 0) -> Plan:
    """For this machine and these settings. workers: as many as there are already decided to be; 0: choose."""
    cores = usable_cores()
    workers = workers or settings.workers or min(_wanted(cores), _fitting(settings))
    threads = settings.threads or max(1, cores // workers)
    return Plan(workers, threads, settings.queue_length + SPARE)


def _wanted(cores: int) -> int:
    """Half as many as cores, but two where there are two.

    Two workers with one thread each parse a third more than one with two threads, whose threads wait for each
    other; more workers than that would each take memory, and a single photo would take longer.
    """
    return min(cores, max(2, cores // 2))


def _fitting(settings: Settings) -> int:
    """As many as the memory has room for, at least one."""
    name = choose_parser(settings) if settings.parser == AUTO else settings.parser
    if name not in PARSERS:
        return 1  # the app refuses to start with it, in words
    return max(1, int(memory_limit().bytes * SHARE) // make_parser(name, settings).memory_bytes)
