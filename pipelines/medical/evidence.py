"""What speaks for a candidate beyond its score: words in common, the hierarchy, what people annotated."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from math import log
from typing import Final

import numpy as np
from numpy.typing import NDArray

from models.arrays import Queries, Vectors
from models.rerankers.listwise import Listed, padded
from pipelines.medical.words import words_of
from pipelines.results import Candidate, Mention
from pipelines.terminology import Concept, Terminology

EVIDENCE: Final = (
    *("score", "gap", "rank", "dense", "lexical", "exact", "first"),
    *("mention_covered", "term_covered", "name_covered", "length", "own_language", "preferred", "support", "terms"),
    *("has_broader", "narrower", "best_narrower", "best_broader"),
    *("annotated", "votes", "nearest", "spelled"),
)
"""Per candidate, in order; `Evidence` fills them."""

SUMMARY: Final = ("best", "margin", "mean", "exact", "nearest", "words")
"""Per mention, in order."""

_WORDS_OF_TERMS: Final = 500
_WORDS_OF_NAMES: Final = 300
"""Telling words are the commonest: "unspecified", "congenital", "left". More of them did no better (dev)."""
_PER_CANDIDATE: Final = 12
"""Telling words looked at of a term, and of a name."""
_NAME: Final = "="
"""Before a telling word of a preferred name, in whatever language that is."""
_REMEMBERED: Final = 1 << 15
_SHARPNESS: Final = 20.0
_SAME: Final = 0.995
"""Cosine from which two mentions are spelled alike."""
_NOBODY: Final = -1.0
_APART: Final = -0.5
_SHORTEST_CODE: Final = 3
_NEAREST: Final = 10


@dataclass(frozen=True, slots=True)
class Memory:
    """Mentions that people annotated, as vectors: their texts are not kept.

    Attributes:
        vectors: (m, d) float32, encoded as queries are.
        concepts: (a,) which concept each annotation names; a mention may have several.
        owners: (a,) whose: 0..m−1.
        folds: (m,) which part of the documents each is from; an asker of the same part does not see it.
    """

    vectors: Vectors
    concepts: NDArray[np.int64]
    owners: NDArray[np.int64]
    folds: NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Vocabulary:
    """What the words of a terminology are worth.

    Attributes:
        telling: the commonest words of terms, and with `_NAME` before them those of preferred names, in order.
        counts: stem → terms that have it.
        rows: how many terms there are.
    """

    telling: Sequence[str]
    counts: Mapping[str, int]
    rows: int

    @classmethod
    def of(cls, terminology: Terminology) -> "Vocabulary":
        """Count the words of a terminology: a few seconds for a hundred thousand terms."""
        terms = Counter(stem for term in terminology.row_terms for stem in _stems(term.text, term.language))
        names = Counter(stem for concept in terminology.concepts for stem in _stems(*_named(concept)))
        telling = [stem for stem, _ in sorted(terms.items(), key=_by_count)[:_WORDS_OF_TERMS]]
        telling += [_NAME + stem for stem, _ in sorted(names.items(), key=_by_count)[:_WORDS_OF_NAMES]]
        return cls(telling, terms, terminology.rows)

    def weight(self, stems: Iterable[str]) -> float:
        """The sum of their inverse document frequencies."""
        return sum(max(log(self.rows / (1 + self.counts.get(stem, 0))), 0.0) for stem in stems)


class Evidence:
    """The evidence for the candidates of each mention.

    Args:
        terminology: whose candidates they are.
        memory: None where nobody annotated anything.
        vocabulary: as it was when the re-ranker was trained.
        limit: candidates looked at, best first.
    """

    def __init__(self, terminology: Terminology, memory: Memory | None, *, vocabulary: Vocabulary, limit: int) -> None:
        self.limit = limit
        self._terminology = terminology
        self._terms = _Terms(terminology, vocabulary)
        self._number = {word: i for i, word in enumerate(vocabulary.telling)}
        self._memory = memory
        self._by_concept: dict[int, NDArray[np.int64]] = {}
        if memory is not None and len(memory.concepts):
            order = np.argsort(memory.concepts, kind="stable")
            concepts, starts = np.unique(memory.concepts[order], return_index=True)
            parts = np.split(memory.owners[order], starts[1:])
            self._by_concept = dict(zip(concepts.tolist(), parts, strict=True))

    def of(
        self,
        mentions: Sequence[Mention],
        queries: Queries,
        candidates: Sequence[list[Candidate]],
        *,
        folds: NDArray[np.int64] | None = None,
    ) -> Listed:
        """For each mention its first `limit` candidates. `folds`: (n,) whose annotations each mention must not see."""
        n, k = len(mentions), min(max(map(len, candidates), default=0), self.limit)
        listed = Listed(
            evidence=np.zeros((n, k, len(EVIDENCE)), np.float32),
            words=np.full((n, k, 2 * _PER_CANDIDATE), -1, np.int64),
            filled=np.zeros((n, k), bool),
            summary=np.zeros((n, len(SUMMARY)), np.float32),
        )
        alike = None if self._memory is None else queries.vectors @ self._memory.vectors.T
        if alike is not None and self._memory is not None and folds is not None:
            alike = np.where(self._memory.folds[None, :] == folds[:, None], -np.inf, alike)
        for i, (mention, some) in enumerate(zip(mentions, candidates, strict=True)):
            if some := some[:k]:
                self._fill(listed, i, mention, some, None if alike is None else alike[i])
        return listed

    def _fill(
        self,
        listed: Listed,
        i: int,
        mention: Mention,
        candidates: Sequence[Candidate],
        alike: NDArray[np.float32] | None,
    ) -> None:
        m = len(candidates)
        said = self._terms.said(mention.query, mention.language)
        query = mention.query.casefold()
        scores = [c.score for c in candidates]
        exact = [c.term.casefold() == query for c in candidates]
        terms = [self._terms.said(c.term, c.term_language) for c in candidates]
        names = [self._terms.name(c.concept) for c in candidates]
        evidence = listed.evidence[i, :m]
        evidence[:, 0] = scores
        evidence[:, 1] = evidence[:, 0] - scores[0]
        evidence[:, 2] = np.log(np.arange(1, m + 1))
        evidence[:, 3] = [c.scores.get("dense", c.score) for c in candidates]
        evidence[:, 4] = [c.scores.get("lexical", 0.0) for c in candidates]
        evidence[:, 5] = exact
        evidence[0, 6] = 1.0
        common = np.array([self._terms.weight(said.stems & t.stems) for t in terms])
        evidence[:, 7] = common / said.weight
        evidence[:, 8] = common / [t.weight for t in terms]
        evidence[:, 9] = [self._terms.weight(said.stems & name.stems) / name.weight for name in names]
        evidence[:, 10] = [np.log((len(c.term) + 1) / (len(query) + 1)) for c in candidates]
        evidence[:, 11] = [c.term_language == mention.language for c in candidates]
        evidence[:, 12] = [c.term == c.name for c in candidates]
        evidence[:, 13] = np.log([c.support for c in candidates])
        evidence[:, 14] = np.log(self._terminology.row_counts[[c.concept for c in candidates]])
        evidence[:, 15:19] = self._hierarchy(candidates)
        evidence[:, 19:23] = self._annotated(candidates, alike)
        listed.filled[i, :m] = True
        listed.words[i, :m] = padded(
            [
                self._telling(t.stems - said.stems, "") + self._telling(name.stems - said.stems, _NAME)
                for t, name in zip(terms, names, strict=True)
            ],
            width=2 * _PER_CANDIDATE,
        )
        listed.summary[i] = (
            scores[0],
            scores[0] - (scores[1] if m > 1 else 0.0),
            float(np.mean(scores[:_NEAREST])),
            any(exact),
            evidence[:, 21].max(),
            np.log1p(len(said.stems)),
        )

    def _telling(self, stems: Iterable[str], kind: str) -> list[int]:
        return sorted(self._number[kind + stem] for stem in stems if kind + stem in self._number)[:_PER_CANDIDATE]

    def _hierarchy(self, candidates: Sequence[Candidate]) -> NDArray[np.float32]:
        """Whether a broader concept is among the candidates, how many narrower ones are, and how good both are."""
        places = {c.concept_id: k for k, c in enumerate(candidates)}
        found = np.zeros((len(candidates), 4), np.float32)
        found[:, 2:] = _APART
        for k, candidate in enumerate(candidates):
            for broader in self._terms.broader(candidate.concept_id):
                if (place := places.get(broader)) is not None:
                    found[k, 0] = 1.0
                    found[place, 1] += 1
                    gap = candidate.score - candidates[place].score
                    found[place, 2] = gap if found[place, 1] == 1 else max(found[place, 2], gap)
                    found[k, 3] = -gap if found[k, 3] == _APART else max(found[k, 3], -gap)
        found[:, 1] = np.log1p(found[:, 1])
        return found

    def _annotated(self, candidates: Sequence[Candidate], alike: NDArray[np.float32] | None) -> NDArray[np.float32]:
        """How often each was annotated, and how near to the mention: as votes, at best, and spelled alike."""
        found = np.zeros((len(candidates), 4), np.float32)
        found[:, 1:3] = _NOBODY
        if alike is None:
            return found
        for k, candidate in enumerate(candidates):
            owners = self._by_concept.get(candidate.concept)
            if owners is None:
                continue
            near = alike[owners]
            near = near[near > -np.inf]
            if len(near):
                votes = np.log(np.exp(_SHARPNESS * (near - 1)).sum()) / _SHARPNESS
                found[k] = np.log1p(len(near)), votes, near.max(), np.log1p((near > _SAME).sum())
        return found


@dataclass(frozen=True, slots=True)
class _Said:
    stems: frozenset[str]
    weight: float


class _Terms:
    """The words of terms and names, and which concept is broader than which."""

    def __init__(self, terminology: Terminology, vocabulary: Vocabulary) -> None:
        self._terminology = terminology
        self.weight = vocabulary.weight
        self.said = lru_cache(maxsize=_REMEMBERED)(self._said)
        self.name = lru_cache(maxsize=_REMEMBERED)(self._name)
        self.broader = lru_cache(maxsize=_REMEMBERED)(self._broader)

    def _said(self, text: str, language: str | None) -> _Said:
        """The stems of a text and what they are worth together."""
        stems = frozenset(_stems(text, language))
        return _Said(stems, self.weight(stems) or 1.0)

    def _name(self, concept: int) -> _Said:
        return self._said(*_named(self._terminology.concepts[concept]))

    def _broader(self, concept_id: str) -> tuple[str, ...]:
        """Ancestors where the terminology says them; else codes that the code begins with ("r13" of "r13.10")."""
        if ancestors := self._terminology.ancestors(concept_id):
            return tuple(ancestors)
        starts = (concept_id[:end] for end in range(_SHORTEST_CODE, len(concept_id)))
        return tuple(code for code in starts if code in self._terminology.by_id)


def _stems(text: str, language: str | None) -> set[str]:
    return {word.stem for word in words_of(text, language=language)}


def _named(concept: Concept) -> tuple[str, str | None]:
    """The preferred name and its language."""
    return concept.name, next((term.language for term in concept.terms if term.text == concept.name), None)


def _by_count(pair: tuple[str, int]) -> tuple[int, str]:
    return -pair[1], pair[0]


def remembered(
    vectors: Vectors, concept_ids: Sequence[frozenset[str]], folds: NDArray[np.int64], terminology: Terminology
) -> Memory:
    """Annotated mentions as a memory; ids that the terminology has not are left out."""
    owned: dict[int, list[int]] = defaultdict(list)
    for owner, ids in enumerate(concept_ids):
        for concept_id in sorted(ids):
            if (place := terminology.by_id.get(terminology.current(concept_id))) is not None:
                owned[owner].append(place)
    owners = [owner for owner, concepts in owned.items() for _ in concepts]
    concepts = [concept for some in owned.values() for concept in some]
    return Memory(vectors, np.array(concepts, np.int64), np.array(owners, np.int64), folds)
