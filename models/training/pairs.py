"""Pairs of texts that mean the same, drawn into batches; and which texts of a batch must not count as different."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Final

import numpy as np
from numpy.typing import NDArray

from models.errors import TrainingError

_TRIES: Final = 20
"""Draws in a row that may bring nothing new before a batch is left smaller."""


@dataclass(frozen=True, slots=True)
class Pair:
    """Two texts of one concept.

    Attributes:
        concept: equal for pairs that mean the same; they are no negatives of each other.
        negative: a text near the anchor that means something else, or "".
        negative_concept: what that one means.
    """

    anchor: str
    positive: str
    concept: str
    negative: str = ""
    negative_concept: str = ""


Draw = Callable[[np.random.Generator, int], Sequence[Pair]]
"""Random numbers and how many pairs are wanted → about that many, all of one kind (a language, a sort of text)."""


@dataclass(frozen=True, slots=True)
class PairSource:
    """Where pairs of one kind come from.

    Attributes:
        weight: how many batches come from it, against the other sources' weights.
    """

    name: str
    weight: float
    draw: Draw


@dataclass(slots=True)
class Batches:
    """Pairs in the order they are trained on: `sizes[i]` of them are batch i.

    A batch is of one source, so that its negatives are of the anchors' kind: told apart by meaning, not by language.
    """

    pairs: list[Pair] = field(default_factory=list)
    sizes: list[int] = field(default_factory=list)
    sources: list[str] = field(default_factory=list)

    def __len__(self) -> int:
        """The number of batches."""
        return len(self.sizes)

    @property
    def spans(self) -> list[range]:
        """The pairs of each batch."""
        ends = np.cumsum([0, *self.sizes])
        return [range(int(a), int(b)) for a, b in pairwise(ends)]

    @property
    def labels(self) -> NDArray[np.int64]:
        """Per pair the number of its concept and of its negative's, (n, 2); −1 for none."""
        numbers: dict[str, int] = {"": -1}
        rows = [(p.concept, p.negative_concept) for p in self.pairs]
        return np.array([[numbers.setdefault(c, len(numbers)) for c in row] for row in rows], np.int64).reshape(-1, 2)


def draw_batches(sources: Sequence[PairSource], *, steps: int, batch_size: int, seed: int) -> Batches:
    """`steps` batches of at most `batch_size` pairs; the same for the same seed.

    No text stands twice in a batch: a repeated positive would be its own negative.

    Raises: TrainingError if a source has no two pairs of different texts.
    """
    weights = np.array([s.weight for s in sources], float)
    if not len(sources) or weights.sum() <= 0:
        raise TrainingError("no source of pairs has any weight")
    rng = np.random.default_rng(seed)
    batches = Batches()
    for _ in range(steps):
        source = sources[int(rng.choice(len(sources), p=weights / weights.sum()))]
        pairs = _distinct(source, rng, batch_size)
        batches.pairs += pairs
        batches.sizes.append(len(pairs))
        batches.sources.append(source.name)
    return batches


def _distinct(source: PairSource, rng: np.random.Generator, size: int) -> list[Pair]:
    taken: list[Pair] = []
    texts: set[str] = set()
    idle = 0
    while len(taken) < size and idle < _TRIES:
        before = len(taken)
        for pair in source.draw(rng, size - len(taken)):
            if pair.anchor != pair.positive and texts.isdisjoint((pair.anchor, pair.positive)):
                taken.append(pair)
                texts.update((pair.anchor, pair.positive))
        idle = 0 if len(taken) > before else idle + 1
    if len(taken) < 2:
        raise TrainingError(f"source {source.name!r} gives {len(taken)} pairs of different texts; expected two or more")
    return taken[:size]


def false_negatives(labels: NDArray[np.int64], *, negatives: bool) -> NDArray[np.bool_]:
    """Which texts of a batch mean what an anchor means, beside its own positive.

    Args:
        labels: (n, 2) of the batch's pairs.
        negatives: whether n mined negatives follow the n positives.

    Returns: (n, n) or (n, 2n); True where text j must not count against anchor i: they are of one concept and j is not
        i's own positive, or j stands where a pair has no mined negative.
    """
    concepts = labels[:, 0]
    same: NDArray[np.bool_] = concepts[:, None] == concepts[None]
    np.fill_diagonal(same, False)
    if not negatives:
        return same
    # A pair without a mined negative has some text in its place, which nobody may learn from.
    mined: NDArray[np.bool_] = (concepts[:, None] == labels[:, 1][None]) | (labels[:, 1] < 0)[None]
    return np.concatenate([same, mined], axis=1)
