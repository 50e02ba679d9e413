"""Options of job titles. Where a default says "dev", benchmarks/quality/fit_fusion.py fitted it on development sets."""

from pydantic import Field

from pipelines.config import FusionConfig, PipelineConfig

# PENDING RESEARCH


class JobTitlesConfig(PipelineConfig):
    """What every pipeline has, and how much skills and a description weigh."""

    encoder: str = Field("use-multilingual", description="Winner on the development sets (quality benchmark).")
    fusion: FusionConfig = Field(default_factory=FusionConfig, description="Fitted on dev.")
    skills_weight: float = Field(
        0.2, ge=0, le=1, description="Weight of the skills' vector beside the title's (guess; issue B learns it)."
    )
    description_weight: float = Field(
        0.1, ge=0, le=1, description="Weight of the description's vector beside the title's (guess)."
    )
