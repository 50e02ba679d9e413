"""Builds the first `pipelines/job_titles/starter.csv`, the occupations that ship, from tab-separated drafts.

The CSV has been read and corrected by hand since: it is the source now, and this says where it comes from.

    python scripts/build_starter.py DRAFTS pipelines/job_titles/starter.csv

DRAFTS holds `part_*.tsv` (ISCO-08 unit group, English name, titles in en, de, fr, es separated by "; ", skills)
and `groups.tsv` (higher group, name in en, de, fr, es). Faults end the build, all of them listed. A title
that stands under two groups in one language stays with the first by code, unless OWNERS says otherwise, and is
reported.
"""

import csv
import logging
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

log = logging.getLogger("build_starter")

LANGUAGES: Final = ("en", "de", "fr", "es")
FEWEST: Final = {"en": 6, "de": 2, "fr": 2, "es": 2}
FEWEST_SKILLS: Final = 4
UNIT_GROUPS: Final = 436
HIGHER_GROUPS: Final = 183
OWNERS: Final = {
    # ISCO-08's own index of titles, or the plain sense of the word, goes against the first by code.
    ("de", "verfahrenstechniker"): "3116",
    ("es", "asistente médico"): "3256",
    ("es", "asistente médica"): "3256",
    ("de", "personaldisponent"): "3333",
    ("en", "stunt performer"): "3435",
    ("de", "stuntman"): "3435",
    ("fr", "cascadeur"): "3435",
    ("en", "commis chef"): "5120",
    ("en", "electrical maintenance technician"): "7412",
    ("de", "raumausstatterin"): "7534",
    ("de", "pharmakant"): "8131",
    ("fr", "conducteur de machine à papier"): "8171",
    ("de", "fahrdienstleiter"): "8312",
    ("de", "wäscher"): "9121",
    ("de", "wäscherin"): "9121",
    ("fr", "lingère"): "9121",
    ("es", "lavandero"): "9121",
    ("es", "lavandera"): "9121",
}
COLUMNS: Final = (
    "id",
    "name",
    "language",
    *(f"name_{language}" for language in LANGUAGES[1:]),
    *(f"terms_{language}" for language in LANGUAGES),
    "skills",
    "parents",
    "code_isco-08",
    "abstract",
)


class DraftFault(Exception):
    """The drafts do not make a taxonomy; the message lists every reason."""


@dataclass(frozen=True, slots=True)
class UnitGroup:
    """An ISCO-08 unit group: titles by language, and typical skills."""

    code: str
    name: str
    titles: Mapping[str, Sequence[str]]
    skills: Sequence[str]


@dataclass(frozen=True, slots=True)
class HigherGroup:
    """A minor, sub-major or major group: its name by language."""

    code: str
    names: Mapping[str, str]


def main(drafts: Path, target: Path) -> None:
    """Read, check, write."""
    units = without_repeats(sorted(read_units(drafts), key=lambda unit: unit.code))
    groups = sorted(read_groups(drafts / "groups.tsv"), key=lambda group: group.code)
    faults = [*faults_of_units(units), *faults_of_groups(groups, units)]
    if faults:
        raise DraftFault("\n".join(faults))
    write(target, groups, units)
    titles = {language: sum(len(unit.titles[language]) for unit in units) for language in LANGUAGES}
    log.info("%d unit groups, %d higher groups, titles %s", len(units), len(groups), titles)


def read_units(drafts: Path) -> Iterator[UnitGroup]:
    """The unit groups of every part."""
    for part in sorted(drafts.glob("part_*.tsv")):
        for number, line in enumerate(part.read_text("utf-8").splitlines(), 1):
            columns = line.split("\t")
            if len(columns) != 7:
                raise DraftFault(f"{part.name} line {number}: {len(columns)} columns; expected 7")
            code, name, *titles, skills = columns
            by_language = dict(zip(LANGUAGES, map(_split, titles), strict=True))
            yield UnitGroup(code.strip(), name.strip(), by_language, _split(skills))


