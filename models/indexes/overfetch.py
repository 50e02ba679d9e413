"""Corrected search in an engine that cannot fold: more is fetched than asked for, and re-ordered."""

from typing import Final, Protocol

import numpy as np

from models.arrays import EMPTY, Neighbours, Queries, RowIds, Scores
from models.indexes.base import Index

FETCH: Final = 1000
"""Rows fetched per query: an exact corrected top 10 was measured to need about that many (FINDINGS)."""


class Rescore(Protocol):
    """Corrected scores of chosen rows; `Fitted.rescore` of `models.hubness.fitted` is one."""

    def __call__(self, queries: Queries, rows: RowIds, scores: Scores, *, first: RowIds) -> Scores:
        """(n, k) rows and their similarities, and each query's best row (n,), in; corrected scores (n, k) out."""
        ...


class OverfetchingIndex:
    """An index whose best `fetch` rows are re-scored and the best k of them kept; "raw" is the score before.

    A row that only its correction would lift into the best k is missed if it is not among the `fetch` nearest; a
    `FoldedIndex` misses none.
    """

    def __init__(self, engine: Index, rescore: Rescore, *, fetch: int = FETCH) -> None:
        self._engine = engine
        self._rescore = rescore
        self._fetch = fetch

    @property
    def size(self) -> int:
        """The number of rows."""
        return self._engine.size

    def search(self, queries: Queries, *, k: int) -> Neighbours:
        """The k best by corrected score of the `fetch` most similar rows, ties by lower id."""
        found = self._engine.search(queries, k=min(max(k, self._fetch), self.size))
        first = _first(found)
        rescored = self._rescore(queries, found.ids, found.scores, first=first)
        return found.with_scores(rescored, part="raw").top(k)

    def score(self, queries: Queries, rows: RowIds) -> Scores:
        """Corrected scores of the rows asked for, −inf for id −1."""
        first = _first(self._engine.search(queries, k=1))
        return self._rescore(queries, rows, self._engine.score(queries, rows), first=first)


def _first(found: Neighbours) -> RowIds:
    return found.ids[:, 0] if found.k else np.full(len(found), EMPTY, np.int64)
