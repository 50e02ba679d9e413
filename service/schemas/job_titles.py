"""Job titles over the wire."""

from collections.abc import Mapping
from typing import Annotated, Any

from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    StringConstraints,
)

from pipelines.results import NIL, Decision, Request, Result
from service.schemas import (
    MAX_ITEMS,
    CandidateAnswer,
    DecisionAnswer,
    Language,
    PipelineAnswer,
    PipelineRequest,
    Sized,
    Wire,
    candidate_to_wire,
    decision_to_wire,
)


class JobTitle(Wire):
    """A job title, with what else is known of the job."""

    title: str = Field(min_length=1, max_length=1000)
    skills: Annotated[list[Annotated[str, StringConstraints(max_length=200)]], BeforeValidator(Sized(most=50))] = Field(
        default_factory=list, max_length=50
    )
    description: str | None = Field(None, max_length=20_000)
    language: Language | None = Field(None, description="BCP 47; default: unknown.")


class JobTitlesRequest(PipelineRequest):
    """Job titles to be named by their occupation."""

    model_config = ConfigDict(
        json_schema_extra={
            "example": {
                "items": [
                    {"title": "Sr. Pastry Cook (m/f/d), Riverside", "skills": ["laminated dough"], "language": "en"},
                    {"title": "Leuchtturmwärter in Teilzeit", "language": "de"},
                ],
                "top_k": 3,
            }
        }
    )

    items: Annotated[list[JobTitle], BeforeValidator(Sized(most=MAX_ITEMS))] = Field(min_length=1, max_length=MAX_ITEMS)

    def requests(self) -> list[Request]:
        """One request per title."""
        options = self.options
        return [
            Request(
                item.title,
                language=item.language,
                skills=item.skills,
                description=item.description,
                options=options,
            )
            for item in self.items
        ]


class JobTitleResult(BaseModel):
    """What one title is known by."""

    decision: DecisionAnswer
    candidates: list[CandidateAnswer] = Field(description="Best first, at most top_k, also where NIL.")
    cleaned_title: str = Field(description="What was searched for.")
    seniority: str | None
    employment: list[str] = Field(description="Kinds of employment the title named: part-time, internship, …")
    removed: list[str] = Field(description="Why something was left out of cleaned_title, each reason once.")


class JobTitlesAnswer(PipelineAnswer):
    """One result per item, in order."""

    results: list[JobTitleResult]


def job_title_to_wire(result: Result) -> dict[str, Any]:
    """One result of /v1/job-titles/normalize."""
    if not result.mentions:
        nothing = Decision(NIL, None, 0.0, (), notes=("no text left after cleaning",))
        return _job_title(nothing, "", {})
    linked = result.mentions[0]
    return _job_title(linked.decision, linked.mention.query, linked.mention.facts)


def _job_title(decision: Decision, cleaned: str, facts: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "decision": decision_to_wire(decision),
        "candidates": [candidate_to_wire(candidate) for candidate in decision.candidates],
        "cleaned_title": cleaned,
        "seniority": facts.get("seniority"),
        "employment": list(facts.get("employment", ())),
        "removed": list(facts.get("removed", ())),
    }
