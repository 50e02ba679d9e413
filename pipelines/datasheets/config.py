"""Options of datasheets. "sheets" at a default: measured by benchmarks/quality/datasheets.py."""

from pydantic import Field

from pipelines.config import FusionConfig, PipelineConfig


class DatasheetsConfig(PipelineConfig):
    """What every pipeline has, and how a printed row is weighed."""

    encoder: str = Field("hashing", description="Needs no files; names of parameters share words (sheets).")
    symmetric: bool = Field(True, description="Names and terms are of one kind.")
    rows: int = Field(600, ge=1, le=10_000, description="A seventh of the terms: every likely concept (guess).")
    fusion: FusionConfig = Field(
        default_factory=lambda: FusionConfig(default=0.7, foreign=0.7, unknown=0.7),
        description="Spelling before the hashing encoder (guess).",
    )
    symbol_weight: float = Field(0.5, ge=0, le=1, description="The symbol's share where a row has both (guess).")
    device_penalty: float = Field(0.3, ge=0, le=1, description="For a parameter of another kind of device (guess).")
    section_bonus: float = Field(0.06, ge=0, le=1, description="For the section it is usually printed in (guess).")
    known: float = Field(0.9, ge=0, le=2, description="From here on a row is never NIL: it is a known name (guess).")
    least: float = Field(0.45, ge=0, le=1, description="Below it gates but the unit's are lifted, then NIL (guess).")
