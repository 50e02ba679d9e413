"""The wire: what goes over HTTP, and how it becomes `pipelines.results` and back.

Requests are pydantic models, strict, without unknown fields. Answers are built as plain dicts, since validating what we
made ourselves costs more than making it; the answer models here only describe them in /openapi.json.

Here stands what all requests and answers share; a file beside this one is one resource.
"""

from abc import abstractmethod
from typing import Annotated, Any, Final, Literal

from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    StringConstraints,
    model_validator,
)
from pydantic_core import PydanticCustomError

from pipelines.results import Candidate, Decision, Options, Request

MAX_ITEMS: Final = 1024
_MAX_FIELDS: Final = 64
_LANGUAGE: Final = r"^[A-Za-z]{1,8}(-[A-Za-z0-9]{1,8})*$"

Hubness = Literal["auto", "none", "centre", "is", "dis", "dual_is", "dual_dis", "csls", "nnn"]
Language = Annotated[str, StringConstraints(max_length=35, pattern=_LANGUAGE)]


class Sized:
    """Refuses a list by its length before its elements are looked at, so that a huge one costs nothing."""

    def __init__(self, *, most: int) -> None:
        self._most = most

    def __call__(self, value: object) -> object:
        """The value, if it is no list or short enough."""
        if isinstance(value, list) and len(value) > self._most:
            raise PydanticCustomError("too_long", "Should have at most {most} elements", {"most": self._most})
        return value


def exactly_one(*names: str) -> dict[str, Any]:
    """For `json_schema_extra`: of these fields one is there, and only one (a null is as good as absent)."""
    return {"oneOf": [{"required": [name], "properties": {name: {"not": {"type": "null"}}}} for name in names]}


def whole_numbers(value: object) -> object:
    """An object whose 5.0 are 5: to JSON Schema these are integers, to pydantic's strict mode they are none."""
    if isinstance(value, dict) and any(type(v) is float and v.is_integer() for v in value.values()):
        return {k: int(v) if type(v) is float and v.is_integer() else v for k, v in value.items()}
    return value


class Wire(BaseModel):
    """What a client sends: strict types, no unknown fields."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)

    @model_validator(mode="before")
    @classmethod
    def _few_fields(cls, value: object) -> object:
        # Each unknown field would become an error of its own.
        if isinstance(value, dict) and len(value) > _MAX_FIELDS:
            raise PydanticCustomError("too_many_fields", "Should have at most {most} fields", {"most": _MAX_FIELDS})
        return whole_numbers(value)


# -- problems ------------------------------------------------------------------------------------


class FaultAnswer(BaseModel):
    """One thing wrong with a request."""

    pointer: str = Field(description="JSON pointer into the body, or /query/…, /header/…, /path/….")
    detail: str
    in_: Literal["body", "query", "header", "path"] = Field(alias="in")


class Problem(BaseModel):
    """RFC 9457."""

    model_config = ConfigDict(
        json_schema_extra={
            "example": {
                "type": "urn:cognomen:problem:invalid-request",
                "title": "Invalid request",
                "status": 422,
                "detail": "1 thing is wrong with the request; `errors` says where (at most 100).",
                "instance": "urn:cognomen:request:8f14e45fceea167a",
                "request_id": "8f14e45fceea167a",
                "errors": [{"pointer": "/items/0/title", "detail": "Field required", "in": "body"}],
            }
        }
    )

    type: str
    title: str
    status: int
    detail: str
    instance: str
    request_id: str
    errors: list[FaultAnswer] | None = None
    candidates: list[str] | None = Field(None, description="What may be chosen from, where a choice is missing.")


# -- what every pipeline takes and answers ---------------------------------------------------------


MAX_NAME: Final = 200


class PipelineOptions(Wire):
    """Options of every pipeline request, save what answers it."""

    top_k: int = Field(5, ge=1, le=100, description="Candidates listed.")
    hubness: Hubness = Field("auto", description="auto: what the build measured to help, else none.")
    min_confidence: float | None = Field(
        None, ge=0, le=1, description="Below it the decision is NIL. Default: calibrated at build."
    )
    backoff: bool = Field(False, description="Answer a broader concept when no specific one is sure enough.")

    @abstractmethod
    def requests(self) -> list[Request]:
        """The items as the pipeline takes them, in order."""

    @property
    def options(self) -> Options:
        """The options that concern deciding."""
        return Options(top_k=self.top_k, min_confidence=self.min_confidence, backoff=self.backoff)


class PipelineRequest(PipelineOptions):
    """A request that one terminology answers."""

    terminology: str | None = Field(None, max_length=MAX_NAME, description="Default: the pipeline's own.")


class CandidateAnswer(BaseModel):
    """A concept offered."""

    concept_id: str
    name: str
    term: str = Field(description="The term that matched best.")
    term_language: str | None
    score: float = Field(description="Ranks; comparable within one result only.")
    confidence: float = Field(ge=0, le=1, description="Calibrated probability that the concept is right.")
    scores: dict[str, float] = Field(description="By stage: dense, lexical, corrected, rerank.")
    codes: dict[str, str] = Field(description="Codes in other systems: onet-soc, esco, isco-08, …")
    semantic_types: list[str]
    explanation: str


class DecisionAnswer(BaseModel):
    """The concept chosen, or NIL: nothing fits."""

    nil: bool
    concept_id: str | None
    name: str | None
    confidence: float = Field(ge=0, le=1, description="Of the concept chosen; where NIL, of the best one refused.")
    notes: list[str]


class TerminologyRef(BaseModel):
    """Which terminology answered."""

    name: str
    version: str


class PipelineAnswer(BaseModel):
    """What every pipeline's answer says about where it comes from."""

    terminology: TerminologyRef
    encoder: str
    generation: str = Field(description="The index build that answered.")


def candidate_to_wire(candidate: Candidate) -> dict[str, Any]:
    """CONTRACT.md's Candidate."""
    return {
        "concept_id": candidate.concept_id,
        "name": candidate.name,
        "term": candidate.term,
        "term_language": candidate.term_language,
        "score": candidate.score,
        "confidence": candidate.confidence,
        "scores": dict(candidate.scores),
        "codes": dict(candidate.codes),
        "semantic_types": list(candidate.semantic_types),
        "explanation": candidate.explanation,
    }


def decision_to_wire(decision: Decision) -> dict[str, Any]:
    """CONTRACT.md's Decision."""
    return {
        "nil": decision.nil,
        "concept_id": decision.concept_id,
        "name": decision.name,
        "confidence": decision.confidence,
        "notes": list(decision.notes),
    }
