"""Where no cross-encoder is prepared: an encoder's own similarity, as a re-ranker."""

from collections.abc import Sequence
from typing import Protocol

import numpy as np

from models.arrays import Scores, Vectors


class TextEncoder(Protocol):
    """What is needed of an encoder (`models.encoders.base.Encoder`)."""

    @property
    def name(self) -> str:
        """Registry name."""
        ...

    @property
    def fingerprint(self) -> str:
        """Hex sha256 over everything that decides a vector."""
        ...

    def encode_query(self, texts: Sequence[str]) -> Vectors:
        """Unit vectors of what is searched with."""
        ...

    def encode_passage(self, texts: Sequence[str]) -> Vectors:
        """Unit vectors of what is searched in."""
        ...

    def count_tokens(self, texts: Sequence[str]) -> list[int]:
        """The tokens each text costs."""
        ...


class BiEncoderReranker:
    """Scores are cosines in [−1, 1]. It reads query and document apart: no better than search by the same encoder."""

    def __init__(self, encoder: TextEncoder) -> None:
        self.name = encoder.name
        self._encoder = encoder

    @property
    def fingerprint(self) -> str:
        """The encoder's."""
        return self._encoder.fingerprint

    def score(self, queries: Sequence[str], documents: Sequence[Sequence[str]]) -> list[Scores]:
        """For each query the cosines of its documents, in their order; each distinct text is encoded once."""
        asked = {query: i for i, query in enumerate(dict.fromkeys(queries))}
        offered = {text: i for i, text in enumerate(dict.fromkeys(text for texts in documents for text in texts))}
        if not offered:
            return [np.zeros(0, np.float32) for _ in queries]
        vectors, rows = self._encoder.encode_query(list(asked)), self._encoder.encode_passage(list(offered))
        return [
            np.clip(rows[[offered[text] for text in texts]] @ vectors[asked[query]], -1, 1).astype(np.float32)
            for query, texts in zip(queries, documents, strict=True)
        ]

    def count_tokens(self, pairs: Sequence[tuple[str, str]]) -> list[int]:
        """The tokens each pair costs."""
        queries = self._encoder.count_tokens([query for query, _ in pairs])
        texts = self._encoder.count_tokens([text for _, text in pairs])
        return [one + other for one, other in zip(queries, texts, strict=True)]
