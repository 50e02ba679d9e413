"""Datasheet → its parameters, each with value, unit, condition and page. After D2S-FLOW (Chen et al. 2025)."""

from pipelines.datasheets.config import DatasheetsConfig
from pipelines.datasheets.parameters import NAME, starter
from pipelines.datasheets.pipeline import calibration, pipeline, row_text
from pipelines.spec import PipelineSpec

PIPELINE = PipelineSpec(
    name="datasheets",
    verb="extract",
    description="Datasheet (PDF) → parameters with unit, condition, page and quote; SPICE cards checked by simulation.",
    config=DatasheetsConfig,
    pipeline=pipeline,
    row_text=row_text,
    calibration=calibration,
    starter=starter,
    starter_name=NAME,
)
