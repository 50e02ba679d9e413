"""Jobs: asked for, watched, cancelled, fetched."""

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Coroutine, Mapping
from typing import Annotated, Any, Final

import orjson
from fastapi import Body, Header, Query
from fastapi.exceptions import RequestValidationError
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse

from service.access import NameUnknown, caller_of
from service.jobs.kinds import KINDS, Asking, kind_of
from service.jobs.store import Job
from service.keys import Caller
from service.problems import Draining, Forbidden, Refusal
from service.reading import JsonRoute
from service.routes import BODY, NAMED, RETRY_LOADING_S, UNAVAILABLE, Services, answer_json, router, services_of
from service.routes.files import file_response
from service.schemas import jobs as wire
from service.schemas.jobs import JobAnswer, JobRequest, JobsPage

routes = router("jobs")

PATH: Final = "/v1/jobs"
_LOOK_EVERY_S: Final = 0.25
_HEARTBEAT_S: Final = 15.0
"""Gateways close what is silent for a minute."""


class NotFinished(Refusal):
    """The job has no result yet."""

    status, slug, title = 409, "job-not-finished", "Job not finished"


class NoResult(Refusal):
    """The job ended without an output file."""

    status, slug, title = 404, "no-result", "No result"


class JobRoute(JsonRoute):
    """A route whose body is one of several kinds; pointers into it leave the kind out, which is no part of the JSON."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        """The handler behind pointers put right."""
        handle = super().get_route_handler()

        async def handle_kinds(request: Request) -> Response:
            try:
                return await handle(request)
            except RequestValidationError as error:
                raise RequestValidationError([_put_right(fault) for fault in error.errors()]) from None

        return handle_kinds


routes.route_class = JobRoute

IdempotencyKey = Annotated[
    str | None,
    Header(
        alias="idempotency-key",
        min_length=1,
        max_length=255,
        description="The same key again answers with the first job.",
    ),
]


@routes.post(
    PATH,
    status_code=202,
    response_model=JobAnswer,
    responses={**BODY, 409: {**NAMED[404], "description": "The Idempotency-Key came with another request."}},
    summary="Ask for a job",
)
async def ask_for_job(
    request: Request, body: Annotated[JobRequest, Body()], idempotency_key: IdempotencyKey = None
) -> Response:
    """Put a job on the queue, durably. `Location` says where to watch it."""
    services = services_of(request)
    if services.draining:
        raise Draining("The service is about to leave.", retry_after_s=RETRY_LOADING_S)
    job = await asyncio.to_thread(_ask, services, caller_of(request.scope), body, idempotency_key)
    services.supervisor.wake()
    answer = answer_json(_to_wire(services, job), 202)
    answer.headers["location"] = f"{request.scope.get('root_path', '')}{PATH}/{job.id}"
    return answer


@routes.get(PATH, response_model=JobsPage, responses={**NAMED, **UNAVAILABLE}, summary="List jobs")
def list_jobs(
    request: Request,
    page_token: Annotated[str | None, Query(max_length=200, description="From the page before.")] = None,
    page_size: Annotated[int, Query(ge=1, le=200)] = 50,
) -> Response:
    """Every job, newest first."""
    services = services_of(request)
    found, following = services.jobs.page(before=page_token, size=page_size)
    return answer_json({"jobs": [_to_wire(services, job) for job in found], "next_page_token": following})


@routes.get(PATH + "/{job_id}", response_model=JobAnswer, responses={**NAMED, **UNAVAILABLE}, summary="One job")
def get_job(request: Request, job_id: str) -> Response:
    """How far it is, or how it ended."""
    services = services_of(request)
    return answer_json(_to_wire(services, services.jobs.get(job_id)))


@routes.get(
    PATH + "/{job_id}/events",
    response_class=StreamingResponse,
    responses={200: {"content": {"text/event-stream": {}}}, **NAMED, **UNAVAILABLE},
    summary="Watch a job",
)
async def watch_job(request: Request, job_id: str) -> Response:
    """Server-sent events: the job on each change, until it ends."""
    await asyncio.to_thread(services_of(request).jobs.get, job_id)
    return StreamingResponse(
        _events(request, job_id),
        media_type="text/event-stream",
        headers={"cache-control": "no-store", "x-accel-buffering": "no"},
    )


@routes.post(
    PATH + "/{job_id}/cancel", response_model=JobAnswer, responses={**NAMED, **UNAVAILABLE}, summary="Cancel a job"
)
def cancel_job(request: Request, job_id: str) -> Response:
    """Stop it within two seconds; one that ended stays as it ended. What was published before stays, too."""
    services = services_of(request)
    return answer_json(_to_wire(services, services.jobs.cancel(job_id)))


@routes.get(
    PATH + "/{job_id}/result",
    response_class=StreamingResponse,
    responses={
        200: {"content": {"application/octet-stream": {}}},
        **NAMED,
        409: {**NAMED[404], "description": "Not finished."},
        **UNAVAILABLE,
    },
    summary="What a job put out",
)
def get_result(request: Request, job_id: str) -> Response:
    """The output file of a job that succeeded."""
    services = services_of(request)
    job = services.jobs.get(job_id)
    if not job.ended:
        raise NotFinished("The job has not ended; watch it and come again.")
    if job.output_file_id is None:
        raise NoResult("The job ended without an output file; the job says how.")
    files = services.files
    return file_response(files.get(job.output_file_id), files.open(job.output_file_id))


def _ask(services: Services, caller: Caller, body: Any, key: str | None) -> Job:  # noqa: ANN401 - one of JobRequest
    request = body.model_dump(mode="json", exclude_unset=True)
    # A retry is answered even if what the first request named is gone meanwhile.
    if key is not None and (first := services.jobs.first_for(key, request)) is not None:
        return first
    kind = kind_of(body)
    if kind != "index":
        services.require_loaded()
    _require_names(caller, body)
    plan = KINDS[kind].prepare(body, Asking(services.host, services.files))
    return services.jobs.seen_by(caller).ask(kind, request, plan, key=key)


def _require_names(caller: Caller, body: Any) -> None:  # noqa: ANN401 - one of JobRequest
    """Let a bound key build its own names only. What a job answers from is looked up in the host as the key sees it.

    Raises: NameUnknown; Forbidden.
    """
    named = [name for field in ("terminology", "collection") if (name := getattr(body, field, None)) is not None]
    if not all(map(caller.sees, named)):
        raise NameUnknown("Nothing of that name is here for this key.")
    if caller.prefixes and body.kind == "train":
        raise Forbidden("What training makes is everybody's: keys that are bound to prefixes cannot ask for it.")


async def _events(request: Request, job_id: str) -> AsyncIterator[bytes]:
    told, silent_since = b"", time.monotonic()
    # Asked for anew each time: what a bound key sees of the service is as it was when it asked.
    while not (services := services_of(request)).draining:
        job = await asyncio.to_thread(services.jobs.get, job_id)
        content = _to_wire(services, job)
        line = orjson.dumps(content)
        if line != told:
            told, silent_since = line, time.monotonic()
            yield b"event: job\ndata: " + line + b"\n\n"
        if content["status"] in {"succeeded", "failed", "cancelled"}:
            return
        if time.monotonic() - silent_since > _HEARTBEAT_S:
            silent_since = time.monotonic()
            yield b": still here\n\n"
        await asyncio.sleep(_LOOK_EVERY_S)


def _to_wire(services: Services, job: Job) -> dict[str, Any]:
    status, finished_at = job.status, job.finished_at
    built = job.result.get("builds", ()) if status == "succeeded" else ()
    awaited = any(services.host.awaits(build["artifact"], build["generation"]) for build in built)
    if awaited or (built and services.warming):
        # Published, and this process is about to answer from it: who sees "succeeded" gets answers from it.
        status, finished_at = "running", None
    return {
        "id": job.id,
        "kind": job.kind,
        "status": status,
        "progress": job.progress,
        "created_at": job.created_at,
        "started_at": job.started_at,
        "finished_at": finished_at,
        "output_file_id": job.output_file_id,
        "counts": job.counts,
        "error": job.error,
        "request": job.request,
        "result": job.result,
    }


def _put_right(fault: Mapping[str, Any]) -> dict[str, Any]:
    """A fault as pydantic tells it of a union, with a pointer into the JSON and without the caller's words."""
    if str(fault["type"]).startswith("union_tag"):
        return {**fault, "loc": ("body", "kind"), "msg": f"Expected one of: {', '.join(wire.KINDS)}."}
    loc = fault["loc"]
    within = len(loc) > 1 and loc[0] == "body" and loc[1] in wire.KINDS
    return {**fault, "loc": (*loc[:1], *loc[2:]) if within else loc}
