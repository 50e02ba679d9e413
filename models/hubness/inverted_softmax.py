"""Inverted softmax, always (IS) or only for queries that a hub answers (DIS).

Source: Smith et al. 2017 (arXiv 1702.03859), IS; Bogolin et al. 2022, *Cross Modal Retrieval with Querybank
Normalisation* (arXiv 2112.12777), eqs. 3 to 5, DIS. The papers rank by exp(β · s) / Z_g; here by its logarithm over β,
s − log Z_g / β, which orders alike and stays a similarity. β is 1/σ of the bank and not the papers' constant.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from models.arrays import EMPTY, Neighbours, Queries, RowIds, Scores, Vectors
from models.hubness.fitted import FittedFor, Tensors, corrected, take_penalties
from models.hubness.normalizers import (
    Activations,
    Bank,
    LogPartition,
    Partition,
    centred,
    inverse_temperature,
    scan,
)


@dataclass(frozen=True, eq=False)
class InvertedSoftmax:
    """s − log Z_g / β.

    Attributes:
        fitted_for: the encoder and index it belongs to.
        partition: log Z over the query bank.
    """

    fitted_for: FittedFor
    partition: Partition
    method = "is"

    @classmethod
    def fit(cls, items: Vectors, bank: Bank, *, encoder: str, beta: float | None = None) -> "InvertedSoftmax":
        """Fit on the index rows (N, d) and a query bank.

        Args:
            encoder: fingerprint of what encoded both.
            beta: β; 1/σ by default.
        """
        beta = inverse_temperature(beta, items, bank)
        sums = LogPartition(len(items), beta=beta)
        scan(items, bank, [sums])
        return cls(FittedFor.of(items, encoder), Partition(sums.log, beta, len(bank)))

    def grown(self, items: Vectors, more: Bank) -> "InvertedSoftmax":
        """The same as if it had been fitted on the old bank and more, at the old β."""
        return InvertedSoftmax(self.fitted_for, self.partition.grown(items, more))

    @cached_property
    def penalties(self) -> Scores:
        """What each item is pushed down by: log Z / β around 0, (N, 1)."""
        return centred(self.partition.log / self.partition.beta)[:, None]

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
        """Method, β, bank size, encoder and index."""
        return self.fitted_for.settings(self.method, beta=self.partition.beta, bank_size=self.partition.bank_size)

    def to_tensors(self) -> Tensors:
        """`log_partition` (N,) float64."""
        return {"log_partition": self.partition.log}

    @classmethod
    def from_tensors(cls, settings: Mapping[str, Any], tensors: Mapping[str, NDArray[Any]]) -> "InvertedSoftmax":
        """The inverse of `settings` and `to_tensors`."""
        partition = Partition(tensors["log_partition"], settings["beta"], settings["bank_size"])
        return cls(FittedFor.from_settings(settings), partition)


@dataclass(frozen=True, eq=False)
class DynamicInvertedSoftmax:
    """Inverted softmax where a query's uncorrected best row is in the activation set, else s.

    Attributes:
        active: (N,) whether an item is among the k nearest of some bank query.
        k: of the activation set; 1 in the paper and here.
    """

    fitted_for: FittedFor
    partition: Partition
    active: NDArray[np.bool_]
    k: int = 1
    method = "dis"

    @classmethod
    def fit(
        cls, items: Vectors, bank: Bank, *, encoder: str, beta: float | None = None, k: int = 1
    ) -> "DynamicInvertedSoftmax":
        """Fit on the index rows (N, d) and a query bank; see `InvertedSoftmax.fit`."""
        beta = inverse_temperature(beta, items, bank)
        sums, near = LogPartition(len(items), beta=beta), Activations(len(items), len(bank), k=k)
        scan(items, bank, [sums, near])
        return cls(FittedFor.of(items, encoder), Partition(sums.log, beta, len(bank)), near.active(), k)

    def grown(self, items: Vectors, more: Bank) -> "DynamicInvertedSoftmax":
        """The same as if it had been fitted on the old bank and more, at the old β."""
        near = Activations(len(items), len(more), k=self.k)
        scan(items, more, [near])
        partition = self.partition.grown(items, more)
        return DynamicInvertedSoftmax(self.fitted_for, partition, self.active | near.active(), self.k)

    @cached_property
    def penalties(self) -> Scores:
        """What each item is pushed down by: log Z / β around 0, (N, 1)."""
        return centred(self.partition.log / self.partition.beta)[:, None]

    def gates(self, first: RowIds) -> Scores:
        """1 where the best row is in the activation set, (n, 1)."""
        return is_active(self.active[:, None], first)

    def rescore(self, queries: Queries, rows: RowIds, scores: Scores, *, first: RowIds) -> Scores:
        """Corrected scores of chosen rows."""
        return take_penalties(self, queries, rows, scores, first=first)

    def correct(self, queries: Queries, found: Neighbours) -> Neighbours:
        """The rows re-scored and re-sorted, the old score as part "raw"."""
        return corrected(self, queries, found)

    @property
    def settings(self) -> dict[str, Any]:
        """Method, β, k, bank size, encoder and index."""
        about = {"beta": self.partition.beta, "bank_size": self.partition.bank_size, "k": self.k}
        return self.fitted_for.settings(self.method, **about)

    def to_tensors(self) -> Tensors:
        """`log_partition` (N,) float64, `active` (N,) bool."""
        return {"log_partition": self.partition.log, "active": self.active}

    @classmethod
    def from_tensors(cls, settings: Mapping[str, Any], tensors: Mapping[str, NDArray[Any]]) -> "DynamicInvertedSoftmax":
        """The inverse of `settings` and `to_tensors`."""
        partition = Partition(tensors["log_partition"], settings["beta"], settings["bank_size"])
        return cls(FittedFor.from_settings(settings), partition, tensors["active"], settings["k"])


def is_active(active: NDArray[np.bool_], first: RowIds) -> Scores:
    """(n, m) of 0 and 1: whether each query's best row is in each of m activation sets; never where it has none."""
    inside: Scores = (active[np.maximum(first, 0)] & (first != EMPTY)[:, None]).astype(np.float32)
    return inside
