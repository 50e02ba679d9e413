"""create_app(settings): lifespan, middleware, routers, error table."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from importlib.metadata import PackageNotFoundError, version
from typing import Any

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi
from starlette.middleware import Middleware

from models.artifacts import ArtifactStore
from pipelines.results import Request
from service import problems
from service.admission import Admission, BodyLimit, estimate_tokens
from service.batching import Batcher, Lane
from service.datasheets import Desk
from service.host import PipelineHost
from service.hosting import read_hosting
from service.routes import Services, datasheets, docs, embeddings, feedback, health, pipelines, terminologies
from service.schemas import Problem
from service.settings import Settings
from service.telemetry import Metrics, Observed, log, log_failure

_DESCRIPTION = """\
Takes any name a thing is called and answers with the one it is known by, or says, honestly, NIL.

Batch in, batch out, in the same order. Errors are RFC 9457 `application/problem+json`. Every answer carries
`x-request-id`: yours, if you sent a sane one. `x-request-timeout-ms` says how long you will wait.
"""


def create_app(settings: Settings, host: PipelineHost | None = None) -> FastAPI:
    """The service over a host; by default over what was built below `settings.artifacts` and the operator hosts.

    Raises: SettingsInvalid if the operator's file cannot be used.
    """
    host = host or PipelineHost(
        ArtifactStore(settings.artifacts),
        hosting=read_hosting(settings.pipelines_file),
        data=settings.data,
        device=settings.device,
        threads=settings.threads,
    )
    metrics = Metrics()
    app = FastAPI(
        title="cognomen",
        version=_version(),
        description=_DESCRIPTION,
        lifespan=_lifespan(settings, host, metrics),
        openapi_url="/openapi.json" if settings.docs else None,
        docs_url=None,
        redoc_url=None,
        redirect_slashes=False,
        middleware=[
            Middleware(Observed, metrics=metrics, on_bug=problems.internal_error),
            Middleware(
                BodyLimit,
                limit=settings.max_body_bytes,
                limits={datasheets.EXTRACT: settings.datasheet_max_bytes + datasheets.FORM_BYTES},
            ),
        ],
    )
    for routes in (pipelines.routes, terminologies.routes, embeddings.routes, health.routes, feedback.routes):
        app.include_router(routes)
    app.include_router(datasheets.routes)
    if settings.docs:
        app.include_router(docs.routes)
    problems.install(app)
    app.openapi = lambda: _openapi(app)  # type: ignore[method-assign]
    return app


def _lifespan(
    settings: Settings, host: PipelineHost, metrics: Metrics
) -> Callable[[FastAPI], AbstractAsyncContextManager[None]]:
    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        batcher = Batcher(
            admission=Admission(capacity=settings.queue_tokens),
            metrics=metrics,
            workers=settings.workers,
            max_tokens=settings.max_batch_tokens,
            max_items=settings.max_batch_items,
        )
        services = app.state.services = Services(settings, host, batcher, metrics, Desk(settings, metrics))
        # In the background: the process answers /healthz and says 503 to the rest from its first second.
        loading = asyncio.create_task(_load(services))
        yield
        services.draining = True
        loading.cancel()
        await batcher.close(grace_s=settings.drain_s)
        await services.desk.close(grace_s=settings.drain_s)
        host.close()

    return lifespan


async def _load(services: Services) -> None:
    """Open everything, then have each pipeline answer once the way requests will be answered."""
    host = services.host
    try:
        await asyncio.to_thread(host.load)
        if not host.ready:
            log.error("cannot serve", reason=host.failure)
            return
        for hosted in host.pipelines():
            lane = Lane(key=("warm-up", hosted.name), run=hosted.pipeline.run)
            request = Request("warm up")
            costs = [estimate_tokens([request.text])]
            await services.batcher.submit(lane, [request], costs=costs, timeout_s=services.settings.request_timeout_s)
            log.info(
                "serving",
                pipeline=hosted.name,
                terminology=hosted.terminology.name,
                encoder=hosted.encoder,
                device=hosted.device,
                generation=hosted.generation,
            )
        services.warm = True
    except Exception as error:  # noqa: BLE001 - the process lives on, not ready, and says why
        host.failure = host.failure or type(error).__name__
        log_failure(error, reason="loading")


def _openapi(app: FastAPI) -> dict[str, Any]:
    """FastAPI's document with our Problem in place of its validation errors."""
    if not app.openapi_schema:
        document = get_openapi(title=app.title, version=app.version, description=app.description, routes=app.routes)
        schema = Problem.model_json_schema(ref_template="#/components/schemas/{model}", mode="serialization")
        schemas = document.setdefault("components", {}).setdefault("schemas", {})
        schemas |= {**schema.pop("$defs"), "Problem": schema}
        for unused in ("HTTPValidationError", "ValidationError"):
            schemas.pop(unused, None)
        app.openapi_schema = document
    return app.openapi_schema


def _version() -> str:
    try:
        return version("cognomen")
    except PackageNotFoundError:
        return "0+unknown"
