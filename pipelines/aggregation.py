"""From rows to concepts: how the scores of a concept's terms become the concept's score."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from models.arrays import EMPTY, Neighbours
from pipelines.results import Candidate, Options
from pipelines.terminology import Terminology


class Aggregation(Protocol):
    """Scores of rows in, scores of concepts out."""

    def concept_scores(
        self, scores: NDArray[np.float32], concepts: NDArray[np.int64], row_counts: NDArray[np.int64]
    ) -> NDArray[np.float32]:
        """One score per concept.

        Args:
            scores: (r,) scores of the rows found.
            concepts: (r,) 0..m−1, which concept each row belongs to; every number occurs.
            row_counts: (m,) how many rows each of those concepts has in all.
        """
        ...


@dataclass(frozen=True, slots=True)
class BestTerm:
    """A concept is as near as its nearest term."""

    def concept_scores(
        self, scores: NDArray[np.float32], concepts: NDArray[np.int64], row_counts: NDArray[np.int64]
    ) -> NDArray[np.float32]:
        """The maximum over the concept's rows."""
        best = np.full(len(row_counts), -np.inf, np.float32)
        np.maximum.at(best, concepts, scores)
        return best


@dataclass(frozen=True, slots=True)
class KernelVote:
    """Every term found votes: S = Σ exp(T·(s − 1)) / m^p over the concept's m terms; the score is 1 + ln(S)/T.

    With one term and p = 0 the score is the term's own similarity, so thresholds keep their meaning.
    Terms that were not retrieved do not vote; at T ≥ 10 their votes are negligible (benchmarks/quality/job_titles.py).

    Attributes:
        temperature: T; higher is nearer to the best term alone.
        length_penalty: p; 0 favours concepts with many terms, 1 averages over them.
    """

    temperature: float = 15.0
    length_penalty: float = 0.5

    def concept_scores(
        self, scores: NDArray[np.float32], concepts: NDArray[np.int64], row_counts: NDArray[np.int64]
    ) -> NDArray[np.float32]:
        """The vote of each concept, on the scale of the similarities."""
        # The sum runs below the best score, so that exp cannot underflow to a log of zero.
        top = scores.max(initial=-np.inf)
        votes = np.bincount(concepts, weights=np.exp(self.temperature * (scores - top)), minlength=len(row_counts))
        log_votes = np.log(votes) - self.length_penalty * np.log(row_counts)
        voted: NDArray[np.float32] = (top + log_votes / self.temperature).astype(np.float32)
        return voted


class Naming:
    """The one doorway between numbers and meaning: rows found become candidates, one per concept."""

    def __init__(self, terminology: Terminology, *, aggregation: Aggregation, limit: int) -> None:
        self._terminology = terminology
        self._aggregation = aggregation
        self._limit = limit

    def candidates(self, found: Neighbours, *, options: Sequence[Options], reach: int = 0) -> list[list[Candidate]]:
        """For each query its concepts, best first, ties by the terminology's order, `limit` or `top_k` at most.

        Args:
            found: rows of this terminology, (n, k).
            options: per query; `semantic_types` says which may answer.
            reach: give this many at least, for a step that re-scores them.
        """
        return [self._of_one(found, i, wanted, reach) for i, wanted in zip(range(len(found)), options, strict=True)]

    def _of_one(self, found: Neighbours, i: int, options: Options, reach: int) -> list[Candidate]:
        allowed = options.semantic_types
        slots = np.flatnonzero(found.ids[i] != EMPTY)
        if allowed:
            concepts = self._terminology.row_concepts[found.ids[i, slots]]
            types = [self._terminology.concepts[c].semantic_types for c in concepts]
            slots = slots[np.array([not allowed.isdisjoint(t) for t in types], dtype=bool)]
        if len(slots) == 0:
            return []
        # Slots are in descending score, so the first slot of a concept holds its best term.
        concepts, first, member, support = np.unique(
            self._terminology.row_concepts[found.ids[i, slots]],
            return_index=True,
            return_inverse=True,
            return_counts=True,
        )
        scores = self._aggregation.concept_scores(
            found.scores[i, slots], member, self._terminology.row_counts[concepts]
        )
        order = np.lexsort((concepts, -scores))[: max(self._limit, options.top_k, reach)]
        best = slots[first[order]]
        # As Python's numbers, and all at once: this runs for every candidate of every request.
        parts = [_rounded(part[i, best]) for part in found.parts.values()]
        stages = [dict(zip(found.parts, values, strict=True)) for values in zip(*parts, strict=True)]
        numbers = zip(concepts[order].tolist(), found.ids[i, best].tolist(), support[order].tolist(), strict=True)
        return [
            self._candidate(concept, row, score, parts, support)
            for (concept, row, support), score, parts in zip(
                numbers, _rounded(scores[order]), stages or [{} for _ in order], strict=True
            )
        ]

    def _candidate(
        self, concept_index: int, row: int, score: float, parts: Mapping[str, float], support: int
    ) -> Candidate:
        concept = self._terminology.concepts[concept_index]
        term = self._terminology.row_terms[row]
        return Candidate(
            concept=concept_index,
            concept_id=concept.id,
            name=concept.name,
            term=term.text,
            term_language=term.language,
            score=score,
            scores=parts,
            support=support,
            codes=concept.codes,
            semantic_types=concept.semantic_types,
            explanation=_explain(term.kind, term.language, parts, support),
            terminology=self._terminology.name,
        )


def _rounded(numbers: NDArray[np.float32]) -> list[float]:
    rounded: list[float] = numbers.astype(np.float64).round(4).tolist()
    return rounded


def _explain(kind: str, language: str | None, parts: Mapping[str, float], support: int) -> str:
    """Why a candidate stands where it does, in one line, without the caller's text."""
    evidence = ", ".join(f"{name} {value:.2f}" for name, value in parts.items())
    voices = "1 term" if support == 1 else f"{support} terms"
    return f"{kind} term{f' ({language})' if language else ''}: {evidence or 'exact'}; {voices} found"
