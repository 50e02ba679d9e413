"""Platt scaling over several features: logistic regression, by scikit-learn."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from models.errors import ShapeMismatch


@dataclass(frozen=True)
class PlattCalibrator:
    """P = σ(w·x + b). Source: Platt 1999, with several scores in place of one.

    Attributes:
        features: what each column is, in order.
        weights: (f,) w.
        bias: b.
    """

    features: tuple[str, ...]
    weights: NDArray[np.float64]
    bias: float

    @classmethod
    def fit(
        cls,
        features: NDArray[np.float32],
        right: NDArray[np.bool_],
        *,
        names: Sequence[str],
        sample_weight: NDArray[np.float64] | None = None,
    ) -> "PlattCalibrator":
        """Fit on (n, f) features and whether each was right, (n,).

        Raises: ShapeMismatch if all are right or all are wrong: nothing can be learned from that.
        """
        from sklearn.linear_model import LogisticRegression

        if right.all() or not right.any():
            raise ShapeMismatch("calibration needs right and wrong examples; got only one kind")
        mean, scale = features.mean(axis=0), features.std(axis=0) + 1e-6
        model = LogisticRegression(C=10.0, max_iter=1000)
        model.fit((features - mean) / scale, right, sample_weight=sample_weight)
        weights = model.coef_[0] / scale
        return cls(tuple(names), weights, float(model.intercept_[0] - weights @ mean))

    def probabilities(self, features: NDArray[np.float32]) -> NDArray[np.float32]:
        """(n, f) in, (n,) out."""
        if features.shape[1] != len(self.weights):
            raise ShapeMismatch(f"{features.shape[1]} features; this calibrator takes {len(self.weights)}")
        logits = np.clip(features @ self.weights + self.bias, -30, 30)
        return (1 / (1 + np.exp(-logits))).astype(np.float32)

    def to_json(self) -> dict[str, Any]:
        """Names, weights and bias."""
        return {"features": list(self.features), "weights": self.weights.tolist(), "bias": self.bias}

    @classmethod
    def from_json(cls, content: Mapping[str, Any]) -> "PlattCalibrator":
        """The inverse of `to_json`."""
        return cls(tuple(content["features"]), np.array(content["weights"], np.float64), float(content["bias"]))
