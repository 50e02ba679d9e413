"""What is hosted, over the wire: pipelines, terminologies, concepts, health."""

from typing import Any, Literal

from pydantic import (
    BaseModel,
    Field,
)

from pipelines.terminology import Concept, Terminology
from service.schemas import TerminologyRef


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
    hubness_methods: list[str] = Field(description="What a request may ask for.")
    hubness_reason: str = Field(description="Why auto is what it is.")
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
    replaces: list[str] = Field(description="Obsolete ids that this concept answers for.")


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
        "replaces": list(concept.replaces),
    }


class HealthAnswer(BaseModel):
    """The process lives, or can serve."""

    status: Literal["ok", "ready", "degraded"]
    builds_failed: int | None = Field(None, description="Where degraded: builds that could not be opened.")
