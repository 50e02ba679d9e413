"""create_app(settings): lifespan, middleware, routers, error table."""

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from importlib.metadata import PackageNotFoundError, version
from typing import Any, Final

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi
from starlette.middleware import Middleware

from models.artifacts import ArtifactStore
from pipelines.results import Request
from service import problems
from service.admission import Admission, BodyLimit, estimate_tokens
from service.batching import Batcher, Lane
from service.files import FileStore
from service.host import HostedPipeline, PipelineHost
from service.hosting import read_hosting
from service.jobs.queue import Queue, queue_url
from service.jobs.store import JobStore
from service.jobs.supervisor import Supervisor, settings_for
from service.routes import Services, docs, embeddings, feedback, files, health, jobs, pipelines, terminologies
from service.schemas import Problem
from service.settings import Settings
from service.telemetry import Metrics, Observed, log, log_failure
from service.uploads import FORM_OVERHEAD_BYTES

_LOOK_EVERY_S: Final = 1.0
"""Between two looks at whether something else should answer: a build, a rollback, whoever made it."""
_TIDY_EVERY_S: Final = 600.0

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
                larger={files.PATH: settings.max_file_bytes + FORM_OVERHEAD_BYTES},
            ),
        ],
    )
    for routes in (
        pipelines.routes,
        terminologies.routes,
        embeddings.routes,
        health.routes,
        files.routes,
        jobs.routes,
        feedback.routes,
    ):
        app.include_router(routes)
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
        stored = FileStore(settings.data / "files", quota_bytes=settings.max_files_bytes)
        queue = Queue(queue_url(settings.jobs_url, settings.data))
        jobs = JobStore(settings.data / "jobs", queue=queue, files=stored, artifacts=host.store)
        supervisor = Supervisor(settings_for(settings, host.store.root), jobs)
        services = app.state.services = Services(settings, host, batcher, metrics, stored, jobs, supervisor)
        # In the background: the process answers /healthz and says 503 to the rest from its first second.
        tasks = [asyncio.create_task(work) for work in (_keep_serving(services), supervisor.run(), _tidy(services))]
        yield
        services.draining = True
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await asyncio.to_thread(supervisor.stop)
        await batcher.close(grace_s=settings.drain_s)
        jobs.close()
        host.close()

    return lifespan


async def _keep_serving(services: Services) -> None:
    """Open everything, have each pipeline answer once the way requests will be answered, and go on switching."""
    host = services.host
    try:
        await asyncio.to_thread(host.load)
        await _warm_up(services, host.pipelines())
    except Exception as error:  # noqa: BLE001 - the process lives on, not ready, and says why
        host.failure = host.failure or type(error).__name__
        log_failure(error, reason="loading")
        return
    while True:
        await asyncio.sleep(_LOOK_EVERY_S)
        try:
            if switched := await asyncio.to_thread(host.refresh):
                await _warm_up(services, switched)
        except Exception as error:  # noqa: BLE001 - what answers goes on answering
            log_failure(error, reason="switching")


async def _warm_up(services: Services, opened: Sequence[HostedPipeline]) -> None:
    host = services.host
    if not host.ready:
        log.error("cannot serve", reason=host.failure)
        return
    for hosted in opened:
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


async def _tidy(services: Services) -> None:
    """Delete files and finished jobs that are older than the operator keeps them."""
    while True:
        for sweep in (services.jobs.sweep, services.files.sweep):
            try:
                await asyncio.to_thread(sweep, older_than_s=services.settings.files_kept_s)
            except Exception as error:  # noqa: BLE001 - next time, then
                log_failure(error, reason="tidying")
        await asyncio.sleep(_TIDY_EVERY_S)


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
