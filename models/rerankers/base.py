"""What a re-ranker is."""

from collections.abc import Sequence
from typing import Protocol, runtime_checkable

from models.arrays import Scores


@runtime_checkable
class Reranker(Protocol):
    """A query and its k candidate texts in, k scores out; a batch of n queries at a time."""

    name: str

    def score(self, queries: Sequence[str], documents: Sequence[Sequence[str]]) -> list[Scores]:
        """One (k_i,) float32 array per query, in the order of its documents; higher is better."""
        ...
