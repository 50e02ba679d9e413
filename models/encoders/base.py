"""What an encoder is."""

from collections.abc import Sequence
from typing import Protocol, runtime_checkable

from models.arrays import Vectors


@runtime_checkable
class Encoder(Protocol):
    """Texts in, unit-length vectors out; a batch of n gives (n, d) float32 in the same order.

    `__init__` is cheap; `load()` touches weights and devices; `warm_up()` runs once so that the first
    request is not the slow one. Encoding loads by itself if need be. Safe to call from several threads.

    Attributes:
        name: registry name, as in an artifact or a request ("minilm"), with the variant if not fp32 ("minilm-int8").
        dimension: d.
        device: where it runs: "cpu", "cuda:0", "mps".
        fingerprint: a hash of weights, tokenizer and settings; equal fingerprints mean equal vectors.
    """

    @property
    def name(self) -> str:
        """Registry name."""
        ...

    @property
    def device(self) -> str:
        """Where it runs."""
        ...

    @property
    def dimension(self) -> int:
        """The width of the vectors."""
        ...

    @property
    def fingerprint(self) -> str:
        """Hex sha256 over everything that decides a vector."""
        ...

    def load(self) -> None:
        """Touch weights and devices. Calling it twice is harmless."""
        ...

    def warm_up(self) -> None:
        """Run one small batch."""
        ...

    def encode_query(self, texts: Sequence[str]) -> Vectors:
        """Vectors for what is searched with, (n, d), under the model's query prompt if it has one."""
        ...

    def encode_passage(self, texts: Sequence[str]) -> Vectors:
        """Vectors for what is searched in, (n, d), under the model's passage prompt if it has one."""
        ...

    def count_tokens(self, texts: Sequence[str]) -> list[int]:
        """The tokens each text costs, after truncation, special tokens included; for admission control."""
        ...
