"""Every Prometheus metric that is counted as things happen; what is looked up when it is read is in `snapshot`.

Under several gunicorn workers each keeps its counts in files of `PROMETHEUS_MULTIPROC_DIR`, which
`gunicorn.conf.py` makes before this module is imported; whichever worker is asked adds them up.
Label values come from closed sets (routes, stages, codes), never from what a client sends.
"""

from __future__ import annotations

from typing import Final

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, disable_created_metrics

disable_created_metrics()  # type: ignore[no-untyped-call]  # a series more for each one, which nobody reads
REGISTRY: Final = CollectorRegistry()

_FINE_S: Final = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 1.5, 2.5, 5.0, 10.0, 30.0)
_REQUEST_S: Final = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 0.75, 1.0, 1.5, 2.0, 3.0, 5.0, 10.0, 30.0, 60.0)
"""With an edge at 1.5 s, where the alert is: a quantile is only as exact as its bucket."""

REQUESTS: Final = Counter(
    "humanparse_requests", "Requests answered.", ("endpoint", "method", "status"), registry=REGISTRY
)
REQUEST_SECONDS: Final = Histogram(
    "humanparse_request_seconds",
    "From a request's arrival in a worker to the last byte of its answer.",
    ("endpoint",),
    buckets=_REQUEST_S,
    registry=REGISTRY,
)
STAGE_SECONDS: Final = Histogram(
    "humanparse_stage_seconds",
    "Time of one photo in one stage; `parser` is empty where the stage does not depend on it.",
    ("stage", "parser"),
    buckets=_FINE_S,
    registry=REGISTRY,
)
PHOTOS: Final = Counter("humanparse_photos", "Photos with an answer, cached ones too.", ("parser",), registry=REGISTRY)
PEOPLE: Final = Counter("humanparse_people", "People found in them.", ("parser",), registry=REGISTRY)
ERRORS: Final = Counter(
    "humanparse_errors",
    "Problems told, by code; of requests, of single photos of a batch, of jobs.",
    ("code", "status"),
    registry=REGISTRY,
)
CACHE: Final = Counter(
    "humanparse_cache_lookups",
    "Photos looked up in the cache: hit, miss, or collapsed (waited for another's answer).",
    ("result",),
    registry=REGISTRY,
)
QUEUE_WAITING: Final = Gauge(
    "humanparse_queue_waiting", "Photos that wait for the parser.", registry=REGISTRY, multiprocess_mode="livesum"
)
QUEUE_RUNNING: Final = Gauge(
    "humanparse_queue_running", "Photos that are being parsed.", registry=REGISTRY, multiprocess_mode="livesum"
)
QUEUE_PLACES: Final = Gauge(
    "humanparse_queue_places", "Photos that may wait, in all workers.", registry=REGISTRY, multiprocess_mode="livesum"
)
MODEL_LOAD_SECONDS: Final = Gauge(
    "humanparse_model_load_seconds",
    "How long loading the parser took, in the slowest worker alive.",
    ("parser",),
    registry=REGISTRY,
    multiprocess_mode="livemax",
)
REQUEST_LOG_DROPPED: Final = Counter(
    "humanparse_request_log_dropped", "Rows that the request log could not take.", registry=REGISTRY
)
