"""ESCO as published: the CSV bundle of a release, as a folder, a zip, or one occupations file.

Reads `occupations_XX.csv` of every language, and where they are there `ISCOGroups_XX.csv`,
`broaderRelationsOccPillar_XX.csv`, `skills_XX.csv` and `occupationSkillRelations_XX.csv`.
"""

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from pipelines.errors import SourceError
from pipelines.sources import fields, tables
from pipelines.sources.fields import clean
from pipelines.sources.files import Bundle
from pipelines.terminology import Concept, Term

ISCO: Final = "http://data.europa.eu/esco/isco/C"
"""An ISCO-08 group's URI in ESCO: this and its code of 1 to 4 digits."""
MAX_SKILLS: Final = 50
OCCUPATIONS: Final = re.compile(r"occupations_([A-Za-z-]{2,11})\.csv", re.IGNORECASE)

_ISCO_CODE: Final = re.compile(r"[0-9]{1,4}")
_LABELS: Final = {"preferredLabel": "preferred", "altLabels": "alternative", "hiddenLabels": "hidden"}
_LEVELS: Final = {1: "major group", 2: "sub-major group", 3: "minor group", 4: "unit group"}


@dataclass(slots=True)
class _Occupation:
    """What the languages' files say of one URI."""

    name: str
    isco: str
    code: str
    definition: str | None
    terms: list[Term] = field(default_factory=list)


def read(
    path: Path,
    *,
    languages: Sequence[str] | None = None,
    language: str | None = None,
    isco_names: Mapping[str, str] | None = None,
    split_pairs: bool = True,
) -> Iterator[Concept]:
    """The occupations, then the ISCO-08 groups above them as abstract concepts.

    An occupation's name is its preferred label in the first language. Its parents are the published broader
    concepts where the bundle has them, else the occupation or ISCO group that its code continues: of
    "2654.1.7", "2654.1".

    Args:
        path: the release's folder, its zip, or one occupations file.
        languages: those to read, the first naming the concepts; None reads all, English first.
        language: of a single file whose name does not say it.
        isco_names: ISCO-08 code → name, for the groups that the bundle does not name.
        split_pairs: add both halves of "Bäcker/Bäckerin" as terms (see `halves`).

    Raises:
        SourceError: at the first fault, with file and line.
    """
    bundle = Bundle.at(path)
    members = _members(bundle, languages, language)
    occupations: dict[str, _Occupation] = {}
    for tag, member in members.items():
        _read_occupations(bundle, member, tag, occupations, split_pairs=split_pairs)
    broader = _broader(bundle)
    skills = _skills(bundle, list(members))
    groups = _groups(bundle, list(members))
    uris_by_code = {occupation.code: uri for uri, occupation in occupations.items()}
    needed: dict[str, None] = {}
    for uri, occupation in occupations.items():
        parents = broader.get(uri) or _parents_by_code(occupation, uris_by_code)
        needed.update(dict.fromkeys(_isco_codes(occupation.isco, parents)))
        codes = {"esco": occupation.code or uri, "isco-08": occupation.isco}
        yield fields.concept_of(
            uri,
            occupation.name,
            occupation.terms,
            definition=occupation.definition,
            parents=tuple(parents),
            codes={system: code for system, code in codes.items() if code},
            skills=tuple(skills.get(uri, ())),
        )
    for code in sorted(_with_ancestors(needed)):
        yield _group(code, groups.get(code, []), isco_names or {})


def halves(label: str, language: str | None = None) -> list[str]:
    """The titles that a label such as "Bäcker/Bäckerin" stands for; none where it stands only for itself.

    The sides of "/" must be titles of as many words ("soudeur laser/soudeuse laser"); or the words beside it
    must be forms of one word, which the words around complete ("operatur/operatriċi tal-magni").
    "Import-/Export…" is one word; "Lehrer/in" is two in German only.
    """
    pieces = [piece.strip() for piece in re.split(r"(?<![-\s])\s*/\s*(?!-)", label) if piece.strip()]
    if len(pieces) < 2:
        return []
    if min(map(_letters, pieces)) >= 3 and len({len(piece.split()) for piece in pieces}) == 1:
        return list(dict.fromkeys(pieces))
    if len(pieces) > 2:
        return []
    before, _, left = pieces[0].rpartition(" ")
    right, _, after = pieces[1].partition(" ")
    if language == "de" and right == "in" and left:
        right = f"{left}in"
    elif left.casefold()[:3] != right.casefold()[:3] or min(_letters(left), _letters(right)) < 3:
        return []
    return [" ".join(word for word in (before, form, after) if word) for form in dict.fromkeys((left, right))]


