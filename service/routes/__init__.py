"""Routes: parse, ask the host, answer. What they share stands here."""

import asyncio
import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import Annotated, Any, Final

import orjson
from fastapi import APIRouter, Header
from starlette.requests import Request
from starlette.responses import Response

from pipelines import results
from service.access import caller_of
from service.admission import estimate_tokens
from service.batching import Batcher, Lane
from service.browsing import Browsers
from service.datasheets import Desk
from service.files import FileStore
from service.host import PipelineHost
from service.jobs.store import JobStore
from service.jobs.supervisor import Supervisor
from service.keys import KeyStore
from service.problems import MEDIA_TYPE, Draining, Loading, Unavailable
from service.reading import JsonRoute
from service.settings import Settings
from service.telemetry import Metrics, log_failure

RETRY_LOADING_S: Final = 5
MAX_FAILURES: Final = 5
"""Batches in a row that may fail by no fault of what was asked before the service is not ready (guess)."""

_PROBLEM = {"content": {MEDIA_TYPE: {"schema": {"$ref": "#/components/schemas/Problem"}}}}

UNAVAILABLE: Final[dict[int | str, dict[str, Any]]] = {
    503: {"description": "Overloaded, loading or draining; see Retry-After.", **_PROBLEM}
}
BEFORE_ROUTES: Final[dict[str, dict[str, Any]]] = {
    "401": {"description": "A key is needed, and none or no valid one was sent.", **_PROBLEM},
    "403": {"description": "The key lacks the scope; or another site's page, where no key is needed.", **_PROBLEM},
    "429": {"description": "Over the key's rate; see Retry-After.", **_PROBLEM},
    "503": {"description": "Overloaded, loading or draining; see Retry-After.", **_PROBLEM},
}
"""The problems that stand before every route below /v1."""

NAMED: Final[dict[int | str, dict[str, Any]]] = {
    404: {"description": "Nothing of that name.", **_PROBLEM},
    422: {"description": "Invalid; `errors` says where.", **_PROBLEM},
}
BODY: Final[dict[int | str, dict[str, Any]]] = {
    400: {"description": "Not JSON.", **_PROBLEM},
    408: {"description": "The body stopped coming.", **_PROBLEM},
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
    keys: KeyStore
    desk: Desk
    files: FileStore
    jobs: JobStore
    supervisor: Supervisor
    browsers: Browsers = field(default_factory=Browsers)
    warm: bool = False
    draining: bool = False
    started: float = field(default_factory=time.time)
    _trial: "asyncio.Task[None] | None" = None

    @property
    def warming(self) -> bool:
        """Whether the first build is open and about to have answered."""
        held_back = self.host.failed > 0 and self.settings.require_all_builds
        return self.host.ready and not self.warm and not held_back

    def require_loaded(self) -> None:
        """Let only what can be answered pass. Raises: Loading."""
        if self.warm:
            return
        if self.host.failure:
            raise Loading("What should be served could not be opened; the log says why.", retry_after_s=RETRY_LOADING_S)
        raise Loading("Pipelines are being opened.", retry_after_s=RETRY_LOADING_S)

    def require_room(self) -> None:
        """Let in only what could be computed, before its body is read. Raises: Loading, Draining, Overloaded."""
        self.require_loaded()
        self.batcher.require_room()

    def measure(self) -> None:
        """Set the gauges that are looked up rather than counted."""
        metrics = self.metrics
        metrics.hosted.clear()
        for hosted in self.host.builds() if self.warm else ():
            metrics.hosted.labels(
                hosted.name, hosted.terminology.name, hosted.encoder, hosted.generation, hosted.hubness
            ).set(1)
        metrics.queue_age.set(self.batcher.stalled_s())
        metrics.speed.set(self.batcher.tokens_per_second)
        metrics.failures.set(self.batcher.failures)
        try:
            self.require_ready()
        except Unavailable:
            metrics.ready.set(0)
        else:
            metrics.ready.set(1)

    def require_ready(self) -> None:
        """For the gateway: can new work be sent here? Raises: Loading, Draining.

        What answers nothing but errors is not ready, and tries by itself until something is answered again.
        """
        if self.draining:
            raise Draining("The service is about to leave.", retry_after_s=RETRY_LOADING_S)
        self.require_loaded()
        if self.batcher.failures >= MAX_FAILURES:
            self._try_again()
            raise Loading("Nothing but errors comes of what is asked; the log says why.", retry_after_s=RETRY_LOADING_S)
        if self.batcher.stalled_s() > 2 * self.settings.request_timeout_s:
            raise Loading("Work stands still.", retry_after_s=RETRY_LOADING_S)

    async def answer_once(self) -> None:
        """Have each pipeline answer once the way requests are answered. Raises: whatever that raises."""
        for hosted in self.host.pipelines():
            lane = Lane(key=("warm-up", hosted.name), run=hosted.pipeline.run)
            request = results.Request("warm up")
            costs = [estimate_tokens([request.text])]
            await self.batcher.submit(lane, [request], costs=costs, timeout_s=self.settings.request_timeout_s)

    def _try_again(self) -> None:
        if self._trial is None or self._trial.done():
            self._trial = asyncio.get_running_loop().create_task(self._answer_or_log())

    async def _answer_or_log(self) -> None:
        try:
            await self.answer_once()
        except Exception as error:  # noqa: BLE001 - what failed before may fail again; the next look tries again
            log_failure(error, reason="trying again")


def services_of(request: Request) -> Services:
    """The services of the app that received this request, as its caller sees them.

    For a key that is bound to prefixes, terminologies of other names are not there, nor are files and jobs of
    keys of other prefixes.
    """
    services: Services = request.app.state.services
    caller = caller_of(request.scope)
    if not caller.prefixes:
        return services
    return replace(
        services,
        host=services.host.seen_by(caller.sees),
        files=services.files.seen_by(caller),
        jobs=services.jobs.seen_by(caller),
    )


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
