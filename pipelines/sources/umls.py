"""UMLS in Rich Release Format, for those with a licence: MRCONSO, and MRSTY, MRDEF, MRREL, MRCUI where there.

A folder or zip of the RRF files, as MetamorphoSys writes them. Nothing of UMLS comes with this project.
Source: UMLS Reference Manual, chapter 3, https://www.ncbi.nlm.nih.gov/books/NBK9685/
"""

from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import groupby
from pathlib import Path
from typing import Final

from pipelines.errors import SourceError
from pipelines.sources import fields
from pipelines.sources.codes import SEPARATOR, system_of
from pipelines.sources.files import Bundle
from pipelines.terminology import Concept, Term

CONCEPTS: Final = "MRCONSO.RRF"
PREFIX: Final = "UMLS:"

_WIDTHS: Final = {CONCEPTS: 18, "MRSTY.RRF": 6, "MRDEF.RRF": 8, "MRCUI.RRF": 7, "MRREL.RRF": 16}
_SUPPRESSED: Final = {"O", "Y", "E"}
_LANGUAGES: Final = {
    "BAQ": "eu", "CHI": "zh", "CZE": "cs", "DAN": "da", "DUT": "nl", "ENG": "en", "EST": "et", "FIN": "fi",
    "FRE": "fr", "GER": "de", "GRE": "el", "HEB": "he", "HUN": "hu", "ITA": "it", "JPN": "ja", "KOR": "ko",
    "LAV": "lv", "NOR": "no", "POL": "pl", "POR": "pt", "RUS": "ru", "SCR": "hr", "SPA": "es", "SWE": "sv",
    "TUR": "tr", "UKR": "uk",
}  # fmt: skip


@dataclass(slots=True)
class _Beside:
    """What the other tables say of concepts, by CUI."""

    types: Mapping[str, list[str]] = field(default_factory=dict)
    definitions: Mapping[str, list[str]] = field(default_factory=dict)
    parents: Mapping[str, list[str]] = field(default_factory=dict)
    replaces: Mapping[str, list[str]] = field(default_factory=dict)


def read(path: Path, *, languages: Sequence[str] | None = None, language: str | None = None) -> Iterator[Concept]:
    """The concepts in MRCONSO's order, whose rows of one CUI stand together; suppressed rows are left out.

    Semantic types are both TUI and name ("T047", "Disease or Syndrome"), retired CUIs (MRCUI) what a concept replaces,
    parents those of RELs PAR, codes those of every source vocabulary.

    Args:
        path: the folder or zip.
        languages: keep terms of these languages; None keeps all.
        language: not used: MRCONSO says.

    Raises: SourceError at the first fault, with file and line.
    """
    bundle = Bundle.at(path)
    if CONCEPTS not in bundle.members:
        raise SourceError(f"{bundle.name} holds no {CONCEPTS}; expected a UMLS release in RRF")
    beside = _Beside(
        types=_by_cui(bundle, "MRSTY.RRF", keep=lambda row: [row[1], row[3]]),
        definitions=_by_cui(bundle, "MRDEF.RRF", keep=lambda row: [row[5]] if row[6] not in _SUPPRESSED else []),
        parents=_by_cui(bundle, "MRREL.RRF", keep=lambda row: [PREFIX + row[4]] if row[3] == "PAR" else []),
        replaces=_replaced(bundle),
    )
    seen: set[str] = set()
    for cui, rows in groupby(_rows(bundle, CONCEPTS), key=lambda numbered: numbered[1][0]):
        if cui in seen:
            raise SourceError(
                f"{CONCEPTS}: the rows of {fields.shown(cui)} do not stand together; sort the file by CUI"
            )
        seen.add(cui)
        concept = _concept(cui, list(rows), beside, languages)
        if concept is not None:
            yield concept


def _concept(
    cui: str, rows: Sequence[tuple[int, list[str]]], beside: _Beside, languages: Sequence[str] | None
) -> Concept | None:
    kept = [(line, row) for line, row in rows if row[16] not in _SUPPRESSED]
    if languages is not None:
        kept = [(n, r) for n, r in kept if fields.wanted(_LANGUAGES.get(r[1], "und"), languages)] or kept[:1]
    if not kept:
        return None
    # TS=P and ISPREF=Y mark the preferred form; English comes first, since names are shown to everybody.
    ranked = sorted(
        kept, key=lambda item: (item[1][1] != "ENG", item[1][2] != "P", item[1][4] != "PF", item[1][6] != "Y")
    )
    line, best = ranked[0]
    codes: dict[str, dict[str, None]] = defaultdict(dict)
    terms = []
    for number, row in kept:
        codes[system_of(row[11])][row[13]] = None
        text = fields.clean(row[14], what="STR", line=number)
        preferred = row[2] == "P" and row[4] == "PF" and row[6] == "Y"
        terms.append(Term(text, _LANGUAGES.get(row[1]), "preferred" if preferred else "alternative"))
    definitions = beside.definitions.get(cui, ())
    return fields.concept_of(
        PREFIX + cui,
        fields.clean(best[14], what="STR", line=line),
        terms,
        language=_LANGUAGES.get(best[1]),
        line=line,
        definition=fields.clean(definitions[0], what="DEF", limit=fields.MAX_DEFINITION_CHARS) if definitions else None,
        parents=tuple(dict.fromkeys(beside.parents.get(cui, ()))),
        codes={"umls": cui, **{s: SEPARATOR.join(c) for s, c in codes.items() if s != "src" and list(c) != ["NOCODE"]}},
        semantic_types=tuple(dict.fromkeys(beside.types.get(cui, ()))),
        replaces=tuple(beside.replaces.get(cui, ())),
    )


def _by_cui(bundle: Bundle, member: str, *, keep: Callable[[Sequence[str]], list[str]]) -> dict[str, list[str]]:
    found: dict[str, list[str]] = defaultdict(list)
    if member in bundle.members:
        for _, row in _rows(bundle, member):
            found[row[0]] += keep(row)
    return dict(found)


def _replaced(bundle: Bundle) -> dict[str, list[str]]:
    found: dict[str, list[str]] = defaultdict(list)
    if "MRCUI.RRF" in bundle.members:
        for _, row in _rows(bundle, "MRCUI.RRF"):
            if row[2] == "SY" and row[5]:
                found[row[5]].append(PREFIX + row[0])
    return dict(found)


def _rows(bundle: Bundle, member: str) -> Iterator[tuple[int, list[str]]]:
    with bundle.opened(member) as lines:
        for number, text in enumerate(lines, 1):
            if not text.strip():
                continue
            # Every field ends with a bar, the last one too.
            row = text.rstrip("\r\n").removesuffix("|").split("|")
            if len(row) != _WIDTHS[member]:
                raise SourceError(f"found {len(row)} fields; expected {_WIDTHS[member]}", line=number)
            yield number, row
