"""Where a build's vectors lie, so that some of them can outlive it: out of its space and into the next one's."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from models.arrays import Vectors, unit
from models.artifacts import Artifact
from models.encoders.base import Encoder
from models.encoders.concatenated import ConcatenatedEncoder
from models.errors import ShapeMismatch
from pipelines.encoding import MAP

MEANS: Final = "means.safetensors"
"""Of a build: what is taken out of its encoders' vectors, and the maps these go through."""


@dataclass(frozen=True, slots=True)
class _Part:
    """One encoder's columns, and what a build does to them."""

    columns: slice
    mean: NDArray[np.float32] | None
    matrix: NDArray[np.float32] | None

    def placed(self, vectors: Vectors) -> Vectors:
        """What `pipelines.encoding.centred` does to an encoder, done to unit vectors that it gave."""
        if self.mean is not None:
            vectors = unit(vectors - self.mean)
        return vectors if self.matrix is None else unit(vectors @ self.matrix)

    def raw(self, vectors: Vectors) -> Vectors:
        """The unit vectors that `placed` gave these for: r = m + t·u of length 1, u along vW⁻¹."""
        found: NDArray[np.float64] = vectors.astype(np.float64)
        if self.matrix is not None:
            found = np.linalg.solve(self.matrix.astype(np.float64).T, found.T).T.astype(np.float64)
        found = found / np.maximum(np.linalg.norm(found, axis=1, keepdims=True), 1e-12)
        if self.mean is not None:
            mean = self.mean.astype(np.float64)
            along = found @ mean
            # Positive and alone in being so, since a mean of unit vectors is shorter than 1.
            far = np.sqrt(np.maximum(along**2 + 1 - mean @ mean, 0)) - along
            found = mean + far[:, None] * found
        return found.astype(np.float32)


class Space:
    """What a build does to its encoder's vectors: each part's mean taken out, then its map.

    A part's length is what it weighs, by language where encoders are joined; it stays as it is. A part of length 0 was
    not read.

    Args:
        encoder: the build's, as prepared.
        means: encoder name → (d,) mean, name + ".map" → (d, d) map; as `pipelines.encoding.encode_rows` gives them.
    """

    def __init__(self, encoder: Encoder, means: Mapping[str, NDArray[np.float32]]) -> None:
        self.kinds = tuple(sorted(means))
        self.dimension = encoder.dimension
        parts = encoder.encoders if isinstance(encoder, ConcatenatedEncoder) else (encoder,)
        columns = encoder.blocks if isinstance(encoder, ConcatenatedEncoder) else [slice(0, encoder.dimension)]
        self._parts = [
            _Part(some, means.get(part.name), means.get(part.name + MAP))
            for part, some in zip(parts, columns, strict=True)
        ]

    def raw(self, vectors: Vectors) -> Vectors:
        """Vectors of this build, (n, d), as the encoder alone gives them. Raises: ShapeMismatch."""
        return self._each(vectors, undo=True)

    def placed(self, raw: Vectors) -> Vectors:
        """The inverse: what this build makes of an encoder's vectors, (n, d). Raises: ShapeMismatch."""
        return self._each(raw, undo=False)

    def _each(self, vectors: Vectors, *, undo: bool) -> Vectors:
        if vectors.shape[1] != self.dimension:
            raise ShapeMismatch(f"vectors of dimension {vectors.shape[1]} in a space of {self.dimension}")
        found: Vectors = np.zeros(vectors.shape, np.float32)
        for part in self._parts:
            block = vectors[:, part.columns]
            lengths = np.linalg.norm(block, axis=1, keepdims=True)
            read = lengths[:, 0] > 0
            turned = part.raw(block[read]) if undo else part.placed(unit(block[read]))
            found[read, part.columns] = lengths[read] * turned
        return found


def space_of(build: Artifact, encoder: Encoder) -> Space:
    """Where the vectors of a build lie; `encoder` as prepared."""
    return Space(encoder, build.read_tensors(MEANS) if MEANS in build.manifest.files else {})
