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
    right: Mapping[str, NDArray[np.bool_]],
    *,
    groups: NDArray[np.int64] | None = None,
    level: float = LEVEL,
    resamples: int = RESAMPLES,
    seed: int = 0,
) -> Choice:
    """The correction with the highest R@1 among those whose interval is above none's, else "none".

    Every interval is widened for the number of corrections tried (Bonferroni), so that trying more does not turn one on
    by chance: if none helps, one is chosen at most (1 − level)/2 of the time.

    Args:
        right: method → (n,) whether each development query's first answer is right; "none" among them. Of methods
            with equal R@1 the earlier one is chosen: give the simplest first.
        groups: (n,) what each query asks for. Queries for one thing tend to be right or wrong together, and say less
            than as many queries for many things. By default every query is a group.
        level: of all intervals together.
    """
    none = right["none"]
    tried = [method for method in right if method != "none"]
    if len(none) == 0 or not tried:
        return Choice("none", "no development queries or no correction to choose by: corrections stay off", 0, 0.0, ())
    differences = np.stack([right[m].astype(np.float64) - none for m in tried], axis=1)
    alone = 1 - (1 - level) / len(tried)
    low, high = paired_intervals(differences, groups=groups, level=alone, resamples=resamples, seed=seed)
    comparisons = tuple(
        Comparison(m, float(right[m].mean()), float(differences[:, i].mean()), float(low[i]), float(high[i]))
        for i, m in enumerate(tried)
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


def paired_intervals(
    differences: NDArray[np.float64],
    *,
    groups: NDArray[np.int64] | None = None,
    level: float = LEVEL,
    resamples: int = RESAMPLES,
    seed: int = 0,
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Percentile-bootstrap interval of each column's mean, whole groups of rows resampled: low and high, (m,).

    Args:
        differences: (n, m) per query, of m comparisons on the same queries.
        groups: (n,) whole numbers; every row a group by default.
    """
    if groups is None:
        groups = np.arange(len(differences))
    _, which = np.unique(groups, return_inverse=True)
    size = np.bincount(which)
    totals = np.zeros((len(size), differences.shape[1] + 1))
    np.add.at(totals[:, :-1], which, differences)
    totals[:, -1] = size
    rng = np.random.default_rng(seed)
    sums = np.empty((resamples, totals.shape[1]))
    for i in range(resamples):
        # How often each group is drawn, times what it holds.
        sums[i] = np.bincount(rng.integers(0, len(size), len(size)), minlength=len(size)) @ totals
    tail = (1 - level) / 2
    low, high = np.quantile(sums[:, :-1] / sums[:, -1:], [tail, 1 - tail], axis=0)
    return low, high


def _interval(comparison: Comparison) -> str:
    return f"difference {comparison.difference:+.3f} [{comparison.low:+.3f}, {comparison.high:+.3f}]"
