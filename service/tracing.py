"""Traces (extra `otel`): a span for each request, its wait, the batch it shared, and each stage of the flow.

    POST /v1/job-titles/normalize ─┬─ wait
                                   └─ batch ─┬─ prepare
                                             ├─ encode
                                             └─ …

A batch belongs to the trace of its first request and links to the others. Spans hold route templates, names of ours,
counts and durations: never a path, a query, a header or a text. Ours, because FastAPI's own would record paths.
"""

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from typing import TYPE_CHECKING, Final, Protocol

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from service.settings import SettingsInvalid

if TYPE_CHECKING:
    from opentelemetry.context import Context
    from opentelemetry.sdk.trace import SpanProcessor

_NS: Final = 1_000_000_000
_MAX_LINKS: Final = 64


class Waited(Protocol):
    """What a request brings to a batch."""

    @property
    def trace(self) -> object:
        """Where it came from, as `Traces.here` said."""
        ...

    @property
    def waited_s(self) -> float:
        """How long it waited."""
        ...


class Traces(Protocol):
    """What the batcher and the stages tell."""

    def here(self) -> object:
        """The trace of the request being answered, to be handed over with its work."""
        ...

    def batch(self, requests: Sequence[Waited], *, items: int, tokens: int) -> AbstractContextManager[object]:
        """Around the computing of a batch, in its thread."""
        ...

    def stage(self, pipeline: str, stage: str, seconds: float, n: int) -> None:
        """A stage of the batch being computed in this thread has just ended."""
        ...


class NoTraces:
    """Nobody collects traces."""

    def here(self) -> object:
        """Nowhere."""
        return None

    def batch(self, requests: Sequence[Waited], *, items: int, tokens: int) -> AbstractContextManager[object]:
        """Nothing around it."""
        return nullcontext()

    def stage(self, pipeline: str, stage: str, seconds: float, n: int) -> None:
        """Nobody is told."""


class OpenTelemetry:
    """Sends spans where an operator collects them.

    Args:
        processor: what takes ended spans.
        version: of this service.

    Raises: SettingsInvalid if opentelemetry-sdk is not installed.
    """

    def __init__(self, processor: "Callable[[], SpanProcessor]", *, version: str) -> None:
        try:
            from opentelemetry import context, propagate, trace
            from opentelemetry.sdk.resources import Resource
            from opentelemetry.sdk.trace import TracerProvider

            self._provider = TracerProvider(
                resource=Resource.create({"service.name": "cognomen", "service.version": version}),
                shutdown_on_exit=False,
            )
            self._provider.add_span_processor(processor())
        except ImportError as error:
            raise SettingsInvalid(
                "COGNOMEN_OTLP_ENDPOINT: needs OpenTelemetry; pip install 'cognomen[otel]'"
            ) from error
        self._context, self._trace, self._propagate = context, trace, propagate
        self._tracer = self._provider.get_tracer("cognomen", version)

    def here(self) -> "Context":
        """The context of the request being answered."""
        return self._context.get_current()

    @contextmanager
    def batch(self, requests: Sequence[Waited], *, items: int, tokens: int) -> Iterator[None]:
        """A span of the first request's trace, linked to the others', around what is done inside."""
        now = time.time_ns()
        contexts: list[Context] = [request.trace for request in requests]  # type: ignore[misc]
        for request, origin in zip(requests, contexts, strict=True):
            since = now - int(request.waited_s * _NS)
            self._tracer.start_span("wait", context=origin, start_time=since).end(now)
        others = [self._trace.get_current_span(origin).get_span_context() for origin in contexts[1 : _MAX_LINKS + 1]]
        with self._tracer.start_as_current_span(
            "batch",
            context=contexts[0] if contexts else None,
            links=[self._trace.Link(other) for other in others],
            attributes={"cognomen.items": items, "cognomen.tokens": tokens, "cognomen.requests": len(requests)},
            record_exception=False,
            set_status_on_exception=False,
        ):
            yield

    def stage(self, pipeline: str, stage: str, seconds: float, n: int) -> None:
        """A span that ends now."""
        now = time.time_ns()
        span = self._tracer.start_span(
            stage,
            start_time=now - int(seconds * _NS),
            attributes={"cognomen.pipeline": pipeline, "cognomen.mentions": n},
        )
        span.end(now)

    @contextmanager
    def request(self, scope: Scope) -> Iterator[Callable[[int], None]]:
        """Around a request; continues the caller's trace. Gives what to tell the status."""
        carrier = {name.decode("latin-1"): value.decode("latin-1") for name, value in scope["headers"]}
        kept = {name: carrier[name] for name in ("traceparent", "tracestate") if name in carrier}
        with self._tracer.start_as_current_span(
            "request",
            context=self._propagate.extract(kept),
            kind=self._trace.SpanKind.SERVER,
            record_exception=False,
            set_status_on_exception=False,
        ) as span:
            status = 0

            def tell(said: int) -> None:
                nonlocal status
                status = said

            try:
                yield tell
            finally:
                route = getattr(scope.get("route"), "path", "unmatched")
                method = scope["method"] if scope["method"].isalpha() and len(scope["method"]) < 10 else "other"
                span.update_name(f"{method} {route}")
                span.set_attribute("http.request.method", method)
                span.set_attribute("http.route", route)
                span.set_attribute("http.response.status_code", status)
                span.set_attribute("cognomen.request_id", scope.get("state", {}).get("request_id", ""))
                if status >= 500 or status == 0:
                    span.set_status(self._trace.StatusCode.ERROR)

    def close(self) -> None:
        """Send what is left to send."""
        self._provider.shutdown()


def otlp(endpoint: str, *, version: str) -> OpenTelemetry:
    """Spans in batches to a collector: http://collector:4318. Raises: SettingsInvalid."""

    def processor() -> "SpanProcessor":
        from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
        from opentelemetry.sdk.trace.export import BatchSpanProcessor

        return BatchSpanProcessor(OTLPSpanExporter(endpoint=f"{endpoint.rstrip('/')}/v1/traces"))

    return OpenTelemetry(processor, version=version)


class Traced:
    """ASGI middleware: a span around each request."""

    def __init__(self, app: ASGIApp, *, traces: OpenTelemetry) -> None:
        self._app = app
        self._traces = traces

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on inside its span."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        with self._traces.request(scope) as tell:

            async def send_told(message: Message) -> None:
                if message["type"] == "http.response.start":
                    tell(message["status"])
                await send(message)

            await self._app(scope, receive, send_told)
