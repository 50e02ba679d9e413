"""Any job title → the occupation it is known by, or NIL. After VacancySBERT (Bocharova et al. 2023)."""

from pathlib import Path

from pipelines.job_titles.config import JobTitlesConfig
from pipelines.job_titles.pipeline import calibration, pipeline, row_text
from pipelines.job_titles.starter import NAME, starter
from pipelines.spec import PipelineSpec

PIPELINE = PipelineSpec(
    name="job_titles",
    verb="normalize",
    description="Raw job title (with skills or a description) → occupation: ESCO, O*NET, ISCO-08 or your own.",
    config=JobTitlesConfig,
    pipeline=pipeline,
    row_text=row_text,
    calibration=calibration,
    starter=starter,
    starter_name=NAME,
    adapters=Path(__file__).with_name("adapters"),
)
