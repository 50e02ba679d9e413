"""Numbers about confidences: how honest they are, and where to draw the line."""

from typing import Final

import numpy as np
from numpy.typing import NDArray

TOLERANCE: Final = 0.01
"""Of F1, given up for answering more. A guess."""


def expected_calibration_error(probability: NDArray[np.float64], right: NDArray[np.bool_], *, bins: int = 15) -> float:
    """Mean |confidence − accuracy| over equal-mass bins, weighted by their size.

    Source: Guo et al. 2017 (equal-width there; equal mass here, so that no bin is empty).
    """
    # Mixed first, so that equal confidences do not fall into bins by the order in which texts came.
    mixed = np.random.default_rng(0).permutation(len(probability))
    order = mixed[np.argsort(probability[mixed], kind="stable")]
    groups = [g for g in np.array_split(order, bins) if len(g)]
    gaps = [len(g) * abs(probability[g].mean() - right[g].mean()) for g in groups]
    return float(sum(gaps) / len(order))


def best_threshold(probability: NDArray[np.float64], right: NDArray[np.bool_], named: NDArray[np.bool_]) -> float:
    """The lowest probability at which F1 of "answered, and rightly" is within TOLERANCE of the highest.

    The curve is flat near its top, and the texts that users send are harder than those it is drawn on: the low end of
    the plateau answers more of them.

    Args:
        probability: (n,) of the best candidate.
        right: (n,) whether that candidate is right.
        named: (n,) whether the text names a concept at all.
    """
    steps = np.linspace(0.0, 0.95, 96)
    answered = probability[:, None] >= steps
    true = (answered & right[:, None]).sum(axis=0)
    f1 = 2 * true / np.maximum(answered.sum(axis=0) + named.sum(), 1)
    return round(float(steps[int(np.argmax(f1 >= f1.max() - TOLERANCE))]), 2)
