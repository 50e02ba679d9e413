"""Dense and lexical search in one, fused by weights that depend on the query's language."""

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np

from models.arrays import EMPTY, Neighbours, Queries, RowIds, Scores
from models.errors import ShapeMismatch
from models.indexes.base import Index
from models.indexes.lexical import LexicalIndex


@dataclass(frozen=True, slots=True)
class FusionWeights:
    """How much lexical similarity counts; dense similarity counts the rest, so both sum to 1.

    Attributes:
        unknown: the lexical weight where the language is not known.
        foreign: the lexical weight for a language not listed: the rows are in others, and spelling says little.
        by_language: primary language subtag ("de") → lexical weight, for the languages of the rows.
    """

    unknown: float
    foreign: float = 0.0
    by_language: Mapping[str, float] = field(default_factory=dict)

    def lexical(self, languages: "list[str | None]") -> Scores:
        """The lexical weight of each query, (n, 1)."""
        return np.array([self._of(tag) for tag in languages], np.float32).reshape(-1, 1)

    def _of(self, language: str | None) -> float:
        if language is None:
            return self.unknown
        return self.by_language.get(language.split("-")[0].lower(), self.foreign)


class HybridIndex:
    """The same rows in a dense and a lexical index; the score is a weighted sum of both cosines.

    Both are searched for `pool` rows, the union is scored by both, so that no row is judged by half of the evidence.
    Unlike reciprocal rank fusion the sum keeps how near a row is, which calibration needs.
    """

    def __init__(self, dense: Index, lexical: LexicalIndex, *, weights: FusionWeights, pool: int = 100) -> None:
        if dense.size != lexical.size:
            raise ShapeMismatch(f"dense index has {dense.size} rows, lexical {lexical.size}; expected the same")
        self._dense = dense
        self._lexical = lexical
        self._weights = weights
        self._pool = pool

    @property
    def size(self) -> int:
        """The number of rows."""
        return self._dense.size

    def weighted(self, weights: FusionWeights) -> "HybridIndex":
        """The same indexes, fused otherwise."""
        return HybridIndex(self._dense, self._lexical, weights=weights, pool=self._pool)

    def search(self, queries: Queries, *, k: int) -> Neighbours:
        """The k best rows of the union, with "dense" and "lexical" as parts."""
        pool = max(self._pool, k)
        near = self._dense.search(queries, k=pool)
        alike, near_lexical = self._lexical.search_beside(queries, near.ids, k=pool)
        # Each search has scored what it found: only the lexical rows beyond the dense ones are left to compare.
        beyond = _without(alike, near.ids)
        rows = np.concatenate([near.ids, beyond.ids], axis=1)
        dense = np.concatenate([near.scores, self._dense.score(queries, beyond.ids)], axis=1)
        lexical = np.concatenate([near_lexical, beyond.scores], axis=1)
        return self._fuse(queries, rows, dense, lexical).sorted().top(k)

    def score(self, queries: Queries, rows: RowIds) -> Scores:
        """Fused scores of the rows asked for."""
        dense, lexical = self._dense.score(queries, rows), self._lexical.score(queries, rows)
        return self._fuse(queries, rows, dense, lexical).scores

    def _fuse(self, queries: Queries, rows: RowIds, dense: Scores, lexical: Scores) -> Neighbours:
        weight = self._weights.lexical(list(queries.languages))
        empty = rows == EMPTY
        dense[empty] = lexical[empty] = 0  # 0 × −inf is NaN
        fused = np.where(empty, -np.inf, (1 - weight) * dense + weight * lexical)
        return Neighbours(fused.astype(np.float32), rows, {"dense": dense, "lexical": lexical})


def _without(found: Neighbours, others: RowIds) -> Neighbours:
    """What was found without each query's others, packed to the left."""
    new = np.zeros(found.ids.shape, bool)
    # One slot more than there are rows: id −1 falls into it, and is never new.
    seen = np.zeros(1 + max(found.ids.max(initial=EMPTY), others.max(initial=EMPTY)) + 1, bool)
    for i in range(len(found)):
        seen[others[i]] = seen[EMPTY] = True
        new[i] = ~seen[found.ids[i]]
        seen[others[i]] = False
    left = np.argsort(~new, axis=1, kind="stable")[:, : new.sum(axis=1).max(initial=0)]
    kept = np.take_along_axis(new, left, axis=1)
    return Neighbours(
        np.where(kept, np.take_along_axis(found.scores, left, axis=1), -np.inf),
        np.where(kept, np.take_along_axis(found.ids, left, axis=1), EMPTY),
    )