def read_groups(file: Path) -> Iterator[HigherGroup]:
    """The higher groups."""
    for number, line in enumerate(file.read_text("utf-8").splitlines(), 1):
        code, *names = (column.strip() for column in line.split("\t"))
        if len(names) != len(LANGUAGES):
            raise DraftFault(f"{file.name} line {number}: {len(names) + 1} columns; expected 5")
        yield HigherGroup(code, dict(zip(LANGUAGES, names, strict=True)))


def without_repeats(units: Sequence[UnitGroup]) -> list[UnitGroup]:
    """The units, in order, less every title that an earlier one, or the one in OWNERS, has in that language."""
    owners = {**{("en", unit.name.casefold()): unit.code for unit in units}, **OWNERS}
    kept = []
    for unit in units:
        titles: dict[str, list[str]] = {language: [] for language in LANGUAGES}
        for language in LANGUAGES:
            for title in unit.titles[language]:
                owner = owners.setdefault((language, title.casefold()), unit.code)
                if owner == unit.code:
                    titles[language].append(title)
                else:
                    log.warning("%s: %r stays with %s, not %s", language, title, owner, unit.code)
        kept.append(UnitGroup(unit.code, unit.name, titles, unit.skills))
    return kept


def faults_of_units(units: Sequence[UnitGroup]) -> Iterator[str]:
    """What is missing from the unit groups."""
    codes = [unit.code for unit in units]
    if len(set(codes)) != UNIT_GROUPS or len(codes) != UNIT_GROUPS:
        yield f"{len(set(codes))} unit groups in {len(codes)} lines; expected {UNIT_GROUPS}"
    for unit in units:
        for language, fewest in FEWEST.items():
            if len(unit.titles[language]) < fewest:
                yield f"{unit.code}: {len(unit.titles[language])} titles in {language}; expected {fewest}"
        if len(unit.skills) < FEWEST_SKILLS:
            yield f"{unit.code}: {len(unit.skills)} skills; expected {FEWEST_SKILLS}"


def faults_of_groups(groups: Sequence[HigherGroup], units: Sequence[UnitGroup]) -> Iterator[str]:
    """What is missing above the unit groups."""
    codes = {group.code for group in groups}
    if len(codes) != HIGHER_GROUPS or len(groups) != HIGHER_GROUPS:
        yield f"{len(codes)} higher groups in {len(groups)} lines; expected {HIGHER_GROUPS}"
    for code in sorted({unit.code[:length] for unit in units for length in (1, 2, 3)} ^ codes):
        yield f"{code}: a group without unit groups, or unit groups without it"


def write(target: Path, groups: Iterable[HigherGroup], units: Iterable[UnitGroup]) -> None:
    """The concept CSV: higher groups first, as abstract concepts."""
    with target.open("w", encoding="utf-8", newline="") as stream:
        writer = csv.DictWriter(stream, COLUMNS, lineterminator="\n", restval="")
        writer.writeheader()
        for group in groups:
            names = {f"name_{language}": group.names[language] for language in LANGUAGES[1:]}
            writer.writerow({**_shared(group.code, group.names["en"]), **names, "abstract": "true"})
        for unit in units:
            titles = {f"terms_{language}": "|".join(unit.titles[language]) for language in LANGUAGES}
            writer.writerow({**_shared(unit.code, unit.name), **titles, "skills": "|".join(unit.skills)})


def _shared(code: str, name: str) -> dict[str, str]:
    parent = f"ISCO08:{code[:-1]}" if len(code) > 1 else ""
    return {"id": f"ISCO08:{code}", "name": name, "language": "en", "parents": parent, "code_isco-08": code}


def _split(column: str) -> list[str]:
    return [text.strip() for text in column.split(";") if text.strip()]


if __name__ == "__main__":
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    main(Path(sys.argv[1]), Path(sys.argv[2]))
