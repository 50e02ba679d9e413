"""Files: uploaded for jobs to read, put out by jobs to be fetched."""

from typing import IO, Annotated, Any, Final
from urllib.parse import quote

from fastapi import Query
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse

from service.access import caller_of
from service.admission import declared_length
from service.files import StoredFile, pieces
from service.problems import BodyTooLarge, Fault, Invalid
from service.routes import BODY, NAMED, UNAVAILABLE, answer_json, router, services_of
from service.schemas.files import OUTPUT, PURPOSES, UPLOAD_FORM, FileAnswer, FilesPage
from service.uploads import FORM_OVERHEAD_BYTES, Form, read_form

routes = router("files")

PATH: Final = "/v1/files"


@routes.post(
    PATH,
    status_code=201,
    response_model=FileAnswer,
    responses=BODY,
    openapi_extra=UPLOAD_FORM,
    summary="Upload a file",
)
async def upload_file(request: Request) -> Response:
    """Keep a file, of any size up to the operator's limit, for jobs to read. It is there when this is answered."""
    services = services_of(request)
    limit = services.settings.max_file_bytes
    declared = declared_length(request.scope) or 0
    if declared > limit + FORM_OVERHEAD_BYTES:
        raise BodyTooLarge(f"The file may have at most {limit} bytes.")
    with services.files.seen_by(caller_of(request.scope)).incoming(expected_bytes=declared) as incoming:
        form = await read_form(request, sink=incoming, max_file_bytes=limit, fields=["purpose"])
        stored = incoming.finish(filename=form.filename, purpose=_purpose(form))
    return answer_json(file_to_wire(stored), 201)


@routes.get(PATH, response_model=FilesPage, responses={**NAMED, **UNAVAILABLE}, summary="List files")
def list_files(
    request: Request,
    purpose: Annotated[
        str | None, Query(description="Only of this purpose.", json_schema_extra={"enum": [*PURPOSES, OUTPUT]})
    ] = None,
    page_token: Annotated[str | None, Query(max_length=200, description="From the page before.")] = None,
    page_size: Annotated[int, Query(ge=1, le=1000)] = 100,
) -> Response:
    """Every file, oldest first."""
    if purpose is not None and purpose not in {*PURPOSES, OUTPUT}:
        fault = Fault("/query/purpose", f"Expected one of: {', '.join([*PURPOSES, OUTPUT])}.", "query")
        raise Invalid("There is no such purpose.", faults=[fault])
    found, following = services_of(request).files.page(after=page_token or "", size=page_size, purpose=purpose)
    return answer_json({"files": [file_to_wire(file) for file in found], "next_page_token": following})


@routes.get(
    PATH + "/{file_id}", response_model=FileAnswer, responses={**NAMED, **UNAVAILABLE}, summary="What is known of it"
)
def get_file(request: Request, file_id: str) -> Response:
    """One file, without its bytes."""
    return answer_json(file_to_wire(services_of(request).files.get(file_id)))


@routes.get(
    PATH + "/{file_id}/content",
    response_class=StreamingResponse,
    responses={200: {"content": {"application/octet-stream": {}}}, **NAMED, **UNAVAILABLE},
    summary="Its bytes",
)
def get_content(request: Request, file_id: str) -> Response:
    """The file as it was uploaded or put out."""
    files = services_of(request).files
    return file_response(files.get(file_id), files.open(file_id))


@routes.delete(PATH + "/{file_id}", status_code=204, responses={**NAMED, **UNAVAILABLE}, summary="Delete a file")
def delete_file(request: Request, file_id: str) -> Response:
    """Remove a file. A job that reads it already goes on."""
    services_of(request).files.delete(file_id)
    return Response(status_code=204)


def file_response(file: StoredFile, stream: IO[bytes]) -> Response:
    """A file's bytes as a download, in bounded memory."""
    headers = {
        "content-length": str(file.size),
        "content-disposition": f"attachment; filename*=utf-8''{quote(file.filename, safe='')}",
        "x-content-type-options": "nosniff",
    }
    return StreamingResponse(pieces(stream), headers=headers, media_type="application/octet-stream")


def file_to_wire(file: StoredFile) -> dict[str, Any]:
    """What is known of a file."""
    return {
        "id": file.id,
        "filename": file.filename,
        "bytes": file.size,
        "sha256": file.sha256,
        "purpose": file.purpose,
        "created_at": file.created_at,
    }


def _purpose(form: Form) -> str:
    given = form.fields.get("purpose", [])
    if len(given) != 1 or given[0] not in PURPOSES:
        detail = "Field required" if not given else f"Expected one of: {', '.join(PURPOSES)}."
        raise Invalid("The form does not say what the file is for.", faults=[Fault("/purpose", detail)])
    return given[0]