def _letters(text: str) -> int:
    return sum(character.isalpha() for character in text)


def _members(bundle: Bundle, languages: Sequence[str] | None, language: str | None) -> dict[str, str]:
    """Language → occupations file, in the order asked for."""
    there = {fields.language_tag(m[1]): member for member, m in bundle.matching(OCCUPATIONS).items()}
    if not there and len(bundle.members) == 1:
        there = {_language_of_single(languages, language): next(iter(bundle.members))}
    if not there:
        raise SourceError(f"{bundle.name} holds no occupations_XX.csv; expected an ESCO release in CSV")
    if languages is None:
        return dict(sorted(there.items(), key=lambda item: (item[0] != "en", item[0])))
    asked = [fields.language_tag(tag) for tag in languages]
    missing = [tag for tag in asked if tag not in there]
    if missing:
        has = ", ".join(sorted(there))
        raise SourceError(f"{bundle.name} holds no occupations_{missing[0]}.csv; its languages: {has}")
    return {tag: there[tag] for tag in asked}


def _language_of_single(languages: Sequence[str] | None, language: str | None) -> str:
    if language:
        return fields.language_tag(language)
    if languages and len(languages) == 1:
        return fields.language_tag(languages[0])
    raise SourceError("an occupations file on its own does not say its language; name it occupations_XX.csv or say it")


def _read_occupations(
    bundle: Bundle, member: str, language: str, occupations: dict[str, _Occupation], *, split_pairs: bool
) -> None:
    lines_by_uri: dict[str, int] = {}
    with bundle.opened(member) as lines:
        for line, row in tables.table(lines, required=("conceptUri", "preferredLabel")):
            if row.get("status", "").strip().lower() == "obsolete":
                continue
            uri = clean(row["conceptUri"], what="conceptUri", line=line, limit=fields.MAX_ID_CHARS)
            first = lines_by_uri.setdefault(uri, line)
            if first != line:
                raise SourceError(f"this conceptUri stands in line {first} already", line=line)
            occupation = occupations.setdefault(uri, _occupation(row, line))
            occupation.terms += _terms(row, language, line, split_pairs=split_pairs)


def _occupation(row: Mapping[str, str], line: int) -> _Occupation:
    isco = row.get("iscoGroup", "").strip().removeprefix("C")
    if isco and not _ISCO_CODE.fullmatch(isco):
        raise SourceError("iscoGroup is no ISCO-08 unit group; expected four digits", line=line)
    described = row.get("definition", "").strip() or row.get("description", "").strip()
    return _Occupation(
        name=clean(row["preferredLabel"], what="preferredLabel", line=line),
        isco=isco.zfill(4) if isco else "",  # The armed forces' "0110" is published as "110".
        code=row.get("code", "").strip()[: fields.MAX_ID_CHARS],
        definition=clean(described, what="description", line=line, limit=fields.MAX_DEFINITION_CHARS)
        if described
        else None,
    )


def _terms(row: Mapping[str, str], language: str, line: int, *, split_pairs: bool) -> list[Term]:
    labels = [
        Term(clean(label, what=column, line=line), language, kind)
        for column, kind in _LABELS.items()
        for label in row.get(column, "").split("\n")
        if label.strip()
    ]
    if not split_pairs:
        return labels
    known = {label.text for label in labels}
    split = dict.fromkeys(half for label in labels for half in halves(label.text, language))
    return labels + [Term(half, language) for half in split if half not in known]


