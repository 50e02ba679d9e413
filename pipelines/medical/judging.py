"""Whether a re-ranker wins: recall at 1 with and without it, mention by mention, documents as the unit of chance."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

_SURE: Final = 1.64
"""Standard errors by which it must win: one side, 95 %."""
_DOCUMENTS: Final = 5
"""From which their spread says anything (guess)."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """How mentions that were held out fared.

    Attributes:
        before, after: recall at 1.
        error: standard error of their difference, documents drawn as wholes.
    """

    mentions: int
    documents: int
    before: float
    after: float
    error: float

    @property
    def wins(self) -> bool:
        """Whether it ranks better than chance would make it; of fewer than five documents nothing can be said."""
        return self.documents >= _DOCUMENTS and self.after - self.before > _SURE * self.error

    def to_json(self) -> dict[str, Any]:
        """For the card."""
        return {
            "mentions": self.mentions,
            "documents": self.documents,
            "R@1 without": round(self.before, 4),
            "R@1 with": round(self.after, 4),
            "standard error of the difference": round(self.error, 4),
            "kept": self.wins,
        }


def judge(before: NDArray[np.bool_], after: NDArray[np.bool_], documents: Sequence[str]) -> Verdict:
    """The verdict on mentions whose best candidate was right before, and after; (n,) each."""
    names = {name: i for i, name in enumerate(dict.fromkeys(documents))}
    which = np.array([names[name] for name in documents], np.int64)
    gain = np.bincount(which, weights=after.astype(float) - before, minlength=len(names))
    sizes = np.bincount(which, minlength=len(names))
    mean = gain.sum() / max(sizes.sum(), 1)
    # The error of a ratio of sums over documents.
    error = np.sqrt(np.square(gain - mean * sizes).sum()) / max(sizes.sum(), 1)
    return Verdict(len(before), len(names), float(before.mean()), float(after.mean()), float(error))
