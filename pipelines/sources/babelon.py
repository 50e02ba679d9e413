"""Babelon tables: an ontology's labels and synonyms in other languages, as HPO publishes them (hp-de.babelon.tsv).

A table stands beside the ontology it translates (see `obo.py`), or alone: then its source values are the names.
Beside `XX.babelon.tsv` may stand `XX.synonyms.tsv`, as ROBOT templates: a second header line says language and kind.
"""

import csv
import re
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from pipelines.errors import SourceError
from pipelines.sources import fields, tables
from pipelines.sources.files import Bundle
from pipelines.terminology import Concept, Term

TABLE: Final = re.compile(r".*babelon.*\.tsv(?:\.gz|\.zst)?", re.IGNORECASE)
SYNONYMS: Final = re.compile(r".*synonyms?.*\.tsv(?:\.gz|\.zst)?", re.IGNORECASE)

_LABEL: Final = "rdfs:label"
_DEFINITION: Final = "IAO:0000115"
_NEEDED: Final = ("subject_id", "predicate_id", "source_value", "translation_language", "translation_value")
_TEMPLATE: Final = re.compile(r"AL .*@([A-Za-z-]+)")
_WITHDRAWN: Final = {"not_translated", "obsolete"}


@dataclass(slots=True)
class Translated:
    """What the tables say of one concept."""

    name: str = ""
    source_language: str | None = None
    terms: list[Term] = field(default_factory=list)
    definition: str | None = None


def translations(bundle: Bundle) -> dict[str, Translated]:
    """Concept id → what every table of the bundle says of it. Raises: SourceError, naming table and line."""
    found: dict[str, Translated] = defaultdict(Translated)
    for member in bundle.matching(TABLE):
        with bundle.opened(member) as lines:
            for line, row in tables.table(lines, required=_NEEDED, delimiter="\t", quoting=csv.QUOTE_NONE):
                _add(found[_id(row["subject_id"], line)], row, line)
    for member in bundle.matching(SYNONYMS):
        with bundle.opened(member) as lines:
            _add_synonyms(found, tables.records(lines, delimiter="\t", quoting=csv.QUOTE_NONE))
    return dict(found)


def read(path: Path, *, languages: Sequence[str] | None = None, language: str | None = None) -> Iterator[Concept]:
    """The concepts that the tables name, without the ontology: no parents, no synonyms in its own language.

    Args:
        path: a table, or a folder or zip of several.
        languages: keep terms of these languages; None keeps all.
        language: of the source values, where the tables do not say.

    Raises: SourceError, naming table and line.
    """
    bundle = Bundle.at(path)
    if not bundle.matching(TABLE):
        raise SourceError(f"{bundle.name} holds no Babelon table; expected one such as hp-de.babelon.tsv")
    for concept_id, said in translations(bundle).items():
        name = said.name or (said.terms[0].text if said.terms else "")
        if name:
            yield fields.concept_of(
                concept_id,
                name,
                said.terms,
                language=(said.source_language or language) if said.name else said.terms[0].language,
                languages=languages,
                definition=said.definition,
            )


def _add(known: Translated, row: dict[str, str], line: int) -> None:
    predicate = row["predicate_id"].strip()
    source = row["source_value"].strip()
    if predicate == _DEFINITION and source and known.definition is None:
        known.definition = fields.clean(source, what="a definition", line=line, limit=fields.MAX_DEFINITION_CHARS)
    if predicate != _LABEL and not predicate.endswith("Synonym"):
        return
    if predicate == _LABEL and source:
        known.name = fields.clean(source, what="a source value", line=line)
        known.source_language = fields.language_at(row.get("source_language", "").strip(), line=line)
    text = row["translation_value"].strip()
    if text and row.get("translation_status", "").strip().lower() not in _WITHDRAWN:
        tag = fields.language_at(row["translation_language"].strip(), line=line)
        kind = "preferred" if predicate == _LABEL else "alternative"
        known.terms.append(Term(fields.clean(text, what="a translation", line=line), tag, kind))


def _add_synonyms(found: dict[str, Translated], rows: Iterator[tuple[int, list[str]]]) -> None:
    line, header = next(rows, (1, []))
    if {"subject_id", "translation_value"} - {*header}:
        raise SourceError("found no columns subject_id and translation_value", line=line)
    subject, value = header.index("subject_id"), header.index("translation_value")
    tag: str | None = None
    for line, row in rows:
        if len(row) <= max(subject, value) or not row[value].strip():
            continue
        if match := _TEMPLATE.match(row[value]):
            tag = fields.language_at(match[1], line=line)
        else:
            term = Term(fields.clean(row[value], what="a synonym", line=line), tag)
            found[_id(row[subject], line)].terms.append(term)


def _id(text: str, line: int) -> str:
    return fields.clean(text, what="the subject_id", line=line, limit=fields.MAX_ID_CHARS)
