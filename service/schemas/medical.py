"""Medical linking over the wire."""

from collections.abc import Mapping
from typing import Annotated, Any, Final, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, StringConstraints, WithJsonSchema, field_validator
from pydantic_core import PydanticCustomError

from pipelines.results import LinkedMention, Options, Request, Result
from service.schemas import (
    MAX_ITEMS,
    MAX_NAME,
    CandidateAnswer,
    DecisionAnswer,
    Language,
    PipelineAnswer,
    PipelineOptions,
    Sized,
    TerminologyRef,
    Wire,
    candidate_to_wire,
    decision_to_wire,
)

MAX_TEXT: Final = 100_000
MAX_MENTIONS: Final = 10_000
MAX_TYPES: Final = 100

Output = Literal["json", "fhir", "bioc"]
MAX_TERMINOLOGIES: Final = 8
"""Asked together; each is searched for every mention. A guess."""

Name = Annotated[str, StringConstraints(min_length=1, max_length=MAX_NAME)]
Names = Annotated[
    list[Name], BeforeValidator(Sized(most=MAX_TERMINOLOGIES)), Field(min_length=1, max_length=MAX_TERMINOLOGIES)
]
SemanticType = Annotated[str, StringConstraints(min_length=1, max_length=1000)]


class Offsets(Wire):
    """Where a mention stands."""

    start: int = Field(ge=0, lt=MAX_TEXT, description="Code points of the text as received.")
    end: int = Field(ge=1, le=MAX_TEXT, description="Exclusive.")


class ClinicalText(Wire):
    """A text, with its mentions where they are known."""

    text: str = Field(min_length=1, max_length=MAX_TEXT)
    language: Language | None = Field(None, description="BCP 47; default: detected.")
    mentions: Annotated[list[Offsets], BeforeValidator(Sized(most=MAX_MENTIONS))] | None = Field(
        None, description="Exactly these are linked, in this order. Default: they are found."
    )


_NAME: Final = {"type": "string", "maxLength": MAX_NAME}
_ONE_OR_SEVERAL: Final = {
    "anyOf": [
        _NAME,
        {"type": "array", "items": {**_NAME, "minLength": 1}, "minItems": 1, "maxItems": MAX_TERMINOLOGIES},
        {"type": "null"},
    ]
}


def _listed(value: object) -> object:
    """One name as a list, so that a fault is told where it stands and not by which kind of value it was taken for."""
    if not isinstance(value, str):
        return value
    if len(value) > MAX_NAME:
        raise PydanticCustomError("too_long", "Should have at most {most} characters", {"most": MAX_NAME})
    return [value] if value else None


class MedicalRequest(PipelineOptions):
    """Texts whose mentions are to be linked."""

    model_config = ConfigDict(
        json_schema_extra={
            "example": {
                "items": [
                    {"text": "No fever. The child has had seizures since birth; her father has diabetes."},
                    {"text": "Starke Kopfschmerzen", "language": "de", "mentions": [{"start": 7, "end": 20}]},
                ],
                "top_k": 3,
            }
        }
    )

    items: Annotated[list[ClinicalText], BeforeValidator(Sized(most=MAX_ITEMS))] = Field(
        min_length=1, max_length=MAX_ITEMS
    )
    semantic_types: Annotated[list[SemanticType], BeforeValidator(Sized(most=MAX_TYPES))] = Field(
        default_factory=list, description="Only concepts of these types may answer; empty: any."
    )
    terminology: Annotated[Names | None, BeforeValidator(_listed), WithJsonSchema(_ONE_OR_SEVERAL)] = Field(
        None, description="One, or several that are asked together. Default: the pipeline's own."
    )
    output: Output = Field("json", description="fhir: FHIR R4 Parameters in place of all this; bioc: BioC-JSON.")

    @property
    def terminologies(self) -> list[str | None]:
        """What is asked, each once; None is the pipeline's own."""
        return [None] if self.terminology is None else list(dict.fromkeys(self.terminology))

    def requests(self) -> list[Request]:
        """One request per text."""
        options = Options(
            top_k=self.top_k,
            min_confidence=self.min_confidence,
            semantic_types=frozenset(self.semantic_types),
            backoff=self.backoff,
        )
        return [
            Request(
                item.text,
                language=item.language,
                mentions=None if item.mentions is None else tuple((m.start, m.end) for m in item.mentions),
                options=options,
            )
            for item in self.items
        ]


class MedicalLines(MedicalRequest):
    """What a `run` job takes: every line is answered as JSON, by one terminology."""

    output: Literal["json"] = "json"

    @field_validator("terminology")
    @classmethod
    def _one(cls, names: list[str] | None) -> list[str] | None:
        if names is not None and len(names) > 1:
            raise PydanticCustomError("too_long", "Lines are answered by one terminology")
        return names


class MedicalCandidate(CandidateAnswer):
    """A concept offered, and by which terminology."""

    terminology: str = Field(description="Of several, that of the surest of its names; `codes` has the others'.")


class MedicalDecision(DecisionAnswer):
    """The concept chosen, and by which terminology."""

    terminology: str | None = Field(description="null where NIL.")


class TerminologyAsked(TerminologyRef):
    """One of those that answered."""

    encoder: str
    generation: str


class MentionAnswer(BaseModel):
    """A mention, what the text says about it, and what it is known by."""

    start: int = Field(description="Code points of the text as received.")
    end: int = Field(description="Exclusive.")
    text: str
    negated: bool
    experiencer: Literal["patient", "family"]
    hypothetical: bool
    decision: MedicalDecision
    candidates: list[MedicalCandidate] = Field(description="Best first, at most top_k, also where NIL.")


class MedicalResult(BaseModel):
    """The mentions of one text."""

    language: str | None = Field(description="As given or detected; null where it cannot be told.")
    mentions: list[MentionAnswer]


class MedicalAnswer(PipelineAnswer):
    """One result per item, in order."""

    results: list[MedicalResult]
    terminologies: list[TerminologyAsked] = Field(
        description="All that were asked, in order; `terminology`, `encoder` and `generation` are those of the first."
    )


def medical_to_wire(result: Result) -> dict[str, Any]:
    """One result of /v1/medical/link."""
    return {"language": result.language, "mentions": [_mention(linked) for linked in result.mentions]}


def _mention(linked: LinkedMention) -> dict[str, Any]:
    mention = linked.mention
    return {
        "start": mention.start,
        "end": mention.end,
        "text": mention.text,
        **said_of(mention.facts),
        "decision": {**decision_to_wire(linked.decision), "terminology": linked.decision.source},
        "candidates": [
            {**candidate_to_wire(candidate), "terminology": candidate.terminology}
            for candidate in linked.decision.candidates
        ],
    }


def said_of(facts: Mapping[str, Any]) -> dict[str, Any]:
    """What a text says about a mention."""
    return {
        "negated": bool(facts.get("negated", False)),
        "experiencer": str(facts.get("experiencer", "patient")),
        "hypothetical": bool(facts.get("hypothetical", False)),
    }
