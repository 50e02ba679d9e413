"""Routes: parse, ask the host, answer. What they share stands here."""

import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from typing import Annotated, Any, Final

import orjson
from fastapi import APIRouter, Header
from starlette.requests import Request
from starlette.responses import Response

from service.batching import Batcher
from service.browsing import Browsers
from service.files import FileStore
from service.host import PipelineHost
from service.jobs.store import JobStore
from service.jobs.supervisor import Supervisor
from service.problems import MEDIA_TYPE, Draining, Loading
from service.reading import JsonRoute
from service.settings import Settings
from service.telemetry import Metrics

RETRY_LOADING_S: Final = 5

_PROBLEM = {"content": {MEDIA_TYPE: {"schema": {"$ref": "#/components/schemas/Problem"}}}}

UNAVAILABLE: Final[dict[int | str, dict[str, Any]]] = {
    503: {"description": "Overloaded, loading or draining; see Retry-After.", **_PROBLEM}
}
NAMED: Final[dict[int | str, dict[str, Any]]] = {
    404: {"description": "Nothing of that name.", **_PROBLEM},
    422: {"description": "Invalid; `errors` says where.", **_PROBLEM},
}
BODY: Final[dict[int | str, dict[str, Any]]] = {
    400: {"description": "Not JSON.", **_PROBLEM},
    413: {"description": "Body too large.", **_PROBLEM},
    415: {"description": "Not application/json.", **_PROBLEM},
    **NAMED,
    **UNAVAILABLE,
}
"""The problems a route that reads a body can answer with."""

TimeoutMs = Annotated[
    int | None,
    Header(alias="x-request-timeout-ms", ge=1, le=3_600_000, description="Answer within this, or 503 (type timeout)."),
]


@dataclass
class Services:
    """What the routes of one app share.

    Attributes:
        warm: every pipeline has answered once through the batcher.
        draining: about to leave; what arrives is still answered.
    """

    settings: Settings
    host: PipelineHost
    batcher: Batcher
    metrics: Metrics
    files: FileStore
    jobs: JobStore
    supervisor: Supervisor
    browsers: Browsers = field(default_factory=Browsers)
    warm: bool = False
    draining: bool = False
    started: float = field(default_factory=time.time)

    def require_loaded(self) -> None:
        """Let only what can be answered pass. Raises: Loading."""
        if self.warm:
            return
        if self.host.failure:
            raise Loading("What should be served could not be opened; the log says why.", retry_after_s=RETRY_LOADING_S)
        raise Loading("Pipelines are being opened.", retry_after_s=RETRY_LOADING_S)

    def require_ready(self) -> None:
        """For the gateway: can new work be sent here? Raises: Loading, Draining."""
        if self.draining:
            raise Draining("The service is about to leave.", retry_after_s=RETRY_LOADING_S)
        self.require_loaded()
        if self.batcher.stalled_s() > 2 * self.settings.request_timeout_s:
            raise Loading("Work stands still.", retry_after_s=RETRY_LOADING_S)


def services_of(request: Request) -> Services:
    """The services of the app that received this request."""
    services: Services = request.app.state.services
    return services


def router(tag: str) -> APIRouter:
    """A router whose routes read their bodies strictly."""
    return APIRouter(route_class=JsonRoute, tags=[tag])


def answer_json(content: object, status: int = 200) -> Response:
    """Plain data as a JSON answer; nothing is validated twice."""
    return Response(orjson.dumps(content), status, media_type="application/json")


def timeout_s(settings: Settings, asked_ms: int | None) -> float:
    """How long a request may take: what it asks for, at most what the operator allows."""
    return min(asked_ms / 1000, settings.request_timeout_s) if asked_ms else settings.request_timeout_s


def hangs_up(request: Request) -> Callable[[], Awaitable[None]]:
    """Waits until the caller of this request, whose body is read, hangs up."""

    async def gone() -> None:
        while (await request.receive())["type"] != "http.disconnect":
            pass

    return gone


def fragments(wires: Sequence[object]) -> list[orjson.Fragment]:
    """Each answer as JSON, ready to be placed into the whole; made in a worker thread, not on the event loop."""
    return [orjson.Fragment(orjson.dumps(wire)) for wire in wires]
