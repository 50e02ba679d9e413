"""Weights for several kinds of evidence, learned from which candidate was chosen."""

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize

from models.errors import ShapeMismatch

Floats = NDArray[np.float64]


def fit_choice(
    evidence: Floats,
    chosen: NDArray[np.int64],
    *,
    start: Floats,
    penalty: float = 1.0,
    positive: NDArray[np.bool_] | None = None,
) -> Floats:
    """Weights w for which softmax over the candidates of w · evidence puts most on those chosen.

    Args:
        evidence: (n, m, f); −inf in the first feature marks an empty slot.
        chosen: (n,) which of the m candidates was right.
        start: (f,) weights to stay near to where evidence is scarce.
        penalty: of the squared distance to `start`, each feature in its own standard deviations, as if so many choices
            spoke for `start`.
        positive: (f,) which weights must not become negative, since more of that evidence can only speak for a
            candidate.

    Source: McFadden 1973, conditional logit; by scipy's L-BFGS-B.
    """
    n, _, features = evidence.shape
    if len(chosen) != n or not n or start.shape != (features,):
        raise ShapeMismatch(f"evidence {evidence.shape}, {len(chosen)} choices, {start.shape} weights do not fit")
    empty = np.isneginf(evidence[:, :, 0])
    filled = np.where(empty[:, :, None], 0.0, evidence)
    scale = filled[~empty].std(axis=0)
    scale[scale < 1e-9] = 1.0  # Evidence that is the same everywhere tells nothing, and must not be blown up.
    filled = filled / scale
    picked = filled[np.arange(n), chosen].sum(axis=0)
    origin = start * scale

    def loss(weights: Floats) -> tuple[float, Floats]:
        logits = np.where(empty, -np.inf, filled @ weights)
        top = logits.max(axis=1, keepdims=True)
        shares = np.exp(logits - top)
        sums = shares.sum(axis=1, keepdims=True)
        away = weights - origin
        value = (top + np.log(sums)).sum() - picked @ weights + penalty / 2 * away @ away
        slope = np.einsum("nm,nmf->f", shares / sums, filled) - picked + penalty * away
        return float(value), slope

    bounds = None if positive is None else [(0.0, None) if p else (None, None) for p in positive.tolist()]
    weights: Floats = minimize(loss, origin, jac=True, method="L-BFGS-B", bounds=bounds).x / scale
    return weights
