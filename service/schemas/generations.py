"""Generations of what is served, over the wire."""

from pydantic import BaseModel, ConfigDict, Field

from service.schemas import Wire


class GenerationAnswer(BaseModel):
    """One generation that is kept."""

    generation: str
    answers: bool = Field(description="Whether it is the one that answers.")
    created_at: str = Field(description="ISO 8601.")
    bytes: int


class ArtifactAnswer(BaseModel):
    """Something built, and every generation of it that is kept, newest first."""

    artifact: str
    kind: str
    generations: list[GenerationAnswer]


class GenerationsAnswer(BaseModel):
    """Everything built, by name."""

    artifacts: list[ArtifactAnswer]


class RollbackRequest(Wire):
    """Which generation is to answer."""

    model_config = ConfigDict(json_schema_extra={"example": {"artifact": "pipelines/job_titles/isco08"}})

    artifact: str = Field(min_length=1, max_length=300)
    generation: str | None = Field(
        None, min_length=1, max_length=100, description="Default: the newest before the one that answers."
    )


class RollbackAnswer(BaseModel):
    """Which generation answers now; a running service switches to it within a second or two."""

    artifact: str
    generation: str
    was: str
