"""An encoder that remembers."""

import sys
from collections import OrderedDict
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from threading import Lock

import numpy as np

from models.arrays import Vectors
from models.encoders.base import Encoder

_OVERHEAD_BYTES = 300
"""Measured per entry beyond text and floats: key tuple, array header, the ordered dictionary's links."""


@dataclass(frozen=True, slots=True)
class CacheUse:
    """How a cache fares.

    Attributes:
        hits: texts answered from memory, since the start.
        misses: texts that had to be encoded.
        entries: vectors held now.
        size_bytes: memory they take, about.
    """

    hits: int
    misses: int
    entries: int
    size_bytes: int


class CachedEncoder:
    """Another encoder's vectors, kept for exact repeats; the least recently used go first.

    The same text as a query and as a passage are two entries. Repeats within one call are encoded once.
    """

    def __init__(self, encoder: Encoder, *, max_bytes: int = 64 * 1024 * 1024) -> None:
        """Wrap an encoder; at most about `max_bytes` are held."""
        self.encoder, self.max_bytes = encoder, max_bytes
        self.name = encoder.name
        self._kept: OrderedDict[tuple[str, str], Vectors] = OrderedDict()
        self._lock = Lock()
        self._size = self._hits = self._misses = 0

    @property
    def device(self) -> str:
        """Where the wrapped encoder runs."""
        return self.encoder.device

    @property
    def dimension(self) -> int:
        """The width of the vectors."""
        return self.encoder.dimension

    @property
    def fingerprint(self) -> str:
        """The wrapped encoder's: a cache changes no vector."""
        return self.encoder.fingerprint

    @property
    def use(self) -> CacheUse:
        """Hits, misses and size so far."""
        with self._lock:
            return CacheUse(self._hits, self._misses, len(self._kept), self._size)

    def load(self) -> None:
        """Load the wrapped encoder."""
        self.encoder.load()

    def warm_up(self) -> None:
        """Warm the wrapped encoder, past the cache."""
        self.encoder.warm_up()

    def encode_query(self, texts: Sequence[str]) -> Vectors:
        """Unit vectors of what is searched with, (n, d) float32."""
        return self._encode("query", texts, self.encoder.encode_query)

    def encode_passage(self, texts: Sequence[str]) -> Vectors:
        """Unit vectors of what is searched in, (n, d) float32."""
        return self._encode("passage", texts, self.encoder.encode_passage)

    def count_tokens(self, texts: Sequence[str]) -> list[int]:
        """As the wrapped encoder counts, whether or not a text is cached."""
        return self.encoder.count_tokens(texts)

    def clear(self) -> None:
        """Forget every vector."""
        with self._lock:
            self._kept.clear()
            self._size = 0

    def _encode(self, role: str, texts: Sequence[str], encode: Callable[[Sequence[str]], Vectors]) -> Vectors:
        found = self._look_up(role, texts)
        missing = [text for text in dict.fromkeys(texts) if text not in found]
        if missing:
            # Outside the lock: two threads may encode one text twice, and neither waits for the other.
            fresh = dict(zip(missing, encode(missing), strict=True))
            self._keep(role, fresh)
            found |= fresh
        vectors = np.empty((len(texts), self.dimension), dtype=np.float32)
        for row, text in enumerate(texts):
            vectors[row] = found[text]
        return vectors

    def _look_up(self, role: str, texts: Sequence[str]) -> dict[str, Vectors]:
        found: dict[str, Vectors] = {}
        with self._lock:
            for text in texts:
                key = (role, text)
                if key in self._kept:
                    self._kept.move_to_end(key)
                    found[text] = self._kept[key]
                    self._hits += 1
                else:
                    self._misses += 1
        return found

    def _keep(self, role: str, fresh: dict[str, Vectors]) -> None:
        with self._lock:
            for text, vector in fresh.items():
                key = (role, text)
                if key not in self._kept:
                    # A copy: a row of a batch would keep the whole batch alive.
                    self._kept[key] = vector.copy()
                    self._size += _size_bytes(text, vector)
            while self._size > self.max_bytes:
                (_, text), vector = self._kept.popitem(last=False)
                self._size -= _size_bytes(text, vector)


def _size_bytes(text: str, vector: Vectors) -> int:
    return sys.getsizeof(text) + vector.nbytes + _OVERHEAD_BYTES
