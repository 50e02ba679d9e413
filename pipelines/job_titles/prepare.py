"""A raw title → one mention: cleaned, with seniority and employment kind read out apart."""

from collections.abc import Mapping, Sequence
from typing import Final

from pipelines.flow import Prepared
from pipelines.job_titles.cleaning import CleanTitle, clean_titles
from pipelines.results import Mention, Request

_SKILLS: Final = 20
"""Skills that take part in the query, in the order given: more than fill an encoder's window add nothing."""

_DESCRIPTION: Final = 600
"""Characters of a description that take part in the query: what a 128-token window holds. A guess."""


class TitlePreparer:
    """One mention per request: the whole title. Skills and description come along as context."""

    def prepare(self, requests: Sequence[Request]) -> list[Prepared]:
        """One Prepared per request, in order."""
        cleaned = clean_titles([request.text for request in requests])
        return [
            Prepared([_mention(request, title)], request.language)
            for request, title in zip(requests, cleaned, strict=True)
        ]


def _mention(request: Request, title: CleanTitle) -> Mention:
    return Mention(
        text=request.text,
        query=title.text,
        start=0,
        end=len(request.text),
        language=request.language,
        context=_context(request),
        facts={
            "seniority": title.seniority.value if title.seniority else None,
            "employment": tuple(kind.value for kind in title.employment),
            "removed": tuple(dict.fromkeys(removed.reason for removed in title.removed)),
        },
    )


def _context(request: Request) -> Mapping[str, str]:
    context = {}
    skills = [skill.strip() for skill in request.skills if skill.strip()]
    if skills:
        context["skills"] = ", ".join(skills[:_SKILLS])
    if request.description and request.description.strip():
        context["description"] = request.description.strip()[:_DESCRIPTION]
    return context
