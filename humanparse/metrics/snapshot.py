"""The metrics as text, with what is looked up only when somebody reads them: memory, jobs, what is installed."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
from prometheus_client import CollectorRegistry, generate_latest, multiprocess
from prometheus_client.metrics_core import GaugeMetricFamily, InfoMetricFamily, Metric
from prometheus_client.registry import Collector

from humanparse import __version__, metrics
from humanparse.config import Settings
from humanparse.errors import HumanParseError
from humanparse.memory import family, memory_limit, pss_of, rss_of
from humanparse.parsers import AUTO, choose_parser, make_parser

log = logging.getLogger(__name__)


class Snapshot(Collector):
    """The service as it stands now.

    shared: the folder in which several processes count together; then memory is that of all of them.
    """

    def __init__(self, settings: Settings, count_jobs: Callable[[], dict[str, int]], shared: Path | None) -> None:
        self._settings, self._count_jobs, self._shared = settings, count_jobs, shared

    def text(self) -> bytes:
        """Everything, in Prometheus's text format."""
        return generate_latest(self.registry())

    def registry(self) -> CollectorRegistry:
        """Everything, to be collected."""
        registry = CollectorRegistry()
        if self._shared:
            multiprocess.MultiProcessCollector(registry, str(self._shared))  # type: ignore[no-untyped-call]
        else:
            registry.register(metrics.REGISTRY)
        registry.register(self)
        return registry

    def describe(self) -> list[Metric]:
        """Nothing in advance: registering must not look anything up."""
        return []

    def collect(self) -> Iterator[Metric]:
        yield self._build()
        yield from self._memory()
        yield from self._jobs()

    def _build(self) -> Metric:
        name = self._settings.parser
        info = make_parser(choose_parser(self._settings) if name == AUTO else name, self._settings).info
        values = {"version": __version__, "parser": info.name, "weights": info.version}
        return InfoMetricFamily("humanparse_build", "Our version, the default parser and its weights.", values)

    def _memory(self) -> Iterator[Metric]:
        own = psutil.Process()
        processes = family((own.parent() or own) if self._shared else own)
        limit = memory_limit()
        taken = GaugeMetricFamily(
            "humanparse_memory_bytes", "Memory of the service's processes together.", labels=["kind"]
        )
        taken.add_metric(["pss"], pss_of(processes))
        taken.add_metric(["rss"], rss_of(processes))
        yield taken
        for name, help, value in (
            ("limit", "Memory that may be taken: the cgroup's limit, or the machine's size.", limit.bytes),
            ("used", "What counts against that limit, the neighbours' memory too.", limit.used),
        ):
            yield GaugeMetricFamily(f"humanparse_memory_{name}_bytes", help, value=value)
        yield GaugeMetricFamily("humanparse_processes", "Processes of the service.", value=len(processes))

    def _jobs(self) -> Iterator[Metric]:
        try:
            counts = self._count_jobs()
        except HumanParseError as error:
            log.warning("the jobs cannot be counted: %s", error.message)
            return
        family = GaugeMetricFamily("humanparse_jobs", "Jobs remembered, by state.", labels=["state"])
        for state, count in counts.items():
            family.add_metric([state], count)
        yield family