def _parents_by_code(occupation: _Occupation, uris_by_code: Mapping[str, str]) -> list[str]:
    code = occupation.code
    while "." in code:
        code = code.rpartition(".")[0]
        if code in uris_by_code:
            return [uris_by_code[code]]
    return [ISCO + occupation.isco] if occupation.isco else []


def _broader(bundle: Bundle) -> dict[str, list[str]]:
    broader: dict[str, list[str]] = defaultdict(list)
    pattern = re.compile(r"broaderRelationsOccPillar(?:_[A-Za-z-]+)?\.csv", re.IGNORECASE)
    for member in list(bundle.matching(pattern))[:1]:  # The same relations in every language.
        with bundle.opened(member) as lines:
            for _, row in tables.table(lines, required=("conceptUri", "broaderUri")):
                if row["broaderUri"].strip() not in broader[row["conceptUri"].strip()]:
                    broader[row["conceptUri"].strip()].append(row["broaderUri"].strip())
    return dict(broader)


def _skills(bundle: Bundle, languages: Sequence[str]) -> dict[str, list[str]]:
    labels = _skill_labels(bundle, languages)
    found: dict[str, dict[str, list[str]]] = defaultdict(lambda: {"essential": [], "optional": []})
    pattern = re.compile(r"occupationSkillRelations(?:_[A-Za-z-]+)?\.csv", re.IGNORECASE)
    for member in list(bundle.matching(pattern))[: 1 if labels else 0]:
        with bundle.opened(member) as lines:
            for _, row in tables.table(lines, required=("occupationUri", "relationType", "skillUri")):
                kind = "essential" if row["relationType"].strip().lower() == "essential" else "optional"
                if label := labels.get(row["skillUri"].strip()):
                    found[row["occupationUri"].strip()][kind].append(label)
    return {uri: (kinds["essential"] + kinds["optional"])[:MAX_SKILLS] for uri, kinds in found.items()}


def _skill_labels(bundle: Bundle, languages: Sequence[str]) -> dict[str, str]:
    for tag in languages:
        for member in bundle.matching(re.compile(rf"skills_{re.escape(tag)}\.csv", re.IGNORECASE)):
            with bundle.opened(member) as lines:
                rows = tables.table(lines, required=("conceptUri", "preferredLabel"))
                return {
                    row["conceptUri"].strip(): clean(row["preferredLabel"], what="preferredLabel", line=line)
                    for line, row in rows
                }
    return {}


def _groups(bundle: Bundle, languages: Sequence[str]) -> dict[str, list[Term]]:
    """ISCO-08 code → its names, one a language."""
    names: dict[str, list[Term]] = defaultdict(list)
    for tag in languages:
        for member in bundle.matching(re.compile(rf"ISCOGroups_{re.escape(tag)}\.csv", re.IGNORECASE)):
            with bundle.opened(member) as lines:
                for line, row in tables.table(lines, required=("conceptUri", "preferredLabel")):
                    name = clean(row["preferredLabel"], what="preferredLabel", line=line)
                    names[row["conceptUri"].strip().removeprefix(ISCO)].append(Term(name, tag, "preferred"))
    return dict(names)


def _isco_codes(isco: str, parents: Iterable[str]) -> Iterator[str]:
    codes = [isco, *(parent.removeprefix(ISCO) for parent in parents if parent.startswith(ISCO))]
    yield from (code for code in codes if _ISCO_CODE.fullmatch(code))


def _with_ancestors(codes: Iterable[str]) -> set[str]:
    return {code[:length] for code in codes for length in range(1, len(code) + 1)}


def is_nameless(group: Concept) -> bool:
    """Whether a group is called by its code, since the bundle does not name it."""
    return group.name.startswith("ISCO-08 ")


def _group(code: str, names: Sequence[Term], isco_names: Mapping[str, str]) -> Concept:
    name = names[0].text if names else isco_names.get(code) or f"ISCO-08 {_LEVELS[len(code)]} {code}"
    return fields.concept_of(
        ISCO + code,
        name,
        names,
        parents=(ISCO + code[:-1],) if len(code) > 1 else (),
        codes={"isco-08": code},
        abstract=True,
    )
