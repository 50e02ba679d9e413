"""A terminology's own synonyms and translations teach an encoder what counts; kept where it wins on held-out ones."""

from collections.abc import Callable, Iterator
from typing import Final

import numpy as np
from numpy.typing import NDArray

from models.arrays import Vectors, unit
from models.encoders.aligned import fit_map

STEPS: Final = 300
"""15 CPU-seconds for 384 dimensions; recall is flat from 150 to 500 (benchmarks/quality/medical.py)."""

LEAST: Final = 200
"""Concepts with several terms below which nothing is tried: a matrix has more unknowns than they can tell. A guess."""

_HELD: Final = 1000
_SURE: Final = 2.0
"""Standard errors that the gain on held-out terms must be above zero."""

_AT_ONCE: Final = 128


def align(
    vectors: Vectors, concepts: NDArray[np.int64], *, on_step: Callable[[int], None] = lambda step: None
) -> NDArray[np.float32] | None:
    """A (d, d) map for these rows, or None where it does not win.

    `_HELD` terms are kept from the fit. Under the map each of them, its own row and equal ones hidden, must find its
    concept first more often than without: by reciprocal rank, paired, `_SURE` standard errors.

    Args:
        vectors: (n, d) unit rows, as they are indexed.
        concepts: (n,) which concept each row is a term of.
    """
    rng = np.random.default_rng(0)
    counts = np.bincount(concepts, minlength=1)
    candidates = rng.permutation(np.flatnonzero(counts[concepts] > 1))
    # One held-out term of a concept, so that the others can teach and be found.
    _, one_each = np.unique(concepts[candidates], return_index=True)
    if len(one_each) < LEAST:
        return None
    held = candidates[np.sort(one_each)][: min(_HELD, len(one_each) // 4)]
    matrix = fit_map(vectors, list(_groups(concepts, held)), steps=STEPS, on_step=on_step)
    gain = _reciprocal(unit(vectors @ matrix), concepts, held) - _reciprocal(vectors, concepts, held)
    wins = gain.mean() > _SURE * gain.std() / np.sqrt(len(gain))
    return matrix if wins else None


def _groups(concepts: NDArray[np.int64], held: NDArray[np.int64]) -> Iterator[NDArray[np.int64]]:
    """The rows of each concept that has two or more beside those held out."""
    kept = np.setdiff1d(np.arange(len(concepts)), held)
    order = kept[np.argsort(concepts[kept], kind="stable")]
    cuts = np.flatnonzero(np.diff(concepts[order])) + 1
    return (rows for rows in np.split(order, cuts) if len(rows) > 1)


def _reciprocal(vectors: Vectors, concepts: NDArray[np.int64], held: NDArray[np.int64]) -> NDArray[np.float64]:
    """1 / rank of the right concept for each held-out row, among rows that are not it."""
    ranks = np.empty(len(held))
    for start in range(0, len(held), _AT_ONCE):
        rows = held[start : start + _AT_ONCE]
        scores = vectors[rows] @ vectors.T
        # A text that stands twice in a terminology is no test of meaning.
        scores[scores > 1 - 1e-5] = -np.inf
        for i, row in enumerate(rows):
            best = scores[i, concepts == concepts[row]].max()
            nearer = concepts[scores[i] > best]
            ranks[start + i] = 1 + len(np.unique(nearer)) if np.isfinite(best) else np.inf
    return 1 / ranks
