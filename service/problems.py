"""One table: what went wrong → status and problem+json (RFC 9457). No message repeats what the caller sent.

Refusal                  anything the service refuses on purpose
├── Malformed            400: the body is not JSON
├── Unauthenticated      401: no key, or one that opens nothing
├── Forbidden            403: a key that does not open this
├── BodyTooSlow          408
├── BodyTooLarge         413
├── WrongMediaType       415
├── Invalid              422: with a pointer for each fault
├── TooManyRequests      429, with Retry-After: over the caller's own rate
├── ClientGone           499: nobody is waiting any more; seen in logs only
└── Unavailable          503, with Retry-After
    ├── Loading          not everything is opened and warm yet, or it could not be
    ├── Draining         about to leave
    ├── Overloaded       the queue is full
    └── TimedOut         the caller's deadline, or ours, passed before an answer was computed

Errors of the lower floors stand in `TABLE`. What is in neither is a bug: 500, without details.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any, ClassVar, Final, cast

import orjson
from fastapi import FastAPI
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Match

from models.errors import EncoderUnknown, EngineUnavailable
from pipelines.datasheets.errors import DocumentUnreadable, ModelImpossible, PartAmbiguous, PartUnknown
from pipelines.errors import (
    CollectionUnknown,
    ConceptUnknown,
    CorrectionUnavailable,
    InputInvalid,
    PipelineUnknown,
    TerminologyUnknown,
)

MEDIA_TYPE: Final = "application/problem+json"

MAX_ERRORS: Final = 100
"""Faults listed in one answer; the rest is only counted."""

_MAX_POINTER_PART: Final = 64


@dataclass(frozen=True, slots=True)
class Fault:
    """One thing wrong with a request.

    Attributes:
        pointer: JSON pointer into the body ("/items/3/title"), or "/query/NAME", "/header/NAME", "/path/NAME".
        detail: what is wrong, without the value.
        where: body, query, header or path.
    """

    pointer: str
    detail: str
    where: str = "body"


class Refusal(HTTPException):
    """A request refused on purpose. FastAPI lets subclasses of HTTPException out of body parsing untouched."""

    status: ClassVar[int] = 500
    slug: ClassVar[str] = "internal-error"
    title: ClassVar[str] = "Internal error"

    def __init__(self, detail: str, *, headers: Mapping[str, str] | None = None, faults: Sequence[Fault] = ()) -> None:
        super().__init__(self.status, detail, headers)
        self.faults = faults


class Malformed(Refusal):
    """The body is not JSON."""

    status, slug, title = 400, "malformed", "Malformed request"


class Unauthenticated(Refusal):
    """No key, or one that opens nothing."""

    status, slug, title = 401, "unauthenticated", "Key missing or not valid"


class Forbidden(Refusal):
    """Known, but not let in here."""

    status, slug, title = 403, "forbidden", "Forbidden"


class BodyTooSlow(Refusal):
    """The rest of the body does not come."""

    status, slug, title = 408, "body-too-slow", "Body too slow"


class BodyTooLarge(Refusal):
    """The body is larger than the service reads."""

    status, slug, title = 413, "body-too-large", "Body too large"


class WrongMediaType(Refusal):
    """The body is of a type that the route does not read."""

    status, slug, title = 415, "unsupported-media-type", "Unsupported media type"


class Invalid(Refusal):
    """The request is readable, but not what the route takes."""

    status, slug, title = 422, "invalid-request", "Invalid request"


class TooManyRequests(Refusal):
    """Over the caller's own rate."""

    status, slug, title = 429, "rate-limited", "Too many requests"

    def __init__(self, detail: str, *, retry_after_s: int) -> None:
        super().__init__(detail, headers={"Retry-After": str(retry_after_s)})


class ClientGone(Refusal):
    """The caller hung up; 499 as nginx logs it."""

    status, slug, title = 499, "client-gone", "Client closed request"


class Unavailable(Refusal):
    """Not now; try again."""

    status, slug, title = 503, "unavailable", "Service unavailable"

    def __init__(self, detail: str, *, retry_after_s: int) -> None:
        super().__init__(detail, headers={"Retry-After": str(retry_after_s)})


class Loading(Unavailable):
    """Not everything is opened and warm yet, or it could not be."""

    slug, title = "loading", "Service is loading"


class Draining(Unavailable):
    """About to leave; another replica answers."""

    slug, title = "draining", "Service is draining"


