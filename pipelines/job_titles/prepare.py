"""A raw title → one mention: cleaned, with seniority and employment kind read out apart."""

import zlib
from collections.abc import Mapping, Sequence
from functools import cache
from importlib import resources
from typing import Final

from pipelines.flow import Prepared
from pipelines.job_titles.cleaning import CleanTitle, clean_titles
from pipelines.job_titles.starter import starter
from pipelines.language import LanguageGuesser
from pipelines.likeness import Likeness
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
        likeness = title_likeness().score([title.text for title in cleaned])
        return [
            Prepared([_mention(request, title, language, alike)], language)
            for request, title, language, alike in zip(requests, cleaned, languages, likeness, strict=True)
        ]


@cache
def title_language() -> LanguageGuesser:
    """A guesser fitted on the starter's titles and on samples in more languages; half a second, once a process."""
    titles = _known_titles()
    return LanguageGuesser([text for text, _ in titles], [language for _, language in titles])


@cache
def title_likeness() -> Likeness:
    """What looks like a title: ours against skills, slogans and small talk; a second, once a process."""
    return Likeness([text for text, _ in _known_titles()], [text for text in not_titles() if not held_back(text)])


@cache
def not_titles() -> tuple[str, ...]:
    """Texts that are no job title: what turns up in title fields, and the starter's skills. All written by us."""
    listed = _lines("not_titles.txt")
    skills = {skill.lower() for concept in starter().concepts for skill in concept.skills}
    return (*listed, *sorted(skills - set(listed)))


def held_back(text: str) -> bool:
    """Whether a text that is no title is kept from the likeness, so that the calibration judges it unseen: half are."""
    return bool(zlib.crc32(text.encode()) & 1)


@cache
def _known_titles() -> list[tuple[str, str]]:
    """Titles of our own with their languages: the starter's, and samples in more languages."""
    titles = [(term.text, term.language) for term in starter().row_terms if term.language]
    for line in _lines("titles_more_languages.tsv"):
        language, _, text = line.partition("\t")
        titles.append((text, language))
    return titles


def _lines(name: str) -> list[str]:
    content = resources.files("pipelines.job_titles").joinpath(name).read_text(encoding="utf-8")
    return [line for line in content.splitlines() if line and not line.startswith("#")]


def _mention(request: Request, title: CleanTitle, language: str | None, likeness: float) -> Mention:
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
            "likeness": likeness,
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
