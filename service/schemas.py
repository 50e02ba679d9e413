"""The wire: what goes over HTTP, and how it becomes `pipelines.results` and back.

Requests are pydantic models, strict, without unknown fields. Answers are built as plain dicts, since validating what we
made ourselves costs more than making it; the answer models here only describe them in /openapi.json.
"""

from abc import abstractmethod
from collections.abc import Mapping, Sequence
from typing import Annotated, Any, Final, Literal

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    StringConstraints,
    WithJsonSchema,
    model_validator,
)
from pydantic_core import PydanticCustomError

from pipelines.feedback import Feedback
from pipelines.results import NIL, Candidate, Decision, Options, Request, Result
from pipelines.terminology import Concept, Terminology

MAX_ITEMS: Final = 1024
MAX_INPUTS: Final = 2048
"""Texts of one embeddings request, as OpenAI has it."""

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


class Wire(BaseModel):
    """What a client sends: strict types, no unknown fields."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)

    @model_validator(mode="before")
    @classmethod
    def _few_fields(cls, value: object) -> object:
        # Each unknown field would become an error of its own.
        if isinstance(value, dict) and len(value) > _MAX_FIELDS:
            raise PydanticCustomError("too_many_fields", "Should have at most {most} fields", {"most": _MAX_FIELDS})
        return value


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


# -- what every pipeline takes and answers ---------------------------------------------------------


class PipelineRequest(Wire):
    """Options of every pipeline request."""

    terminology: str | None = Field(None, max_length=200, description="Default: the pipeline's own.")
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


# -- job titles ------------------------------------------------------------------------------------


class JobTitle(Wire):
    """A job title, with what else is known of the job."""

    title: str = Field(min_length=1, max_length=1000)
    skills: Annotated[list[Annotated[str, StringConstraints(max_length=200)]], BeforeValidator(Sized(most=50))] = Field(
        default_factory=list, max_length=50
    )
    description: str | None = Field(None, max_length=20_000)
    language: Language | None = Field(None, description="BCP 47; default: unknown.")


class JobTitlesRequest(PipelineRequest):
    """Job titles to be named by their occupation."""

    model_config = ConfigDict(
        json_schema_extra={
            "example": {
                "items": [
                    {"title": "Sr. Pastry Cook (m/f/d), Riverside", "skills": ["laminated dough"], "language": "en"},
                    {"title": "Leuchtturmwärter in Teilzeit", "language": "de"},
                ],
                "top_k": 3,
            }
        }
    )

    items: Annotated[list[JobTitle], BeforeValidator(Sized(most=MAX_ITEMS))] = Field(min_length=1, max_length=MAX_ITEMS)

    def requests(self) -> list[Request]:
        """One request per title."""
        options = self.options
        return [
            Request(
                item.title,
                language=item.language,
                skills=item.skills,
                description=item.description,
                options=options,
            )
            for item in self.items
        ]


class JobTitleResult(BaseModel):
    """What one title is known by."""

    decision: DecisionAnswer
    candidates: list[CandidateAnswer] = Field(description="Best first, at most top_k, also where NIL.")
    cleaned_title: str = Field(description="What was searched for.")
    seniority: str | None
    employment: list[str] = Field(description="Kinds of employment the title named: part-time, internship, …")
    removed: list[str] = Field(description="Why something was left out of cleaned_title, each reason once.")


class JobTitlesAnswer(PipelineAnswer):
    """One result per item, in order."""

    results: list[JobTitleResult]


def job_title_to_wire(result: Result) -> dict[str, Any]:
    """One result of /v1/job-titles/normalize."""
    if not result.mentions:
        nothing = Decision(NIL, None, 0.0, (), notes=("no text left after cleaning",))
        return _job_title(nothing, "", {})
    linked = result.mentions[0]
    return _job_title(linked.decision, linked.mention.query, linked.mention.facts)


def _job_title(decision: Decision, cleaned: str, facts: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "decision": decision_to_wire(decision),
        "candidates": [candidate_to_wire(candidate) for candidate in decision.candidates],
        "cleaned_title": cleaned,
        "seniority": facts.get("seniority"),
        "employment": list(facts.get("employment", ())),
        "removed": list(facts.get("removed", ())),
    }


# -- feedback --------------------------------------------------------------------------------------


class SaidText(Wire):
    """One word on one text: it is, or is not, known by this concept."""

    title: str | None = Field(None, min_length=1, max_length=1000, description="A job title; or `text`, not both.")
    text: str | None = Field(None, min_length=1, max_length=1000, description="What other pipelines were asked.")
    concept_id: str = Field(min_length=1, max_length=1000)
    verdict: Literal["accept", "reject"]
    language: Language | None = Field(None, description="BCP 47; default: unknown.")

    @model_validator(mode="after")
    def _one_text(self) -> "SaidText":
        if (self.title is None) == (self.text is None):
            raise PydanticCustomError("one_text", "Should have either title or text")
        return self

    @property
    def said(self) -> str:
        """The text as received."""
        return self.title if self.title is not None else self.text or ""

    @property
    def field(self) -> str:
        """Where it stands."""
        return "text" if self.title is None else "title"


class FeedbackRequest(Wire):
    """What users say of answers."""

    model_config = ConfigDict(
        json_schema_extra={
            "example": {
                "items": [{"title": "Crew member, fryer", "concept_id": "ISCO08:9411", "verdict": "accept"}],
            }
        }
    )

    items: Annotated[list[SaidText], BeforeValidator(Sized(most=MAX_ITEMS))] = Field(min_length=1, max_length=MAX_ITEMS)
    terminology: str | None = Field(None, max_length=200, description="Default: the pipeline's own.")


class ConflictAnswer(BaseModel):
    """An item whose text is accepted for more than one concept."""

    pointer: str = Field(description="JSON pointer to the item.")
    concept_ids: list[str] = Field(description="Every concept accepted for this text, the one that answers first.")
    answered: str | None = Field(description="Which of them answers: the majority's, then the latest.")


class FeedbackAnswer(BaseModel):
    """What became of what was said."""

    accepted: int = Field(description="Items kept, those known already included.")
    conflicts: list[ConflictAnswer]


class FeedbackItemAnswer(BaseModel):
    """One word on one text, as kept."""

    id: str
    text: str
    concept_id: str
    verdict: Literal["accept", "reject"]
    language: str | None
    created_at: float = Field(description="Seconds since 1970.")


class FeedbackPage(BaseModel):
    """A page of feedback, oldest first."""

    items: list[FeedbackItemAnswer]
    total: int
    next_page_token: str | None = Field(description="Opaque; null on the last page.")


def feedback_to_wire(item: Feedback) -> dict[str, Any]:
    """One word on one text."""
    return {
        "id": item.id,
        "text": item.text,
        "concept_id": item.concept_id,
        "verdict": item.verdict,
        "language": item.language,
        "created_at": item.created_at,
    }


# -- what is hosted ----------------------------------------------------------------------------------


class TerminologyAnswer(TerminologyRef):
    """A terminology and its size."""

    title: str
    concepts: int
    terms: int
    languages: list[str]


class TerminologiesAnswer(BaseModel):
    """Every terminology that some pipeline answers from."""

    terminologies: list[TerminologyAnswer]


class EncoderAnswer(BaseModel):
    """An encoder and where it runs."""

    name: str
    dimension: int
    device: str


class HostedAnswer(BaseModel):
    """One pipeline over its default terminology."""

    name: str
    verb: str
    description: str
    terminology: TerminologyAnswer
    encoder: EncoderAnswer
    hubness: str = Field(description="What hubness=auto means for this build.")
    generation: str
    ready: bool


class PipelinesAnswer(BaseModel):
    """Every pipeline hosted."""

    pipelines: list[HostedAnswer]


def terminology_to_wire(terminology: Terminology) -> dict[str, Any]:
    """A terminology and its size."""
    return {
        "name": terminology.name,
        "version": terminology.version,
        "title": terminology.title,
        "concepts": len(terminology),
        "terms": terminology.rows,
        "languages": terminology.languages,
    }


# -- concepts ----------------------------------------------------------------------------------------


class TermAnswer(BaseModel):
    """One surface string of a concept."""

    text: str
    language: str | None
    kind: Literal["preferred", "alternative", "hidden", "confirmed"]


class ConceptAnswer(BaseModel):
    """A concept with every term it has."""

    id: str
    name: str
    terms: list[TermAnswer]
    definition: str | None
    parents: list[str] = Field(description="Ids of broader concepts; some may be outside this terminology.")
    codes: dict[str, str]
    semantic_types: list[str]
    skills: list[str]
    abstract: bool = Field(description="A grouper: answers only where a request lets the decision back off.")


class ConceptsAnswer(BaseModel):
    """A page of concepts."""

    concepts: list[ConceptAnswer]
    total: int = Field(description="Concepts that match, on all pages.")
    next_page_token: str | None = Field(description="Opaque; null on the last page.")


def concept_to_wire(concept: Concept) -> dict[str, Any]:
    """CONTRACT.md's concept, empty fields included."""
    return {
        "id": concept.id,
        "name": concept.name,
        "terms": [{"text": t.text, "language": t.language, "kind": t.kind} for t in concept.terms],
        "definition": concept.definition,
        "parents": list(concept.parents),
        "codes": dict(concept.codes),
        "semantic_types": list(concept.semantic_types),
        "skills": list(concept.skills),
        "abstract": concept.abstract,
    }


