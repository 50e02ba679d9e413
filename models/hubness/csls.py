"""Cross-domain similarity local scaling.

Source: Conneau et al. 2018, *Word Translation Without Parallel Data* (arXiv 1710.04087), eq. 4:
2 s(q, g) − r_T(q) − r_S(g), r being the mean of the k = 10 highest similarities to the other side. Here r_S comes from
a query bank in place of all queries, and half of it is ranked by: s − r_S(g) / 2. r_T(q) is one number per query and
moves no order. So CSLS is NNN at α = 1/2 and k = 10.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Final

from numpy.typing import NDArray

from models.arrays import Neighbours, Queries, RowIds, Scores, Vectors
from models.hubness.fitted import FittedFor, Tensors, corrected, take_penalties
from models.hubness.nnn import bank_nearness
from models.hubness.normalizers import Bank, Values, centred

K: Final = 10
"""The paper's."""


@dataclass(frozen=True, eq=False)
class LocalScaling:
    """s − r_S(g) / 2.

    Attributes:
        nearness: r_S, (N,) float64.
        k: how many bank queries count.
    """

    fitted_for: FittedFor
    nearness: Values
    k: int
    bank_size: int
    method = "csls"

    @classmethod
    def fit(cls, items: Vectors, bank: Bank, *, encoder: str, k: int = K) -> "LocalScaling":
        """Fit on the index rows (N, d) and a query bank; k is cut to the bank's size."""
        nearness = bank_nearness(items, bank, k=k)
        return cls(FittedFor.of(items, encoder), nearness, min(k, len(bank)), len(bank))

    @cached_property
    def penalties(self) -> Scores:
        """r_S / 2 around 0, (N, 1)."""
        return centred(self.nearness / 2)[:, None]

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
        """Method, k, bank size, encoder and index."""
        return self.fitted_for.settings(self.method, k=self.k, bank_size=self.bank_size)

    def to_tensors(self) -> Tensors:
        """`nearness` (N,) float64."""
        return {"nearness": self.nearness}

    @classmethod
    def from_tensors(cls, settings: Mapping[str, Any], tensors: Mapping[str, NDArray[Any]]) -> "LocalScaling":
        """The inverse of `settings` and `to_tensors`."""
        return cls(FittedFor.from_settings(settings), tensors["nearness"], settings["k"], settings["bank_size"])
