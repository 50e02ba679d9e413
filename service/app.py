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
from service import problems
from service.access import Access, Networks, rule_of
from service.admission import Admission, BodyLimit
from service.batching import Batcher
from service.datasheets import Desk
from service.files import FileStore
from service.gateway_jwt import GatewayTokens
from service.host import HostedPipeline, PipelineHost
from service.hosting import read_hosting
from service.jobs.queue import Queue, queue_url
from service.jobs.store import JobStore
from service.jobs.supervisor import Supervisor, settings_for
from service.keys import KeyStore, KeysUnavailable
from service.rates import RateLimits, parse_rate
from service.routes import (
    BEFORE_ROUTES,
    Services,
    console,
    datasheets,
    docs,
    embeddings,
    feedback,
    files,
    generations,
    health,
    jobs,
    keys,
    medical,
    page_pictures,
    pipelines,
    rerank,
    retrieval,
    terminologies,
)
from service.schemas import Problem
from service.settings import Settings, SettingsInvalid
from service.telemetry import Metrics, Observed, log, log_failure
from service.tracing import OpenTelemetry, Traced, otlp
from service.uploads import FORM_OVERHEAD_BYTES

_LOOK_EVERY_S: Final = 1.0
"""Between two looks at whether something else should answer: a build, a rollback, whoever made it."""
_TIDY_EVERY_S: Final = 600.0

_NOTE_USE_S = 30
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
        encoder_engine=settings.encoder_engine,
        engines=settings.engines,
    )
    metrics = Metrics()
    key_store = KeyStore(settings.data, secret_file=settings.keys_secret_file)
    traces = otlp(settings.otlp_endpoint, version=_version()) if settings.otlp_endpoint else None
    if traces is not None:
        metrics.on_stage = traces.stage
    app = FastAPI(
        title="cognomen",
        version=_version(),
        description=_DESCRIPTION,
        lifespan=_lifespan(settings, host, metrics, key_store, traces),
        # Its own spans would hold paths; ours do not (service/tracing.py).
        telemetry={"tracing": False, "metrics": False, "logs": False},
        openapi_url="/openapi.json" if settings.docs else None,
        docs_url=None,
        redoc_url=None,
        redirect_slashes=False,
        middleware=[
            *([Middleware(Traced, traces=traces)] if traces is not None else []),
            Middleware(Observed, metrics=metrics, on_bug=problems.internal_error),
            _access(settings, key_store),
            Middleware(
                BodyLimit,
                limit=settings.max_body_bytes,
                limits={
                    datasheets.EXTRACT: settings.datasheet_max_bytes + datasheets.FORM_BYTES,
                    page_pictures.PAGE: settings.datasheet_max_bytes + FORM_OVERHEAD_BYTES,
                    files.PATH: settings.max_file_bytes + FORM_OVERHEAD_BYTES,
                },
                idle_s=settings.body_timeout_s,
            ),
        ],
    )
    for routes in (
        medical.routes,
        pipelines.routes,
        terminologies.routes,
        embeddings.routes,
        health.routes,
        files.routes,
        jobs.routes,
        feedback.routes,
        retrieval.routes,
        rerank.routes,
    ):
        app.include_router(routes)
    if settings.console:
        app.include_router(console.routes)
    app.include_router(datasheets.routes)
    app.include_router(page_pictures.routes)
    app.include_router(keys.routes)
    app.include_router(generations.routes)
    if settings.docs:
        app.include_router(docs.routes)
    problems.install(app)
    app.openapi = lambda: _openapi(app, keys_required=settings.keys_required)  # type: ignore[method-assign]
    return app


def _access(settings: Settings, key_store: KeyStore) -> Middleware:
    """Who is let in. Raises: SettingsInvalid."""
    try:
        networks = Networks(settings.probes_from)
    except ValueError:
        raise SettingsInvalid("COGNOMEN_PROBES_FROM: networks separated by commas: 10.0.0.0/8, ::1/128") from None
    try:
        if settings.rate_limit:
            parse_rate(settings.rate_limit)
    except ValueError as error:
        raise SettingsInvalid(f"COGNOMEN_RATE_LIMIT: {error}") from None
    tokens = None
    if settings.jwt_key_file is not None:
        tokens = GatewayTokens(
            settings.jwt_key_file,
            algorithm=settings.jwt_algorithm,
            audience=settings.jwt_audience,
            issuer=settings.jwt_issuer,
        )
    return Middleware(
        Access,
        keys=key_store,
        tokens=tokens,
        required=settings.keys_required,
        rates=RateLimits(settings.rate_limit),
        probes_from=networks,
    )


