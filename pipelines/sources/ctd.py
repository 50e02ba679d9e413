"""CTD's disease vocabulary (MEDIC): CTD_diseases.tsv or .csv, MeSH and OMIM merged, under MeSH or OMIM ids."""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Final

from pipelines.errors import SourceError
from pipelines.sources import fields, files, tables
from pipelines.sources.codes import codes_of
from pipelines.terminology import Concept, Term

COLUMNS: Final = ("DiseaseName", "DiseaseID", "AltDiseaseIDs", "Definition", "ParentIDs", "Synonyms", "SlimMappings")

_HEADER: Final = "# DiseaseName"


def read(path: Path, *, languages: Sequence[str] | None = None, language: str | None = None) -> Iterator[Concept]:
    """The diseases, in the file's order; alternative ids are codes, slim mappings semantic types.

    Args:
        path: the file as published: comments, then rows without a header, comma or tab.
        languages: keep terms of these languages; None keeps all.
        language: of names and synonyms; English where nobody says.

    Raises: SourceError at the first fault, with its line.
    """
    language = language or "en"
    header: list[str] = []
    for line, row in _rows(path):
        if not header:
            header = [column.lstrip("# ") for column in row]
            if missing := [column for column in COLUMNS if column not in header]:
                raise SourceError(f"found no column {missing[0]!r}; expected {', '.join(COLUMNS)}", line=line)
            continue
        tables.check_width(row, header, line=line)
        yield _concept(dict(zip(header, row, strict=True)), line, language, languages)


def is_one(first_lines: Sequence[str]) -> bool:
    """Whether a file that begins so is CTD's."""
    return any("DiseaseName" in text and "DiseaseID" in text for text in first_lines)


def _rows(path: Path) -> Iterator[tuple[int, list[str]]]:
    """The header, which is a comment, then the rows."""
    lines: list[str] = []
    numbered = []
    for number, text in enumerate(files.text_lines(files.byte_lines(path)), 1):
        if text.startswith("#") and not (text.startswith(_HEADER) or "DiseaseID" in text):
            continue
        lines.append(text)
        numbered.append(number)
    delimiter = "\t" if lines and "\t" in lines[0] else ","
    for line, row in tables.records(lines, delimiter=delimiter):
        yield numbered[min(line, len(numbered)) - 1], row


def _concept(row: dict[str, str], line: int, language: str | None, languages: Sequence[str] | None) -> Concept:
    def many(column: str) -> list[str]:
        return [value.strip() for value in row.get(column, "").split("|") if value.strip()]

    name = fields.clean(row["DiseaseName"], what="the name", line=line)
    concept_id = fields.clean(row["DiseaseID"], what="the id", line=line, limit=fields.MAX_ID_CHARS)
    definition = row["Definition"].strip()
    return fields.concept_of(
        concept_id,
        name,
        [
            Term(name, language, "preferred"),
            *(Term(fields.clean(text, what="a synonym", line=line), language) for text in many("Synonyms")),
        ],
        language=language,
        languages=languages,
        line=line,
        definition=fields.clean(definition, what="the definition", line=line, limit=fields.MAX_DEFINITION_CHARS)
        if definition
        else None,
        parents=tuple(many("ParentIDs")),
        codes=codes_of([concept_id, *many("AltDiseaseIDs")]),
        semantic_types=tuple(many("SlimMappings")),
    )
