"""Weak supervision by alias substitution: mentions become aliases that the same concepts have in another language.

The text around stays as it is. A linker trained on this sees names of the other language in real contexts, with ids
that are right by construction. Source: weak labels as in xMEN (Borchert et al. 2023).
"""

import random
from collections import Counter
from collections.abc import Iterator, Sequence
from typing import Final

from pipelines.encoding import primary
from pipelines.medical.corpora import AnnotatedDocument, Annotation
from pipelines.terminology import Terminology

SUBSTITUTED: Final = "substituted"
NO_ALIAS: Final = "no alias"
UNKNOWN: Final = "no such concept"
NIL: Final = "nil"
NESTED: Final = "nested"
"""What becomes of an annotation; all but the first are no annotations of the new document."""


def substitute(
    documents: Sequence[AnnotatedDocument], terminology: Terminology, *, language: str, seed: int = 0
) -> tuple[list[AnnotatedDocument], Counter[str]]:
    """Documents with the mentions in `language` that have an alias there, and what became of all annotations.

    A document in which nothing was substituted is left out. Of an annotation with several ids the first by name that
    has an alias counts. The same seed draws the same aliases, whatever documents stand beside.
    """
    counts: Counter[str] = Counter()
    drawn = (_substituted(document, terminology, primary(language), seed, counts) for document in documents)
    return [
        AnnotatedDocument(f"{document.id}-{language}", text, tuple(annotations), language)
        for document, (text, annotations) in zip(documents, drawn, strict=True)
        if annotations
    ], counts


def outermost(annotations: Sequence[Annotation]) -> Iterator[tuple[Annotation, bool]]:
    """The annotations in order of place, and whether each is clear of those before it; of nested ones the widest is."""
    end = 0
    for annotation in sorted(annotations, key=lambda a: (a.start, -a.end)):
        yield annotation, annotation.start >= end
        end = max(end, annotation.end)


def _substituted(
    document: AnnotatedDocument, terminology: Terminology, tag: str, seed: int, counts: Counter[str]
) -> tuple[str, list[Annotation]]:
    """The new text and its annotations."""
    # Text seeds do not depend on the process, as hashes of strings would.
    draw = random.Random(f"{seed} {document.id}")
    parts: list[str] = []
    annotations: list[Annotation] = []
    done = length = 0
    for annotation, clear in outermost(document.annotations):
        concept_id, aliases, outcome = _aliases(annotation, terminology, tag) if clear else ("", [], NESTED)
        counts[outcome] += 1
        if not aliases:
            continue
        alias = draw.choice(aliases)
        parts += [document.text[done : annotation.start], alias]
        length += annotation.start - done
        annotations.append(Annotation(length, length + len(alias), frozenset([concept_id])))
        length += len(alias)
        done = annotation.end
    return "".join([*parts, document.text[done:]]), annotations


def _aliases(annotation: Annotation, terminology: Terminology, tag: str) -> tuple[str, list[str], str]:
    """The id meant, its aliases in the language, and what becomes of the annotation."""
    if not annotation.concept_ids:
        return "", [], NIL
    known = [i for i in map(terminology.current, sorted(annotation.concept_ids)) if i in terminology.by_id]
    for concept_id in known:
        terms = terminology.concept(concept_id).terms
        if aliases := [term.text for term in terms if term.language and primary(term.language) == tag]:
            return concept_id, aliases, SUBSTITUTED
    return "", [], NO_ALIAS if known else UNKNOWN
