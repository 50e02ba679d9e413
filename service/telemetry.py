"""What the service says about itself: logs, metrics, request ids. Never what it was sent.

A log line holds ids, lengths, durations and names of ours; `keep_safe` drops every key that is not on the list.
"""

import logging
import re
import sys
import time
import traceback
from collections.abc import Callable, MutableMapping
from functools import cache
from typing import Any, Final, TextIO
from uuid import uuid4

import orjson
import structlog
from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, ProcessCollector, generate_latest
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from models.errors import ModelError
from pipelines.errors import PipelineError

REQUEST_ID: Final = "x-request-id"
SAFE_KEYS: Final = frozenset(
    {
        *("event", "level", "timestamp", "logger", "request_id", "method", "route", "status", "duration_ms"),
        *("request_bytes", "response_bytes", "error_type", "error_message", "frames", "pipeline", "terminology"),
        *("encoder", "generation", "device", "host", "port", "version", "items", "tokens", "seconds", "reason"),
        *("pipelines", "concepts", "terms", "job_id", "kind", "key_id", "subject_key_id", "action", "scope"),
    }
)
"""The keys that may stand in a log line."""

_SANE_ID = re.compile(rb"[A-Za-z0-9._-]{1,128}")
_PROBES = frozenset({"/healthz", "/readyz", "/metrics"})
_OUR_LOGGERS = ("service", "pipelines", "models", "uvicorn")
_FRAMES = 12
_SECONDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0)
_SIZES = (1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1024, 2048, 4096)

log: structlog.typing.FilteringBoundLogger = structlog.get_logger()


# -- logs ----------------------------------------------------------------------------------------


def configure_logging(*, level: str, style: str, stream: TextIO | None = None) -> None:
    """Send every log line of this process, the libraries' too, to stderr (or `stream`): one object a line.

    Args:
        level: debug, info, warning or error.
        style: "json", or "text" for a person.
        stream: where to; stderr by default.
    """
    target = stream or sys.stderr
    threshold = logging.getLevelNamesMapping()[level.upper()]
    render: structlog.typing.Processor = (
        structlog.dev.ConsoleRenderer(colors=False) if style == "text" else _render_json
    )
    structlog.configure(
        processors=[
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso"),
            keep_safe,
            render,
        ],
        wrapper_class=structlog.make_filtering_bound_logger(threshold),
        logger_factory=structlog.WriteLoggerFactory(target),
        cache_logger_on_first_use=False,
    )
    root = logging.getLogger()
    for handler in list(root.handlers):
        if isinstance(handler, _SafeHandler):
            root.removeHandler(handler)
    root.addHandler(_SafeHandler())
    root.setLevel(max(threshold, logging.INFO))


