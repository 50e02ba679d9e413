"""Clinical texts in, linked mentions out: as JSON, FHIR Parameters or BioC."""

from functools import partial

import orjson
from starlette.requests import Request
from starlette.responses import Response

from service.routes import BODY, TimeoutMs, answer_json, router, services_of
from service.routes.pipelines import origin, run_items, run_pipeline
from service.schemas import bioc, fhir
from service.schemas.medical import MedicalAnswer, MedicalRequest, medical_to_wire

routes = router("pipelines")

_NAME = "medical"


@routes.post(
    "/v1/medical/link", response_model=MedicalAnswer, responses=BODY, summary="Clinical text → linked mentions"
)
async def link_mentions(request: Request, body: MedicalRequest, x_request_timeout_ms: TimeoutMs = None) -> Response:
    """Link each text's mentions to concepts, or say NIL: one result per item, in order.

    Mentions given are linked as given; without them they are found. `output` chooses FHIR R4 `Parameters`
    (application/fhir+json) or BioC-JSON instead.
    """
    match body.output:
        case "fhir":
            return await _as_fhir(request, body, x_request_timeout_ms)
        case "bioc":
            return await _as_bioc(request, body, x_request_timeout_ms)
        case _:
            return await run_pipeline(request, _NAME, body, to_wire=medical_to_wire, timeout_ms=x_request_timeout_ms)


async def _as_fhir(request: Request, body: MedicalRequest, timeout_ms: int | None) -> Response:
    services = services_of(request)
    services.require_loaded()
    terminology = services.host.pipeline(_NAME, terminology=body.terminology).terminology.name
    to_wire = partial(fhir.fhir_result, terminology=terminology)
    hosted, results = await run_items(request, _NAME, body, to_wire=to_wire, timeout_ms=timeout_ms, shape="fhir")
    content = orjson.dumps(fhir.parameters(origin(hosted), results))
    return Response(content, media_type=fhir.MEDIA_TYPE)


async def _as_bioc(request: Request, body: MedicalRequest, timeout_ms: int | None) -> Response:
    hosted, found = await run_items(
        request, _NAME, body, to_wire=bioc.bioc_annotations, timeout_ms=timeout_ms, shape="bioc"
    )
    documents = [
        bioc.document(number, item.text, annotations)
        for number, (item, annotations) in enumerate(zip(body.items, found, strict=True))
    ]
    return answer_json(bioc.collection(origin(hosted), documents))