# -- embeddings --------------------------------------------------------------------------------------


def _texts(value: object) -> object:
    """OpenAI's `input`: a text is a list of one; token ids are refused in words."""
    if isinstance(value, str):
        return [value]
    if isinstance(value, list) and value and isinstance(value[0], int | list):
        raise PydanticCustomError("tokens", "Token ids are not accepted; send text")
    return value


def _no_empty(texts: Sequence[str]) -> Sequence[str]:
    for i, text in enumerate(texts):
        if not text:
            raise PydanticCustomError("empty", "Text {i} is empty", {"i": i})
    return texts


class EmbeddingsRequest(Wire):
    """OpenAI's request, with `input_type` besides."""

    model_config = ConfigDict(
        json_schema_extra={"example": {"model": "minilm", "input": ["ferry pilot", "lamplighter"]}}
    )

    input: Annotated[
        list[Annotated[str, StringConstraints(max_length=32_768)]],
        AfterValidator(_no_empty),
        BeforeValidator(Sized(most=MAX_INPUTS)),
        BeforeValidator(_texts),
        WithJsonSchema(
            {
                "anyOf": [
                    {"type": "string", "minLength": 1, "maxLength": 32_768},
                    {
                        "type": "array",
                        "items": {"type": "string", "minLength": 1, "maxLength": 32_768},
                        "minItems": 1,
                        "maxItems": MAX_INPUTS,
                    },
                ]
            }
        ),
    ] = Field(min_length=1)
    model: str = Field(min_length=1, max_length=200, description="An encoder; GET /v1/models lists them.")
    encoding_format: Literal["float", "base64"] = Field("float", description="base64: float32, little-endian.")
    dimensions: int | None = Field(None, ge=1, description="Only the encoder's own width; it cannot be shortened.")
    input_type: Literal["query", "passage"] = Field(
        "query",
        description="Which of the encoder's prompts the text gets; encoders without prompts ignore it. `query` is what "
        "e5's authors advise where all texts are of one kind; embed documents to be searched with `passage`.",
    )
    user: str | None = Field(None, max_length=1000, description="Accepted as OpenAI does, ignored, never logged.")


class EmbeddingAnswer(BaseModel):
    """One vector."""

    object: Literal["embedding"]
    index: int
    embedding: list[float] | str


class UsageAnswer(BaseModel):
    """Tokens after truncation, special tokens included."""

    prompt_tokens: int
    total_tokens: int


class EmbeddingsAnswer(BaseModel):
    """Vectors in the order of the input."""

    object: Literal["list"]
    data: list[EmbeddingAnswer]
    model: str
    usage: UsageAnswer


class ModelAnswer(BaseModel):
    """An encoder, as OpenAI lists models."""

    id: str
    object: Literal["model"]
    created: int
    owned_by: str


class ModelsAnswer(BaseModel):
    """Every encoder prepared here."""

    object: Literal["list"]
    data: list[ModelAnswer]


# -- health ------------------------------------------------------------------------------------------


class HealthAnswer(BaseModel):
    """The process lives, or can serve."""

    status: Literal["ok", "ready"]
