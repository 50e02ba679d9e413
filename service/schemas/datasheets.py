"""Datasheets over the wire: the form that brings one, and what is found in it."""

from typing import Any, Literal

from pydantic import BaseModel, Field

from pipelines.datasheets.extraction import Extracted, Extraction
from pipelines.datasheets.parameter import ParameterRow
from service.schemas import (
    CandidateAnswer,
    DecisionAnswer,
    Hubness,
    PipelineAnswer,
    Wire,
    candidate_to_wire,
    decision_to_wire,
)

DeviceType = Literal["diode", "schottky", "zener", "rectifier", "led", "bjt", "mosfet", "jfet", "op_amp", "regulator",
                     "optocoupler"]  # fmt: skip


class ExtractForm(Wire):
    """The fields beside the file, as they are understood."""

    part: str | None = Field(None, min_length=1, max_length=64, description="Which part, where there are several.")
    device_type: DeviceType | None = Field(None, description="Overrides what is guessed.")
    parameters: list[str] = Field(
        default_factory=list, max_length=400, description="Only these canonical names; repeatable."
    )
    ocr: bool = Field(False, description="Read pages that are pictures: about a minute a page.")
    variants: Literal["part", "all"] = Field("part", description="all: rows of every part; then none need be chosen.")
    assist: bool = Field(True, description="Ask the language model, where the operator has set one up.")
    terminology: str | None = Field(None, max_length=200, description="Default: the pipeline's own.")
    top_k: int | None = Field(None, ge=1, le=100, description="List so many candidates with each parameter.")
    hubness: Hubness = Field("auto", description="As for every pipeline.")
    min_confidence: float | None = Field(None, ge=0, le=1, description="Rows named less surely are left out.")


class FiledSheet(ExtractForm):
    """A line of a `run` over datasheets: an uploaded PDF, and fields that count more than the job's options."""

    file_id: str = Field(min_length=1, max_length=100)


class NamedSheet(ExtractForm):
    """A line that names a PDF of a zip, or at the command line one on the disk."""

    file: str = Field(min_length=1, max_length=4096)


class DocumentAnswer(BaseModel):
    """The document."""

    id: str = Field(description="sha256 of the file; /v1/datasheets/spice takes it while it is kept.")
    pages: int
    title: str
    candidates_parts: list[str] = Field(description="The parts it is about, most attention first.")


class ConditionAnswer(BaseModel):
    """One test condition."""

    symbol: str | None
    value: float | None
    unit: str | None
    text: str = Field(description="As printed.")


class SiAnswer(BaseModel):
    """Numbers in SI; null where the unit is unknown: never a guess."""

    unit: str | None
    min: float | None
    typ: float | None
    max: float | None


class ParameterAnswer(BaseModel):
    """One printed row."""

    name: str = Field(description="Canonical.")
    symbol: str | None = Field(description="As printed.")
    raw_name: str
    variant: str | None
    conditions: list[ConditionAnswer]
    min: float | None
    typ: float | None
    max: float | None
    unit: str | None = Field(description="As printed.")
    si: SiAnswer
    page: int
    bbox: list[float] = Field(description="x0, y0, x1, y1 in points from the top left.")
    quote: str = Field(description="A piece of the page's text that holds the numbers.")
    section: str
    section_title: str
    confidence: float = Field(ge=0, le=1, description="Probability that the canonical name is right.")
    decision: DecisionAnswer
    candidates: list[CandidateAnswer] | None = Field(None, description="Where `top_k` asks for them.")
    notes: list[str]


class FocusAnswer(BaseModel):
    """What it cost to look."""

    pages_total: int
    pages_read: int
    rows_seen: int
    rows_returned: int
    stages: dict[str, str] = Field(description="Parameter asked for → primary, supplementary, widened or missed.")
    tokens: "TokensAnswer" = Field(description="Of a language model; zeros where none is asked.")


class TokensAnswer(BaseModel):
    """What a language model was asked, and what it cost."""

    requests: int
    prompt: int
    completion: int
    rejected: int = Field(description="Answers, or parts of them, that were not accepted.")


class ExtractAnswer(PipelineAnswer):
    """What a document says of one part."""

    document: DocumentAnswer
    part: str | None
    manufacturer: str | None
    device_type: str | None
    polarity: str | None = Field(description="npn, pnp, n or p.")
    parameters: list[ParameterAnswer]
    focus: FocusAnswer
    notes: list[str]


def extraction_to_wire(extraction: Extraction, *, top_k: int | None) -> dict[str, Any]:
    """CONTRACT.md's answer, without what produced it."""
    looked = extraction.looked
    return {
        "document": {
            "id": extraction.document.id,
            "pages": extraction.document.pages_total,
            "title": extraction.focus.title,
            "candidates_parts": extraction.focus.names,
        },
        "part": extraction.part,
        "manufacturer": extraction.focus.manufacturer,
        "device_type": extraction.device_type,
        "polarity": extraction.polarity,
        "parameters": [parameter_to_wire(found, top_k=top_k) for found in extraction.parameters],
        "focus": {
            "pages_total": looked.pages_total,
            "pages_read": looked.pages_read,
            "rows_seen": looked.rows_seen,
            "rows_returned": looked.rows_returned,
            "stages": dict(looked.stages),
            "tokens": {
                "requests": looked.usage.requests,
                "prompt": looked.usage.prompt,
                "completion": looked.usage.completion,
                "rejected": looked.usage.rejected,
            },
        },
        "notes": list(extraction.notes),
    }


def parameter_to_wire(found: Extracted, *, top_k: int | None) -> dict[str, Any]:
    """One printed row and the parameter it is."""
    wire = {**row_to_wire(found.row), "name": found.name, "confidence": found.decision.confidence}
    wire["decision"] = decision_to_wire(found.decision)
    if top_k is not None:
        wire["candidates"] = [candidate_to_wire(c) for c in found.decision.candidates[:top_k]]
    return wire


def row_to_wire(row: ParameterRow) -> dict[str, Any]:
    """A row without its name."""
    return {
        "symbol": row.symbol,
        "raw_name": row.raw_name,
        "variant": row.variant,
        "conditions": [{"symbol": c.symbol, "value": c.value, "unit": c.unit, "text": c.text} for c in row.conditions],
        **{slot: getattr(row, slot) for slot in ("min", "typ", "max")},
        "unit": row.unit,
        "si": row.si,
        "page": row.page,
        "bbox": [round(x, 2) for x in row.box],
        "quote": row.quote,
        "section": row.section,
        "section_title": row.section_title,
        "notes": list(row.notes),
    }
