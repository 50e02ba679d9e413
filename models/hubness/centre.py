"""Mean-centring: what all queries and all items have in common is taken away before they are compared.

Source: Suzuki et al. 2013, *Centering Similarity Measures to Reduce Hubs*, EMNLP; Hara et al. 2015. There one mean of
one set is taken; here queries and items have each their own, since prompts and languages set them apart, and what is
left is scaled to unit length: cos(q − μ_Q, g − μ_G). It needs no β and the bank only for its mean.

It is no penalty per item, for the query's direction decides; an index of centred rows serves it without a further
dimension (`folding.Centring`).
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from models.arrays import EMPTY, Neighbours, Queries, RowIds, Scores, Vectors, as_vectors, unit
from models.hubness.fitted import FittedFor, Tensors, corrected
from models.hubness.normalizers import BLOCK, Bank, blocks


@dataclass(frozen=True, eq=False)
class MeanCentring:
    """cos(q − μ_Q, g − μ_G).

    Attributes:
        query_mean, item_mean: μ_Q, μ_G, (d,) float32.
        offset: μ_Q · (g − μ_G) of every item, (N,) float32.
        length: ‖g − μ_G‖ of every item, (N,) float32; 0 for an item that is the mean.
    """

    fitted_for: FittedFor
    query_mean: NDArray[np.float32]
    item_mean: NDArray[np.float32]
    offset: NDArray[np.float32]
    length: NDArray[np.float32]
    bank_size: int
    method = "centre"

    @classmethod
    def fit(cls, items: Vectors, bank: Bank, *, encoder: str) -> "MeanCentring":
        """Fit on the index rows (N, d) and a query bank."""
        items = as_vectors(items)
        query_mean = (
            as_vectors(bank.vectors, dimension=items.shape[1]).mean(axis=0, dtype=np.float64).astype(np.float32)
        )
        item_mean = items.mean(axis=0, dtype=np.float64).astype(np.float32)
        offset, length = np.empty(len(items), np.float32), np.empty(len(items), np.float32)
        for rows in blocks(len(items), BLOCK):
            away = items[rows] - item_mean
            offset[rows] = away @ query_mean
            length[rows] = np.linalg.norm(away, axis=1)
        return cls(FittedFor.of(items, encoder), query_mean, item_mean, offset, length, len(bank))

    def centred_items(self, items: Vectors) -> Vectors:
        """unit(g − μ_G), (N, d)."""
        return unit(as_vectors(items, dimension=self.fitted_for.dimension) - self.item_mean)

    def centred_queries(self, vectors: Vectors) -> Vectors:
        """unit(q − μ_Q), (n, d)."""
        return unit(as_vectors(vectors, dimension=self.fitted_for.dimension) - self.query_mean)

    def rescore(self, queries: Queries, rows: RowIds, scores: Scores, *, first: RowIds) -> Scores:
        """Centred cosines of chosen rows, from their similarities: no item's vector is needed."""
        del first
        self.fitted_for.check_search(queries, rows)
        common, length = self._of_queries(queries.vectors)
        wanted = np.maximum(rows, 0)
        product = np.where(rows == EMPTY, 0, scores) - common - self.offset[wanted]
        lengths = length * self.length[wanted]
        cosine = np.divide(product, lengths, out=np.zeros_like(product), where=lengths > 0)
        return np.where(rows == EMPTY, -np.inf, cosine).astype(np.float32)

    def raw(self, vectors: Vectors, rows: RowIds, scores: Scores) -> Scores:
        """The inverse of `rescore`: the similarities q · g behind centred cosines."""
        common, length = self._of_queries(vectors)
        wanted = np.maximum(rows, 0)
        similarity = np.where(rows == EMPTY, 0, scores) * length * self.length[wanted] + common + self.offset[wanted]
        return np.where(rows == EMPTY, -np.inf, similarity).astype(np.float32)

    def correct(self, queries: Queries, found: Neighbours) -> Neighbours:
        """The rows re-scored and re-sorted, the old score as part "raw"."""
        return corrected(self, queries, found)

    @property
    def settings(self) -> dict[str, Any]:
        """Method, bank size, encoder and index."""
        return self.fitted_for.settings(self.method, bank_size=self.bank_size)

    def to_tensors(self) -> Tensors:
        """`query_mean`, `item_mean` (d,), `offset`, `length` (N,), all float32."""
        return {name: getattr(self, name) for name in ("query_mean", "item_mean", "offset", "length")}

    @classmethod
    def from_tensors(cls, settings: Mapping[str, Any], tensors: Mapping[str, NDArray[Any]]) -> "MeanCentring":
        """The inverse of `settings` and `to_tensors`."""
        arrays = {name: tensors[name] for name in ("query_mean", "item_mean", "offset", "length")}
        return cls(FittedFor.from_settings(settings), **arrays, bank_size=settings["bank_size"])

    def _of_queries(self, vectors: Vectors) -> tuple[Scores, Scores]:
        """What centring needs of queries: q · μ_G and ‖q − μ_Q‖, each (n, 1)."""
        length = np.linalg.norm(vectors - self.query_mean, axis=1, keepdims=True)
        return (vectors @ self.item_mean)[:, None], length
