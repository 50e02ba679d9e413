"""Datasheets: a PDF in, its parameters out; parameters in, a SPICE card out."""

import base64
import time
from collections.abc import Sequence
from functools import partial
from typing import Any, Final

import orjson
from fastapi.responses import Response
from pydantic import ValidationError
from starlette.datastructures import FormData, UploadFile
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request

from pipelines.datasheets.errors import ModelImpossible, SimulatorFailed
from pipelines.datasheets.extraction import Extraction, extract
from pipelines.datasheets.page import Document
from pipelines.datasheets.spice.facts import Fact, Facts, facts_of
from pipelines.datasheets.spice.making import Card, make_card
from pipelines.datasheets.spice.plot import Format, can_plot, plot
from pipelines.results import Options, Result
from pipelines.results import Request as Row
from service.access import caller_of
from service.datasheets import assistant_of
from service.host import HostedPipeline
from service.problems import BodyTooLarge, ClientGone, Fault, Invalid, Malformed, Refusal, WrongMediaType, pointer_of
from service.routes import BODY, Services, TimeoutMs, hangs_up, router, services_of, timeout_s
from service.schemas.datasheets import ExtractAnswer, ExtractForm, extraction_to_wire
from service.schemas.spice import SpiceAnswer, SpiceRequest, card_to_wire

routes = router("datasheets")

EXTRACT: Final = "/v1/datasheets/extract"
SPICE: Final = "/v1/datasheets/spice"
FORM_BYTES: Final = 256 * 1024
"""What a form may hold beside its file."""
_PIPELINE: Final = "datasheets"
_MAX_FIELDS: Final = 512
_TRUE: Final = {"true": True, "1": True, "false": False, "0": False}
_RESPONSES: Final = {
    **BODY,
    409: {
        "description": "Several parts; `candidates` names them.",
        **{k: v for k, v in BODY[404].items() if k != "description"},
    },
    415: {**BODY[415], "description": "Not multipart/form-data."},
}
_SPICE_RESPONSES: Final = {**BODY, 409: _RESPONSES[409], 404: {**BODY[404], "description": "No such document is kept."}}
_FORM: Final = {
    "requestBody": {
        "required": True,
        "content": {
            "multipart/form-data": {
                "schema": {
                    "type": "object",
                    "required": ["file"],
                    "additionalProperties": False,
                    "properties": {
                        "file": {"type": "string", "format": "binary", "description": "The PDF."},
                        **ExtractForm.model_json_schema()["properties"],
                    },
                }
            }
        },
    }
}


class DocumentUnknown(Refusal):
    """No document of that id is kept."""

    status, slug, title = 404, "document-unknown", "Unknown document"


@routes.post(
    EXTRACT, response_model=ExtractAnswer, responses=_RESPONSES, openapi_extra=_FORM, summary="Datasheet → parameters"
)
async def extract_parameters(request: Request, x_request_timeout_ms: TimeoutMs = None) -> Response:
    """Every parameter of one part, each with its unit, its conditions and the place on the page where it stands.

    A document about several parts needs `part`: without it the answer is 409 with `candidates`. What is no datasheet
    has no parameters, and a note says so.
    """
    services = services_of(request)
    services.require_loaded()
    deadline = time.monotonic() + timeout_s(services.settings, x_request_timeout_ms)
    data, form = await _read_form(request, most=services.settings.datasheet_max_bytes)
    hosted = services.host.pipeline(_PIPELINE, terminology=form.terminology)
    _require_known(form.parameters, hosted)
    gone = hangs_up(request)
    document = await services.desk.read(
        data,
        ocr=form.ocr,
        timeout_s=deadline - time.monotonic(),
        gone=gone,
        tenant=caller_of(request.scope).tenant,
    )
    work = partial(_extracted, services, hosted, document, form)
    wire = await services.desk.run(work, timeout_s=max(0.0, deadline - time.monotonic()))
    return Response(wire, media_type="application/json")


@routes.post(SPICE, response_model=SpiceAnswer, responses=_SPICE_RESPONSES, summary="Parameters → SPICE card")
async def make_spice(request: Request, body: SpiceRequest, x_request_timeout_ms: TimeoutMs = None) -> Response:
    """A SPICE model of one part; each of its numbers says where it comes from.

    Where ngspice is installed the card is simulated in the circuits of the datasheet, and `checks` has what came out
    beside what is printed.
    """
    services = services_of(request)
    services.require_loaded()
    document = None
    if body.document_id is not None:
        document = services.desk.shelf.get(body.document_id, tenant=caller_of(request.scope).tenant)
        if document is None:
            raise DocumentUnknown("No document of that id is kept; extract it again.")
    work = partial(_spiced, services, body, document)
    deadline_s = timeout_s(services.settings, x_request_timeout_ms)
    return Response(
        await services.desk.run(work, timeout_s=deadline_s, gone=hangs_up(request)), media_type="application/json"
    )


def _spiced(services: Services, body: SpiceRequest, document: Document | None) -> bytes:
    """In a thread: facts, model, card, checks, picture; as JSON."""
    part, facts = body.part, body.facts()
    device: str | None = body.device_type
    polarity: str | None = body.polarity
    if document is not None:
        hosted = services.host.pipeline(_PIPELINE)
        extraction = run_extraction(services, hosted, document, part=body.part, device_type=body.device_type)
        part, facts = extraction.part or part, facts_of(extraction.parameters)
        polarity = polarity or extraction.polarity
        device = extraction.device_type
    if device is None:
        raise ModelImpossible("the document does not say what kind of device it is", pointer="/device_type")
    card = make_card(
        facts,
        device_type=device,
        part=part,
        polarity=polarity,
        dialect=body.dialect,
        level=body.level,
        simulate=services.settings.spice_simulate,
    )
    picture, note = _picture(card, facts, body.plot)
    wire = card_to_wire(card)
    wire["notes"] += [note] if note else []
    return orjson.dumps({**wire, "part": part, "dialect": body.dialect, "plot": picture})


