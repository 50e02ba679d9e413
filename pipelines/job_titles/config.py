"""Options of job titles. "dev" at a default: chosen on the development sets of benchmarks/quality/job_titles.py."""

from typing import Self

from pydantic import Field, model_validator

from pipelines.config import BlockConfig, FusionConfig, NgramOptions, PipelineConfig

ENCODERS = ("use-titles", "minilm-titles", "e5-small-titles")
"""USE, MiniLM and e5, trained where training gained (docs/training.md)."""
_USE_AND_E5 = ("ar", "de", "es", "fr", "it", "ja", "ko", "nl", "pl", "pt", "ru", "th", "tr", "zh")
"""What USE was trained on besides English; measured for de, es, fr, it, nl, pl and pt."""
UNTRAINED = BlockConfig(
    default=[0.0, 0.0, 1.0],
    unknown=[0.4, 0.0, 0.6],
    by_language={"en": [0.25, 0.75, 0.0]} | {tag: [0.5, 0.0, 0.5] for tag in _USE_AND_E5},
)
"""Weights for the same encoders before training (dev): what training is measured against."""


class JobTitlesConfig(PipelineConfig):
    """What every pipeline has, and how much skills and a description weigh."""

    encoder: str = Field(
        "+".join(ENCODERS),
        description="USE with MiniLM for English, with e5 for USE's languages, e5 for others (dev: pairs beat each).",
    )
    blocks: BlockConfig = Field(
        default_factory=lambda: BlockConfig(
            default=[0.0, 0.0, 1.0],
            unknown=[0.4, 0.0, 0.6],
            by_language={"en": [0.5, 0.5, 0.0]} | {tag: [0.5, 0.0, 0.5] for tag in _USE_AND_E5},
        ),
        description="Weights of USE, MiniLM, e5 (dev, of a grid of quarters).",
    )
    centred: list[str] = Field(["e5-small-titles"], description="Each build's own mean is taken out of e5 (dev).")
    symmetric: bool = Field(True, description="Terms are titles too: 'query: ' on both sides beats 'passage: ' (dev).")
    ngrams: NgramOptions = Field(
        default_factory=lambda: NgramOptions(shortest=3, longest=3, sublinear=False, binary=True, strip_accents=True),
        description="Trigrams inside words, present or absent (dev; 2-4 is as good and twice the work).",
    )
    fusion: FusionConfig = Field(
        default_factory=lambda: FusionConfig(default=0.17, foreign=0.0, unknown=0.09),
        description="A fifth of dense where the terms speak the query's language, nothing where they do not (dev).",
    )
    temperature: float = Field(20.0, gt=0, description="Kernel vote T (dev: 20 of 10, 20, 40).")
    length_penalty: float = Field(0.25, ge=0, le=1, description="Kernel vote p (dev: .25 of 0, .25, .5, 1).")
    skills_weight: float = Field(
        0.6, ge=0, le=2, description="Weight of the skills' vector beside the title's (quality/skills.py, dev)."
    )
    description_weight: float = Field(
        0.3, ge=0, le=2, description="Weight of the description's vector beside the title's (quality/skills.py, dev)."
    )
    agreement_from: float = Field(
        0.15,
        ge=-1,
        le=1,
        description="Cosine of title and context from which on context counts (quality/skills.py, dev).",
    )
    agreement_full: float = Field(
        0.3, ge=-1, le=2, description="Cosine at which it counts in full; must be above the former (dev)."
    )

    @model_validator(mode="after")
    def _agreement_rises(self) -> Self:
        if self.agreement_full <= self.agreement_from:
            raise ValueError(f"agreement_full {self.agreement_full} must be above agreement_from {self.agreement_from}")
        return self
