"""Nearest neighbour normalization: an item is pushed down by how near its nearest bank queries are.

Source: Chowdhury et al. 2024, *Nearest Neighbor Normalization Improves Multimodal Retrieval* (arXiv 2410.24114), eqs. 2
and 3: s(q, g) − α · mean of the k highest s(b, g). Same here; α and k are to be tuned, as in the paper.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Final

from numpy.typing import NDArray

from models.arrays import Neighbours, Queries, RowIds, Scores, Vectors
from models.errors import ShapeMismatch
from models.hubness.fitted import FittedFor, Tensors, corrected, take_penalties
from models.hubness.normalizers import Bank, Nearest, Values, centred, scan

ALPHA: Final = 0.75
"""The paper tunes it in 0.25 … 1.5. A guess near the best of benchmarks/results/hubness.json."""
K: Final = 16
"""The paper tunes it in 1 … 512. A guess as well."""


@dataclass(frozen=True, eq=False)
class NearestNeighbourNormalization:
    """s − α · r_g, with r_g the mean of the k highest similarities of g with the bank.

    Attributes:
        nearness: r_g, (N,) float64.
        alpha: α.
        k: how many bank queries count.
    """

    fitted_for: FittedFor
    nearness: Values
    alpha: float
    k: int
    bank_size: int
    method = "nnn"

    @classmethod
    def fit(
        cls, items: Vectors, bank: Bank, *, encoder: str, alpha: float = ALPHA, k: int = K
    ) -> "NearestNeighbourNormalization":
        """Fit on the index rows (N, d) and a query bank; k is cut to the bank's size."""
        nearness = bank_nearness(items, bank, k=k)
        return cls(FittedFor.of(items, encoder), nearness, alpha, min(k, len(bank)), len(bank))

    @cached_property
    def penalties(self) -> Scores:
        """α · r_g around 0, (N, 1)."""
        return centred(self.alpha * self.nearness)[:, None]

    def gates(self, first: RowIds) -> None:
        """Every query is corrected."""
        del first

    def rescore(self, queries: Queries, rows: RowIds, scores: Scores, *, first: RowIds) -> Scores:
        """Corrected scores of chosen rows."""
        return take_penalties(self, queries, rows, scores, first=first)

    def correct(self, queries: Queries, found: Neighbours) -> Neighbours:
        """The rows re-scored and re-sorted, the old score as part "raw"."""
        return corrected(self, queries, found)

    @property
    def settings(self) -> dict[str, Any]:
        """Method, α, k, bank size, encoder and index."""
        return self.fitted_for.settings(self.method, alpha=self.alpha, k=self.k, bank_size=self.bank_size)

    def to_tensors(self) -> Tensors:
        """`nearness` (N,) float64."""
        return {"nearness": self.nearness}

    @classmethod
    def from_tensors(
        cls, settings: Mapping[str, Any], tensors: Mapping[str, NDArray[Any]]
    ) -> "NearestNeighbourNormalization":
        """The inverse of `settings` and `to_tensors`."""
        about = settings["alpha"], settings["k"], settings["bank_size"]
        return cls(FittedFor.from_settings(settings), tensors["nearness"], *about)


def bank_nearness(items: Vectors, bank: Bank, *, k: int) -> Values:
    """The mean of the k highest similarities of each item with the bank, (N,); −inf where all are masked."""
    if k < 1:
        raise ShapeMismatch(f"k is {k}; expected at least 1")
    near = Nearest(len(items), k=min(k, len(bank)))
    scan(items, bank, [near])
    return near.mean(min(k, len(bank)))
