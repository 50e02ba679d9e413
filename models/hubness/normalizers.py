"""What a bank says of every item, read block by block: log-sum-exp, nearest bank queries, activation sets.

All similarities of N items with a bank of B queries are looked at once, a block at a time, exactly: at 100k × 20k of
width 384 that is 2 · 10⁹ similarities in the memory of the vectors and two blocks (benchmarks/speed/hubness.py).

Symbols: s(b, g) similarity of bank query b and item g; β `beta`, inverse temperature; Z_g = Σ_b exp(β · s(b, g)).
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Final, Protocol

import numpy as np
from numpy.typing import NDArray

from models.arrays import EMPTY, RowIds, Scores, Vectors, as_vectors
from models.errors import ShapeMismatch

Values = NDArray[np.float64]

BLOCK: Final = 1024
"""Items and bank queries per block: 4 MB of similarities stay in cache. 256 costs a quarter more, 2,048 the same."""

MAX_BETA: Final = 1000.0
"""β is cut to this by default: beyond it the rounding of float32 similarities shows in β · s."""

_NO_PAIRS: Final = np.zeros((0, 2), np.int64)


@dataclass(frozen=True, slots=True, eq=False)
class Bank:
    """Vectors that stand for what is asked (a query bank) or for what else might be found (a gallery bank).

    Attributes:
        vectors: (B, d) float32, unit length.
        positives: (p, 2) int64 pairs of bank row and item row that are known to belong together. They are left out of
            every sum: an item is no hub for being near to its own query.
    """

    vectors: Vectors
    positives: NDArray[np.int64] = field(default_factory=_NO_PAIRS.copy)

    def __post_init__(self) -> None:
        """Raise ShapeMismatch for an empty bank, or pairs that are none or beyond it."""
        if len(as_vectors(self.vectors)) == 0:
            raise ShapeMismatch("the bank is empty; expected at least one vector")
        if self.positives.ndim != 2 or self.positives.shape[1] != 2:
            raise ShapeMismatch(f"positives are {self.positives.shape}; expected (p, 2): bank row, item row")
        if len(self.positives) and not 0 <= self.positives[:, 0].min() <= self.positives[:, 0].max() < len(self):
            raise ShapeMismatch(f"positives name bank rows beyond the bank's {len(self)}")

    def __len__(self) -> int:
        """The number of bank queries, B."""
        return len(self.vectors)


class Accumulator(Protocol):
    """Something that is told every block of similarities once: items in ascending order, and for each all the bank."""

    def take(self, items: slice, bank: slice, similarities: Scores) -> None:
        """A block (items, bank queries); −inf where masked. It is only lent, and must not be changed."""
        ...


def scan(items: Vectors, bank: Bank, accumulators: Sequence[Accumulator], *, block: int = BLOCK) -> None:
    """Show every similarity of the items (N, d) with the bank to the accumulators.

    Raises: ShapeMismatch if widths differ, or a known positive names an item beyond N.
    """
    items = as_vectors(items)
    queries = as_vectors(bank.vectors, dimension=items.shape[1])
    pairs = bank.positives[np.argsort(bank.positives[:, 1], kind="stable")]
    if len(pairs) and not 0 <= pairs[0, 1] <= pairs[-1, 1] < len(items):
        raise ShapeMismatch(f"positives name items beyond the {len(items)} given")
    room = np.empty(min(block, len(items)) * min(block, len(queries)), np.float32)
    for rows in blocks(len(items), block):
        known = pairs[slice(*np.searchsorted(pairs[:, 1], [rows.start, rows.stop]))]
        for columns in blocks(len(queries), block):
            shape = (rows.stop - rows.start, columns.stop - columns.start)
            similarities = room[: shape[0] * shape[1]].reshape(shape)
            np.matmul(items[rows], queries[columns].T, out=similarities)
            here = known[(known[:, 0] >= columns.start) & (known[:, 0] < columns.stop)]
            similarities[here[:, 1] - rows.start, here[:, 0] - columns.start] = -np.inf
            for accumulator in accumulators:
                accumulator.take(rows, columns, similarities)


def blocks(n: int, block: int) -> Iterator[slice]:
    """0..n in slices of at most `block`."""
    for start in range(0, n, block):
        yield slice(start, min(start + block, n))


class LogPartition:
    """log Z_g of every item, exact, whatever β · s is: each block is shifted by its own maximum.

    Attributes:
        log: (N,) float64; −inf for an item whose every bank query is masked.
    """

    def __init__(self, size: int, *, beta: float) -> None:
        self.log: Values = np.full(size, -np.inf)
        self._beta = beta
        self._room = np.empty(0, np.float32)

    def take(self, items: slice, bank: slice, similarities: Scores) -> None:
        """Add a block."""
        if similarities.size > self._room.size:
            self._room = np.empty(similarities.size, np.float32)
        powers = self._room[: similarities.size].reshape(similarities.shape)
        top = similarities.max(axis=1)
        top[np.isneginf(top)] = 0
        np.subtract(similarities, top[:, None], out=powers)
        np.multiply(powers, np.float32(self._beta), out=powers)
        np.exp(powers, out=powers)
        with np.errstate(divide="ignore"):  # a row that is all masked sums to 0
            part = np.log(powers.sum(axis=1, dtype=np.float32).astype(np.float64))
        self.log[items] = np.logaddexp(self.log[items], part + self._beta * top.astype(np.float64))


class Nearest:
    """The k highest similarities of every item with the bank.

    Attributes:
        best: (N, k) float32, in no order; −inf where fewer than k are not masked.
    """

    def __init__(self, size: int, *, k: int) -> None:
        self.best: Scores = np.full((size, k), -np.inf, np.float32)
        self._lowest = np.full(size, -np.inf, np.float32)

    def take(self, items: slice, bank: slice, similarities: Scores) -> None:
        """Keep what is higher than the lowest kept."""
        k = self.best.shape[1]
        better = np.flatnonzero(similarities.max(axis=1) > self._lowest[items])
        rows = items.start + better
        merged = np.concatenate([self.best[rows], similarities[better]], axis=1)
        cut = merged.shape[1] - k
        self.best[rows] = np.partition(merged, cut, axis=1)[:, cut:]
        self._lowest[rows] = self.best[rows].min(axis=1)

    def mean(self, k: int) -> Values:
        """The mean of the k highest, (N,); −inf where every bank query is masked."""
        cut = self.best.shape[1] - k
        best = np.partition(self.best, cut, axis=1)[:, cut:] if cut else self.best
        known = np.isfinite(best)
        mean = np.where(known, best, 0).sum(axis=1, dtype=np.float64) / np.maximum(known.sum(axis=1), 1)
        return np.where(known.any(axis=1), mean, -np.inf)


class Activations:
    """The activation set: items that are among the k nearest of some bank query, ties by lower id.

    Source: Bogolin et al. 2022, *Cross Modal Retrieval with Querybank Normalisation* (arXiv 2112.12777), §3.3.
    """

    def __init__(self, size: int, bank_size: int, *, k: int = 1) -> None:
        self._size = size
        self._best: Scores = np.full((bank_size, k), -np.inf, np.float32)
        self._ids: RowIds = np.full((bank_size, k), EMPTY, np.int64)

    def take(self, items: slice, bank: slice, similarities: Scores) -> None:
        """Let items in that are nearer than the k-th nearest so far."""
        k = self._best.shape[1]
        better = np.flatnonzero(similarities.max(axis=0) > self._best[bank, -1])
        queries = bank.start + better
        fresh = similarities[:, better].T
        ids = np.broadcast_to(np.arange(items.start, items.stop, dtype=np.int64), fresh.shape)
        best = np.concatenate([self._best[queries], fresh], axis=1)
        ids = np.concatenate([self._ids[queries], ids], axis=1)
        # What was kept has lower ids and stands first, so that a stable order lets the lower id win.
        order = best.argmax(axis=1)[:, None] if k == 1 else np.argsort(-best, axis=1, kind="stable")[:, :k]
        self._best[queries] = np.take_along_axis(best, order, axis=1)
        self._ids[queries] = np.take_along_axis(ids, order, axis=1)

    def active(self) -> NDArray[np.bool_]:
        """(N,): whether an item is in the set."""
        active = np.zeros(self._size, bool)
        active[self._ids[np.isfinite(self._best)]] = True
        return active


@dataclass(frozen=True, slots=True, eq=False)
class Partition:
    """log Z of every item over one bank, and what it was made with.

    Attributes:
        log: (N,) float64.
        beta: β.
        bank_size: B.
    """

    log: Values
    beta: float
    bank_size: int

    def grown(self, items: Vectors, more: Bank) -> "Partition":
        """The partition over the old bank and more, at the same β; the old bank is not looked at again."""
        if len(items) != len(self.log):
            raise ShapeMismatch(f"{len(items)} items; the bank was fitted on {len(self.log)}")
        added = LogPartition(len(items), beta=self.beta)
        scan(items, more, [added])
        return Partition(np.logaddexp(self.log, added.log), self.beta, self.bank_size + len(more))


def within_query_sd(items: Vectors, bank: Bank) -> float:
    """σ: for each bank query the standard deviation of its similarities to all items, averaged over the bank.

    Exact without looking at any similarity: Var_g s(b, g) = bᵀ Cov(g) b. Known positives are not left out.
    """
    items = as_vectors(items)
    mean = items.mean(axis=0, dtype=np.float64).astype(np.float32)
    covariance = np.zeros((items.shape[1], items.shape[1]))
    for rows in blocks(len(items), 8 * BLOCK):
        centred = items[rows] - mean
        covariance += centred.T @ centred
    queries = as_vectors(bank.vectors, dimension=items.shape[1])
    total = 0.0
    for columns in blocks(len(queries), BLOCK):
        some = queries[columns].astype(np.float64)
        variance = np.einsum("bd,bd->b", some @ (covariance / len(items)), some)
        total += float(np.sqrt(np.maximum(variance, 0)).sum())
    return total / len(queries)


def default_beta(items: Vectors, bank: Bank) -> float:
    """β = 1/σ, at most MAX_BETA; near the best on every set measured (benchmarks/results/hubness.json)."""
    sd = within_query_sd(items, bank)
    return min(1 / sd, MAX_BETA) if sd > 0 else MAX_BETA


def inverse_temperature(beta: float | None, items: Vectors, bank: Bank) -> float:
    """β as asked for, or the default. Raises: ShapeMismatch unless it is a positive number."""
    if beta is None:
        return default_beta(items, bank)
    if not (np.isfinite(beta) and beta > 0):
        raise ShapeMismatch(f"beta is {beta}; expected a positive number")
    return beta


def centred(penalty: Values) -> Scores:
    """Penalties as float32 around 0, so that corrected scores stay near similarities; orders are the same.

    An item of which the bank says nothing (−inf) gets 0, neither pushed down nor up.
    """
    known = np.isfinite(penalty)
    mean = penalty[known].mean() if known.any() else 0.0
    return np.where(known, penalty - mean, 0).astype(np.float32)
