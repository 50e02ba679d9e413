"""MeSH in ASCII, as the NLM publishes it: descriptors (d2026.bin) and supplementary records (c2026.bin)."""

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from pipelines.errors import SourceError
from pipelines.sources import fields
from pipelines.sources.files import Bundle
from pipelines.terminology import Concept, Term

RECORD: Final = "*NEWRECORD"
PREFIX: Final = "MESH:"

_MEMBER: Final = re.compile(r"[dc]\d{4}\.bin(?:\.gz|\.zst)?", re.IGNORECASE)
_ENTRIES: Final = ("PRINT ENTRY", "ENTRY", "SY")


@dataclass(frozen=True, slots=True)
class _Record:
    line: int
    fields: dict[str, list[str]]

    def all(self, *names: str) -> list[str]:
        return [value for name in names for value in self.fields.get(name, ())]


def read(path: Path, *, languages: Sequence[str] | None = None, language: str | None = None) -> Iterator[Concept]:
    """Descriptors and supplementary concepts; entry terms are terms, the tree's next higher descriptors parents.

    Semantic types are the letters of the tree ("C": diseases) and, as older releases give them, UMLS type ids.

    Args:
        path: one file, or a folder or zip of both.
        languages: keep terms of these languages; None keeps all.
        language: of the names; English where nobody says.

    Raises: SourceError at the first fault, with its line.
    """
    language = language or "en"
    bundle = Bundle.at(path)
    members = list(bundle.members) if len(bundle.members) == 1 else list(bundle.matching(_MEMBER))
    records: list[_Record] = []
    for member in sorted(members, reverse=True):
        with bundle.opened(member) as lines:
            records += _records(lines)
    if not records:
        raise SourceError(f"{bundle.name} holds no MeSH record; expected d2026.bin or c2026.bin in ASCII")
    by_tree = {number: _id(r) for r in records for number in r.all("MN")}
    by_name = {name: _id(r) for r in records for name in r.all("MH")}
    for record in records:
        yield _concept(record, by_tree, by_name, language, languages)


def _records(lines: Iterable[str]) -> Iterator[_Record]:
    record: _Record | None = None
    for number, raw in enumerate(lines, 1):
        text = raw.strip()
        if text == RECORD:
            if record is not None:
                yield record
            record = _Record(number, {})
        elif text and record is None:
            raise SourceError(f"found text before the first {RECORD}; expected MeSH in ASCII", line=number)
        elif text and record is not None:
            name, equals, value = text.partition(" = ")
            if equals and value.strip():
                record.fields.setdefault(name.strip(), []).append(value.strip())
    if record is not None:
        yield record


def _concept(
    record: _Record,
    by_tree: dict[str, str],
    by_name: dict[str, str],
    language: str | None,
    languages: Sequence[str] | None,
) -> Concept:
    names = record.all("MH", "NM")
    if not names:
        raise SourceError("found a record without MH or NM", line=record.line)
    name = fields.clean(names[0], what="the name", line=record.line)
    # "Entry|T047|EQV|…": what stands behind the first bar says where the entry comes from.
    entries = [value.split("|")[0] for value in record.all(*_ENTRIES)]
    notes = record.all("MS", "NO")
    trees = record.all("MN")
    above = [by_tree[up] for up in (number.rpartition(".")[0] for number in trees) if up in by_tree]
    above += [by_name[up] for up in (m.lstrip("*").split("/")[0] for m in record.all("HM")) if up in by_name]
    return fields.concept_of(
        _id(record),
        name,
        [
            Term(name, language, "preferred"),
            *(Term(fields.clean(text, what="an entry", line=record.line), language) for text in entries),
        ],
        language=language,
        languages=languages,
        line=record.line,
        definition=fields.clean(notes[0], what="the note", line=record.line, limit=fields.MAX_DEFINITION_CHARS)
        if notes
        else None,
        parents=tuple(dict.fromkeys(above)),
        codes={"mesh": _id(record).removeprefix(PREFIX)},
        semantic_types=tuple(dict.fromkeys([*(number[0] for number in trees), *record.all("ST")])),
    )


def _id(record: _Record) -> str:
    found = record.all("UI")
    if not found:
        raise SourceError("found a record without UI", line=record.line)
    return PREFIX + fields.clean(found[0], what="the UI", line=record.line, limit=fields.MAX_ID_CHARS)
