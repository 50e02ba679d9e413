"""What every fitted correction shares: whom it was fitted for, how it re-scores, how it rests on disk."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from models.arrays import EMPTY, Neighbours, Queries, RowIds, Scores, Vectors
from models.errors import BankMismatch
from models.hubness.base import HubnessCorrection

Tensors = dict[str, NDArray[Any]]


@dataclass(frozen=True, slots=True)
class FittedFor:
    """Whom a bank was fitted for.

    Attributes:
        encoder: its fingerprint.
        size: the number of index rows, N.
        dimension: the width of the vectors, d.
    """

    encoder: str
    size: int
    dimension: int

    @classmethod
    def of(cls, items: Vectors, encoder: str) -> "FittedFor":
        """The encoder of that fingerprint, and these rows."""
        return cls(encoder, len(items), items.shape[1])

    @classmethod
    def from_settings(cls, settings: Mapping[str, Any]) -> "FittedFor":
        """From a correction's settings."""
        return cls(settings["encoder"], settings["size"], settings["dimension"])

    def settings(self, method: str, **more: Any) -> dict[str, Any]:  # noqa: ANN401 - JSON is what it is
        """A correction's settings, as JSON."""
        return {"method": method, **asdict(self), **more}

    def check(self, *, encoder: str, size: int) -> None:
        """Raise BankMismatch unless the encoder and the number of index rows are those it was fitted for."""
        if encoder != self.encoder:
            raise BankMismatch(
                f"the hubness bank was fitted for encoder {self.encoder[:12]}; this is {encoder[:12]}: fit it again"
            )
        if size != self.size:
            raise BankMismatch(f"the hubness bank was fitted on {self.size} rows; this index has {size}: fit it again")

    def check_search(self, queries: Queries, rows: RowIds) -> None:
        """Raise BankMismatch for vectors of another width, or rows beyond those it was fitted on."""
        if queries.vectors.shape[1] != self.dimension:
            raise BankMismatch(
                f"queries are {queries.vectors.shape[1]} wide; the hubness bank was fitted for {self.dimension}"
            )
        if rows.max(initial=EMPTY) >= self.size:
            raise BankMismatch(f"row {rows.max()} was found; the hubness bank was fitted on {self.size} rows")


class Fitted(HubnessCorrection, Protocol):
    """A correction fitted on banks: frozen, and known by its settings and tensors alone."""

    @property
    def fitted_for(self) -> FittedFor:
        """The encoder and index it belongs to."""
        ...

    @property
    def settings(self) -> dict[str, Any]:
        """Everything but arrays, as JSON; `method` says which class reads it."""
        ...

    def to_tensors(self) -> Tensors:
        """The arrays, as safetensors keeps them."""
        ...

    def rescore(self, queries: Queries, rows: RowIds, scores: Scores, *, first: RowIds) -> Scores:
        """Corrected scores of chosen rows, in the order given.

        Args:
            rows: (n, k) ids, −1 where empty.
            scores: (n, k) their uncorrected similarities.
            first: (n,) each query's uncorrected best row, which gates dynamic methods; −1 where there is none.
        """
        ...


class Additive(Fitted, Protocol):
    """A correction that takes a sum of item penalties from a similarity: s − Σ_j gate_j · penalty_j."""

    @property
    def penalties(self) -> Scores:
        """(N, m) float32, each column around 0."""
        ...

    def gates(self, first: RowIds) -> Scores | None:
        """(n, m) of 0 and 1 by each query's uncorrected best row; None if every penalty always counts."""
        ...


def take_penalties(correction: Additive, queries: Queries, rows: RowIds, scores: Scores, *, first: RowIds) -> Scores:
    """`rescore` for additive corrections."""
    correction.fitted_for.check_search(queries, rows)
    taken = correction.penalties[np.maximum(rows, 0)]  # (n, k, m)
    gates = correction.gates(first)
    penalty = taken.sum(axis=2) if gates is None else np.einsum("nkm,nm->nk", taken, gates)
    return np.where(rows == EMPTY, -np.inf, scores - penalty).astype(np.float32)


def corrected(correction: Fitted, queries: Queries, found: Neighbours) -> Neighbours:
    """`correct` for every fitted correction.

    Where the score is a dense and a lexical similarity fused, only the dense one is corrected, by its share in the
    sum. Gates read the best row of what was found. Parts say both scores, "raw" and "corrected".
    """
    similarity = found.parts.get("dense", found.scores)
    first = found.ids[:, 0] if found.k else np.full(len(found), EMPTY, np.int64)
    rescored = correction.rescore(queries, found.ids, similarity, first=first)
    filled = found.ids != EMPTY
    change = np.subtract(rescored, similarity, out=np.zeros_like(rescored), where=filled)
    scores = np.where(filled, found.scores + dense_share(found) * change, -np.inf).astype(np.float32)
    return replace(found, parts={**found.parts, "corrected": scores}).with_scores(scores, part="raw")


def dense_share(found: Neighbours) -> Scores:
    """How much of each query's fused score is dense, (n, 1): w in score = w · dense + (1 − w) · lexical.

    An index says what it fused, not by which weights; least squares finds them again, exactly up to rounding. 1 where
    nothing was fused, or where both similarities agree on every row.
    """
    if not {"dense", "lexical"} <= set(found.parts):
        return np.ones((len(found), 1), np.float32)
    filled = found.ids != EMPTY
    lexical = np.where(filled, found.parts["lexical"], 0).astype(np.float64)
    apart = np.where(filled, found.parts["dense"], 0) - lexical
    fused = np.where(filled, found.scores, 0) - lexical
    spread = (apart**2).sum(axis=1, keepdims=True)
    share = np.divide((fused * apart).sum(axis=1, keepdims=True), spread, out=np.ones_like(spread), where=spread > 0)
    clipped: Scores = np.clip(share, 0, 1).astype(np.float32)
    return clipped