def keep_safe(_logger: object, _name: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """Drop every key that is not in SAFE_KEYS."""
    return {key: value for key, value in event.items() if key in SAFE_KEYS}


def log_failure(error: BaseException, **facts: object) -> None:
    """Log what nobody expected: type and stack, without the message, which may quote what was sent."""
    log.error("unexpected error", **facts, **_described(error))


def _render_json(_logger: object, _name: str, event: MutableMapping[str, Any]) -> str:
    return orjson.dumps(event, default=lambda value: type(value).__name__).decode()


def _described(error: BaseException) -> dict[str, object]:
    """An error in safe words. Errors that our own floors raise on purpose keep their message."""
    chain: list[BaseException] = []
    cause: BaseException | None = error
    while cause is not None and cause not in chain:
        chain.append(cause)
        cause = cause.__cause__ or cause.__context__
    frames = traceback.extract_tb(error.__traceback__)[-_FRAMES:]
    described: dict[str, object] = {
        "error_type": " < ".join(type(link).__name__ for link in chain),
        "frames": [f"{frame.filename}:{frame.lineno} {frame.name}" for frame in frames],
    }
    if isinstance(error, ModelError | PipelineError):
        described["error_message"] = str(error)
    return described


class _SafeHandler(logging.Handler):
    """Standard library records as our lines.

    Foreign libraries speak from warning on, and only their template's first line: its arguments, like an exception's
    message, may quote what was sent (httpx logs whole URLs).
    """

    def emit(self, record: logging.LogRecord) -> None:
        ours = record.name.split(".")[0] in _OUR_LOGGERS
        if not ours and record.levelno < logging.WARNING:
            return
        text = record.getMessage() if ours else str(record.msg).split("\n")[0][:200]
        facts: dict[str, object] = {"logger": record.name}
        if record.exc_info and record.exc_info[1]:
            facts |= _described(record.exc_info[1])
        log.log(record.levelno, text, **facts)


# -- metrics -------------------------------------------------------------------------------------


class Metrics:
    """The numbers behind /metrics, in a registry of their own, so that two apps in one process do not mix."""

    def __init__(self) -> None:
        registry = self._registry = CollectorRegistry()
        ProcessCollector(registry=registry)
        self.requests = Counter(
            "cognomen_requests_total", "Answers by route and status.", ("method", "route", "status"), registry=registry
        )
        self.latency = Histogram(
            "cognomen_request_seconds", "Time to answer.", ("route",), buckets=_SECONDS, registry=registry
        )
        self.in_flight = Gauge("cognomen_requests_in_flight", "Requests being answered.", registry=registry)
        self.queue_age = Gauge(
            "cognomen_queue_age_seconds", "Time the oldest unanswered work has been here.", registry=registry
        )
        self.ready = Gauge("cognomen_ready", "Whether new work can be sent here.", registry=registry)
        self.speed = Gauge(
            "cognomen_tokens_per_second",
            "How fast batches were computed lately, in estimated tokens.",
            registry=registry,
        )
        self.failures = Gauge(
            "cognomen_batches_failing", "Batches that failed since the last one that did not.", registry=registry
        )
        self.queue_tokens = Gauge(
            "cognomen_queue_tokens", "Estimated tokens waiting to be computed.", registry=registry
        )
        self.refused = Counter("cognomen_refused_total", "Work not done, by reason.", ("reason",), registry=registry)
        self.batch_items = Histogram("cognomen_batch_items", "Items in a batch.", buckets=_SIZES, registry=registry)
        self.batch_tokens = Histogram(
            "cognomen_batch_tokens", "Estimated tokens in a batch.", buckets=_SIZES, registry=registry
        )
        self.batch_seconds = Histogram(
            "cognomen_batch_seconds", "Time to compute a batch.", buckets=_SECONDS, registry=registry
        )
        self._stages = Histogram(
            "cognomen_stage_seconds",
            "Time of one stage of the flow, for one batch.",
            ("pipeline", "stage"),
            buckets=_SECONDS,
            registry=registry,
        )
        self.hosted = Gauge(
            "cognomen_pipeline_info",
            "What answers; always 1.",
            ("pipeline", "terminology", "encoder", "generation", "hubness"),
            registry=registry,
        )
        self.jobs = Gauge(
            "cognomen_jobs", "The latest jobs, by kind and status.", ("kind", "status"), registry=registry
        )
        self.builds_failed = Gauge(
            "cognomen_builds_failed", "Builds that should be served and could not be opened.", registry=registry
        )
        self.on_stage: Callable[[str, str, float, int], None] = lambda *_: None
        """Told of each stage besides: pipeline, stage, seconds, mentions."""
        self.stage_observer = cache(self._stage_observer)

    def render(self) -> Response:
        """The Prometheus text."""
        return Response(generate_latest(self._registry), media_type="text/plain; version=0.0.4; charset=utf-8")

    def _stage_observer(self, pipeline: str) -> Callable[[str, float, int], None]:
        """What a pipeline's `observer` is set to."""
        child = cache(lambda stage: self._stages.labels(pipeline, stage))

        def observe(stage: str, seconds: float, n: int) -> None:
            child(stage).observe(seconds)
            self.on_stage(pipeline, stage, seconds, n)

        return observe


# -- every request -------------------------------------------------------------------------------


class Observed:
    """ASGI middleware: gives each request its id, counts and logs its answer, and answers for bugs.

    Args:
        app: what is observed.
        metrics: where it is counted.
        on_bug: the answer to an error that nothing else caught, made from the request id.
    """

    def __init__(self, app: ASGIApp, *, metrics: Metrics, on_bug: Callable[[str], Response]) -> None:
        self._app = app
        self._metrics = metrics
        self._on_bug = on_bug
        # Looking up a labelled child costs more than counting in it.
        self._answered = cache(lambda *labels: metrics.requests.labels(*labels))
        self._timed = cache(lambda route: metrics.latency.labels(route))

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on, and see it through."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        start = time.perf_counter()
        request_id = _request_id(scope)
        state = scope.setdefault("state", {})
        state["request_id"] = request_id
        header = (REQUEST_ID.encode(), request_id.encode())
        status = sent = 0

        async def send_observed(message: Message) -> None:
            nonlocal status, sent
            if message["type"] == "http.response.start":
                status = message["status"]
                message = {**message, "headers": [*message.get("headers", ()), header]}
            else:
                sent += len(message.get("body", b""))
            await send(message)

        self._metrics.in_flight.inc()
        try:
            await self._app(scope, receive, send_observed)
        except Exception as error:  # noqa: BLE001 - the last stop: uvicorn would log the message, payload and all
            log_failure(error, request_id=request_id, method=_method(scope), route=_route(scope))
            if status == 0:
                await self._on_bug(request_id)(scope, receive, send_observed)
        finally:
            self._metrics.in_flight.dec()
            self._record(scope, status, sent, time.perf_counter() - start)

    def _record(self, scope: Scope, status: int, sent: int, seconds: float) -> None:
        route, method = _route(scope), _method(scope)
        self._answered(method, route, status).inc()
        self._timed(route).observe(seconds)
        write = log.debug if route in _PROBES else log.info
        write(
            "answered",
            request_id=scope["state"]["request_id"],
            method=method,
            route=route,
            status=status,
            duration_ms=round(seconds * 1000, 2),
            request_bytes=scope["state"].get("request_bytes", 0),
            response_bytes=sent,
            **({"key_id": key_id} if (key_id := scope["state"].get("key_id")) else {}),
        )


def _request_id(scope: Scope) -> str:
    for name, value in scope["headers"]:
        if name == b"x-request-id" and _SANE_ID.fullmatch(value):
            return str(value, "ascii")
    return uuid4().hex


def _route(scope: Scope) -> str:
    """The route's template: a path may hold what the caller typed, and would be a metric label without bounds."""
    return getattr(scope.get("route"), "path", "unmatched")


def _method(scope: Scope) -> str:
    method: str = scope["method"]
    return method if method in {"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"} else "other"
