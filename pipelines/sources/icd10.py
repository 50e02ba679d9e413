"""ICD-10-CM's tabular list in XML, as the CDC publishes it and the package simple-icd-10-cm carries it.

Chapters and blocks are abstract: what is coded is answered, what only groups is not.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from typing import Final
from xml.etree.ElementTree import Element, ParseError, iterparse

from pipelines.errors import SourceError
from pipelines.sources import fields, files
from pipelines.terminology import Concept, Term

SYSTEM: Final = "icd-10-cm"
MAX_FILE_BYTES: Final = 64 << 20
"""The tabular list of 2026 has 10 MB."""

_RANGE: Final = re.compile(r"\s*\([A-Z]\d\w(?:-[A-Z]\d\w)?\)$")
_NOTES: Final = ("inclusionTerm", "includes")


@dataclass(frozen=True, slots=True)
class _Above:
    """What a code stands below: ids, and the semantic types it inherits."""

    parent: str | None
    types: tuple[str, ...]


def read(path: Path, *, languages: Sequence[str] | None = None, language: str | None = None) -> Iterator[Concept]:
    """Chapters, blocks and codes, from the broadest down; inclusion terms are terms. Chapter names are semantic types.

    Codes of seven characters that only a 7th-character table defines are not spelled out.

    Args:
        path: the XML file, plain, gzip or zstd.
        languages: keep terms of these languages; None keeps all.
        language: of the names; English where nobody says.

    Raises: SourceError for what is no tabular list.
    """
    root = _root(path)
    language = language or "en"
    for chapter in root.iter("chapter"):
        name = _RANGE.sub("", _text(chapter, "desc"))
        number = f"chapter-{_text(chapter, 'name')}"
        yield _concept(number, [name], _Above(None, ()), language, languages, abstract=True)
        for section in chapter.iter("section"):
            block = section.get("id", "")
            if not section.findall("diag"):
                continue
            above = _Above(number, (name,))
            if not any(_text(d, "name") == block for d in section.findall("diag")):
                yield _concept(
                    block, [_RANGE.sub("", _text(section, "desc"))], above, language, languages, abstract=True
                )
                above = _Above(block, (name,))
            for diagnosis in section.findall("diag"):
                yield from _diagnoses(diagnosis, above, language, languages)


def release(path: Path) -> str | None:
    """The version the list says it is: "2026"."""
    return _text(_root(path), "version") or None


def _diagnoses(
    diagnosis: Element, above: _Above, language: str | None, languages: Sequence[str] | None
) -> Iterator[Concept]:
    code = _text(diagnosis, "name")
    texts = [_text(diagnosis, "desc")]
    for kind in _NOTES:
        for notes in diagnosis.findall(kind):
            texts += [" ".join("".join(note.itertext()).split()) for note in notes.findall("note")]
    yield _concept(code, texts, above, language, languages)
    for below in diagnosis.findall("diag"):
        yield from _diagnoses(below, _Above(code, above.types), language, languages)


def _concept(
    code: str,
    texts: Sequence[str],
    above: _Above,
    language: str | None,
    languages: Sequence[str] | None,
    *,
    abstract: bool = False,
) -> Concept:
    name = fields.clean(texts[0], what=f"the name of {fields.shown(code)}")
    terms = [Term(fields.clean(t, what="a term"), language, "alternative") for t in texts[1:] if t]
    return fields.concept_of(
        fields.clean(code, what="a code", limit=fields.MAX_ID_CHARS),
        name,
        [Term(name, language, "preferred"), *terms],
        language=language,
        languages=languages,
        parents=() if above.parent is None else (above.parent,),
        codes={} if abstract else {SYSTEM: code},
        semantic_types=above.types,
        abstract=abstract,
    )


def _root(path: Path) -> Element:
    content = b"".join(_limited(path))
    if b"<!ENTITY" in content or b"<!DOCTYPE" in content:
        raise SourceError(f"{path.name} declares a document type; expected the plain tabular list")
    try:
        events = iterparse(BytesIO(content), events=("end",))
        for _ in events:
            pass
    except ParseError as error:
        raise SourceError(f"not XML: {error.msg.split(':')[0]}", line=error.position[0]) from None
    root: Element = events.root  # type: ignore[attr-defined]  # the stubs lack it
    if not root.tag.endswith("tabular"):
        raise SourceError(f"found the element {fields.shown(root.tag)}; expected ICD10CM.tabular")
    return root


def _limited(path: Path) -> Iterator[bytes]:
    total = 0
    for line in files.byte_lines(path):
        total += len(line)
        if total > MAX_FILE_BYTES:
            raise SourceError(f"{path.name} unpacks to more than {MAX_FILE_BYTES:,} bytes")
        yield line


def _text(element: Element, tag: str) -> str:
    found = element.find(tag)
    return "" if found is None else " ".join("".join(found.itertext()).split())
