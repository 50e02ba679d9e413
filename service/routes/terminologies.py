"""Terminologies and their concepts, to look at."""

import re
from typing import Annotated, Final

from fastapi import Query
from fastapi.responses import Response
from starlette.requests import Request

from pipelines.errors import ConceptUnknown
from pipelines.terminology import Concept, Terminology
from service.browsing import MAX_QUERY
from service.routes import NAMED, UNAVAILABLE, answer_json, router, services_of
from service.schemas.hosted import (
    ConceptAnswer,
    ConceptsAnswer,
    TerminologiesAnswer,
    TerminologyAnswer,
    concept_to_wire,
    terminology_to_wire,
)

routes = router("terminologies")

_LOST_SLASH: Final = re.compile(r"^([a-z][a-z0-9+.-]*):/(?!/)", re.IGNORECASE)


@routes.get(
    "/v1/terminologies", response_model=TerminologiesAnswer, responses=UNAVAILABLE, summary="List terminologies"
)
async def list_terminologies(request: Request) -> Response:
    """Every terminology that some pipeline answers from."""
    services = services_of(request)
    services.require_loaded()
    return answer_json({"terminologies": [terminology_to_wire(t) for t in services.host.terminologies()]})


@routes.get(
    "/v1/terminologies/{name}",
    response_model=TerminologyAnswer,
    responses={**NAMED, **UNAVAILABLE},
    summary="One terminology",
)
async def get_terminology(request: Request, name: str) -> Response:
    """A terminology and its size."""
    return answer_json(terminology_to_wire(_terminology(request, name)))


@routes.get(
    "/v1/terminologies/{name}/concepts",
    response_model=ConceptsAnswer,
    responses={**NAMED, **UNAVAILABLE},
    summary="Find concepts",
)
def list_concepts(
    request: Request,
    name: str,
    query: Annotated[
        str, Query(max_length=MAX_QUERY, description="Words of a term or an id; all concepts if empty.")
    ] = "",
    page_token: Annotated[str | None, Query(max_length=200, description="From the page before.")] = None,
    page_size: Annotated[int, Query(ge=1, le=200)] = 50,
) -> Response:
    """Concepts with a term that contains the query, case and accents aside; whole terms first, then by beginnings."""
    # Not async: FastAPI runs it in a thread, and a scan of a large terminology holds up nobody else's request.
    concepts, total, following = services_of(request).browsers.page(
        _terminology(request, name), query=query, token=page_token, size=page_size
    )
    return answer_json(
        {"concepts": [concept_to_wire(c) for c in concepts], "total": total, "next_page_token": following}
    )


@routes.get(
    "/v1/terminologies/{name}/concepts/{concept_id:path}",
    response_model=ConceptAnswer,
    responses={**NAMED, **UNAVAILABLE},
    summary="One concept",
)
async def get_concept(request: Request, name: str, concept_id: str) -> Response:
    """A concept by its id; a URI may stand in the path as it is or percent-encoded."""
    return answer_json(concept_to_wire(_concept(_terminology(request, name), concept_id)))


def _terminology(request: Request, name: str) -> Terminology:
    services = services_of(request)
    services.require_loaded()
    return services.host.terminology(name)


def _concept(terminology: Terminology, concept_id: str) -> Concept:
    try:
        return terminology.concept(concept_id)
    except ConceptUnknown:
        # Gateways merge slashes: http://x becomes http:/x.
        return terminology.concept(_LOST_SLASH.sub(r"\1://", concept_id))
