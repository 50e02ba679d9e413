"""A tiny encoder for tests: hashed words and character n-grams. No weights, no files, the same everywhere."""

import hashlib
import zlib
from collections.abc import Iterator, Sequence

import numpy as np

from models.arrays import Vectors, unit
from models.encoders.texts import readable

MAX_TOKENS = 128
_GRAMS = (2, 3, 4)
# A whole word says more than one of its n-grams. A guess.
_WORD_WEIGHT = 2.0


class HashingEncoder:
    """Signed feature hashing of words and character n-grams into d dimensions, unit length.

    Strings that share words or spelling get similar vectors; nothing else is understood. Deterministic across
    processes and machines: CRC-32 in place of `hash()`.
    """

    device = "cpu"

    def __init__(self, dimension: int = 256, *, name: str = "hashing") -> None:
        """An encoder of `dimension` dimensions."""
        self.name = name
        self._dimension = dimension

    @property
    def dimension(self) -> int:
        """The width of the vectors."""
        return self._dimension

    @property
    def fingerprint(self) -> str:
        """Hex sha256 over the settings."""
        settings = f"hashing 1 {self._dimension} {_GRAMS} {_WORD_WEIGHT} {MAX_TOKENS}"
        return hashlib.sha256(settings.encode()).hexdigest()

    def load(self) -> None:
        """There is nothing to load."""

    def warm_up(self) -> None:
        """There is nothing to warm."""

    def encode_query(self, texts: Sequence[str]) -> Vectors:
        """Unit vectors, (n, d) float32; no prompt."""
        return self._encode(texts)

    def encode_passage(self, texts: Sequence[str]) -> Vectors:
        """Unit vectors, (n, d) float32; the same as for a query."""
        return self._encode(texts)

    def count_tokens(self, texts: Sequence[str]) -> list[int]:
        """Words and two for the ends, as a transformer would count, at most `MAX_TOKENS`."""
        return [min(MAX_TOKENS, len(words) + 2) for words in self._words(texts)]

    def _words(self, texts: Sequence[str]) -> list[list[str]]:
        return [text.casefold().split() for text in readable(texts, prompt="", max_tokens=MAX_TOKENS)]

    def _encode(self, texts: Sequence[str]) -> Vectors:
        vectors = np.zeros((len(texts), self._dimension), dtype=np.float32)
        for vector, words in zip(vectors, self._words(texts), strict=True):
            for feature, weight in _features(words[:MAX_TOKENS]):
                code = zlib.crc32(feature.encode())
                vector[(code >> 1) % self._dimension] += weight if code & 1 else -weight
        # A text without features, or whose features cancel, still has a direction.
        vectors[~vectors.any(axis=1), 0] = 1
        return unit(vectors)


def _features(words: Sequence[str]) -> Iterator[tuple[str, float]]:
    for word in words:
        yield word, _WORD_WEIGHT
        bounded = f"^{word}$"
        for n in _GRAMS:
            for start in range(len(bounded) - n + 1):
                yield bounded[start : start + n], 1.0
