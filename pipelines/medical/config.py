"""Options of medical linking. "dev" at a default: chosen on the development sets of benchmarks/quality/medical.py."""

from typing import Any

from pydantic import Field

from pipelines.config import FusionConfig, NgramOptions, PipelineConfig


class MedicalConfig(PipelineConfig):
    """What every pipeline has, and how mentions are found."""

    encoder: str = Field(
        "e5-small-medical", description="multilingual-e5-small (100 languages), taught names of findings and diseases."
    )
    centred: list[str] = Field(
        default_factory=lambda given: _parts(given), description="By default all: e5's cosines lie between .75 and 1."
    )
    aligned: list[str] = Field(
        default_factory=lambda given: _parts(given),
        description="A linear map is fitted on the terminology's own synonyms and kept if it wins. By default all.",
    )
    symmetric: bool = Field(True, description="Mentions and terms are alike: 'query: ' on both sides.")
    ngrams: NgramOptions = Field(default_factory=NgramOptions, description="2-4 inside words.")
    fusion: FusionConfig = Field(
        default_factory=lambda: FusionConfig(default=0.1, foreign=0.05, unknown=0.1), description="dev."
    )
    rows: int = Field(128, ge=1, le=10_000, description="Index rows retrieved per mention.")
    candidates: int = Field(64, ge=1, le=1000, description="Concepts kept for decide: R@64 is what a re-ranker gets.")
    temperature: float = Field(20.0, gt=0, description="Kernel vote T (dev).")
    length_penalty: float = Field(0.0, ge=0, le=1, description="Kernel vote p: concepts differ in languages (dev).")
    alike: float = Field(0.7, ge=0, le=1, description="Cosine of words from which a span is a guess (dev).")
    guesses: int = Field(
        3, ge=0, le=1000, description="Spans per 1,000 characters that are no term, yet tried by linking (dev)."
    )
    foreign_guesses: int = Field(
        40, ge=0, le=1000, description="The same for texts in a language that the terminology has not (guess)."
    )
    chunks: bool = Field(
        False,
        description="Noun chunks by a spaCy pipeline (extra chunks) are tried too. Off: they lose (dev).",
    )
    sure: float = Field(0.85, ge=0, le=1, description="Confidence from which a guess is answered (dev).")
    foreign_sure: float = Field(
        0.5,
        ge=0,
        le=1,
        description="The same in a language that names less than half of the concepts: surer than not (our own notes).",
    )


def _parts(given: dict[str, Any]) -> list[str]:
    """The encoders that are joined, but for hashed n-grams, which have no mean worth taking out."""
    return [name for name in str(given.get("encoder", "")).split("+") if name not in {"", "hashing"}]