class Overloaded(Unavailable):
    """The queue is full."""

    slug, title = "overloaded", "Service overloaded"


class TimedOut(Unavailable):
    """The deadline passed before an answer was computed."""

    slug, title = "timeout", "Deadline passed"


@dataclass(frozen=True, slots=True)
class Kind:
    """A row of the table. `detail` None takes the error's own words, where those are known not to echo."""

    status: int
    slug: str
    title: str
    detail: str | None = None
    pointer: str | None = None


TABLE: Final[Mapping[type[Exception], Kind]] = {
    PipelineUnknown: Kind(
        404, "pipeline-unknown", "Unknown pipeline", "No pipeline of that name is hosted; GET /v1/pipelines lists them."
    ),
    TerminologyUnknown: Kind(
        404,
        "terminology-unknown",
        "Unknown terminology",
        "No terminology of that name is hosted here for this; GET /v1/terminologies lists them.",
    ),
    CollectionUnknown: Kind(
        404,
        "collection-unknown",
        "Unknown collection",
        "No collection of that name is hosted here; GET /v1/retrieval lists them.",
    ),
    ConceptUnknown: Kind(404, "concept-unknown", "Unknown concept", "The terminology has no concept of that id."),
    EncoderUnknown: Kind(
        404, "model-unknown", "Unknown model", "No model of that name is hosted; GET /v1/models lists them."
    ),
    CorrectionUnavailable: Kind(
        422,
        "invalid-request",
        "Invalid request",
        "This build has no bank for that hubness method; 'auto' and 'none' always work.",
        "/hubness",
    ),
    InputInvalid: Kind(422, "invalid-request", "Invalid request"),
    DocumentUnreadable: Kind(422, "document-unreadable", "Unreadable document"),
    PartAmbiguous: Kind(
        409,
        "part-ambiguous",
        "Several parts",
        "The document is about several parts; send `part` with one of `candidates`.",
    ),
    PartUnknown: Kind(
        422,
        "invalid-request",
        "Invalid request",
        "The document does not name that part; `candidates` are those it does.",
    ),
    ModelImpossible: Kind(422, "model-impossible", "No model"),
    EngineUnavailable: Kind(
        503, "engine-unavailable", "Engine unavailable", "The server that keeps these vectors does not answer."
    ),
}

_RETRY_S: Final = 5

_STATUS_KINDS: Final = {
    404: Kind(404, "not-found", "Not found", "There is nothing at this path; /openapi.json lists what there is."),
    405: Kind(405, "method-not-allowed", "Method not allowed", "The Allow header lists the methods of this path."),
}

INTERNAL: Final = Kind(
    500, "internal-error", "Internal error", "Something went wrong here; the log has it under this request_id."
)


def problem(
    kind: Kind,
    *,
    request_id: str,
    detail: str | None = None,
    faults: Sequence[Fault] = (),
    headers: Mapping[str, str] | None = None,
    candidates: Sequence[str] = (),
) -> Response:
    """A kind of problem as the answer to one request; `candidates` are what the caller may choose from."""
    body: dict[str, Any] = {
        "type": f"urn:cognomen:problem:{kind.slug}",
        "title": kind.title,
        "status": kind.status,
        "detail": detail or kind.detail or kind.title,
        "instance": f"urn:cognomen:request:{request_id}",
        "request_id": request_id,
    }
    if faults:
        body["errors"] = [{"pointer": f.pointer, "detail": f.detail, "in": f.where} for f in faults[:MAX_ERRORS]]
    if candidates:
        body["candidates"] = list(candidates)
    return Response(orjson.dumps(body), kind.status, dict(headers or {}), MEDIA_TYPE)


def described(error: Exception | Kind) -> dict[str, Any]:
    """A problem as it stands in a file of answers, in place of one: without the request's id."""
    if isinstance(error, Kind):
        kind, detail, faults = error, error.title, []
    elif isinstance(error, Refusal):
        kind, detail, faults = Kind(error.status, error.slug, error.title), error.detail, list(error.faults)
    else:
        kind = next(TABLE[cls] for cls in type(error).__mro__ if cls in TABLE)
        detail = kind.detail or str(error)
        pointer = getattr(error, "pointer", kind.pointer)
        faults = [Fault(pointer, detail)] if pointer is not None else []
    body: dict[str, Any] = {
        "type": f"urn:cognomen:problem:{kind.slug}",
        "title": kind.title,
        "status": kind.status,
        "detail": detail,
    }
    if faults:
        body["errors"] = [{"pointer": f.pointer, "detail": f.detail} for f in faults[:MAX_ERRORS]]
    if candidates := getattr(error, "candidates", ()):
        body["candidates"] = list(candidates)
    return body


