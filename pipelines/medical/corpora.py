"""Annotated documents in and out: brat's folders, BigBIO's KB schema, and plain JSON Lines.

    brat    NAME.txt beside NAME.ann: `T1⇥Disorder 0 5⇥fever`, ids as `N1⇥Reference T1 HPO:HP:0001945⇥Fever` or as an
            annotator's note `#1⇥AnnotatorNotes T1⇥HP:0001945`
    bigbio  JSON Lines of BigBIO's bigbio_kb schema: passages with texts and offsets, entities with `normalized`
    jsonl   JSON Lines of {"id"?, "text", "language"?, "mentions": [{"start", "end", "concept_ids": […]}]}

Places are code points of the document's text. A discontinuous annotation is read as one place, from first to
last part.
"""

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from pipelines.errors import SourceError
from pipelines.results import LinkedMention
from pipelines.sources import fields, files

FORMATS: Final = ("brat", "bigbio", "jsonl")

_TYPE: Final = "Concept"
_ENTITY: Final = re.compile(r"(T\S+)\t(\S+) (\d+ \d+(?:;\d+ \d+)*)\t")
_NORMALIZED: Final = re.compile(r"N\S*\tReference (T\S+) (\S+)")
_NOTE: Final = re.compile(r"#\S*\tAnnotatorNotes (T\S+)\t(.*)")


@dataclass(frozen=True, slots=True)
class Annotation:
    """A mention that people annotated.

    Attributes:
        start, end: code points, end exclusive.
        concept_ids: any of these is right; empty is NIL.
    """

    start: int
    end: int
    concept_ids: frozenset[str]


@dataclass(frozen=True, slots=True)
class AnnotatedDocument:
    """A text and its annotations in order of place."""

    id: str
    text: str
    annotations: tuple[Annotation, ...]
    language: str | None = None


def detect(path: Path) -> str:
    """The format that a path looks like. Raises: SourceError if like none."""
    if path.is_dir():
        return "brat"
    first = next(iter(_objects(path)), (0, {}))[1]
    return "bigbio" if "passages" in first else "jsonl"


def read_documents(path: Path, *, format: str) -> list[AnnotatedDocument]:
    """The documents at the path, a folder for brat, a file (.gz, .zst allowed) otherwise. Raises: SourceError."""
    match format:
        case "brat":
            found = [_brat(file) for file in sorted(path.rglob("*.txt")) if file.with_suffix(".ann").is_file()]
        case "bigbio":
            found = [_bigbio(content, line) for line, content in _objects(path)]
        case "jsonl":
            found = [_plain(content, line) for line, content in _objects(path)]
        case _:
            raise SourceError(f"found the format {fields.shown(format)}; expected one of {', '.join(FORMATS)}")
    if not found:
        raise SourceError(f"{path.name} holds no annotated document")
    return found


def text_at(path: Path) -> str:
    """A file's text, no line end translated, since each character counts in places. Raises: SourceError."""
    try:
        with path.open(encoding="utf-8", newline="") as stream:
            return stream.read()
    except UnicodeDecodeError:
        raise SourceError(f"{path.name} is not UTF-8") from None


def to_brat(mentions: Sequence[LinkedMention], *, system: str) -> str:
    """The lines of an .ann file; NIL has no reference. Line ends inside a mention become blanks, as brat has it."""
    lines = []
    for number, linked in enumerate(mentions, 1):
        mention, decision = linked.mention, linked.decision
        text = " ".join(re.split(r"[\r\n\t]", mention.text))
        lines.append(f"T{number}\t{_TYPE} {mention.start} {mention.end}\t{text}")
        if decision.concept_id is not None:
            lines.append(f"N{number}\tReference T{number} {system}:{decision.concept_id}\t{decision.name}")
    return "".join(f"{line}\n" for line in lines)


def to_bigbio(document_id: str, text: str, mentions: Sequence[LinkedMention], *, system: str) -> dict[str, Any]:
    """One example of the bigbio_kb schema."""
    annotations = tuple(
        Annotation(m.mention.start, m.mention.end, frozenset([m.decision.concept_id] if m.decision.concept_id else []))
        for m in mentions
    )
    return annotated_bigbio(AnnotatedDocument(document_id, text, annotations), system=system)


def to_plain(document: AnnotatedDocument) -> dict[str, Any]:
    """One line of plain JSON Lines."""
    return {
        "id": document.id,
        "text": document.text,
        **({"language": document.language} if document.language else {}),
        "mentions": [
            {"start": a.start, "end": a.end, "concept_ids": sorted(a.concept_ids)} for a in document.annotations
        ],
    }


