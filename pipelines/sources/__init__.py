"""Sources: anything published or brought becomes a Terminology. The one folder that is no pipeline.

A reader is a module's `read`: path in, concepts out, one by one, SourceError at the first fault.
"""

import hashlib
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from itertools import islice
from pathlib import Path
from typing import Final, Protocol

from pipelines.errors import SourceError
from pipelines.sources import babelon, csv, ctd, esco, fields, files, icd10, jsonl, mesh, obo, onet, umls, xmen
from pipelines.sources.files import Bundle
from pipelines.terminology import Concept, Terminology

PROGRESS_EVERY: Final = 1000

_FIRST_LINES: Final = 40

_SUFFIX: Final = re.compile(r"\.(jsonl|ndjson|csv|tsv)(?:\.gz|\.zst)?$", re.IGNORECASE)
_ESCO_RELEASE: Final = re.compile(r"(?<![\d.])v?(\d+\.\d+\.\d+)(?![\d.])")


class Reader(Protocol):
    """What every format's `read` is; some take more."""

    def __call__(
        self, path: Path, *, languages: Sequence[str] | None = None, language: str | None = None
    ) -> Iterator[Concept]:
        """The concepts at the path. Raises: SourceError."""
        ...


FORMATS: Final[Mapping[str, Reader]] = {
    "babelon": babelon.read,
    "csv": csv.read,
    "ctd": ctd.read,
    "esco": esco.read,
    "icd10": icd10.read,
    "jsonl": jsonl.read,
    "mesh": mesh.read,
    "obo": obo.read,
    "onet": onet.read,
    "umls": umls.read,
    "xmen": xmen.read,
}


def read_terminology(
    path: Path,
    *,
    format: str,
    name: str,
    version: str | None = None,
    title: str | None = None,
    languages: Sequence[str] | None = None,
    language: str | None = None,
    group_names: Mapping[str, str] | None = None,
    on_progress: Callable[[int], None] | None = None,
) -> Terminology:
    """The terminology at the path.

    Args:
        path: a file or folder, as the format asks for.
        format: one of FORMATS.
        name: the terminology's.
        version: None takes what the source says of itself, else a fingerprint of its bytes.
        title: for people; None repeats the name.
        languages: BCP 47; keep terms of these languages only. None keeps all.
        language: of terms whose source does not say.
        group_names: ISCO-08 code → name, for the groups that an ESCO bundle does not name; other formats ignore it.
        on_progress: told the number of concepts read so far, every 1,000 and at the end.

    Raises:
        SourceError: an unknown format, or the first fault of the source.
    """
    reader = FORMATS.get(format)
    if reader is None:
        raise SourceError(f"found the format {fields.shown(format)}; expected one of {', '.join(FORMATS)}")
    concepts = reader(
        path,
        languages=None if languages is None else [fields.language_tag(tag) for tag in languages],
        language=None if language is None else fields.language_tag(language),
    )
    read = [_grouped(c, group_names or {}) for c in _told(concepts, on_progress)]
    if not read:
        raise SourceError("found no concept; expected at least one")
    return Terminology(name, version=version or version_of(path, format=format), title=title, concepts=read)


def detect_format(path: Path) -> str:
    """The format that the path looks like. Raises: SourceError if like none."""
    bundle = Bundle.at(path)
    if bundle.matching(esco.OCCUPATIONS):
        return "esco"
    if onet.OCCUPATIONS in bundle.members:
        return "onet"
    if umls.CONCEPTS in bundle.members:
        return "umls"
    if bundle.matching(obo.ONTOLOGY):
        return "obo"
    if bundle.matching(babelon.TABLE):
        return "babelon"
    if path.is_file() and (found := _by_content(path)):
        return found
    if path.is_file() and (match := _SUFFIX.search(path.name)):
        return "jsonl" if match[1].lower() in {"jsonl", "ndjson"} else "csv"
    raise SourceError(
        f"{path.name} looks like no known format; expected a .jsonl, .csv or .tsv file (.gz or .zst allowed), an ESCO "
        "release, an O*NET database, an .obo file, Babelon tables, ICD-10-CM's tabular list, CTD, MeSH or UMLS files"
    )


def _by_content(path: Path) -> str | None:
    """The format that a file's first lines tell, whatever it is called; None where they tell none."""
    try:
        first = list(islice(files.text_lines(files.byte_lines(path)), _FIRST_LINES))
    except SourceError:
        return None
    if ctd.is_one(first):
        return "ctd"
    if any(text.strip() == mesh.RECORD for text in first):
        return "mesh"
    if any("<ICD10CM.tabular" in text for text in first):
        return "icd10"
    return "xmen" if first and first[0].startswith("{") and '"concept_id"' in first[0] else None


def version_of(path: Path, *, format: str) -> str:
    """What the source says of its version, else "sha256-" and twelve digits of its files' hash."""
    if format == "onet" and (release := onet.release(path)):
        return release
    if format == "esco" and (named := _ESCO_RELEASE.search(path.name)):
        return named[1]
    if format == "obo" and (dated := obo.release(path)):
        return dated
    if format == "icd10" and (year := icd10.release(path)):
        return year
    return f"sha256-{digest_of(path)[:12]}"


def digest_of(path: Path) -> str:
    """Hex sha256 over a file's bytes, or over the hashes of a folder's files."""
    digest = hashlib.sha256()
    for file in sorted(f for f in path.iterdir() if f.is_file()) if path.is_dir() else [path]:
        with file.open("rb") as stream:
            digest.update(hashlib.file_digest(stream, "sha256").digest())
    return digest.hexdigest()


def _grouped(concept: Concept, names: Mapping[str, str]) -> Concept:
    """An ISCO group that its source left nameless, under the name it has elsewhere."""
    name = names.get(concept.codes.get("isco-08", ""))
    if name is None or not (concept.abstract and esco.is_nameless(concept)):
        return concept
    return replace(concept, name=name, terms=[replace(concept.terms[0], text=name)])


def _told(concepts: Iterable[Concept], on_progress: Callable[[int], None] | None) -> Iterator[Concept]:
    done = 0
    for done, concept in enumerate(concepts, 1):
        if on_progress and done % PROGRESS_EVERY == 0:
            on_progress(done)
        yield concept
    if on_progress:
        on_progress(done)


__all__ = ["FORMATS", "Reader", "detect_format", "digest_of", "read_terminology", "version_of"]
