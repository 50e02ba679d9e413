"""What development sets are judged by."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray


def mean_average_precision(scores: NDArray[np.float32], relevant: Sequence[set[int]]) -> float:
    """MAP of full rankings; ties by lower number.

    Args:
        scores: (queries, texts).
        relevant: per query the numbers of the texts that are right; none of them empty.
    """
    precisions = []
    for row, right in zip(scores, relevant, strict=True):
        order = np.argsort(-row, kind="stable")
        ranks = np.flatnonzero(np.isin(order, list(right)))
        precisions.append(((np.arange(len(ranks)) + 1) / (ranks + 1)).sum() / len(right))
    return float(np.mean(precisions))