def annotated_bigbio(document: AnnotatedDocument, *, system: str) -> dict[str, Any]:
    """An annotated document as an example of the bigbio_kb schema, which knows no language."""
    document_id, text = document.id, document.text
    return {
        "id": document_id,
        "document_id": document_id,
        "passages": [{"id": f"{document_id}_0", "type": "text", "text": [text], "offsets": [[0, len(text)]]}],
        "entities": [
            {
                "id": f"{document_id}_T{number}",
                "type": _TYPE,
                "text": [text[annotation.start : annotation.end]],
                "offsets": [[annotation.start, annotation.end]],
                "normalized": [{"db_name": system, "db_id": one} for one in sorted(annotation.concept_ids)],
            }
            for number, annotation in enumerate(document.annotations, 1)
        ],
        "events": [],
        "coreferences": [],
        "relations": [],
    }


def _brat(path: Path) -> AnnotatedDocument:
    text = text_at(path)
    spans: dict[str, tuple[int, int]] = {}
    ids: dict[str, set[str]] = {}
    lines = text_at(path.with_suffix(".ann")).splitlines()
    for number, line in enumerate(lines, 1):
        if match := _ENTITY.match(line):
            places = [int(place) for part in match[3].split(";") for place in part.split()]
            spans[match[1]] = _checked(min(places), max(places), text, f"{path.stem}.ann", number)
        elif match := _NORMALIZED.match(line):
            # "HPO:HP:0001945" is database and id; an id may hold a colon itself.
            ids.setdefault(match[1], set()).add(match[2].partition(":")[2] or match[2])
        elif match := _NOTE.match(line):
            ids.setdefault(match[1], set()).update(re.split(r"[\s,;|]+", match[2].strip()))
    return _document(path.stem, text, [(s, e, ids.get(name, set())) for name, (s, e) in spans.items()], None)


def _bigbio(content: Mapping[str, Any], line: int) -> AnnotatedDocument:
    try:
        parts = sorted((p["offsets"][0][0], "".join(p["text"])) for p in content["passages"])
        length = max((offset + len(part) for offset, part in parts), default=0)
        text = [" "] * length
        for offset, part in parts:
            text[offset : offset + len(part)] = part
        joined = "".join(text)
        found = []
        for entity in content["entities"]:
            places = [place for pair in entity["offsets"] for place in pair]
            start, end = _checked(min(places), max(places), joined, "entities", line)
            found.append((start, end, {_text(n["db_id"]) for n in entity.get("normalized", ()) if n.get("db_id")}))
        name = str(content.get("document_id") or content["id"]).encode("utf-8", "replace").decode()
        return _document(name, joined, found, None)
    except (KeyError, TypeError, IndexError, ValueError):
        raise SourceError("not an example of the bigbio_kb schema", line=line) from None


def _plain(content: Mapping[str, Any], line: int) -> AnnotatedDocument:
    try:
        text = _text(content["text"])
        found = []
        for mention in content["mentions"]:
            ids = mention.get("concept_ids") or [i for i in [mention.get("concept_id")] if i]
            start, end = _checked(mention["start"], mention["end"], text, "mentions", line)
            found.append((start, end, {_text(one) for one in ids}))
        language = content.get("language")
        name = str(content.get("id", line)).encode("utf-8", "replace").decode()
        return _document(name, text, found, None if language is None else _text(language))
    except (KeyError, TypeError, AttributeError):
        raise SourceError('expected {"text", "mentions": [{"start", "end", "concept_ids"}]}', line=line) from None


def _text(value: object) -> str:
    if not isinstance(value, str):
        raise TypeError("not a text")
    return value


def _document(
    name: str, text: str, found: Sequence[tuple[int, int, set[str]]], language: str | None
) -> AnnotatedDocument:
    """The annotations of one place become one, which any of their ids answers."""
    places: dict[tuple[int, int], set[str]] = {}
    for start, end, ids in found:
        places.setdefault((start, end), set()).update(ids)
    annotations = tuple(Annotation(start, end, frozenset(ids)) for (start, end), ids in sorted(places.items()))
    return AnnotatedDocument(name, text, annotations, language)


def _checked(start: int, end: int, text: str, where: str, line: int) -> tuple[int, int]:
    if not (isinstance(start, int) and isinstance(end, int) and 0 <= start < end <= len(text)):
        raise SourceError(f"{where}: found a mention outside its text of {len(text):,} characters", line=line)
    return start, end


def _objects(path: Path) -> Iterator[tuple[int, Mapping[str, Any]]]:
    for number, line in enumerate(files.text_lines(files.byte_lines(path)), 1):
        if not line.strip():
            continue
        try:
            content = json.loads(line)
        except ValueError:
            raise SourceError("not JSON", line=number) from None
        if not isinstance(content, dict):
            raise SourceError("expected a JSON object", line=number)
        yield number, content
