"""Which of the spans that were tried are answered: those that are sure enough, and of those that overlap the best."""

from typing import Final

from pipelines.flow import Prepared
from pipelines.medical.dictionary import EXACT, GUESSED
from pipelines.results import LinkedMention

_PER_WORD: Final = 0.1
"""Confidence that a longer span may lack beside a shorter one, for every word it has more (dev)."""


class BestSpans:
    """Given mentions all stay, in order. Of those found, guesses that mean nothing go; overlaps are resolved."""

    def select(self, prepared: Prepared, linked: list[LinkedMention]) -> list[LinkedMention]:
        """Mentions that do not overlap, in order of appearance."""
        if not linked or linked[0].mention.facts.get("given"):
            return linked
        worth = [(self._worth(one), number) for number, one in enumerate(linked)]
        chosen: list[LinkedMention] = []
        for value, number in sorted(worth, key=lambda pair: (-pair[0], pair[1])):
            one = linked[number]
            if value > 0 and not any(_overlap(one, other) for other in chosen):
                chosen.append(one)
        return sorted(chosen, key=lambda one: one.mention.start)

    def _worth(self, one: LinkedMention) -> float:
        facts = one.mention.facts
        if facts["found"] == GUESSED and one.decision.nil:
            return 0.0
        words = facts["words"]
        longer = _PER_WORD * (int(str(words)) - 1)
        exact = 1.0 if facts["found"] == EXACT else 0.5
        return exact + longer + one.decision.confidence


def _overlap(one: LinkedMention, other: LinkedMention) -> bool:
    return one.mention.start < other.mention.end and other.mention.start < one.mention.end
