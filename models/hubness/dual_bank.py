"""Inverted softmax over two banks, of queries and of gallery items (DBNorm): DualIS and DualDIS.

Source: Wang et al. 2023, *Balance Act* (arXiv 2310.11612). DualIS is the product of two inverted softmaxes,
exp(β₁s)/Z_Q · exp(β₂s)/Z_G; here its logarithm over β₁ + β₂, which orders alike: s − (log Z_Q + log Z_G)/(β₁ + β₂).
DualDIS is the product of two dynamic ones, each gated by its own activation set. The paper multiplies the un-gated
factor in as the plain similarity, and negative cosines flip the order; here an un-gated factor is exp(βs), the same
softmax without its Z, so that a gate takes away log Z and nothing else. β is 1/σ of each bank. The published code's
`db_norm` ignores the test matrix and is no oracle.

A gallery bank is not the served items themselves unless each is masked from itself: an item is nearest to itself.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from models.arrays import Neighbours, Queries, RowIds, Scores, Vectors
from models.hubness.fitted import FittedFor, Tensors, corrected, take_penalties
from models.hubness.inverted_softmax import DynamicInvertedSoftmax, InvertedSoftmax, is_active
from models.hubness.normalizers import Bank, Partition, centred


@dataclass(frozen=True, eq=False)
class DualInvertedSoftmax:
    """s − (log Z_Q + log Z_G) / (β₁ + β₂).

    Attributes:
        by_queries: log Z_Q and β₁.
        by_gallery: log Z_G and β₂.
    """

    fitted_for: FittedFor
    by_queries: Partition
    by_gallery: Partition
    method = "dual_is"

    @classmethod
    def fit(
        cls,
        items: Vectors,
        bank: Bank,
        gallery: Bank,
        *,
        encoder: str,
        beta: float | None = None,
        gallery_beta: float | None = None,
    ) -> "DualInvertedSoftmax":
        """Fit on the index rows (N, d), a query bank and a gallery bank.

        Args:
            encoder: fingerprint of what encoded all three.
            beta, gallery_beta: β₁, β₂; 1/σ of each bank by default.
        """
        one = InvertedSoftmax.fit(items, bank, encoder=encoder, beta=beta)
        other = InvertedSoftmax.fit(items, gallery, encoder=encoder, beta=gallery_beta)
        return cls(one.fitted_for, one.partition, other.partition)

    def grown(
        self, items: Vectors, *, queries: Bank | None = None, gallery: Bank | None = None
    ) -> "DualInvertedSoftmax":
        """The same as if it had been fitted on the old banks and more, at the old βs."""
        return DualInvertedSoftmax(
            self.fitted_for,
            self.by_queries.grown(items, queries) if queries else self.by_queries,
            self.by_gallery.grown(items, gallery) if gallery else self.by_gallery,
        )

    @cached_property
    def penalties(self) -> Scores:
        """Of queries and of gallery, each around 0, (N, 2)."""
        return dual_penalties(self.by_queries, self.by_gallery)

    def gates(self, first: RowIds) -> None:
        """Every query is corrected by both."""
        del first

    def rescore(self, queries: Queries, rows: RowIds, scores: Scores, *, first: RowIds) -> Scores:
        """Corrected scores of chosen rows."""
        return take_penalties(self, queries, rows, scores, first=first)

    def correct(self, queries: Queries, found: Neighbours) -> Neighbours:
        """The rows re-scored and re-sorted, the old score as part "raw"."""
        return corrected(self, queries, found)

    @property
    def settings(self) -> dict[str, Any]:
        """Method, βs, bank sizes, encoder and index."""
        return self.fitted_for.settings(self.method, **_about(self.by_queries, self.by_gallery))

    def to_tensors(self) -> Tensors:
        """`log_partition`, `gallery_log_partition`, each (N,) float64."""
        return {"log_partition": self.by_queries.log, "gallery_log_partition": self.by_gallery.log}

    @classmethod
    def from_tensors(cls, settings: Mapping[str, Any], tensors: Mapping[str, NDArray[Any]]) -> "DualInvertedSoftmax":
        """The inverse of `settings` and `to_tensors`."""
        return cls(FittedFor.from_settings(settings), *_partitions(settings, tensors))


@dataclass(frozen=True, eq=False)
class DualDynamicInvertedSoftmax:
    """s − (a · log Z_Q + b · log Z_G) / (β₁ + β₂).

    a and b are 1 where the query's uncorrected best row is in the activation set of that bank, else 0.

    Attributes:
        active: (N, 2) whether an item is among the k nearest of some query, of some gallery item.
        k: of both activation sets.
    """

    fitted_for: FittedFor
    by_queries: Partition
    by_gallery: Partition
    active: NDArray[np.bool_]
    k: int = 1
    method = "dual_dis"

    @classmethod
    def fit(
        cls,
        items: Vectors,
        bank: Bank,
        gallery: Bank,
        *,
        encoder: str,
        beta: float | None = None,
        gallery_beta: float | None = None,
        k: int = 1,
    ) -> "DualDynamicInvertedSoftmax":
        """Fit on the index rows (N, d) and both banks; see `DualInvertedSoftmax.fit`."""
        one = DynamicInvertedSoftmax.fit(items, bank, encoder=encoder, beta=beta, k=k)
        other = DynamicInvertedSoftmax.fit(items, gallery, encoder=encoder, beta=gallery_beta, k=k)
        active = np.stack([one.active, other.active], axis=1)
        return cls(one.fitted_for, one.partition, other.partition, active, k)

    def grown(
        self, items: Vectors, *, queries: Bank | None = None, gallery: Bank | None = None
    ) -> "DualDynamicInvertedSoftmax":
        """The same as if it had been fitted on the old banks and more, at the old βs."""
        one = DynamicInvertedSoftmax(self.fitted_for, self.by_queries, self.active[:, 0], self.k)
        other = DynamicInvertedSoftmax(self.fitted_for, self.by_gallery, self.active[:, 1], self.k)
        one = one.grown(items, queries) if queries else one
        other = other.grown(items, gallery) if gallery else other
        active = np.stack([one.active, other.active], axis=1)
        return DualDynamicInvertedSoftmax(self.fitted_for, one.partition, other.partition, active, self.k)

    @cached_property
    def penalties(self) -> Scores:
        """Of queries and of gallery, each around 0, (N, 2)."""
        return dual_penalties(self.by_queries, self.by_gallery)

    def gates(self, first: RowIds) -> Scores:
        """The a and b of each query, (n, 2)."""
        return is_active(self.active, first)

    def rescore(self, queries: Queries, rows: RowIds, scores: Scores, *, first: RowIds) -> Scores:
        """Corrected scores of chosen rows."""
        return take_penalties(self, queries, rows, scores, first=first)

    def correct(self, queries: Queries, found: Neighbours) -> Neighbours:
        """The rows re-scored and re-sorted, the old score as part "raw"."""
        return corrected(self, queries, found)

    @property
    def settings(self) -> dict[str, Any]:
        """Method, βs, k, bank sizes, encoder and index."""
        return self.fitted_for.settings(self.method, **_about(self.by_queries, self.by_gallery), k=self.k)

    def to_tensors(self) -> Tensors:
        """`log_partition`, `gallery_log_partition` (N,) float64, `active` (N, 2) bool."""
        return {
            "log_partition": self.by_queries.log,
            "gallery_log_partition": self.by_gallery.log,
            "active": self.active,
        }

    @classmethod
    def from_tensors(
        cls, settings: Mapping[str, Any], tensors: Mapping[str, NDArray[Any]]
    ) -> "DualDynamicInvertedSoftmax":
        """The inverse of `settings` and `to_tensors`."""
        partitions = _partitions(settings, tensors)
        return cls(FittedFor.from_settings(settings), *partitions, tensors["active"], settings["k"])


def dual_penalties(by_queries: Partition, by_gallery: Partition) -> Scores:
    """Both log Z over β₁ + β₂, each around 0, (N, 2)."""
    total = by_queries.beta + by_gallery.beta
    return np.stack([centred(by_queries.log / total), centred(by_gallery.log / total)], axis=1)


def _about(by_queries: Partition, by_gallery: Partition) -> dict[str, Any]:
    return {
        "beta": by_queries.beta,
        "bank_size": by_queries.bank_size,
        "gallery_beta": by_gallery.beta,
        "gallery_bank_size": by_gallery.bank_size,
    }


def _partitions(settings: Mapping[str, Any], tensors: Mapping[str, NDArray[Any]]) -> tuple[Partition, Partition]:
    return (
        Partition(tensors["log_partition"], settings["beta"], settings["bank_size"]),
        Partition(tensors["gallery_log_partition"], settings["gallery_beta"], settings["gallery_bank_size"]),
    )
