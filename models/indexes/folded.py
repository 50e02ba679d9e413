"""Rows that carry their own correction, in any index under inner product."""

from collections.abc import Callable
from typing import Protocol

import numpy as np

from models.arrays import EMPTY, Neighbours, Queries, RowIds, Scores, Vectors
from models.indexes.base import Index


class Folding(Protocol):
    """How queries ask folded rows; `models.hubness.folding` has them."""

    def check(self, *, size: int) -> None:
        """Raise BankMismatch if it was not made for that many rows."""
        ...

    def extend(self, vectors: Vectors, first: Callable[[Vectors], RowIds]) -> Vectors:
        """Vectors (n, d) as wide as the rows. `first` finds the best row, (n,), of queries that wide."""
        ...

    def raw(self, queries: Queries, extended: Vectors, rows: RowIds, scores: Scores) -> Scores:
        """The uncorrected similarities behind the corrected scores of rows, all (n, k)."""
        ...


class FoldedIndex:
    """An index over folded rows that is asked with plain queries; "raw" is the uncorrected similarity as a part.

    Args:
        engine: an index over the folded rows, under inner product: an engine that scales rows to unit length (cosine)
            takes the correction away, and needs `OverfetchingIndex`.
        folding: which of the corrections in the rows is asked for.

    Raises: BankMismatch if the folding was not made for as many rows.
    """

    def __init__(self, engine: Index, folding: Folding) -> None:
        folding.check(size=engine.size)
        self._engine = engine
        self._folding = folding

    @property
    def size(self) -> int:
        """The number of rows."""
        return self._engine.size

    def search(self, queries: Queries, *, k: int) -> Neighbours:
        """The k best rows by corrected score, ties by lower id."""
        asked = self._extended(queries)
        found = self._engine.search(asked, k=k)
        raw = self._folding.raw(queries, asked.vectors, found.ids, found.scores)
        return Neighbours(found.scores, found.ids, {**found.parts, "raw": raw})

    def score(self, queries: Queries, rows: RowIds) -> Scores:
        """Corrected scores of the rows asked for, −inf for id −1."""
        return self._engine.score(self._extended(queries), rows)

    def _extended(self, queries: Queries) -> Queries:
        return Queries(queries.texts, self._folding.extend(queries.vectors, self._first), queries.languages)

    def _first(self, extended: Vectors) -> RowIds:
        ids = self._engine.search(Queries.of_vectors(extended), k=1).ids
        return ids[:, 0] if ids.shape[1] else np.full(len(extended), EMPTY, np.int64)
