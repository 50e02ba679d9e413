"""O*NET's text database: occupations, alternate and reported titles, technology skills and tools."""

import csv
import re
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from pipelines.errors import SourceError
from pipelines.sources import fields, tables
from pipelines.sources.files import Bundle
from pipelines.terminology import Concept, Term

OCCUPATIONS: Final = "Occupation Data.txt"
MAX_SKILLS: Final = 50

_CODE: Final = "O*NET-SOC Code"
_CODE_SHAPE: Final = re.compile(r"\d{2}-\d{4}\.\d{2}")
_TITLES: Final = (
    ("Alternate Titles.txt", ("Alternate Title", "Short Title")),
    ("Sample of Reported Titles.txt", ("Reported Job Title",)),
)
_READ_ME: Final = "Read Me.txt"
_RELEASE: Final = re.compile(r"O\*NET (\d+\.\d+)")
_ABSENT: Final = {"", "n/a"}
# SOC 2018's minor groups end in "000" but for these; SOC 2010's 15-1100 is here too.
_MINOR: Final = re.compile(r"(15-1[12]|31-1[12]|51-51)\d\d")


@dataclass(frozen=True, slots=True)
class _Skill:
    """An example of a technology or tool; `rank` 0 is a hot technology, 1 another, 2 a tool."""

    rank: int
    text: str


def read(
    path: Path,
    *,
    languages: Sequence[str] | None = None,
    language: str | None = None,
    soc_names: Mapping[str, str] | None = None,
) -> Iterator[Concept]:
    """The occupations, then the SOC groups above them as abstract concepts.

    Args:
        path: the database's folder or zip.
        languages: must hold English, the only language there is, or be None.
        language: not used.
        soc_names: SOC code ("15-1250") → name, for the groups.

    Raises:
        SourceError: at the first fault, with file and line.
    """
    if languages is not None and not fields.wanted("en", languages):
        raise SourceError("O*NET is in English; leave the languages out, or name en")
    bundle = Bundle.at(path)
    titles = _titles(bundle)
    skills = _skills(bundle)
    groups: dict[str, None] = {}
    for code, row in _rows(bundle, OCCUPATIONS, needed=("Title",), optional=("Description",)):
        above = soc_groups(code)
        groups.update(dict.fromkeys(above))
        yield fields.concept_of(
            f"ONET:{code}",
            row["Title"],
            [Term(row["Title"], "en", "preferred"), *titles.get(code, ())],
            definition=row["Description"] or None,
            parents=(f"SOC:{above[0]}",),
            codes={"onet-soc": code},
            skills=tuple(skills.get(code, ())),
        )
    for code in sorted(groups):
        yield _group(code, soc_names or {})


def soc_groups(code: str) -> list[str]:
    """The SOC broad, minor and major group of an O*NET-SOC code, nearest first: 15-1250, 15-1200, 15-0000."""
    soc = code[:7]
    minor = f"{soc[:5]}00" if _MINOR.fullmatch(soc) else f"{soc[:4]}000"
    return list(dict.fromkeys([f"{soc[:6]}0", minor, f"{soc[:2]}-0000"]))


def release(path: Path) -> str | None:
    """The release that the database's Read Me names, such as "27.0"."""
    bundle = Bundle.at(path)
    if _READ_ME not in bundle.members:
        return None
    with bundle.opened(_READ_ME) as lines:
        found = _RELEASE.search(next(lines, ""))
    return found[1] if found else None


def _group(code: str, names: Mapping[str, str]) -> Concept:
    above = soc_groups(code)
    higher = above[above.index(code) + 1 :]
    return fields.concept_of(
        f"SOC:{code}",
        names.get(code) or f"SOC {code}",
        (),
        language="en" if code in names else None,
        parents=(f"SOC:{higher[0]}",) if higher else (),
        codes={"soc": code},
        abstract=True,
    )


def _titles(bundle: Bundle) -> dict[str, list[Term]]:
    titles: dict[str, list[Term]] = defaultdict(list)
    for member, columns in _TITLES:
        if member in bundle.members:
            for code, row in _rows(bundle, member, optional=columns):
                titles[code] += [Term(row[column], "en") for column in columns if row[column]]
    return dict(titles)


def _skills(bundle: Bundle) -> dict[str, list[str]]:
    found: dict[str, list[_Skill]] = defaultdict(list)
    for member, rank in (("Technology Skills.txt", 1), ("Tools Used.txt", 2)):
        if member in bundle.members:
            for code, row in _rows(bundle, member, needed=("Example",)):
                hot = row.get("Hot Technology") == "Y"
                found[code].append(_Skill(0 if hot else rank, row["Example"]))
    return {code: _first_skills(skills) for code, skills in found.items()}


def _first_skills(skills: Sequence[_Skill]) -> list[str]:
    ranked = sorted(skills, key=lambda skill: skill.rank)
    return list(dict.fromkeys(skill.text for skill in ranked))[:MAX_SKILLS]


def _rows(
    bundle: Bundle, member: str, *, needed: Sequence[str] = (), optional: Sequence[str] = ()
) -> Iterator[tuple[str, Mapping[str, str]]]:
    """The member's rows, checked: O*NET-SOC code, columns; an optional one that says nothing is empty."""
    if member not in bundle.members:
        raise SourceError(f'{bundle.name} holds no "{member}"; expected an O*NET database in text')
    seen: set[str] = set()
    with bundle.opened(member) as lines:
        rows = tables.table(lines, required=(_CODE, *needed, *optional), delimiter="\t", quoting=csv.QUOTE_NONE)
        for line, row in rows:
            code = row[_CODE].strip()
            if not _CODE_SHAPE.fullmatch(code):
                raise SourceError('found no O*NET-SOC code; expected one such as "15-1252.00"', line=line)
            if member == OCCUPATIONS and code in seen:
                raise SourceError(f"the code {code} stands twice", line=line)
            seen.add(code)
            said = [column for column in optional if row[column].strip().lower() not in _ABSENT]
            cleaned = {column: _clean(row[column], column, line) for column in (*needed, *said)}
            yield code, {**row, **dict.fromkeys(optional, ""), **cleaned}


def _clean(text: str, column: str, line: int) -> str:
    limit = fields.MAX_DEFINITION_CHARS if column == "Description" else fields.MAX_TERM_CHARS
    return fields.clean(text, what=f"the {column}", line=line, limit=limit)
