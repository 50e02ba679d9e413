"""An encoder whose vectors go through a linear map, and how such a map is fitted on names of the same thing.

Frozen vectors of a general model hold a language's and a spelling's share beside the meaning. What a terminology's own
synonyms and translations have in common says which directions count. Plain numpy: serving has no torch.

Source: the self-alignment of Liu et al. 2021, *SapBERT*, with the InfoNCE of van den Oord et al. 2018 (symmetric, other
pairs of the batch as negatives); differs: the encoder stays frozen, one (d, d) matrix learns, from the identity.
"""

import hashlib
from collections.abc import Callable, Sequence
from typing import Final

import numpy as np
from numpy.typing import NDArray

from models.arrays import Vectors, unit
from models.encoders.base import Encoder
from models.errors import ShapeMismatch

BATCH: Final = 1024
SCALE: Final = 20.0
RATE: Final = 3e-4
"""FINDINGS: batch, scale and rate of the probe that was measured."""

_BETA1: Final = 0.9
_BETA2: Final = 0.999


class AlignedEncoder:
    """Another encoder's vectors times a matrix, unit length again.

    Args:
        encoder: what encodes.
        matrix: (d, d) float32.

    Raises: ShapeMismatch if the matrix is not d by d.
    """

    def __init__(self, encoder: Encoder, matrix: NDArray[np.float32]) -> None:
        if matrix.shape != (encoder.dimension, encoder.dimension):
            raise ShapeMismatch(f"a map of shape {matrix.shape} for an encoder of dimension {encoder.dimension}")
        self._encoder = encoder
        self._matrix = np.ascontiguousarray(matrix, np.float32)
        self.name = encoder.name
        self.device = encoder.device

    @property
    def dimension(self) -> int:
        """The width of the vectors."""
        return self._encoder.dimension

    @property
    def fingerprint(self) -> str:
        """Hex sha256 over the encoder's fingerprint and the matrix."""
        return hashlib.sha256(f"aligned 1 {self._encoder.fingerprint}".encode() + self._matrix.tobytes()).hexdigest()

    def load(self) -> None:
        """Load the encoder."""
        self._encoder.load()

    def warm_up(self) -> None:
        """Warm the encoder."""
        self._encoder.warm_up()

    def encode_query(self, texts: Sequence[str]) -> Vectors:
        """Mapped unit vectors, (n, d) float32."""
        return unit(self._encoder.encode_query(texts) @ self._matrix)

    def encode_passage(self, texts: Sequence[str]) -> Vectors:
        """Mapped unit vectors, (n, d) float32."""
        return unit(self._encoder.encode_passage(texts) @ self._matrix)

    def count_tokens(self, texts: Sequence[str]) -> list[int]:
        """What each text costs the encoder."""
        return self._encoder.count_tokens(texts)


def fit_map(
    vectors: Vectors,
    groups: Sequence[NDArray[np.int64]],
    *,
    steps: int,
    batch: int = BATCH,
    scale: float = SCALE,
    rate: float = RATE,
    seed: int = 0,
    on_step: Callable[[int], None] = lambda step: None,
) -> NDArray[np.float32]:
    """A matrix W under which two names of one thing are near, and names of different things are not.

    Loss: symmetric InfoNCE over `batch` pairs, −log softmax(scale · cos(aW, bW)); Adam from W = I.

    Args:
        vectors: (n, d) unit rows.
        groups: rows of each thing, two or more; every step draws things, and two rows of each.
        scale: at most 40.

    Returns: (d, d) float32; the identity where there is no pair to learn from.
    """
    d = vectors.shape[1]
    weights = np.eye(d, dtype=np.float32)
    if len(groups) < 2:
        return weights
    rng = np.random.default_rng(seed)
    members = _Members(groups)
    first = np.zeros_like(weights)
    second = np.zeros_like(weights)
    for step in range(1, steps + 1):
        a, b = members.pairs(min(batch, len(groups)), rng)
        gradient = _gradient(weights, vectors[a], vectors[b], scale)
        first = _BETA1 * first + (1 - _BETA1) * gradient
        second = _BETA2 * second + (1 - _BETA2) * gradient**2
        moved = (first / (1 - _BETA1**step)) / (np.sqrt(second / (1 - _BETA2**step)) + 1e-8)
        weights -= np.float32(rate) * moved.astype(np.float32)
        on_step(step)
    return weights


class _Members:
    """The rows of each group end to end, so that a batch of pairs is drawn at once."""

    def __init__(self, groups: Sequence[NDArray[np.int64]]) -> None:
        self._rows = np.concatenate(groups)
        self._sizes = np.array([len(group) for group in groups])
        self._starts = np.cumsum(self._sizes) - self._sizes

    def pairs(self, size: int, rng: np.random.Generator) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """Two different rows of each of `size` groups."""
        chosen = rng.choice(len(self._sizes), size, replace=False)
        sizes = self._sizes[chosen]
        one = rng.integers(sizes)
        other = (one + rng.integers(1, sizes)) % sizes
        return self._rows[self._starts[chosen] + one], self._rows[self._starts[chosen] + other]


def _gradient(weights: NDArray[np.float32], a: Vectors, b: Vectors, scale: float) -> NDArray[np.float32]:
    """∂loss/∂W of one batch of pairs."""
    mapped_a, mapped_b = a @ weights, b @ weights
    length_a = np.linalg.norm(mapped_a, axis=1, keepdims=True) + np.float32(1e-9)
    length_b = np.linalg.norm(mapped_b, axis=1, keepdims=True) + np.float32(1e-9)
    u, v = mapped_a / length_a, mapped_b / length_b
    logits = np.float32(scale) * (u @ v.T)
    # d loss / d logits: both softmaxes less the pairs that belong together, halved, and averaged over the batch.
    # Cosines lie in [-1, 1]: below a common maximum exp cannot underflow to zero up to a scale of 40.
    likely = np.exp(logits - logits.max())
    slope = likely * (0.5 / likely.sum(axis=1, keepdims=True) + 0.5 / likely.sum(axis=0, keepdims=True))
    slope[np.arange(len(a)), np.arange(len(a))] -= 1
    slope *= np.float32(scale / len(a))
    grad_u, grad_v = slope @ v, slope.T @ u
    grad_a = (grad_u - u * (grad_u * u).sum(axis=1, keepdims=True)) / length_a
    grad_b = (grad_v - v * (grad_v * v).sum(axis=1, keepdims=True)) / length_b
    gradient: NDArray[np.float32] = a.T @ grad_a + b.T @ grad_b
    return gradient
