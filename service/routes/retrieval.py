"""Retrieval: collections, and searching them."""

import asyncio
from collections.abc import Sequence
from functools import partial

import orjson
from fastapi.responses import Response
from starlette.requests import Request

from pipelines.retrieval.collection import Asked, Collection
from service.admission import estimate_tokens
from service.batching import Lane
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
from service.schemas.retrieval import (
    CollectionAnswer,
    CollectionsAnswer,
    SearchAnswer,
    SearchRequest,
    collection_to_wire,
    found_to_wire,
)

routes = router("retrieval")


@routes.get("/v1/retrieval", response_model=CollectionsAnswer, responses=UNAVAILABLE, summary="List collections")
async def list_collections(request: Request) -> Response:
    """Every collection hosted, with what is known of its hubs."""
    services = services_of(request)
    services.require_loaded()
    found = await asyncio.to_thread(services.host.collections.all)
    return answer_json({"collections": [collection_to_wire(collection) for collection in found]})


@routes.get(
    "/v1/retrieval/{collection}",
    response_model=CollectionAnswer,
    responses={**NAMED, **UNAVAILABLE},
    summary="One collection",
)
async def get_collection(request: Request, collection: str) -> Response:
    """A collection, and why its correction is on or off."""
    return answer_json(collection_to_wire(await _collection(services_of(request), collection)))


@routes.post(
    "/v1/retrieval/{collection}/search", response_model=SearchAnswer, responses=BODY, summary="Text or vector → hits"
)
async def search_collection(
    request: Request, collection: str, body: SearchRequest, x_request_timeout_ms: TimeoutMs = None
) -> Response:
    """The nearest documents of each query, hubs corrected: one result per query, in order."""
    services = services_of(request)
    opened = await _collection(services, collection)
    method = opened.method(body.hubness)
    asked = body.asked(opened.fields.filter(body.filter))
    opened.check(asked)
    lane = Lane(key=("retrieval", opened.about.name, opened.generation, method), run=partial(_search, opened, method))
    answers = await services.batcher.submit(
        lane,
        asked,
        costs=[estimate_tokens([one.text or ""]) for one in asked],
        timeout_s=timeout_s(services.settings, x_request_timeout_ms),
        gone=hangs_up(request),
    )
    return answer_json(
        {
            "results": answers,
            "collection": opened.about.name,
            "terminology": {"name": opened.about.name, "version": opened.generation},
            "encoder": opened.about.encoder,
            "generation": opened.generation,
            "hubness": method,
        }
    )


def _search(collection: Collection, method: str, asked: Sequence[Asked]) -> list[orjson.Fragment]:
    """In a worker thread: the search, and its results as JSON."""
    return fragments([found_to_wire(found) for found in collection.search(asked, hubness=method)])


async def _collection(services: Services, name: str) -> Collection:
    services.require_loaded()
    # The first time a collection or its new generation is asked for it is opened, which is slow.
    known = services.host.collections.known(name)
    return known if known is not None else await asyncio.to_thread(services.host.collections.get, name)
