"""xMEN's (and scispaCy's) knowledge bases: JSON Lines of concept_id, canonical_name, aliases, types, definition."""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from pipelines.errors import SourceError
from pipelines.sources import fields, files, jsonl
from pipelines.sources.fields import clean, shown
from pipelines.terminology import Concept, Term


def read(path: Path, *, languages: Sequence[str] | None = None, language: str | None = None) -> Iterator[Concept]:
    """The concepts of the file, in its order. An alias is a text, or an object of text, lang and preferred.

    Args:
        path: the file, plain, gzip or zstd.
        languages: keep terms of these languages; None keeps all.
        language: of names and aliases that do not say.

    Raises: SourceError at the first fault, with its line.
    """
    lines_by_id: dict[str, int] = {}
    for number, line in enumerate(files.byte_lines(path), 1):
        line = files.without_mark(line) if number == 1 else line
        if not line.strip():
            continue
        content = jsonl.object_of(line, number)
        concept = _concept(content, number, languages, language)
        if lines_by_id.setdefault(concept.id, number) != number:
            first = lines_by_id[concept.id]
            raise SourceError(f"the id {shown(concept.id)} stands in line {first} already", line=number)
        yield concept


def _concept(content: Mapping[str, Any], line: int, languages: Sequence[str] | None, language: str | None) -> Concept:
    if "concept_id" not in content:
        raise SourceError('found no "concept_id"; expected a concept as xMEN writes it', line=line)
    terms = [_alias(alias, line, language) for alias in jsonl.list_of(content, "aliases", line)]
    name = content.get("canonical_name") or next((t.text for t in terms), None)
    if name is None:
        raise SourceError('found neither "canonical_name" nor "aliases"', line=line)
    definition = content.get("definition")
    return fields.concept_of(
        clean(content["concept_id"], what="the id", line=line, limit=fields.MAX_ID_CHARS),
        clean(name, what="the name", line=line),
        terms,
        language=language,
        languages=languages,
        line=line,
        definition=clean(definition, what="the definition", line=line, limit=fields.MAX_DEFINITION_CHARS)
        if definition
        else None,
        semantic_types=fields.clean_all(jsonl.list_of(content, "types", line), what="a type", line=line),
    )


def _alias(alias: object, line: int, language: str | None) -> Term:
    if isinstance(alias, str):
        return Term(clean(alias, what="an alias", line=line), language)
    if not isinstance(alias, dict) or "text" not in alias:
        raise SourceError(f'found {shown(alias)} for an alias; expected a text or {{"text": …}}', line=line)
    said = fields.language_at(alias.get("lang") or alias.get("language"), line=line)
    kind = "preferred" if alias.get("preferred") is True else "alternative"
    return Term(clean(alias["text"], what="an alias", line=line), said or language, kind)
