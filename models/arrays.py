"""The arrays that cross rooms, and the checks on them.

`Vectors` are (n, d) float32. `Queries` are what is asked: texts and, where an encoder ran, their vectors.
`Neighbours` are what is found: scores and row ids, (n, k), best first.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray

from models.errors import ShapeMismatch

Vectors = NDArray[np.float32]
Scores = NDArray[np.float32]
RowIds = NDArray[np.int64]

EMPTY = -1
"""The row id of an empty slot, as FAISS pads."""


def as_vectors(array: NDArray[np.floating], *, dimension: int | None = None) -> Vectors:
    """Give the array back as C-contiguous (n, d) float32, or say what is wrong with it.

    Raises: ShapeMismatch if it is not two-dimensional, not d wide, or holds NaN or infinity.
    """
    vectors = np.ascontiguousarray(array, dtype=np.float32)
    if vectors.ndim != 2:
        raise ShapeMismatch(f"vectors have {vectors.ndim} dimensions; expected 2: (n, d)")
    if dimension is not None and vectors.shape[1] != dimension:
        raise ShapeMismatch(f"vectors are {vectors.shape[1]} wide; expected {dimension}")
    if not np.isfinite(vectors).all():
        raise ShapeMismatch("vectors hold NaN or infinity; expected finite numbers")
    return vectors


def unit(vectors: Vectors) -> Vectors:
    """Scale each row to length 1; a zero row stays zero."""
    lengths = np.linalg.norm(vectors, axis=1, keepdims=True)
    scaled: Vectors = np.divide(vectors, lengths, out=np.zeros_like(vectors), where=lengths > 0)
    return scaled


@dataclass(frozen=True, slots=True)
class Queries:
    """What is asked, n at a time.

    Attributes:
        texts: n strings, as prepared for matching; a lexical index reads these.
        vectors: (n, d) float32, unit length; a dense index reads these. (n, 0) where no encoder ran.
        languages: n BCP 47 tags or None where unknown; fusion weights may depend on them.
    """

    texts: Sequence[str]
    vectors: Vectors
    languages: Sequence[str | None]

    def __post_init__(self) -> None:
        """Raise ShapeMismatch unless the three have the same length."""
        lengths = {len(self.texts), len(self.vectors), len(self.languages)}
        if len(lengths) != 1:
            raise ShapeMismatch(
                f"{len(self.texts)} texts, {len(self.vectors)} vectors, {len(self.languages)} languages; "
                "expected the same number of each"
            )

    @classmethod
    def of_texts(cls, texts: Sequence[str], *, languages: Sequence[str | None] | None = None) -> "Queries":
        """Queries without vectors, for lexical search."""
        none = np.zeros((len(texts), 0), dtype=np.float32)
        return cls(texts, none, languages if languages is not None else [None] * len(texts))

    @classmethod
    def of_vectors(cls, vectors: Vectors) -> "Queries":
        """Queries without texts, for dense search."""
        return cls([""] * len(vectors), vectors, [None] * len(vectors))

    def __len__(self) -> int:
        """The number of queries, n."""
        return len(self.texts)


@dataclass(frozen=True, slots=True)
class Neighbours:
    """What is found: for each of n queries at most k rows, best first, ties by lower id.

    Attributes:
        scores: (n, k) float32, descending; −inf where a slot is empty.
        ids: (n, k) int64 row numbers; −1 where a slot is empty.
        parts: what each score was made of, by stage name ("dense", "lexical"), each (n, k) float32.
    """

    scores: Scores
    ids: RowIds
    parts: Mapping[str, Scores] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """Raise ShapeMismatch unless every array is (n, k)."""
        if self.scores.ndim != 2 or self.scores.shape != self.ids.shape:
            raise ShapeMismatch(f"scores are {self.scores.shape}, ids {self.ids.shape}; expected one (n, k)")
        for name, part in self.parts.items():
            if part.shape != self.ids.shape:
                raise ShapeMismatch(f"part {name!r} is {part.shape}; expected {self.ids.shape}")

    def __len__(self) -> int:
        """The number of queries, n."""
        return len(self.ids)

    @property
    def k(self) -> int:
        """The number of slots per query."""
        return int(self.ids.shape[1])

    def sorted(self) -> "Neighbours":
        """The same rows re-sorted by score, ties by lower id, empty slots last."""
        keys = np.where(self.ids == EMPTY, np.inf, -self.scores)
        order = np.lexsort((np.where(self.ids == EMPTY, np.iinfo(np.int64).max, self.ids), keys), axis=1)
        return self._reordered(order)

    def top(self, k: int) -> "Neighbours":
        """The first k slots of each query."""
        return Neighbours(self.scores[:, :k], self.ids[:, :k], {name: part[:, :k] for name, part in self.parts.items()})

    def with_scores(self, scores: Scores, *, part: str | None = None) -> "Neighbours":
        """The same rows under new scores, re-sorted; the old scores are kept as `part` if one is named."""
        parts = {**self.parts, part: self.scores} if part else self.parts
        return replace(self, scores=scores, parts=parts).sorted()

    def _reordered(self, order: NDArray[np.int64]) -> "Neighbours":
        def take(array: NDArray[np.generic]) -> NDArray[np.generic]:
            return np.take_along_axis(array, order, axis=1)

        return Neighbours(
            take(self.scores),  # type: ignore[arg-type]
            take(self.ids),  # type: ignore[arg-type]
            {name: take(part) for name, part in self.parts.items()},  # type: ignore[misc]
        )


def top_rows(scores: Scores, *, k: int) -> Neighbours:
    """The k best columns of a full (n, N) score matrix, ties by lower id.

    −inf marks a row that must not be found. k is cut to N.
    """
    n, rows = scores.shape
    k = min(k, rows)
    if k == 0:
        return Neighbours(np.zeros((n, 0), np.float32), np.zeros((n, 0), np.int64))
    if k < rows:
        # argpartition breaks ties at the cut arbitrarily, so the cut's score decides and ids break the tie.
        cut = np.partition(scores, rows - k, axis=1)[:, rows - k, None]
        ids = np.empty((n, k), np.int64)
        for i in range(n):
            above = np.flatnonzero(scores[i] > cut[i])
            level = np.flatnonzero(scores[i] == cut[i])[: k - len(above)]
            ids[i] = np.concatenate([above, level])
    else:
        ids = np.broadcast_to(np.arange(rows, dtype=np.int64), (n, rows)).copy()
    found = np.take_along_axis(scores, ids, axis=1).astype(np.float32)
    ids = np.where(np.isneginf(found), EMPTY, ids)
    return Neighbours(found, ids).sorted()
