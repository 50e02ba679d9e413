"""Corrections folded into rows: corrected search is plain inner-product search, exactly and with no over-fetch.

An item becomes [g, −penalties], a query [q, gates]: the inner product is s − Σ gate · penalty. Penalties of several
corrections can stand side by side in the same rows; a query's gates choose among them, and all-zero gates choose none.
So one index answers `none`, `is`, `dual_is`, `csls`, `nnn` and `sinkhorn` in one search, and `dis` and `dual_dis` in
two: the first, with zero gates, finds the best row that opens the gates.

`centre` folds into rows of its own, for it changes directions: unit(g − μ_G), asked with unit(q − μ_Q).

This module knows corrections and arrays; `models.indexes.folded` knows indexes and asks here for nothing.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from models.arrays import Queries, RowIds, Scores, Vectors, as_vectors
from models.errors import BankMismatch
from models.hubness.centre import MeanCentring
from models.hubness.fitted import Additive, Fitted

FindFirst = Callable[[Vectors], RowIds]
"""Extended queries (n, width) to the best row of each, (n,); −1 where there is none."""


@dataclass(frozen=True, eq=False)
class Uncorrected:
    """Plain similarities from folded rows: every gate is 0.

    Attributes:
        width: of the folded rows.
    """

    width: int

    def check(self, *, size: int) -> None:
        """Any number of rows will do."""

    def extend(self, vectors: Vectors, first: FindFirst) -> Vectors:
        """[q, 0], (n, width)."""
        del first
        return _extended(vectors, self.width)

    def raw(self, queries: Queries, extended: Vectors, rows: RowIds, scores: Scores) -> Scores:
        """The scores: they are uncorrected."""
        del queries, extended, rows
        return scores


@dataclass(frozen=True, eq=False)
class Folded:
    """One correction among those that rows were folded with.

    Attributes:
        correction: whose gates open.
        columns: where its penalties stand in a row.
        width: of the folded rows.
    """

    correction: Additive
    columns: slice
    width: int

    def check(self, *, size: int) -> None:
        """Raise BankMismatch unless the correction was fitted on as many rows."""
        _check(self.correction, size)

    def extend(self, vectors: Vectors, first: FindFirst) -> Vectors:
        """[q, gates], (n, width)."""
        extended = _extended(vectors, self.width)
        if self.correction.gates(_NOBODY) is None:
            extended[:, self.columns] = 1
        else:
            extended[:, self.columns] = self.correction.gates(first(extended))
        return extended

    def raw(self, queries: Queries, extended: Vectors, rows: RowIds, scores: Scores) -> Scores:
        """The similarities behind corrected scores: what the gates let through is put back."""
        del queries
        # Clipping reads some penalty for an empty slot, whose score is −inf and stays so.
        taken = self.correction.penalties.take(rows, axis=0, mode="clip")
        gates = extended[:, None, self.columns]
        raw: Scores = scores + (taken[..., 0] * gates[..., 0] if taken.shape[2] == 1 else (taken * gates).sum(axis=2))
        return raw


@dataclass(frozen=True, eq=False)
class Centring:
    """Mean-centring over rows that are `MeanCentring.centred_items`."""

    correction: MeanCentring

    def check(self, *, size: int) -> None:
        """Raise BankMismatch unless the correction was fitted on as many rows."""
        _check(self.correction, size)

    def extend(self, vectors: Vectors, first: FindFirst) -> Vectors:
        """unit(q − μ_Q), (n, d)."""
        del first
        return self.correction.centred_queries(vectors)

    def raw(self, queries: Queries, extended: Vectors, rows: RowIds, scores: Scores) -> Scores:
        """The similarities q · g behind centred cosines."""
        del extended
        return self.correction.raw(queries.vectors, rows, scores)


_NOBODY = np.zeros(0, np.int64)


def fold(items: Vectors, corrections: Sequence[Additive]) -> Vectors:
    """[g, −penalties of each correction in turn], (N, d + Σ m)."""
    for correction in corrections:
        _check(correction, len(items))
    return np.concatenate([as_vectors(items), *(-c.penalties for c in corrections)], axis=1, dtype=np.float32)


def foldings(dimension: int, corrections: Sequence[Additive]) -> Mapping[str, Uncorrected | Folded]:
    """By method, "none" included, how to ask rows that were folded with the same corrections in the same order."""
    width = dimension + sum(c.penalties.shape[1] for c in corrections)
    views: dict[str, Uncorrected | Folded] = {"none": Uncorrected(width)}
    start = dimension
    for correction in corrections:
        stop = start + correction.penalties.shape[1]
        views[correction.method] = Folded(correction, slice(start, stop), width)
        start = stop
    return views


def _check(correction: Fitted, size: int) -> None:
    if correction.fitted_for.size != size:
        raise BankMismatch(f"{size} rows to fold; the hubness bank was fitted on {correction.fitted_for.size}")


def _extended(vectors: Vectors, width: int) -> Vectors:
    extended = np.zeros((len(vectors), width), np.float32)
    extended[:, : vectors.shape[1]] = vectors
    return extended
