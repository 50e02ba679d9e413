"""Concept CSV and TSV: one concept a row ("wide"), or one term a row ("long"); the header says which.

Wide: `id`, `name` and any of `name_XX` (a preferred term in language XX), `terms`, `terms_XX`, `skills`,
`parents`, `semantic_types` (lists, separated by "|"), `definition`, `language` (of `name` and `terms`),
`abstract`, `code_SYSTEM`.
Long: `concept_id` (or `id`), `term` and any of `language`, `kind`, `name`, and the wide columns that are not
terms, which need only stand in one of a concept's rows.

The separator is a comma, semicolon or tab, whichever gives such a header. Other columns are ignored.
"""

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import chain
from pathlib import Path
from typing import Final

from pipelines.errors import SourceError
from pipelines.sources import fields, files, tables
from pipelines.sources.fields import clean, clean_all, shown
from pipelines.terminology import Concept, Term

SEPARATORS: Final = (",", ";", "\t")
LIST_SEPARATOR: Final = "|"

_TERM_COLUMN: Final = re.compile(r"(name|terms)(?:_(.+))?")
_TRUTH: Final = {"": False, "false": False, "no": False, "0": False, "true": True, "yes": True, "1": True}
_TEXTS: Final = {"parents": "a parent", "semantic_types": "a semantic type", "skills": "a skill"}


@dataclass(frozen=True, slots=True)
class _Row:
    """A record by column, and where it starts."""

    line: int
    values: Mapping[str, str]

    def get(self, column: str) -> str:
        return self.values.get(column, "").strip()

    def list(self, column: str) -> list[str]:
        return [value for value in self.get(column).split(LIST_SEPARATOR) if value.strip()]


@dataclass(slots=True)
class _Grouped:
    """A concept of the long layout, gathered from rows that need not stand together."""

    line: int
    values: dict[str, str] = field(default_factory=dict)
    terms: list[Term] = field(default_factory=list)


def read(path: Path, *, languages: Sequence[str] | None = None, language: str | None = None) -> Iterator[Concept]:
    """The concepts of the file, in its order.

    Args:
        path: a plain, gzip or zstd file.
        languages: keep terms of these languages; None keeps all.
        language: of names and terms that do not say.

    Raises:
        SourceError: at the first fault, with the line its record starts on.
    """
    lines = files.text_lines(files.byte_lines(path))
    first = next(lines, "")
    layout, separator = _layout(first)
    rows = _rows(chain([first], lines), separator)
    yield from layout(rows, languages, language)


_Layout = Callable[[Iterator[_Row], Sequence[str] | None, str | None], Iterator[Concept]]


def _layout(first: str) -> tuple[_Layout, str]:
    for separator in SEPARATORS:
        columns = set(_header(first, separator))
        if columns >= {"concept_id", "term"} or columns >= {"id", "term"}:
            return _long, separator
        if "id" in columns and any(c == "name" or c.startswith("name_") for c in columns):
            return _wide, separator
    raise SourceError(
        'found no header with "id" and "name" (one concept a row) or with "concept_id" and "term" '
        "(one term a row), separated by comma, semicolon or tab",
        line=1,
    )


def _header(line: str, separator: str) -> list[str]:
    try:
        _, columns = next(tables.records([line], delimiter=separator), (1, []))
    except SourceError:  # A quote that this separator leaves open: another one may fit.
        return []
    return [column.strip().lower() for column in columns]


def _rows(lines: Iterable[str], separator: str) -> Iterator[_Row]:
    records = tables.records(lines, delimiter=separator)
    line, header = next(records)
    columns = [column.strip().lower() for column in header]
    twice = next((c for i, c in enumerate(columns) if c and c in columns[:i]), None)
    if twice:
        raise SourceError(f"the column {shown(twice)} stands twice in the header", line=line)
    for line, record in records:
        tables.check_width(record, columns, line=line)
        yield _Row(line, dict(zip(columns, record, strict=True)))