def _lifespan(
    settings: Settings, host: PipelineHost, metrics: Metrics, key_store: KeyStore, traces: OpenTelemetry | None
) -> Callable[[FastAPI], AbstractAsyncContextManager[None]]:
    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        batcher = Batcher(
            admission=Admission(capacity=settings.queue_tokens, answer_s=settings.queue_s),
            metrics=metrics,
            workers=settings.workers,
            max_tokens=settings.max_batch_tokens,
            max_items=settings.max_batch_items,
            traces=traces,
        )
        stored = FileStore(settings.data / "files", quota_bytes=settings.max_files_bytes)
        queue = Queue(queue_url(settings.jobs_url, settings.data))
        jobs = JobStore(settings.data / "jobs", queue=queue, files=stored, artifacts=host.store)
        supervisor = Supervisor(settings_for(settings, host.store.root), jobs)
        desk = Desk(settings, metrics)
        services = app.state.services = Services(
            settings, host, batcher, metrics, key_store, desk, stored, jobs, supervisor
        )
        # In the background: the process answers /healthz and says 503 to the rest from its first second.
        work = (_keep_serving(services), supervisor.run(), _tidy(services), _note_use(key_store))
        tasks = [asyncio.create_task(some) for some in work]
        yield
        services.draining = True
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await asyncio.to_thread(supervisor.stop)
        await batcher.close(grace_s=settings.drain_s)
        await desk.close(grace_s=settings.drain_s)
        jobs.close()
        host.close()
        if traces is not None:
            await asyncio.to_thread(traces.close)
        try:
            key_store.close()
        except KeysUnavailable as error:
            log.warning("cannot note when keys were last used", reason=error.detail)

    return lifespan


async def _note_use(key_store: KeyStore) -> None:
    """Write down now and then which keys are in use."""
    while True:
        await asyncio.sleep(_NOTE_USE_S)
        try:
            await asyncio.to_thread(key_store.note_use)
        except KeysUnavailable as error:
            log.warning("cannot note when keys were last used", reason=error.detail)


async def _keep_serving(services: Services) -> None:
    """Open everything, have each pipeline answer once the way requests will be answered, and go on switching."""
    host = services.host
    try:
        await asyncio.to_thread(host.load)
        await _warm_up(services, host.builds())
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
    """Have what was opened answer, and say so."""
    host = services.host
    if host.failure:
        log.error("cannot serve", reason=host.failure)
    services.metrics.builds_failed.set(host.failed)
    if not host.ready or (host.failed and services.settings.require_all_builds):
        return
    await services.answer_once()
    for hosted in opened:
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


def _openapi(app: FastAPI, *, keys_required: bool) -> dict[str, Any]:
    """FastAPI's document with our Problem in place of its validation errors, and with what stands before the routes."""
    if not app.openapi_schema:
        document = get_openapi(title=app.title, version=app.version, description=app.description, routes=app.routes)
        schema = Problem.model_json_schema(ref_template="#/components/schemas/{model}", mode="serialization")
        schemas = document.setdefault("components", {}).setdefault("schemas", {})
        schemas |= {**schema.pop("$defs"), "Problem": schema}
        for unused in ("HTTPValidationError", "ValidationError"):
            schemas.pop(unused, None)
        _leave_out_null(document)
        _say_who_is_let_in(document, keys_required=keys_required)
        app.openapi_schema = document
    return app.openapi_schema


def _leave_out_null(document: dict[str, Any]) -> None:
    """A parameter may be absent, but there is no way to write null into a header or a query."""
    operations = [operation for path in document["paths"].values() for operation in path.values()]
    for parameter in (p for operation in operations for p in operation.get("parameters", ())):
        schema = parameter["schema"]
        said = [choice for choice in schema.get("anyOf", ()) if choice != {"type": "null"}]
        if len(said) == 1:
            parameter["schema"] = {**{k: v for k, v in schema.items() if k != "anyOf"}, **said[0]}
    for operation in operations:
        form = operation.get("requestBody", {}).get("content", {}).get("multipart/form-data", {}).get("schema", {})
        for name, schema in form.get("properties", {}).items():
            said = [choice for choice in schema.get("anyOf", ()) if choice != {"type": "null"}]
            if len(said) == 1:
                form["properties"][name] = {**{k: v for k, v in schema.items() if k != "anyOf"}, **said[0]}


def _say_who_is_let_in(document: dict[str, Any], *, keys_required: bool) -> None:
    """Keys, and the problems that any request below /v1 can be answered with before its route is reached."""
    document["components"]["securitySchemes"] = {"key": {"type": "http", "scheme": "bearer"}}
    for path, operations in document["paths"].items():
        for method, operation in operations.items():
            rule = rule_of(method.upper(), path)
            if rule.scope is None:
                continue
            operation["security"] = [{"key": []}] if keys_required else [{}, {"key": []}]
            operation["description"] = f"{operation.get('description', '')}\n\nScope: `{rule.scope}`.".strip()
            operation["responses"] = {**BEFORE_ROUTES, **operation["responses"]}


def _version() -> str:
    try:
        return version("cognomen")
    except PackageNotFoundError:
        return "0+unknown"
