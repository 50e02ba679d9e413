"""Clinical texts in, linked mentions out: as JSON, FHIR Parameters or BioC; by one terminology or several together."""

from collections.abc import Sequence
from typing import Any

import orjson
from starlette.requests import Request
from starlette.responses import Response

from pipelines import results
from pipelines.flow import Pipeline
from pipelines.medical.several import link_all
from service.host import HostedPipeline
from service.routes import BODY, TimeoutMs, answer_json, router, services_of
from service.routes.pipelines import ToWire, origin, run_items
from service.schemas import bioc, fhir
from service.schemas.medical import MedicalAnswer, MedicalRequest, Output, medical_to_wire

routes = router("pipelines")

_NAME = "medical"
_TO_WIRE: dict[Output, ToWire] = {
    "json": medical_to_wire,
    "fhir": fhir.fhir_result,
    "bioc": bioc.bioc_annotations,
}


@routes.post(
    "/v1/medical/link", response_model=MedicalAnswer, responses=BODY, summary="Clinical text → linked mentions"
)
async def link_mentions(request: Request, body: MedicalRequest, x_request_timeout_ms: TimeoutMs = None) -> Response:
    """Link each text's mentions to concepts, or say NIL: one result per item, in order.

    Mentions given are linked as given; without them they are found. `terminology` may be a list: each mention is linked
    against all, the surest concept answers, and candidates say whose they are. `output` chooses FHIR R4 `Parameters`
    (application/fhir+json) or BioC-JSON instead.
    """
    services = services_of(request)
    services.require_loaded()
    hosted = [services.host.pipeline(_NAME, terminology=name) for name in body.terminologies]
    found = await run_items(
        request,
        hosted,
        body,
        answer=_link_all,
        to_wire=_TO_WIRE[body.output],
        timeout_ms=x_request_timeout_ms,
        shape=body.output,
    )
    match body.output:
        case "fhir":
            content = orjson.dumps(fhir.parameters(_origins(hosted), found))
            return Response(content, media_type=fhir.MEDIA_TYPE)
        case "bioc":
            texts = [item.text for item in body.items]
            documents = [bioc.document(i, text, some) for i, (text, some) in enumerate(zip(texts, found, strict=True))]
            return answer_json(bioc.collection(_origins(hosted), documents))
        case "json":
            asked = [{**whence["terminology"], **_without_terminology(whence)} for whence in _origins(hosted)]
            return answer_json({"results": found, **origin(hosted[0]), "terminologies": asked})


def _link_all(pipelines: Sequence[Pipeline], items: Sequence[results.Request], hubness: str) -> list[results.Result]:
    return link_all(pipelines, items, hubness=hubness)


def _origins(hosted: Sequence[HostedPipeline]) -> list[dict[str, Any]]:
    return [origin(one) for one in hosted]


def _without_terminology(whence: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in whence.items() if name != "terminology"}