def internal_error(request_id: str) -> Response:
    """What a caller sees of a bug."""
    return problem(INTERNAL, request_id=request_id)


def refusal(error: Refusal, *, request_id: str) -> Response:
    """A refusal as the answer to one request, for what is refused before it reaches a route."""
    kind = Kind(error.status, error.slug, error.title)
    return problem(kind, request_id=request_id, detail=error.detail, faults=error.faults, headers=error.headers)


def install(app: FastAPI) -> None:
    """Let every expected error be answered from the table."""
    app.add_exception_handler(RequestValidationError, _validation_problem)
    app.add_exception_handler(HTTPException, _http_problem)
    for error in TABLE:
        app.add_exception_handler(error, _table_problem)


async def _table_problem(request: Request, error: Exception) -> Response:
    kind = next(TABLE[cls] for cls in type(error).__mro__ if cls in TABLE)
    detail = kind.detail or str(error)
    pointer = getattr(error, "pointer", kind.pointer)
    faults = [Fault(pointer, detail)] if pointer is not None else []
    candidates = getattr(error, "candidates", ())
    headers = {"Retry-After": str(_RETRY_S)} if kind.status == Unavailable.status else {}
    return problem(
        kind,
        request_id=request.state.request_id,
        detail=detail,
        faults=faults,
        candidates=candidates,
        headers=headers,
    )


async def _http_problem(request: Request, error: Exception) -> Response:
    error = cast(HTTPException, error)
    request_id = request.state.request_id
    if isinstance(error, Refusal):
        return refusal(error, request_id=request_id)
    if error.status_code == 405:
        # Of several routes on one path, the router names only the first one's methods.
        return problem(_STATUS_KINDS[405], request_id=request_id, headers={"Allow": ", ".join(_allowed(request))})
    phrase = HTTPStatus(error.status_code).phrase
    kind = _STATUS_KINDS.get(
        error.status_code, Kind(error.status_code, phrase.lower().replace(" ", "-"), phrase, error.detail)
    )
    return problem(kind, request_id=request_id, headers=error.headers)


def _allowed(request: Request) -> list[str]:
    """Every method that some route of this path takes, HEAD included where GET is, sorted."""
    found = [route for route in _flat(request.app.routes) if route.matches(request.scope)[0] is not Match.NONE]
    # "/v1/keys/self" is no key's id, though a key's path would match it.
    found = [r for r in found if getattr(r, "path", None) == request.scope["path"]] or found
    return sorted({method for route in found for method in getattr(route, "methods", None) or ()})


def _flat(routes: Iterable[BaseRoute]) -> Iterator[BaseRoute]:
    """Every route, those of included routers too (FastAPI keeps these as one, and we include without prefixes)."""
    for route in routes:
        inner = getattr(route, "original_router", None)
        yield from [route] if inner is None else _flat(inner.routes)


async def _validation_problem(request: Request, error: Exception) -> Response:
    raw = cast(RequestValidationError, error).errors()
    faults = [Fault(pointer_of(fault["loc"]), str(fault["msg"]), str(fault["loc"][0])) for fault in raw[:MAX_ERRORS]]
    things = "1 thing is" if len(raw) == 1 else f"{len(raw)} things are"
    return problem(
        Kind(Invalid.status, Invalid.slug, Invalid.title),
        request_id=request.state.request_id,
        detail=f"{things} wrong with the request; `errors` says where (at most {MAX_ERRORS}).",
        faults=faults,
    )


def pointer_of(loc: Sequence[str | int]) -> str:
    """A JSON pointer (RFC 6901) for where pydantic found a fault; outside the body it starts with the place."""
    parts = loc[1:] if loc and loc[0] == "body" else loc
    return "".join(f"/{_escaped(part)}" for part in parts)


def _escaped(part: str | int) -> str:
    # A field's name is the caller's: cut, and cleaned of halves of surrogate pairs, which no encoding can carry.
    text = str(part)[:_MAX_POINTER_PART].encode("utf-8", "replace").decode()
    return text.replace("~", "~0").replace("/", "~1")
