"""What is known: concepts, their terms, and which index row is which term of which concept."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Final

import numpy as np
import orjson
from numpy.typing import NDArray

from pipelines.errors import ConceptUnknown, SourceError

KINDS: Final = ("preferred", "alternative", "hidden", "confirmed")
"""Kinds of term, as SKOS labels; `confirmed` is an alias a user confirmed."""


@dataclass(frozen=True, slots=True)
class Term:
    """One surface string of a concept.

    Attributes:
        language: BCP 47, or None where the source does not say.
        kind: one of KINDS.
    """

    text: str
    language: str | None = None
    kind: str = "alternative"


@dataclass(frozen=True, slots=True)
class Concept:
    """What terms stand for.

    Attributes:
        id: CURIE or URI, unique in its terminology.
        name: preferred term.
        terms: every surface string, the preferred ones included.
        parents: ids of broader concepts; they may be absent from the terminology.
        codes: other systems' codes: "isco-08", "onet-soc", "esco", "icd-10-cm".
        skills: typical skills, for job titles.
        abstract: a grouper: never searched for, yet an answer when a request lets the decision back off.
        replaces: obsolete ids that this concept answers for.
    """

    id: str
    name: str
    terms: Sequence[Term]
    definition: str | None = None
    parents: Sequence[str] = ()
    codes: Mapping[str, str] = field(default_factory=dict)
    semantic_types: Sequence[str] = ()
    skills: Sequence[str] = ()
    abstract: bool = False
    replaces: Sequence[str] = ()


class Terminology:
    """Concepts in a fixed order, and the rows their terms take in an index.

    Row r of every index built for it is term `row_terms[r]` of concept `row_concepts[r]`; abstract concepts have no
    rows. Terms of one concept that differ only in case share a row (the first is kept).
    """

    def __init__(self, name: str, *, version: str, concepts: Sequence[Concept], title: str | None = None) -> None:
        self.name = name
        self.version = version
        self.title = title or name
        self.concepts = list(concepts)
        self.by_id = {concept.id: i for i, concept in enumerate(self.concepts)}
        if len(self.by_id) != len(self.concepts):
            raise SourceError(f"{len(self.concepts) - len(self.by_id)} concept ids stand twice in {name}")
        rows = [(c, term) for c, concept in enumerate(self.concepts) for term in _distinct(concept)]
        self.row_terms: list[Term] = [term for _, term in rows]
        self.row_concepts: NDArray[np.int64] = np.array([c for c, _ in rows], dtype=np.int64)

    def __len__(self) -> int:
        """The number of concepts, abstract ones included."""
        return len(self.concepts)

    @property
    def rows(self) -> int:
        """The number of index rows."""
        return len(self.row_terms)

    @cached_property
    def row_counts(self) -> NDArray[np.int64]:
        """How many rows each concept has, (concepts,)."""
        return np.bincount(self.row_concepts, minlength=len(self.concepts))

    @cached_property
    def languages(self) -> list[str]:
        """The languages of its terms, sorted."""
        return sorted({term.language for term in self.row_terms if term.language})

    @cached_property
    def children(self) -> dict[str, list[str]]:
        """Concept id → ids of its direct children."""
        children: dict[str, list[str]] = defaultdict(list)
        for concept in self.concepts:
            for parent in concept.parents:
                children[parent].append(concept.id)
        return dict(children)

    @cached_property
    def redirects(self) -> dict[str, str]:
        """Obsolete id → the id that answers for it."""
        return {old: concept.id for concept in self.concepts for old in concept.replaces if old not in self.by_id}

    def current(self, concept_id: str) -> str:
        """The id that answers for an obsolete one; any other id as it is."""
        return self.redirects.get(concept_id, concept_id)

    def concept(self, concept_id: str) -> Concept:
        """The concept of that id, or the one that replaced it. Raises: ConceptUnknown."""
        try:
            return self.concepts[self.by_id[self.current(concept_id)]]
        except KeyError:
            raise ConceptUnknown(f"terminology {self.name} has no such concept") from None

    def ancestors(self, concept_id: str) -> list[str]:
        """Ids of broader concepts that the terminology holds, nearest first, each once; cycles end."""
        found: dict[str, None] = {}
        level = [concept_id]
        while level:
            level = [
                parent
                for c in level
                for parent in self.concepts[self.by_id[c]].parents
                if parent in self.by_id and parent not in found and parent != concept_id
            ]
            found.update(dict.fromkeys(level))
        return list(found)

    def to_lines(self) -> Iterator[bytes]:
        """The terminology as concept JSONL (CONTRACT.md), one concept a line."""
        for concept in self.concepts:
            yield orjson.dumps(concept_to_json(concept))

    @classmethod
    def from_lines(cls, name: str, *, version: str, lines: Iterable[bytes], title: str | None = None) -> "Terminology":
        """Read what `to_lines` wrote. Trusted input: `sources/jsonl.py` is for what users bring."""
        return cls(
            name,
            version=version,
            title=title,
            concepts=[concept_from_json(orjson.loads(line)) for line in lines if line.strip()],
        )


def concept_to_json(concept: Concept) -> dict[str, Any]:
    """A concept as CONTRACT.md's JSONL object; empty fields are left out."""
    content: dict[str, Any] = {
        "id": concept.id,
        "name": concept.name,
        "terms": [{"text": t.text, "language": t.language, "kind": t.kind} for t in concept.terms],
        "definition": concept.definition,
        "parents": list(concept.parents),
        "codes": dict(concept.codes),
        "semantic_types": list(concept.semantic_types),
        "skills": list(concept.skills),
        "abstract": concept.abstract,
        "replaces": list(concept.replaces),
    }
    return {key: value for key, value in content.items() if value or key in {"id", "name", "terms"}}


def concept_from_json(content: Mapping[str, Any]) -> Concept:
    """The inverse of `concept_to_json`."""
    return Concept(
        id=content["id"],
        name=content["name"],
        terms=[Term(t["text"], t.get("language"), t.get("kind", "alternative")) for t in content["terms"]],
        definition=content.get("definition"),
        parents=content.get("parents", ()),
        codes=content.get("codes", {}),
        semantic_types=content.get("semantic_types", ()),
        skills=content.get("skills", ()),
        abstract=content.get("abstract", False),
        replaces=content.get("replaces", ()),
    )


def _distinct(concept: Concept) -> Iterator[Term]:
    if concept.abstract:
        return
    seen: set[str] = set()
    for term in concept.terms:
        key = term.text.casefold()
        if key not in seen:
            seen.add(key)
            yield term