def _wide(rows: Iterator[_Row], languages: Sequence[str] | None, language: str | None) -> Iterator[Concept]:
    lines_by_id: dict[str, int] = {}
    for row in rows:
        concept = _concept(row, _wide_terms(row, language), languages, language)
        first = lines_by_id.setdefault(concept.id, row.line)
        if first != row.line:
            raise SourceError(f"the id {shown(concept.id)} stands in line {first} already", line=row.line)
        yield concept


def _wide_terms(row: _Row, language: str | None) -> Iterator[Term]:
    own = fields.language_at(row.get("language"), line=row.line) or language
    for column in row.values:
        match = _TERM_COLUMN.fullmatch(column)
        if not match:
            continue
        tag = fields.language_at(match[2], line=1) if match[2] else own
        if match[1] == "terms":
            texts, kind = row.list(column), "alternative"
        else:
            texts, kind = [row.get(column)] if row.get(column) else [], "preferred"
        for text in texts:
            yield Term(clean(text, what=f"a text of {column}", line=row.line), tag, kind)


def _long(rows: Iterator[_Row], languages: Sequence[str] | None, language: str | None) -> Iterator[Concept]:
    concepts: dict[str, _Grouped] = {}
    for row in rows:
        concept_id = _id(row)
        grouped = concepts.setdefault(concept_id, _Grouped(row.line))
        if row.get("term"):
            grouped.terms.append(_long_term(row, language))
        for column, value in row.values.items():
            if not value.strip() or column in {"term", "language", "kind"}:
                continue
            if grouped.values.setdefault(column, value) != value and _is_read(column):
                raise SourceError(f"{column} is not what an earlier row of this concept says", line=row.line)
    for concept_id, grouped in concepts.items():
        if "name" not in grouped.values:
            grouped.values["name"] = _name_among(grouped, concept_id)
        yield _concept(_Row(grouped.line, grouped.values), grouped.terms, languages, language)


def _long_term(row: _Row, language: str | None) -> Term:
    kind = row.get("kind").lower()
    return Term(
        clean(row.get("term"), what="the term", line=row.line),
        fields.language_at(row.get("language"), line=row.line) or language,
        fields.kind_at(kind, line=row.line) if kind else "alternative",
    )


def _name_among(grouped: _Grouped, concept_id: str) -> str:
    preferred = [term.text for term in grouped.terms if term.kind == "preferred"]
    named = [*preferred, *(term.text for term in grouped.terms)]
    if not named:
        raise SourceError(f"the concept {shown(concept_id)} has neither name nor term", line=grouped.line)
    return named[0]


def _is_read(column: str) -> bool:
    return column in {"name", "definition", "abstract", *_TEXTS} or column.startswith("code_")


def _id(row: _Row) -> str:
    found = row.get("concept_id") or row.get("id")
    return clean(found, what="the id", line=row.line, limit=fields.MAX_ID_CHARS)


def _concept(row: _Row, terms: Iterable[Term], languages: Sequence[str] | None, language: str | None) -> Concept:
    terms = list(terms)
    name = row.get("name") or next((term.text for term in terms if term.kind == "preferred"), "")
    definition = row.get("definition")
    return fields.concept_of(
        _id(row),
        clean(name, what="the name", line=row.line),
        terms,
        language=fields.language_at(row.get("language"), line=row.line) or language,
        languages=languages,
        line=row.line,
        definition=clean(definition, what="the definition", line=row.line, limit=fields.MAX_DEFINITION_CHARS)
        if definition
        else None,
        codes=dict(_codes(row)),
        abstract=_truth(row),
        **{column: clean_all(row.list(column), what=what, line=row.line) for column, what in _TEXTS.items()},
    )


def _codes(row: _Row) -> Iterator[tuple[str, str]]:
    for column in row.values:
        if column.startswith("code_") and row.get(column):
            yield column.removeprefix("code_"), clean(row.get(column), what=f"a {column}", line=row.line)


def _truth(row: _Row) -> bool:
    found = row.get("abstract").lower()
    if found not in _TRUTH:
        raise SourceError(f"found {shown(found)} for abstract; expected true or false", line=row.line)
    return _TRUTH[found]
