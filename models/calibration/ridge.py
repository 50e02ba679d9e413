"""A light linear head: vectors in, a score for each class out."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from models.arrays import Vectors, unit
from models.errors import ShapeMismatch


@dataclass(frozen=True)
class RidgeHead:
    """One linear map from vectors to the classes seen, fitted in closed form.

    Source: regularized least-squares classification (Rifkin et al. 2003): W = (XᵀX + λI)⁻¹XᵀY over one-hot Y. In
    closed form, with nothing to tune but λ.

    Attributes:
        classes: (k,) class numbers, rising.
        weights: (d, k) float32.
    """

    classes: NDArray[np.int64]
    weights: NDArray[np.float32]

    @classmethod
    def fit(cls, vectors: Vectors, labels: NDArray[np.int64], *, penalty: float = 1.0) -> "RidgeHead":
        """Fit on (n, d) vectors, scaled to unit length here, and their (n,) classes. `penalty` is λ > 0."""
        if len(vectors) != len(labels) or not len(labels):
            raise ShapeMismatch(f"{len(vectors)} vectors, {len(labels)} labels; expected as many of each, one at least")
        classes, columns = np.unique(labels, return_inverse=True)
        rows = unit(vectors)
        targets = np.zeros((len(rows), len(classes)), np.float32)
        targets[np.arange(len(rows)), columns] = 1
        gram = rows.T @ rows
        gram[np.diag_indices_from(gram)] += penalty
        return cls(classes.astype(np.int64), np.linalg.solve(gram, rows.T @ targets).astype(np.float32))

    def scores(self, vectors: Vectors) -> NDArray[np.float32]:
        """(n, d) vectors in, (n, k) least-squares estimates of each class's probability out; they may be negative."""
        if vectors.shape[1] != len(self.weights):
            raise ShapeMismatch(f"vectors are {vectors.shape[1]} wide; this head takes {len(self.weights)}")
        scores: NDArray[np.float32] = unit(vectors) @ self.weights
        return scores

    def to_tensors(self) -> dict[str, NDArray[Any]]:
        """Classes and weights."""
        return {"classes": self.classes, "weights": self.weights}

    @classmethod
    def from_tensors(cls, tensors: Mapping[str, NDArray[Any]]) -> "RidgeHead":
        """The inverse of `to_tensors`."""
        return cls(tensors["classes"].astype(np.int64), tensors["weights"].astype(np.float32))
