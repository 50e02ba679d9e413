"""What a caller asks with, as types of plain dictionaries."""

from typing import Any, Literal, TypedDict

Hubness = Literal["auto", "none", "centre", "is", "dis", "dual_is", "dual_dis", "csls", "nnn"]
Purpose = Literal["terminology", "documents", "queries", "batch"]


class CommonOptions(TypedDict, total=False):
    """What every pipeline's request may carry, save what answers it.

    Attributes:
        top_k: candidates listed, 1..100.
        hubness: default: what the build measured to help.
        min_confidence: below it the decision is NIL; default: as calibrated.
        backoff: a broader concept may answer where no specific one is sure enough.
    """

    top_k: int
    hubness: Hubness
    min_confidence: float
    backoff: bool


class Options(CommonOptions, total=False):
    """Those of a pipeline that one terminology answers; default: the pipeline's own."""

    terminology: str


class MedicalOptions(CommonOptions, total=False):
    """Those of medical linking besides; several terminologies are asked together."""

    terminology: str | list[str]
    semantic_types: list[str]


class SearchOptions(TypedDict, total=False):
    """What a search may carry."""

    top_k: int
    hubness: Hubness
    filter: dict[str, Any]
    include_vectors: bool


class JobTitle(TypedDict, total=False):
    """A job title with what else is known of it; only `title` is needed."""

    title: str
    skills: list[str]
    description: str
    language: str


class Offsets(TypedDict):
    """Where a mention stands, in code points."""

    start: int
    end: int


class ClinicalText(TypedDict, total=False):
    """A text with what is known of it; only `text` is needed."""

    text: str
    language: str
    mentions: list[Offsets]


class Feedback(TypedDict, total=False):
    """One word on one text: `title` or `text`, the concept, the verdict."""

    title: str
    text: str
    concept_id: str
    verdict: Literal["accept", "reject"]
    language: str


class ExtractOptions(TypedDict, total=False):
    """What goes with a datasheet."""

    part: str
    device_type: str
    parameters: list[str]
    ocr: bool
