"""What was learned from use moves the candidates: the step between `name` and `rerank`, and its "off"."""

from collections.abc import Mapping, Sequence
from typing import Protocol

from models.arrays import Neighbours, Queries
from pipelines.demand import Demand
from pipelines.results import Candidate, Options


class Learner(Protocol):
    """Candidates in, candidates out, moved by what use has taught.

    Attributes:
        reach: how many candidates per mention it wants to see; what it gives back is no more than was asked for.
    """

    @property
    def reach(self) -> int:
        """Candidates per mention it wants to see at least."""
        ...

    def learn(
        self,
        queries: Queries,
        found: Neighbours,
        candidates: Sequence[list[Candidate]],
        options: Sequence[Options],
    ) -> list[list[Candidate]]:
        """The candidates of each query re-scored, best first, ties by the terminology's order."""
        ...


class NothingLearned:
    """Nobody has taught anything yet."""

    reach = 0

    def learn(
        self,
        queries: Queries,
        found: Neighbours,
        candidates: Sequence[list[Candidate]],
        options: Sequence[Options],
    ) -> list[list[Candidate]]:
        """The candidates as they came."""
        return list(candidates)


class DemandBonus:
    """A concept that is asked for often gets a bonus, one that is not a malus; both are bounded.

    Args:
        demand: how often each concept is asked for.
        limit: candidates given back, where a request does not ask for more.
        reach: candidates looked at.
    """

    def __init__(self, demand: Demand, *, limit: int, reach: int) -> None:
        self.reach = reach
        self._bonus = demand.bonus.astype(float).round(4).tolist()
        self._limit = limit

    def learn(
        self,
        queries: Queries,
        found: Neighbours,
        candidates: Sequence[list[Candidate]],
        options: Sequence[Options],
    ) -> list[list[Candidate]]:
        """Each candidate's score with its concept's bonus, which stands in `scores` as "demand"."""
        return [
            moved(some, [self._bonus[c.concept] for c in some], [{"demand": self._bonus[c.concept]} for c in some])[
                : max(self._limit, wanted.top_k)
            ]
            for some, wanted in zip(candidates, options, strict=True)
        ]


def moved(
    candidates: Sequence[Candidate], by: Sequence[float], stages: Sequence[Mapping[str, float]]
) -> list[Candidate]:
    """The candidates of one mention with something added to each score, best first."""
    again = [
        c.with_score(round(c.score + more, 4), {**c.scores, **stage})
        for c, more, stage in zip(candidates, by, stages, strict=True)
    ]
    return sorted(again, key=lambda c: (-c.score, c.concept))