def _picture(card: Card, facts: Sequence[Fact], form: Format | None) -> tuple[dict[str, str] | None, str | None]:
    """The picture asked for, or a note on why there is none."""
    if form is None:
        return None, None
    if card.simulator is None or not can_plot():
        return None, "no plot: it needs ngspice and the extra `plot`"
    try:
        drawn = plot(card.model, Facts(facts), form=form)
    except SimulatorFailed as error:
        return None, f"no plot: {error}"
    if drawn is None:
        return None, "no plot: there is nothing to draw of such a model"
    return {"format": form, "data": drawn.decode() if form == "svg" else base64.b64encode(drawn).decode()}, None


def _extracted(services: Services, hosted: HostedPipeline, document: Document, form: ExtractForm) -> bytes:
    """In a thread: rows, focus, names; as JSON."""
    extraction = run_extraction(
        services,
        hosted,
        document,
        part=form.part,
        device_type=form.device_type,
        parameters=form.parameters,
        all_parts=form.variants == "all",
        assistant=assistant_of(services.settings) if form.assist else None,
        hubness=form.hubness,
        options=Options(top_k=form.top_k or 5, min_confidence=form.min_confidence),
    )
    return orjson.dumps({**extraction_to_wire(extraction, top_k=form.top_k), **produced_by(hosted)})


def run_extraction(
    services: Services,
    hosted: HostedPipeline,
    document: Document,
    *,
    hubness: str = "auto",
    options: Options | None = None,
    **chosen: Any,  # noqa: ANN401 - what `extract` takes
) -> Extraction:
    """The parameters of a document, rows named by the hosted pipeline. In a thread."""
    hosted.pipeline.observer = services.metrics.stage_observer(hosted.name)

    def name(rows: Sequence[Row]) -> list[Result]:
        asked = [Row(r.text, r.language, options=options) for r in rows] if options else rows
        return hosted.pipeline.run(asked, hubness=hubness)

    return extract(document, name, **chosen)


def produced_by(hosted: HostedPipeline) -> dict[str, Any]:
    """What answered."""
    return {
        "terminology": {"name": hosted.terminology.name, "version": hosted.terminology.version},
        "encoder": hosted.encoder,
        "generation": hosted.generation,
    }


def _require_known(names: Sequence[str], hosted: HostedPipeline) -> None:
    faults = [
        Fault(f"/parameters/{i}", "No such parameter; GET /v1/terminologies/{name}/concepts lists them.")
        for i, name in enumerate(names)
        if name not in hosted.terminology.by_id
    ]
    if faults:
        raise Invalid("A parameter is unknown; `errors` says which.", faults=faults)


async def _read_form(request: Request, *, most: int) -> tuple[bytes, ExtractForm]:
    """The file and the fields beside it. Raises: WrongMediaType, Malformed, Invalid, BodyTooLarge, ClientGone."""
    if request.headers.get("content-type", "").partition(";")[0].strip().lower() != "multipart/form-data":
        raise WrongMediaType("Send multipart/form-data (with curl: -F file=@sheet.pdf).")
    try:
        # Two files, so that a second one is refused by name below rather than as malformed.
        form = await request.form(max_files=2, max_fields=_MAX_FIELDS, max_part_size=64 * 1024)
    except ClientDisconnect:
        raise ClientGone("The caller hung up.") from None
    except Refusal:
        raise
    except HTTPException:
        raise Malformed("The body is not valid multipart/form-data.") from None
    try:
        file, fields = _sorted(form)
        if file.size is not None and file.size > most:
            raise BodyTooLarge(f"The PDF may have at most {most} bytes.")
        return await file.read(), fields
    finally:
        await form.close()


def _sorted(form: FormData) -> tuple[UploadFile, ExtractForm]:
    """The one file, and the fields validated."""
    faults: list[Fault] = []
    said: dict[str, Any] = {}
    files = [value for name, value in form.multi_items() if name == "file" and isinstance(value, UploadFile)]
    if len(files) != 1 or len(form.getlist("file")) != 1:
        faults.append(Fault("/file", "Expected one file."))
    for name in dict.fromkeys(name for name, _ in form.multi_items() if name != "file"):
        values = form.getlist(name)
        texts = [value for value in values if isinstance(value, str)]
        pointer = pointer_of((name,))
        if len(texts) != len(values):
            faults.append(Fault(pointer, "Expected text, not a file."))
        elif name == "parameters":
            said[name] = texts
        elif len(texts) > 1:
            faults.append(Fault(pointer, "Stands more than once."))
        elif texts[0] != "":
            # An empty field of a form is one that was not filled in.
            said[name] = _read(name, texts[0])
    try:
        fields = ExtractForm(**said)
    except ValidationError as error:
        found = error.errors(include_url=False, include_input=False, include_context=False)
        faults += [Fault(pointer_of(f["loc"]), str(f["msg"])) for f in found]
    if faults:
        raise Invalid(f"{len(faults)} of the form's fields cannot be used; `errors` says which.", faults=faults)
    return files[0], fields


def _read(name: str, text: str) -> object:
    """A field's text as the type it has; what cannot be read stays text, and the model says what is wrong with it."""
    if name in ("ocr", "assist"):
        return _TRUE.get(text.strip().lower(), text)
    kind = {"top_k": int, "min_confidence": float}.get(name)
    try:
        return kind(text) if kind and len(text) < 32 else text
    except ValueError:
        return text
