"""What users say of answers, over the wire."""

from typing import Annotated, Any, Literal

from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    model_validator,
)
from pydantic_core import PydanticCustomError

from pipelines.feedback import Feedback
from service.schemas import MAX_ITEMS, Language, Sized, Wire, exactly_one


class SaidText(Wire):
    """One word on one text: it is, or is not, known by this concept."""

    model_config = ConfigDict(json_schema_extra=exactly_one("title", "text"))

    title: str | None = Field(None, min_length=1, max_length=1000, description="A job title; or `text`, not both.")
    text: str | None = Field(None, min_length=1, max_length=1000, description="What other pipelines were asked.")
    concept_id: str = Field(min_length=1, max_length=1000)
    verdict: Literal["accept", "reject"]
    language: Language | None = Field(None, description="BCP 47; default: unknown.")

    @model_validator(mode="after")
    def _one_text(self) -> "SaidText":
        if (self.title is None) == (self.text is None):
            raise PydanticCustomError("one_text", "Should have either title or text")
        return self

    @property
    def said(self) -> str:
        """The text as received."""
        return self.title if self.title is not None else self.text or ""

    @property
    def field(self) -> str:
        """Where it stands."""
        return "text" if self.title is None else "title"


class FeedbackRequest(Wire):
    """What users say of answers."""

    model_config = ConfigDict(
        json_schema_extra={
            "example": {
                "items": [{"title": "Crew member, fryer", "concept_id": "ISCO08:9411", "verdict": "accept"}],
            }
        }
    )

    items: Annotated[list[SaidText], BeforeValidator(Sized(most=MAX_ITEMS))] = Field(min_length=1, max_length=MAX_ITEMS)
    terminology: str | None = Field(None, max_length=200, description="Default: the pipeline's own.")


class ConflictAnswer(BaseModel):
    """An item whose text is accepted for more than one concept."""

    pointer: str = Field(description="JSON pointer to the item.")
    concept_ids: list[str] = Field(description="Every concept accepted for this text, the one that answers first.")
    answered: str | None = Field(description="Which of them answers: the majority's, then the latest.")


class FeedbackAnswer(BaseModel):
    """What became of what was said."""

    accepted: int = Field(description="Items kept, those known already included.")
    conflicts: list[ConflictAnswer]


class FeedbackItemAnswer(BaseModel):
    """One word on one text, as kept."""

    id: str
    text: str
    concept_id: str
    verdict: Literal["accept", "reject"]
    language: str | None
    created_at: float = Field(description="Seconds since 1970.")


class FeedbackPage(BaseModel):
    """A page of feedback, oldest first."""

    items: list[FeedbackItemAnswer]
    total: int
    next_page_token: str | None = Field(description="Opaque; null on the last page.")


def feedback_to_wire(item: Feedback) -> dict[str, Any]:
    """One word on one text."""
    return {
        "id": item.id,
        "text": item.text,
        "concept_id": item.concept_id,
        "verdict": item.verdict,
        "language": item.language,
        "created_at": item.created_at,
    }
