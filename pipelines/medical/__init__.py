"""Mentions in clinical text, any language → the concept each is known by, or NIL. After xMEN (Borchert et al. 2023)."""

from pathlib import Path

from pipelines.medical.config import MedicalConfig
from pipelines.medical.pipeline import calibration, pipeline, row_text
from pipelines.medical.plain import searched
from pipelines.medical.reranking import changed_for
from pipelines.medical.starter import NAME, packaged, starter
from pipelines.spec import PipelineSpec

PIPELINE = PipelineSpec(
    name="medical",
    verb="link",
    description="Clinical text in any language → findings and diseases: HPO, MONDO, ICD-10-CM, MeSH or your own.",
    config=MedicalConfig,
    pipeline=pipeline,
    row_text=row_text,
    calibration=calibration,
    searched=searched,
    starter=starter,
    starter_name=NAME,
    packaged=packaged,
    adapters=Path(__file__).with_name("adapters"),
    reranks=changed_for,
)
