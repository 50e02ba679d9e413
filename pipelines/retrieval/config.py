"""Options of retrieval: of a collection, and of the pipeline over a terminology."""

from pydantic import BaseModel, ConfigDict, Field

from pipelines.config import FusionConfig, PipelineConfig

DEFAULT_ENCODER = "e5-small"
METHOD = "^(auto|none|centre|is|dis|dual_is|dual_dis|csls|nnn)$"


class RetrievalConfig(PipelineConfig):
    """Any text to the concept one of whose terms it is nearest to, with no domain's cleaning."""

    encoder: str = Field(
        DEFAULT_ENCODER, description="About 100 languages; what corrections were measured with (quality/hubness.py)."
    )
    symmetric: bool = Field(True, description="Terms are as short as queries (e5's authors; quality/hubness.py).")
    fusion: FusionConfig = Field(
        default_factory=lambda: FusionConfig(default=0.0, foreign=0.0, unknown=0.0),
        description="Dense alone, as in DBNorm's experiments; lexical search is an option.",
    )
    length_penalty: float = Field(0.0, ge=0, le=1, description="A concept is as near as its terms' vote, unpenalized.")


class CollectionConfig(BaseModel):
    """How a collection is built; every default is a choice of what to start with, and says why."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    encoder: str | None = Field(
        None,
        max_length=200,
        description=f"Encodes texts; {DEFAULT_ENCODER} by default. Where documents bring vectors: what encodes text "
        "queries, if anything does.",
    )
    metric: str = Field(
        "cosine",
        pattern="^(cosine|inner_product)$",
        description="cosine scales vectors to unit length, as most encoders are trained for.",
    )
    symmetric: bool = Field(
        False, description="Documents are encoded as queries are: where they are as short as queries (e5's authors)."
    )
    engine: str = Field(
        "faiss",
        pattern="^(faiss|pgvector|milvus)$",
        description="Where vectors are kept: files in this process, or a server (COGNOMEN_PGVECTOR_URL, _MILVUS_URL).",
    )
    index: str = Field(
        "auto",
        pattern="^(auto|exact|codes|hnsw|ivf|ivf_sq8)$",
        description="auto: exact up to 12,000 documents, codes up to 300,000, then inverted lists (guess); ivf_sq8 "
        "keeps a byte a dimension.",
    )
    recall: float = Field(
        0.99, gt=0, le=1, description="Share of the exact neighbours that an index is tuned to find (guess)."
    )
    fields: list[str] | None = Field(
        None, max_length=64, description="Metadata one may filter by; by default every field with values of one kind."
    )
    lexical: float | None = Field(
        None,
        ge=0,
        le=1,
        description="Weight of lexical similarity for text queries that name none; null builds no lexical index.",
    )
    hubness: str = Field(
        "auto",
        pattern=METHOD,
        description="What hubness=auto means: auto lets development queries decide (FINDINGS: corrections can harm).",
    )
    methods: list[str] | None = Field(
        None,
        max_length=7,
        description="Corrections to fit; by default all that the banks allow. centre doubles the size.",
    )
    beta: float | None = Field(None, gt=0, description="β over the query bank; 1/σ by default (quality/hubness.py).")
