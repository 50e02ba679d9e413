"""A raw title → one mention: cleaned, with seniority and employment kind read out apart."""

from collections.abc import Mapping, Sequence
from functools import cache
from importlib import resources
from typing import Final

from pipelines.flow import Prepared
from pipelines.job_titles.cleaning import CleanTitle, clean_titles
from pipelines.job_titles.starter import starter
from pipelines.language import LanguageGuesser
from pipelines.results import Mention, Request

_SKILLS: Final = 20
"""Skills that take part in the query, in the order given: more than fill an encoder's window add nothing."""

_DESCRIPTION: Final = 600
"""Characters of a description that take part in the query: what a 128-token window holds. A guess."""


class TitlePreparer:
    """One mention per request: the whole title. Skills and description come along as context."""

    def __init__(self) -> None:
        self._guesser = title_language()

    def prepare(self, requests: Sequence[Request]) -> list[Prepared]:
        """One Prepared per request, in order; where no language is given, it is guessed from the cleaned title."""
        cleaned = clean_titles([request.text for request in requests])
        unknown = [i for i, request in enumerate(requests) if request.language is None]
        languages: list[str | None] = [request.language for request in requests]
        for i, guess in zip(unknown, self._guesser.guess([cleaned[i].text for i in unknown]), strict=True):
            languages[i] = guess
        return [
            Prepared([_mention(request, title, language)], language)
            for request, title, language in zip(requests, cleaned, languages, strict=True)
        ]


@cache
def title_language() -> LanguageGuesser:
    """A guesser fitted on the starter's titles and on samples in more languages; half a second, once a process."""
    titles = [(term.text, term.language) for term in starter().row_terms if term.language]
    more = resources.files("pipelines.job_titles").joinpath("titles_more_languages.tsv").read_text(encoding="utf-8")
    for line in more.splitlines():
        if not line.startswith("#"):
            language, _, text = line.partition("\t")
            titles.append((text, language))
    return LanguageGuesser([text for text, _ in titles], [language for _, language in titles])


def _mention(request: Request, title: CleanTitle, language: str | None) -> Mention:
    return Mention(
        text=request.text,
        query=title.text,
        start=0,
        end=len(request.text),
        language=language,
        context=_context(request),
        facts={
            "seniority": title.seniority.value if title.seniority else None,
            "employment": tuple(kind.value for kind in title.employment),
            "bare": is_bare(title.text),
            "removed": tuple(dict.fromkeys(removed.reason for removed in title.removed)),
        },
    )


def is_bare(text: str) -> bool:
    """Whether a title is a level or a kind of contract and names no occupation: "intern", "Azubi", "Vollzeit".

    Such words go when they stand beside an occupation; what goes from "welder …" as well names none by itself.
    """
    return len(text.split()) <= 2 and clean_titles([f"welder {text}"])[0].text == "welder"


def _context(request: Request) -> Mapping[str, str]:
    context = {}
    skills = [skill.strip() for skill in request.skills if skill.strip()]
    if skills:
        context["skills"] = ", ".join(skills[:_SKILLS])
    if request.description and request.description.strip():
        context["description"] = request.description.strip()[:_DESCRIPTION]
    return context
