"""The re-ranker that weighs evidence: a few numbers and words per candidate, no text read again; numpy alone.

    logit of a candidate   T · score + w·z + v·tanh(W z + b) + Σ weights of its telling words    z: evidence, scaled
    logit of NIL           u·s + b                                                               s: of the mention

Softmax over the candidates and NIL gives probabilities. At the start of training all but T · score is zero.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from models.arrays import EMPTY
from models.errors import ShapeMismatch

Floats = NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Listed:
    """The candidates of n mentions, padded to the longest list.

    Attributes:
        evidence: (n, k, f); the first feature is the score that candidates came with.
        words: (n, k, w) numbers of telling words, −1 where there are fewer.
        filled: (n, k) where there is a candidate.
        summary: (n, s) what is true of each mention as a whole.
    """

    evidence: Floats
    words: NDArray[np.int64]
    filled: NDArray[np.bool_]
    summary: Floats

    def __len__(self) -> int:
        """The number of mentions, n."""
        return len(self.filled)

    def __getitem__(self, which: NDArray[Any]) -> "Listed":
        """Some of the mentions."""
        return Listed(self.evidence[which], self.words[which], self.filled[which], self.summary[which])

    def joined(self, other: "Listed") -> "Listed":
        """These mentions and then others', padded to the longer of both lists."""
        width = max(self.filled.shape[1], other.filled.shape[1])

        def both(one: NDArray[Any], two: NDArray[Any], fill: int) -> NDArray[Any]:
            parts = []
            for part in (one, two):
                room = [(0, 0), (0, width - part.shape[1]), *([(0, 0)] * (part.ndim - 2))]
                parts.append(np.pad(part, room, constant_values=fill))
            return np.concatenate(parts)

        return Listed(
            both(self.evidence, other.evidence, 0),
            both(self.words, other.words, EMPTY),
            both(self.filled, other.filled, 0),
            np.concatenate([self.summary, other.summary]),
        )


@dataclass(frozen=True)
class ListwiseRanker:
    """What was learned; float32 throughout.

    Attributes:
        mean, scale: (f,) of the evidence it was trained on.
        linear: (f,). inner: (f, h). inner_bias, outer: (h,).
        words: (v,) what each telling word adds.
        nil: (s,), nil_bias: (1,).
        temperature: (1,) T.
    """

    mean: Floats
    scale: Floats
    linear: Floats
    inner: Floats
    inner_bias: Floats
    outer: Floats
    words: Floats
    nil: Floats
    nil_bias: Floats
    temperature: Floats

    def logits(self, listed: Listed) -> Floats:
        """(n, k + 1), NIL last; −inf where there is no candidate. Raises: ShapeMismatch for other evidence."""
        if listed.evidence.shape[2] != len(self.mean) or listed.summary.shape[1] != len(self.nil):
            raise ShapeMismatch(
                f"{listed.evidence.shape[2]} kinds of evidence and {listed.summary.shape[1]} of summary; this "
                f"re-ranker was trained on {len(self.mean)} and {len(self.nil)}"
            )
        z = (listed.evidence - self.mean) / self.scale
        own = z @ self.linear + np.tanh(z @ self.inner + self.inner_bias) @ self.outer
        # Number −1 reads the last entry, which is nothing.
        told = np.append(self.words, np.float32(0))[listed.words].sum(axis=2)
        logits = self.temperature * listed.evidence[:, :, 0] + own + told
        nil = listed.summary @ self.nil + self.nil_bias
        found: Floats = np.concatenate([np.where(listed.filled, logits, -np.inf), nil[:, None]], axis=1)
        return found.astype(np.float32)

    def to_tensors(self) -> dict[str, NDArray[Any]]:
        """Arrays, as an artifact keeps them."""
        return {name: getattr(self, name) for name in self.__dataclass_fields__}

    @classmethod
    def from_tensors(cls, tensors: Mapping[str, NDArray[Any]]) -> "ListwiseRanker":
        """The inverse of `to_tensors`; other arrays are left alone."""
        return cls(**{name: tensors[name].astype(np.float32) for name in cls.__dataclass_fields__})


def padded(numbers: list[list[int]], *, width: int) -> NDArray[np.int64]:
    """Lists of numbers as (len, width), cut or filled up with −1."""
    found = np.full((len(numbers), width), EMPTY, np.int64)
    for row, some in enumerate(numbers):
        found[row, : len(some)] = some[:width]
    return found
