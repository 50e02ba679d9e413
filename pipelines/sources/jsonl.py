"""Concept JSONL, the contract's own format: one concept a line, plain, gzip or zstd."""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Final

import orjson

from pipelines.errors import SourceError
from pipelines.sources import fields, files
from pipelines.sources.fields import clean, clean_all, shown
from pipelines.terminology import Concept, Term

_TEXTS: Final = {
    "parents": "a parent",
    "semantic_types": "a semantic type",
    "skills": "a skill",
    "replaces": "a replaced id",
}


def read(path: Path, *, languages: Sequence[str] | None = None, language: str | None = None) -> Iterator[Concept]:
    """The concepts of the file, one by one, in its order; blank lines are skipped, unknown fields ignored.

    Args:
        path: the file.
        languages: keep terms of these languages; None keeps all.
        language: of names and terms that do not say.

    Raises:
        SourceError: at the first fault, with its line.
    """
    lines_by_id: dict[str, int] = {}
    for number, line in enumerate(files.byte_lines(path), 1):
        if number == 1:
            line = files.without_mark(line)
        if not line.strip():
            continue
        concept = _concept(object_of(line, number), number, languages, language)
        first = lines_by_id.setdefault(concept.id, number)
        if first != number:
            raise SourceError(f"the id {shown(concept.id)} stands in line {first} already", line=number)
        if len(lines_by_id) > fields.MAX_CONCEPTS:
            raise SourceError(f"found more than {fields.MAX_CONCEPTS:,} concepts", line=number)
        yield concept


def object_of(line: bytes, number: int) -> Mapping[str, Any]:
    """The line's JSON object. Raises: SourceError."""
    try:
        content = orjson.loads(line)
    except orjson.JSONDecodeError as error:
        try:
            line.decode("utf-8")
        except UnicodeDecodeError as wrong:
            raise files.not_utf8(wrong, line=number) from None
        # The message of orjson ends with ": line 1 column 7 (char 6)", which would name a second line.
        what = error.msg.split(": line ")[0]
        raise SourceError(f"not JSON at column {error.colno}: {what}", line=number) from None
    if not isinstance(content, dict):
        raise SourceError(f"found {shown(content)}; expected a JSON object", line=number)
    return content


def _concept(content: Mapping[str, Any], line: int, languages: Sequence[str] | None, language: str | None) -> Concept:
    for key in ("id", "name"):
        if key not in content:
            raise SourceError(f'found no "{key}"; expected a concept with "id" and "name"', line=line)
    definition = content.get("definition")
    abstract = content.get("abstract", False)
    if not isinstance(abstract, bool):
        raise SourceError(f'found {shown(abstract)} for "abstract"; expected true or false', line=line)
    return fields.concept_of(
        clean(content["id"], what="the id", line=line, limit=fields.MAX_ID_CHARS),
        clean(content["name"], what="the name", line=line),
        _terms(content, line, language),
        language=language,
        languages=languages,
        line=line,
        definition=clean(definition, what="the definition", line=line, limit=fields.MAX_DEFINITION_CHARS)
        if definition not in (None, "")
        else None,
        codes=_codes(content, line),
        abstract=abstract,
        **{key: _texts(content, key, what, line) for key, what in _TEXTS.items()},
    )


def _terms(content: Mapping[str, Any], line: int, language: str | None) -> list[Term]:
    terms = list_of(content, "terms", line)
    if len(terms) > fields.MAX_TERMS:
        raise SourceError(f"found {len(terms):,} terms; at most {fields.MAX_TERMS:,} are taken", line=line)
    return [_term(term, line, language) for term in terms]


def _term(term: object, line: int, language: str | None) -> Term:
    if isinstance(term, str):
        return Term(clean(term, what="a term", line=line), language)
    if not isinstance(term, dict):
        raise SourceError(f'found {shown(term)} for a term; expected a text or {{"text": …}}', line=line)
    if "text" not in term:
        raise SourceError('found a term without "text"', line=line)
    return Term(
        clean(term["text"], what="a term", line=line),
        fields.language_at(term.get("language"), line=line) or language,
        "alternative" if term.get("kind") is None else fields.kind_at(term["kind"], line=line),
    )


def _texts(content: Mapping[str, Any], key: str, what: str, line: int) -> tuple[str, ...]:
    return clean_all(list_of(content, key, line), what=what, line=line)


def list_of(content: Mapping[str, Any], key: str, line: int) -> list[object]:
    """A field's list, empty where it is absent. Raises: SourceError."""
    values = content.get(key)
    if values is None:
        return []
    if not isinstance(values, list):
        raise SourceError(f'found {shown(values)} for "{key}"; expected a list', line=line)
    return values


def _codes(content: Mapping[str, Any], line: int) -> dict[str, str]:
    codes = content.get("codes")
    if codes is None:
        return {}
    if not isinstance(codes, dict):
        raise SourceError(f'found {shown(codes)} for "codes"; expected an object of system: code', line=line)
    if len(codes) > fields.MAX_VALUES:
        raise SourceError(f"found {len(codes):,} codes; at most {fields.MAX_VALUES:,} are taken", line=line)
    return {
        clean(system, what="a code system", line=line): clean(code, what="a code", line=line)
        for system, code in codes.items()
    }
