"""Sinkhorn normalization: every bank query and every item get the same mass.

Source: Pan et al. 2025, *Hubness Reduction with Dual Bank Sinkhorn Normalization* (arXiv 2508.02538): entropic optimal
transport between a query bank and the items (SN), or the items and a gallery bank together (DBSN), with uniform
marginals; a query is ranked by s − τ · (log-potential of the item). τ is 1/β here, 1/σ of the bank by default in place
of the paper's 0.01. Ten iterations, as in the published code. One iteration is inverted softmax over bank queries that
are each normalized first; so this is IS that knows how demanding its bank queries are.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from models.arrays import Neighbours, Queries, RowIds, Scores, Vectors, as_vectors
from models.errors import ShapeMismatch
from models.hubness.fitted import FittedFor, Tensors, corrected, take_penalties
from models.hubness.normalizers import Bank, Values, blocks, centred, inverse_temperature

ITERATIONS: Final = 10
_AT_ONCE: Final = 8_000_000
"""Similarities in memory at once: whole rows of the bank, 32 MB."""


@dataclass(frozen=True, eq=False)
class SinkhornNormalization:
    """s − p_g / β, with p_g the item's log-potential.

    Attributes:
        potential: p, (N,) float64.
        beta: β.
    """

    fitted_for: FittedFor
    potential: Values
    beta: float
    bank_size: int
    gallery_bank_size: int
    iterations: int
    method = "sinkhorn"

    @classmethod
    def fit(
        cls,
        items: Vectors,
        bank: Bank,
        gallery: Bank | None = None,
        *,
        encoder: str,
        beta: float | None = None,
        iterations: int = ITERATIONS,
    ) -> "SinkhornNormalization":
        """Fit on the index rows (N, d), a query bank and perhaps a gallery bank.

        Each iteration looks at every similarity: ten cost ten fits of inverted softmax.

        Args:
            gallery: its vectors stand beside the items (DBSN); its positives are not read.
        """
        if iterations < 1:
            raise ShapeMismatch(f"iterations is {iterations}; expected at least 1")
        beta = inverse_temperature(beta, items, bank)
        columns = items if gallery is None else np.concatenate([items, gallery.vectors])
        potential = _potentials(columns, bank, beta=beta, iterations=iterations)[: len(items)]
        sizes = len(bank), 0 if gallery is None else len(gallery)
        return cls(FittedFor.of(items, encoder), potential, beta, *sizes, iterations)

    @cached_property
    def penalties(self) -> Scores:
        """What each item is pushed down by: p / β around 0, (N, 1)."""
        return centred(self.potential / self.beta)[:, None]

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
        """Method, β, iterations, bank sizes, encoder and index."""
        return self.fitted_for.settings(
            self.method,
            beta=self.beta,
            bank_size=self.bank_size,
            gallery_bank_size=self.gallery_bank_size,
            iterations=self.iterations,
        )

    def to_tensors(self) -> Tensors:
        """`potential` (N,) float64."""
        return {"potential": self.potential}

    @classmethod
    def from_tensors(cls, settings: Mapping[str, Any], tensors: Mapping[str, NDArray[Any]]) -> "SinkhornNormalization":
        """The inverse of `settings` and `to_tensors`."""
        names = ("beta", "bank_size", "gallery_bank_size", "iterations")
        return cls(FittedFor.from_settings(settings), tensors["potential"], *(settings[name] for name in names))


def _potentials(items: Vectors, bank: Bank, *, beta: float, iterations: int) -> Values:
    """Log-potentials p of the items: r_b = log Σ_g exp(β·s − p_g), then p_g = log Σ_b exp(β·s − r_b), again and again.

    Both sums of an iteration take one look at a block of whole bank rows, since p is that of the iteration before.
    """
    items = as_vectors(items)
    queries = as_vectors(bank.vectors, dimension=items.shape[1])
    potential = np.zeros(len(items))
    for _ in range(iterations):
        following = np.full(len(items), -np.inf)
        shift = np.where(np.isfinite(potential), potential, 0).astype(np.float32)
        for rows in blocks(len(queries), max(1, _AT_ONCE // len(items))):
            powers = beta * (queries[rows] @ items.T)
            known = bank.positives[(bank.positives[:, 0] >= rows.start) & (bank.positives[:, 0] < rows.stop)]
            powers[known[:, 0] - rows.start, known[:, 1]] = -np.inf
            demand = _log_sum_exp(powers - shift, axis=1)
            # A bank query whose every item is masked demands nothing.
            powers -= np.where(np.isfinite(demand), demand, np.inf)[:, None]
            np.logaddexp(following, _log_sum_exp(powers, axis=0), out=following)
        potential = following
    return potential


def _log_sum_exp(powers: Scores, *, axis: int) -> Scores:
    """The log of Σ exp along an axis, −inf where all are; scipy's costs ten times as much."""
    top = powers.max(axis=axis, keepdims=True)
    top[np.isneginf(top)] = 0
    shifted = powers - top
    np.exp(shifted, out=shifted)
    with np.errstate(divide="ignore"):
        total: Scores = np.log(shifted.sum(axis=axis)) + top.squeeze(axis)
    return total
