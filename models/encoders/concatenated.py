"""Several encoders as one: their vectors side by side, so that one inner product mixes their cosines."""

import hashlib
from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray

from models.arrays import Vectors, unit
from models.encoders.base import Encoder
from models.errors import EncoderError, ShapeMismatch


class ConcatenatedEncoder:
    """Unit vectors of several encoders, each times the root of its weight, end to end.

    With weights w that sum to 1, the inner product of two such vectors is Σ w_b × cosine_b, and they are of unit
    length again. Every engine that does inner products thus serves the fusion, at no extra search.
    """

    def __init__(
        self, encoders: Sequence[Encoder], *, weights: Sequence[float] | None = None, name: str | None = None
    ) -> None:
        """Join encoders.

        Args:
            encoders: at least one, in the order of the blocks.
            weights: one positive number each, scaled here to sum to 1; default: equal.
            name: registry name; default: the names joined by "+".

        Raises: EncoderError unless there is one positive, finite weight per encoder.
        """
        shares = np.ones(len(encoders)) if weights is None else np.asarray(weights, dtype=np.float64)
        if not encoders or shares.shape != (len(encoders),) or not (np.isfinite(shares) & (shares > 0)).all():
            raise EncoderError(f"weights {weights} for {len(encoders)} encoders; expected one positive number each")
        self.encoders = tuple(encoders)
        self.weights: NDArray[np.float32] = (shares / shares.sum()).astype(np.float32)
        self.name = name or "+".join(encoder.name for encoder in encoders)

    @property
    def device(self) -> str:
        """Where the parts run, each device once ("cpu", "cuda:0,cpu")."""
        return ",".join(dict.fromkeys(encoder.device for encoder in self.encoders))

    @property
    def dimension(self) -> int:
        """The sum of the parts' widths."""
        return sum(encoder.dimension for encoder in self.encoders)

    @property
    def blocks(self) -> list[slice]:
        """The columns of each part."""
        ends = np.cumsum([encoder.dimension for encoder in self.encoders]).tolist()
        return [slice(start, end) for start, end in zip([0, *ends], ends, strict=False)]

    @property
    def fingerprint(self) -> str:
        """Hex sha256 over the parts' fingerprints and weights."""
        parts = [f"{e.fingerprint} {w:.8g}" for e, w in zip(self.encoders, self.weights, strict=True)]
        return hashlib.sha256("\n".join(["concatenated 1", *parts]).encode()).hexdigest()

    def load(self) -> None:
        """Load every part."""
        for encoder in self.encoders:
            encoder.load()

    def warm_up(self) -> None:
        """Warm every part."""
        for encoder in self.encoders:
            encoder.warm_up()

    def encode_query(self, texts: Sequence[str]) -> Vectors:
        """Unit vectors of what is searched with, (n, d) float32."""
        return unit(self._joined([encoder.encode_query for encoder in self.encoders], texts))

    def encode_passage(self, texts: Sequence[str]) -> Vectors:
        """Unit vectors of what is searched in, (n, d) float32."""
        return unit(self._joined([encoder.encode_passage for encoder in self.encoders], texts))

    def encode_query_weighted(self, texts: Sequence[str], *, block_weights: NDArray[np.floating]) -> Vectors:
        """Query vectors under weights of their own, for instance by language, against the same passages.

        Args:
            texts: n queries.
            block_weights: (n, blocks), not negative, each row scaled here to sum to 1. A row that is all zero
                gets the encoder's own weights.

        Returns: (n, d) float32 whose inner product with a passage vector is Σ row_b × cosine_b. Not of unit
            length where a row differs from the encoder's own weights, so that scores stay mean cosines.

        Raises: ShapeMismatch if block_weights is of another shape, negative or not finite.
        """
        rows = np.asarray(block_weights, dtype=np.float32)
        if rows.shape != (len(texts), len(self.encoders)):
            raise ShapeMismatch(f"block weights are {rows.shape}; expected {(len(texts), len(self.encoders))}")
        if not (np.isfinite(rows) & (rows >= 0)).all():
            raise ShapeMismatch("block weights hold negative numbers, NaN or infinity")
        rows = np.where(rows.sum(axis=1, keepdims=True) > 0, rows, self.weights)
        rows = rows / rows.sum(axis=1, keepdims=True)
        vectors = np.zeros((len(texts), self.dimension), np.float32)
        for block, columns in enumerate(self.blocks):
            # A part without weight does not read the text: that is what makes weights by language cheap.
            reads = np.flatnonzero(rows[:, block])
            if len(reads):
                encoded = self.encoders[block].encode_query([texts[i] for i in reads.tolist()])
                # Passages carry √w; row/√w makes the product row.
                vectors[reads, columns] = encoded * (rows[reads, block] / np.sqrt(self.weights[block]))[:, None]
        return vectors

    def count_tokens(self, texts: Sequence[str]) -> list[int]:
        """The tokens of all parts together: each has to read the text."""
        counts = np.array([encoder.count_tokens(texts) for encoder in self.encoders], dtype=np.int64)
        return [int(total) for total in counts.sum(axis=0)]

    def _joined(self, encoders: Sequence[Callable[[Sequence[str]], Vectors]], texts: Sequence[str]) -> Vectors:
        roots = np.sqrt(self.weights)
        return np.concatenate([root * encode(texts) for root, encode in zip(roots, encoders, strict=True)], axis=1)
