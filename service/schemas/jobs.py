"""Jobs over the wire."""

from typing import Annotated, Any, Final, Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator
from pydantic_core import PydanticCustomError

from service.schemas import Hubness, Language, Wire, exactly_one

FORMATS: Final = ("jsonl", "csv", "obo", "esco", "onet", "xmen", "parquet")
NAME: Final = "^[a-z0-9][a-z0-9._-]{0,99}$"

FileId = Annotated[str, Field(min_length=1, max_length=100)]
PipelineName = Annotated[str, Field(min_length=1, max_length=100)]
TerminologyName = Annotated[str, Field(min_length=1, max_length=200)]


class HubnessBuild(Wire):
    """Which correction a build is to be fitted with, and on what."""

    method: Hubness = Field("auto", description="What hubness=auto is to mean; auto: what is measured to help.")
    queries_file_id: FileId | None = Field(None, description="The query bank: what is asked (purpose queries).")
    gallery_file_id: FileId | None = Field(None, description="Of a collection: the gallery bank.")
    gallery: Literal["items"] | None = Field(None, description="Of a collection: the gallery bank is its documents.")
    development_file_id: FileId | None = Field(
        None, description="Of a collection: queries with `relevant` ids; they decide what auto is."
    )
    beta: float | None = Field(None, gt=0, description="Default: 1/σ of the queries' scores.")


class IndexJob(Wire):
    """Build a new generation from a file and switch to it; the old one answers until then."""

    model_config = ConfigDict(
        json_schema_extra={
            **exactly_one("terminology", "collection"),
            "example": {
                "kind": "index",
                "terminology": "trades",
                "format": "jsonl",
                "input_file_id": "file-20261124T114512123456-9f3a1c2b",
            },
        }
    )

    kind: Literal["index"]
    terminology: str | None = Field(None, pattern=NAME, description="What it is called; or `collection`, not both.")
    collection: str | None = Field(None, pattern=NAME)
    format: Literal["jsonl", "csv", "obo", "esco", "onet", "xmen", "parquet"]
    input_file_id: FileId
    encoder: str | None = Field(None, max_length=300, description="Default: the pipeline's own.")
    hubness: HubnessBuild | None = None
    pipeline: PipelineName | None = Field(
        None, description="Default: those that answer from it already, else job-titles."
    )
    version: str | None = Field(None, min_length=1, max_length=100, description="Default: what the source says.")
    languages: list[Language] | None = Field(None, max_length=100, description="Only these languages' terms.")
    options: dict[str, Any] = Field(
        default_factory=dict, max_length=32, description="Of a collection: metric, fields, lexical, index, engine, …"
    )

    @model_validator(mode="after")
    def _one_target(self) -> "IndexJob":
        if (self.terminology is None) == (self.collection is None):
            raise PydanticCustomError("one_target", "Should have either terminology or collection")
        return self


class RunJob(Wire):
    """Run a pipeline over a file: one JSON line in, one JSON line out, in order."""

    model_config = ConfigDict(
        json_schema_extra={
            "example": {
                "kind": "run",
                "pipeline": "job-titles",
                "input_file_id": "file-20261124T114512123456-9f3a1c2b",
                "options": {"top_k": 1},
            }
        }
    )

    kind: Literal["run"]
    pipeline: PipelineName
    input_file_id: FileId
    options: dict[str, Any] = Field(
        default_factory=dict, max_length=32, description="Those of the pipeline's request: terminology, top_k, …"
    )


class AdaptJob(Wire):
    """Learn from unlabelled texts what a pipeline is asked for often."""

    kind: Literal["adapt"]
    pipeline: PipelineName
    terminology: TerminologyName | None = Field(None, description="Default: the pipeline's own.")
    input_file_id: FileId = Field(description='JSON lines {"title" or "text", "language"?}, repeats included.')


class TrainJob(Wire):
    """Run a pipeline's training recipe over a file."""

    kind: Literal["train"]
    pipeline: PipelineName
    terminology: TerminologyName | None = Field(None, description="Default: the pipeline's own.")
    input_file_id: FileId
    options: dict[str, Any] = Field(default_factory=dict, max_length=32, description="The recipe's own.")


JobRequest = Annotated[IndexJob | RunJob | AdaptJob | TrainJob, Field(discriminator="kind")]
KINDS: Final = ("index", "run", "adapt", "train")


class ProgressAnswer(BaseModel):
    """How far a job is."""

    done: int
    total: int | None
    unit: str | None = Field(description="lines, texts, …; the stage that a build is in.")
    per_second: float | None
    eta_s: float | None = Field(description="Seconds this stage should still take.")


class JobAnswer(BaseModel):
    """A job as it stands."""

    id: str
    kind: str
    status: Literal["queued", "running", "succeeded", "failed", "cancelled"]
    progress: ProgressAnswer
    created_at: float = Field(description="Seconds since 1970.")
    started_at: float | None
    finished_at: float | None
    output_file_id: str | None
    counts: dict[str, int] = Field(description="ok, failed; of an index also what changed and what was encoded.")
    error: dict[str, Any] | None = Field(description="A problem (RFC 9457), where it failed.")
    request: dict[str, Any] = Field(description="What was asked for.")
    result: dict[str, Any] = Field(description="What answered or was made: terminology, encoder, generation, …")


class JobsPage(BaseModel):
    """A page of jobs, newest first."""

    jobs: list[JobAnswer]
    next_page_token: str | None = Field(description="Opaque; null on the last page.")
