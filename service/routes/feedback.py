"""What users say of answers: which concept a text is known by, and which it is not."""

import base64
import binascii
from collections.abc import Mapping, Sequence
from typing import Annotated, Any, Final

from fastapi import Query
from fastapi.responses import Response
from starlette.requests import Request

from pipelines.feedback import Feedback, Verdicts
from service.feedback_store import prepared
from service.host import HostedPipeline
from service.problems import Fault, Invalid
from service.routes import BODY, NAMED, UNAVAILABLE, answer_json, router, services_of
from service.schemas.feedback import FeedbackAnswer, FeedbackPage, FeedbackRequest, SaidText, feedback_to_wire

routes = router("feedback")

_MAX_NAME: Final = 200
Terminology = Annotated[str | None, Query(max_length=_MAX_NAME, description="Default: the pipeline's own.")]


@routes.post("/v1/{pipeline}/feedback", response_model=FeedbackAnswer, responses=BODY, summary="Say what is right")
def give_feedback(request: Request, pipeline: str, body: FeedbackRequest) -> Response:
    """Confirm or reject a concept for a text. Answers follow at once; the next build learns from it.

    The same again changes nothing, so a request may be repeated. All items are kept, or none.
    """
    # Not async, like everything below: FastAPI runs it in a thread, and the disk holds up nobody else's request.
    hosted = _hosted(request, pipeline, body.terminology)
    items = _items(hosted, body.items)
    hosted.feedback.add(items)
    return answer_json({"accepted": len(items), "conflicts": _conflicts(items, hosted)})


@routes.get(
    "/v1/{pipeline}/feedback",
    response_model=FeedbackPage,
    responses={**NAMED, **UNAVAILABLE},
    summary="List what was said",
)
def list_feedback(
    request: Request,
    pipeline: str,
    terminology: Terminology = None,
    page_token: Annotated[str | None, Query(max_length=_MAX_NAME, description="From the page before.")] = None,
    page_size: Annotated[int, Query(ge=1, le=1000)] = 100,
) -> Response:
    """Everything that was said, oldest first."""
    hosted = _hosted(request, pipeline, terminology)
    page = hosted.feedback.page(after=_read_token(page_token) if page_token else 0, size=page_size)
    return answer_json(
        {
            "items": [feedback_to_wire(item) for item in page.items],
            "total": page.total,
            "next_page_token": _write_token(page.following) if page.following is not None else None,
        }
    )


@routes.delete(
    "/v1/{pipeline}/feedback/{feedback_id}",
    status_code=204,
    responses={**NAMED, **UNAVAILABLE},
    summary="Take back what was said",
)
def delete_feedback(request: Request, pipeline: str, feedback_id: str, terminology: Terminology = None) -> Response:
    """Forget one item; answers change at once, a build that learned it keeps it until the next."""
    _hosted(request, pipeline, terminology).feedback.remove(feedback_id)
    return Response(status_code=204)


def _hosted(request: Request, pipeline: str, terminology: str | None) -> HostedPipeline:
    services = services_of(request)
    services.require_loaded()
    return services.host.pipeline(pipeline, terminology=terminology)


def _items(hosted: HostedPipeline, said: Sequence[SaidText]) -> list[Feedback]:
    """What was said, as it is kept. Raises: Invalid for a concept that is unknown or a text that shows nothing."""
    items, unfit = prepared(
        [
            Feedback(text=item.said, query="", concept_id=item.concept_id, verdict=item.verdict, language=item.language)
            for item in said
        ],
        pipeline=hosted.pipeline,
        terminology=hosted.terminology,
    )
    if unfit:
        faults = [
            Fault(f"/items/{u.item}/{said[u.item].field if u.field == 'text' else u.field}", u.reason) for u in unfit
        ]
        raise Invalid("Nothing was kept; `errors` says why.", faults=faults)
    return items


def _conflicts(items: Sequence[Feedback], hosted: HostedPipeline) -> list[Mapping[str, Any]]:
    """The items of this request whose text is accepted for other concepts too, and which of them answers."""
    known = [hosted.build.memory.recall(item.query) or Verdicts() for item in items]
    return [
        {"pointer": f"/items/{i}", "concept_ids": list(said.rivals), "answered": said.concept_id}
        for i, (item, said) in enumerate(zip(items, known, strict=True))
        if item.verdict == "accept" and len(said.rivals) > 1
    ]


def _write_token(place: int) -> str:
    return base64.urlsafe_b64encode(str(place).encode()).decode().rstrip("=")


def _read_token(token: str) -> int:
    try:
        place = base64.urlsafe_b64decode(token + "=" * (-len(token) % 4)).decode("ascii")
    except (ValueError, binascii.Error):
        place = ""
    if not place.isdigit() or len(place) > 18:
        fault = Fault("/query/page_token", "Not a page token of feedback.", "query")
        raise Invalid("The page token cannot be used; begin without one.", faults=[fault])
    return int(place)
