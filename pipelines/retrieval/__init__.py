"""Any text (or vector) → what it is nearest to, hubs corrected. After DBNorm (Wang et al. 2023)."""

from pipelines.retrieval.config import RetrievalConfig
from pipelines.retrieval.pipeline import calibration, pipeline, row_text
from pipelines.spec import PipelineSpec

PIPELINE = PipelineSpec(
    name="retrieval",
    verb="search",
    description="Any text → the term it is nearest to, in any terminology, hubs corrected; collections hold documents.",
    config=RetrievalConfig,
    pipeline=pipeline,
    row_text=row_text,
    calibration=calibration,
)
