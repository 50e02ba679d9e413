"""What the words round an occupation say: lexicon.toml, read once and searched by longest phrase."""

import itertools
import re
import tomllib
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum
from functools import cache
from importlib.resources import files
from typing import Any, Final, Literal

import unicodedata2

Reason = Literal[
    "html",
    "emoji",
    "gender",
    "pay",
    "place",
    "requisition_id",
    "contract",
    "shift",
    "remote",
    "url_email_phone",
    "company",
    "boilerplate",
    "seniority",
    "punctuation",
]
"""Why something was taken out of a title."""

WORD: Final = re.compile(r"[^\W_]+")
"""A word: letters and digits. Hyphens, slashes and apostrophes part words."""


class Seniority(StrEnum):
    """The level a title speaks of, from the lowest to the highest.

    Job boards cut this scale differently; the levels are a convention of this project (a guess).
    """

    INTERN = "intern"
    """Internships and placements."""
    TRAINEE = "trainee"
    """Learns on the job: apprentices, trainees, working students."""
    JUNIOR = "junior"
    """Entry level, graduates, numeral I."""
    MID = "mid"
    """Experienced without being senior (confirmé, medior, pleno), numeral II."""
    SENIOR = "senior"
    """Senior, numerals from III."""
    LEAD = "lead"
    """Leads colleagues of the same occupation: lead developer, team leader."""
    PRINCIPAL = "principal"
    """The highest level of a specialist: staff, principal, distinguished engineer."""
    HEAD = "head"
    """Head of a department or a kitchen, Leiter, hoofd."""
    DIRECTOR = "director"
    """Directors of an organisation or a part of it; not of films, art or choirs."""
    EXECUTIVE = "executive"
    """The top: chief … officers, managing directors, vice presidents, Geschäftsführer."""


class EmploymentKind(StrEnum):
    """What a title says about the contract. Several may hold at once."""

    FULL_TIME = "full_time"
    PART_TIME = "part_time"
    PERMANENT = "permanent"
    TEMPORARY = "temporary"
    """Limited in time, agency work included."""
    FREELANCE = "freelance"
    INTERNSHIP = "internship"
    APPRENTICESHIP = "apprenticeship"
    WORKING_STUDENT = "working_student"
    MINI_JOB = "mini_job"
    """Marginal employment as German law knows it."""
    SEASONAL = "seasonal"
    CASUAL = "casual"
    """On call, per diem, zero hours."""
    VOLUNTEER = "volunteer"


class Where(StrEnum):
    """Where in a segment of a title a phrase is noise."""

    ANYWHERE = "anywhere"
    EDGE = "edge"
    START = "start"
    END = "end"
    ALONE = "alone"
    KEPT = "kept"
    """Nowhere: it belongs to an occupation."""
    PLACE = "place"
    """Alone, or at the end behind a preposition."""
    LEGAL_FORM = "legal_form"
    """With the company's name before it."""


@dataclass(frozen=True, slots=True)
class Phrase:
    """What a phrase says.

    Attributes:
        reason: why it is taken out; None for phrases that are kept.
        always: seniority is reported even where the phrase has to stay.
    """

    where: Where
    reason: Reason | None = None
    seniority: Seniority | None = None
    employment: EmploymentKind | None = None
    always: bool = False


@dataclass(frozen=True, slots=True)
class Lexicon:
    """All phrases by their first word, longest first, and the sets of small words."""

    phrases: dict[str, tuple[tuple[tuple[str, ...], Phrase], ...]]
    links: frozenset[str]
    conjunctions: frozenset[str]
    fillers: frozenset[str]
    prepositions: frozenset[str]
    employers: frozenset[str]
    recruiters: frozenset[str]
    assistants: frozenset[str]
    schools: frozenset[str]
    states: frozenset[str]
    ambiguous_states: frozenset[str]

    def matches(self, words: Sequence[str]) -> list[tuple[int, int, Phrase]]:
        """The phrases among lower-case words: (first word, end word, phrase), longest first, no overlaps."""
        found: list[tuple[int, int, Phrase]] = []
        free = 0
        for start, word in enumerate(words):
            if start < free or word not in self.phrases:
                continue
            for rest, phrase in self.phrases[word]:
                end = start + 1 + len(rest)
                if tuple(words[start + 1 : end]) == rest:
                    found.append((start, end, phrase))
                    free = end
                    break
        return found


def words_of(text: str) -> tuple[str, ...]:
    """The words of a text, lower case."""
    return tuple(word.lower() for word in WORD.findall(text))


@cache
def lexicon() -> Lexicon:
    """The lexicon that ships with the pipeline; read once per process."""
    source = files("pipelines.job_titles").joinpath("lexicon.toml").read_text(encoding="utf-8")
    return parse(source)


def parse(source: str) -> Lexicon:
    """A lexicon from TOML in the shape of lexicon.toml; a term with its accents wins over one stripped of them."""
    table = tomllib.loads(source)
    phrases: dict[tuple[str, ...], Phrase] = {}
    spelled = list(entries(table))
    for term, phrase in itertools.chain(spelled, ((_unaccented(term), phrase) for term, phrase in spelled)):
        phrases.setdefault(words_of(term), phrase)
    by_first: dict[str, list[tuple[tuple[str, ...], Phrase]]] = {}
    for words in sorted(phrases, key=len, reverse=True):
        by_first.setdefault(words[0], []).append((words[1:], phrases[words]))
    return Lexicon(
        phrases={first: tuple(rest) for first, rest in by_first.items()},
        links=_words(table["links"]["words"]),
        conjunctions=_words(table["conjunctions"]["words"]),
        fillers=_words(table["fillers"]["words"]),
        prepositions=_words(table["prepositions"]["words"]),
        employers=_words(table["employers"]["words"]),
        recruiters=_words(table["recruiters"]["words"]),
        assistants=_words(table["assistants"]["words"]),
        schools=_words(table["schools"]["words"]),
        states=frozenset(table["states"]["clear"]),
        ambiguous_states=frozenset(table["states"]["ambiguous"]),
    )


def entries(table: dict[str, Any]) -> Iterator[tuple[str, Phrase]]:
    """Every term with what it says, kept ones first, since they win."""
    for entry in table["kept"]:
        phrase = Phrase(Where.KEPT, None, *_meaning(entry), always=True)
        for term, then in itertools.product(entry["terms"], entry.get("then", [""])):
            yield f"{term} {then}", phrase
    for entry in table["phrases"]:
        phrase = Phrase(
            Where(entry["where"]),
            entry["reason"],
            *_meaning(entry),
            always=entry.get("always", False),
        )
        for term in entry["terms"]:
            yield term, phrase
    for term in table["places"]["terms"]:
        yield term, Phrase(Where.PLACE, "place")
    for term in table["legal_forms"]["terms"]:
        yield term, Phrase(Where.LEGAL_FORM, "company")


def _meaning(entry: dict[str, Any]) -> tuple[Seniority | None, EmploymentKind | None]:
    seniority, employment = entry.get("seniority"), entry.get("employment")
    return (
        Seniority(seniority) if seniority else None,
        EmploymentKind(employment) if employment else None,
    )


def _words(terms: Iterable[str]) -> frozenset[str]:
    lower = {term.lower() for term in terms}
    return frozenset(lower | {_unaccented(term) for term in lower})


def _unaccented(term: str) -> str:
    decomposed = unicodedata2.normalize("NFD", term.replace("ł", "l").replace("Ł", "L"))
    return "".join(char for char in decomposed if not unicodedata2.combining(char))
