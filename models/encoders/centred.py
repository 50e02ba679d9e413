"""An encoder whose vectors have the mean of what is searched in taken out."""

import hashlib
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from models.arrays import Vectors, as_vectors, unit
from models.encoders.base import Encoder


class CentredEncoder:
    """Another encoder's vectors minus a fixed mean, unit length again.

    Some models keep every text in a narrow cone (multilingual-e5-small: cosines of .75 to 1), so that beside another
    model's their cosines hardly count. Taking the passages' mean out spreads them; queries must lose the same mean.

    Args:
        encoder: what encodes.
        mean: (d,) float32, of the passages' vectors.
    """

    def __init__(self, encoder: Encoder, mean: NDArray[np.float32]) -> None:
        self._encoder = encoder
        self._mean = as_vectors(mean[None], dimension=encoder.dimension)
        self.name = encoder.name
        self.device = encoder.device

    @property
    def dimension(self) -> int:
        """The width of the vectors."""
        return self._encoder.dimension

    @property
    def fingerprint(self) -> str:
        """Hex sha256 over the encoder's fingerprint and the mean."""
        return hashlib.sha256(f"centred 1 {self._encoder.fingerprint}".encode() + self._mean.tobytes()).hexdigest()

    def load(self) -> None:
        """Load the encoder."""
        self._encoder.load()

    def warm_up(self) -> None:
        """Warm the encoder."""
        self._encoder.warm_up()

    def encode_query(self, texts: Sequence[str]) -> Vectors:
        """Centred unit vectors, (n, d) float32."""
        return unit(self._encoder.encode_query(texts) - self._mean)

    def encode_passage(self, texts: Sequence[str]) -> Vectors:
        """Centred unit vectors, (n, d) float32."""
        return unit(self._encoder.encode_passage(texts) - self._mean)

    def count_tokens(self, texts: Sequence[str]) -> list[int]:
        """What each text costs the encoder."""
        return self._encoder.count_tokens(texts)
