"""What "auto" means: the correction that development queries show to help, or none, and why."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

LEVEL: Final = 0.95
RESAMPLES: Final = 10_000


@dataclass(frozen=True, slots=True)
class Comparison:
    """A correction against none, on the same queries.

    Attributes:
        recall: R@1 with the correction.
        difference: its R@1 minus that of none.
        low, high: paired-bootstrap interval of the difference.
    """

    method: str
    recall: float
    difference: float
    low: float
    high: float

    @property
    def helps(self) -> bool:
        """Whether the whole interval is above zero."""
        return self.low > 0


@dataclass(frozen=True, slots=True)
class Choice:
    """What "auto" is, and why.

    Attributes:
        method: of a correction, or "none".
        reason: a sentence for people.
        queries: how many development queries it rests on.
        recall: R@1 of none.
        comparisons: every correction tried.
    """

    method: str
    reason: str
    queries: int
    recall: float
    comparisons: tuple[Comparison, ...]


def choose(
    right: Mapping[str, NDArray[np.bool_]], *, level: float = LEVEL, resamples: int = RESAMPLES, seed: int = 0
) -> Choice:
    """The correction with the highest R@1 among those whose interval is above none's, else "none".

    Every interval is widened for the number of corrections tried (Bonferroni), so that trying more does not turn one on
    by chance: if none helps, one is chosen at most (1 − level)/2 of the time.

    Args:
        right: method → (n,) whether each development query's first answer is right; "none" among them. Of methods
            with equal R@1 the earlier one is chosen: give the simplest first.
        level: of all intervals together.
    """
    none = right["none"]
    tried = [method for method in right if method != "none"]
    if len(none) == 0 or not tried:
        return Choice("none", "no development queries or no correction to choose by: corrections stay off", 0, 0.0, ())
    alone = 1 - (1 - level) / len(tried)
    comparisons = tuple(
        Comparison(
            m, float(right[m].mean()), *paired_interval(right[m], none, level=alone, resamples=resamples, seed=seed)
        )
        for m in tried
    )
    best = max(comparisons, key=lambda c: (c.helps, c.recall))
    n, recall = len(none), float(none.mean())
    if best.helps:
        reason = (
            f"{best.method} is on: R@1 {recall:.3f} → {best.recall:.3f} on {n} development queries, {_interval(best)}"
        )
        return Choice(best.method, reason, n, recall, comparisons)
    reason = (
        f"none: no correction is surely better than R@1 {recall:.3f} on {n} development queries; "
        f"the best, {best.method}, gives {best.recall:.3f}, {_interval(best)}"
    )
    return Choice("none", reason, n, recall, comparisons)


def paired_interval(
    ours: NDArray[np.bool_], theirs: NDArray[np.bool_], *, level: float, resamples: int, seed: int
) -> tuple[float, float, float]:
    """Mean difference per query and its percentile interval over resampled queries.

    A query's difference is −1, 0 or 1, so a resample is a draw of how many of each.
    """
    n = len(ours)
    won, lost = int((ours & ~theirs).sum()), int((theirs & ~ours).sum())
    draws = np.random.default_rng(seed).multinomial(n, [won / n, lost / n, (n - won - lost) / n], size=resamples)
    tail = (1 - level) / 2
    low, high = np.quantile((draws[:, 0] - draws[:, 1]) / n, [tail, 1 - tail])
    return (won - lost) / n, float(low), float(high)


def _interval(comparison: Comparison) -> str:
    return f"difference {comparison.difference:+.3f} [{comparison.low:+.3f}, {comparison.high:+.3f}]"
