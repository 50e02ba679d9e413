"""What an index is."""

from typing import Protocol, runtime_checkable

from models.arrays import Neighbours, Queries, RowIds, Scores, Vectors


@runtime_checkable
class Index(Protocol):
    """Queries in, the k best rows out. Row ids are 0..size−1, in the order the rows were added.

    Scores are similarities: higher is nearer. Safe to call from several threads.
    """

    @property
    def size(self) -> int:
        """The number of rows."""
        ...

    def search(self, queries: Queries, *, k: int) -> Neighbours:
        """The k best rows of each query: (n, k) scores descending, ties by lower id, −1 where empty."""
        ...

    def score(self, queries: Queries, rows: RowIds) -> Scores:
        """The similarity of each query to rows chosen by the caller: (n, k) ids in, (n, k) scores out.

        An id of −1 scores −inf.
        """
        ...


@runtime_checkable
class Engine(Index, Protocol):
    """An index of vectors under inner product that can be asked among some of its rows, and gives rows back.

    Inner product and nothing else: what scales rows to unit length takes folded corrections away.
    """

    @property
    def dimension(self) -> int:
        """The width of the rows."""
        ...

    def among(self, rows: RowIds) -> Index:
        """The same index under the same row ids, in which only these rows, rising, can be found."""
        ...

    def rows(self, ids: RowIds) -> Vectors:
        """The rows themselves, (m, d)."""
        ...
