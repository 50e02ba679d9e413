"""What the service answers with, as types of plain dictionaries. Answers may hold more than is named here."""

from dataclasses import dataclass
from typing import Any, Literal, NotRequired, TypedDict


class TerminologyRef(TypedDict):
    """Which terminology answered."""

    name: str
    version: str


class Terminology(TerminologyRef):
    """A terminology and its size."""

    title: str
    concepts: int
    terms: int
    languages: list[str]


class Encoder(TypedDict):
    """An encoder and where it runs."""

    name: str
    dimension: int
    device: str


class Pipeline(TypedDict):
    """One hosted pipeline over its default terminology."""

    name: str
    verb: str
    description: str
    terminology: Terminology
    encoder: Encoder
    hubness: str
    generation: str
    ready: bool


class Candidate(TypedDict):
    """A concept offered."""

    concept_id: str
    name: str
    term: str
    term_language: str | None
    score: float
    confidence: float
    scores: dict[str, float]
    codes: dict[str, str]
    semantic_types: list[str]
    explanation: str


class Decision(TypedDict):
    """The concept chosen, or NIL."""

    nil: bool
    concept_id: str | None
    name: str | None
    confidence: float
    notes: list[str]


class JobTitleResult(TypedDict):
    """What one title is known by."""

    decision: Decision
    candidates: list[Candidate]
    cleaned_title: str
    seniority: str | None
    employment: list[str]
    removed: list[str]


class MedicalCandidate(Candidate):
    """A concept offered, and by which terminology."""

    terminology: str


class MedicalDecision(Decision):
    """The concept chosen, or NIL, and by which terminology."""

    terminology: str | None


class Mention(TypedDict):
    """A mention in a text, and what it is known by. Offsets count code points, as Python's do."""

    start: int
    end: int
    text: str
    negated: bool
    experiencer: Literal["patient", "family"]
    hypothetical: bool
    decision: MedicalDecision
    candidates: list[MedicalCandidate]


class MedicalResult(TypedDict):
    """The mentions of one text."""

    language: str | None
    mentions: list[Mention]


class Document(TypedDict):
    """A datasheet."""

    id: str
    pages: int
    title: str
    candidates_parts: list[str]


class Condition(TypedDict):
    """A test condition."""

    symbol: str | None
    value: float | None
    unit: str | None
    text: str


class Si(TypedDict):
    """Numbers in SI."""

    unit: str | None
    min: float | None
    typ: float | None
    max: float | None


class Parameter(TypedDict):
    """One printed row of a datasheet."""

    name: str
    symbol: str | None
    raw_name: str
    variant: str | None
    conditions: list[Condition]
    min: float | None
    typ: float | None
    max: float | None
    unit: str | None
    si: Si
    page: int
    bbox: list[float]
    quote: str
    section: str
    confidence: float
    decision: Decision


class Focus(TypedDict):
    """What it cost to look."""

    pages_total: int
    pages_read: int
    rows_seen: int
    rows_returned: int


class Extraction(TypedDict):
    """What a datasheet says of one part."""

    document: Document
    part: str | None
    manufacturer: str | None
    device_type: str | None
    parameters: list[Parameter]
    focus: Focus
    notes: list[str]


class SpiceModel(TypedDict):
    """A SPICE card, where its numbers are from and how far they are off."""

    card: str
    device_type: str
    model_parameters: list[dict[str, Any]]
    checks: list[dict[str, Any]]
    simulator: str | None


class Hit(TypedDict):
    """A document found."""

    id: str
    score: float
    raw_score: float
    text: str | None
    metadata: dict[str, Any]
    vector: NotRequired[list[float]]


class SearchResult(TypedDict):
    """The answer to one query."""

    hits: list[Hit]


class Collection(TypedDict):
    """A collection that can be searched."""

    name: str
    items: int
    dimension: int
    metric: str
    hubness: dict[str, Any]


class Ranked(TypedDict):
    """A document with its relevance to the query."""

    index: int
    relevance_score: float


class Term(TypedDict):
    """One surface string of a concept."""

    text: str
    language: str | None
    kind: str


class Concept(TypedDict):
    """A concept with every term it has."""

    id: str
    name: str
    terms: list[Term]
    definition: str | None
    parents: list[str]
    codes: dict[str, str]
    semantic_types: list[str]


class FeedbackAnswer(TypedDict):
    """What became of what was said."""

    accepted: int
    conflicts: list[dict[str, Any]]


class File(TypedDict):
    """What is known of a file."""

    id: str
    filename: str
    bytes: int
    sha256: str
    purpose: str
    created_at: float


class Progress(TypedDict):
    """How far a job is."""

    done: int
    total: int | None
    unit: str | None
    per_second: float | None
    eta_s: float | None


class Job(TypedDict):
    """A job as it stands."""

    id: str
    kind: str
    status: Literal["queued", "running", "succeeded", "failed", "cancelled"]
    progress: Progress
    created_at: float
    started_at: float | None
    finished_at: float | None
    output_file_id: str | None
    counts: dict[str, int]
    error: dict[str, Any] | None


@dataclass(frozen=True, slots=True)
class PagePicture:
    """A page of a PDF as a picture; width and height are its size in points, as `bbox` counts."""

    png: bytes
    width: float
    height: float


class Model(TypedDict):
    """An encoder or re-ranker."""

    id: str
    object: str
    created: int
    owned_by: str
    kind: Literal["encoder", "reranker"]


class FeedbackGiven(TypedDict):
    """Something that was said before."""

    id: str
    text: str
    concept_id: str
    verdict: Literal["accept", "reject"]
    language: str | None
    created_at: float


class OwnKey(TypedDict):
    """What the caller may do."""

    required: bool
    id: str
    name: str
    scopes: list[str]
    prefixes: list[str]
    rate: str | None


class Key(TypedDict):
    """A key, without its secret."""

    id: str
    name: str
    scopes: list[str]
    prefixes: list[str]
    rate: str | None
    created_at: float
    last_used_at: float | None


class NewKey(Key):
    """A key with its secret, which is shown this once."""

    key: str


class Generation(TypedDict):
    """One generation that is kept."""

    generation: str
    answers: bool
    created_at: str
    bytes: int


class Artifact(TypedDict):
    """Something built, with the generations that are kept, newest first."""

    artifact: str
    kind: str
    generations: list[Generation]


class RolledBack(TypedDict):
    """What answers now, and what did."""

    artifact: str
    generation: str
    was: str
