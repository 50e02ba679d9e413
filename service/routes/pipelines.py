"""Pipelines: which there are, and one route for each, which differs only in its shapes."""

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

import orjson
from fastapi.responses import Response
from starlette.requests import Request

from pipelines import results
from pipelines.flow import Pipeline
from service.admission import estimate_tokens
from service.batching import Lane
from service.host import HostedPipeline
from service.routes import (
    BODY,
    NAMED,
    UNAVAILABLE,
    Services,
    TimeoutMs,
    answer_json,
    fragments,
    hangs_up,
    router,
    services_of,
    timeout_s,
)
from service.schemas import PipelineOptions, PipelineRequest
from service.schemas.hosted import HostedAnswer, PipelinesAnswer, terminology_to_wire
from service.schemas.job_titles import JobTitlesAnswer, JobTitlesRequest, job_title_to_wire

routes = router("pipelines")

ToWire = Callable[[results.Result], object]
"""One result of a pipeline as it goes over the wire: what JSON can say."""

Answering = Callable[[Sequence[Pipeline], Sequence[results.Request], str], list[results.Result]]
"""Pipelines, requests and a hubness method → one result per request."""


@routes.get("/v1/pipelines", response_model=PipelinesAnswer, responses=UNAVAILABLE, summary="List pipelines")
async def list_pipelines(request: Request) -> Response:
    """Every pipeline hosted, over its default terminology."""
    services = services_of(request)
    services.require_loaded()
    return answer_json({"pipelines": [_hosted_to_wire(services, hosted) for hosted in services.host.pipelines()]})


@routes.get(
    "/v1/pipelines/{name}", response_model=HostedAnswer, responses={**NAMED, **UNAVAILABLE}, summary="One pipeline"
)
async def get_pipeline(request: Request, name: str) -> Response:
    """One pipeline over its default terminology; `job-titles` and `job_titles` are the same."""
    services = services_of(request)
    services.require_loaded()
    return answer_json(_hosted_to_wire(services, services.host.pipeline(name)))


@routes.post(
    "/v1/job-titles/normalize", response_model=JobTitlesAnswer, responses=BODY, summary="Job titles → occupations"
)
async def normalize_job_titles(
    request: Request, body: JobTitlesRequest, x_request_timeout_ms: TimeoutMs = None
) -> Response:
    """Name each job title by its occupation, or say NIL: one result per item, in order."""
    return await run_pipeline(request, "job-titles", body, to_wire=job_title_to_wire, timeout_ms=x_request_timeout_ms)


async def run_pipeline(
    request: Request, name: str, body: PipelineRequest, *, to_wire: ToWire, timeout_ms: int | None
) -> Response:
    """Run any pipeline on a request's items: batched with whatever else is there, answered in order."""
    services = services_of(request)
    services.require_loaded()
    hosted = services.host.pipeline(name, terminology=body.terminology)
    answers = await run_items(request, [hosted], body, answer=_first, to_wire=to_wire, timeout_ms=timeout_ms)
    return answer_json({"results": answers, **origin(hosted)})


def origin(hosted: HostedPipeline) -> dict[str, Any]:
    """What every answer says about where it comes from."""
    return {
        "terminology": {"name": hosted.terminology.name, "version": hosted.terminology.version},
        "encoder": hosted.encoder,
        "generation": hosted.generation,
    }


async def run_items(
    request: Request,
    hosted: Sequence[HostedPipeline],
    body: PipelineOptions,
    *,
    answer: Answering,
    to_wire: ToWire,
    timeout_ms: int | None,
    shape: str = "",
) -> list[orjson.Fragment]:
    """Each item's result as JSON, in order.

    Args:
        hosted: what answers; several are asked one after the other.
        answer: how they answer.
        shape: names what `to_wire` makes, where a pipeline answers in several shapes: equal ones share batches.
    """
    services = services_of(request)
    lane = Lane(
        key=(*((one.name, one.terminology.name, one.generation) for one in hosted), body.hubness, shape),
        run=partial(_run, hosted, services, body.hubness, answer, to_wire),
    )
    items = body.requests()
    return await services.batcher.submit(
        lane,
        items,
        costs=[_cost(item) * len(hosted) for item in items],
        timeout_s=timeout_s(services.settings, timeout_ms),
        gone=hangs_up(request),
    )


def _run(
    hosted: Sequence[HostedPipeline],
    services: Services,
    hubness: str,
    answer: Answering,
    to_wire: ToWire,
    items: Sequence[results.Request],
) -> list[orjson.Fragment]:
    """In a worker thread: the flow, and its results as JSON."""
    for one in hosted:
        one.pipeline.observer = services.metrics.stage_observer(one.name)
    return fragments([to_wire(result) for result in answer([one.pipeline for one in hosted], items, hubness)])


def _first(pipelines: Sequence[Pipeline], items: Sequence[results.Request], hubness: str) -> list[results.Result]:
    return pipelines[0].run(items, hubness=hubness)


def _cost(item: results.Request) -> int:
    return estimate_tokens([item.text, *([", ".join(item.skills)] if item.skills else ()), *_given(item.description)])


def _given(text: str | None) -> tuple[str, ...]:
    return (text,) if text else ()


def _hosted_to_wire(services: Services, hosted: HostedPipeline) -> dict[str, Any]:
    return {
        "name": hosted.name,
        "verb": hosted.verb,
        "description": hosted.description,
        "terminology": terminology_to_wire(hosted.terminology),
        "encoder": {"name": hosted.encoder, "dimension": hosted.dimension, "device": hosted.device},
        "hubness": hosted.hubness,
        "hubness_methods": hosted.pipeline.hubness_methods,
        "hubness_reason": hosted.build.hubness_report.reason,
        "generation": hosted.generation,
        "ready": services.warm and not services.draining,
    }
