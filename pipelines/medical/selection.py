"""Which of the spans that were tried are answered: those that are sure enough, and of those that overlap the best."""

from bisect import bisect_right
from typing import Final

from pipelines.flow import Prepared
from pipelines.medical.dictionary import EXACT, GUESSED, INFLECTED, REORDERED
from pipelines.results import LinkedMention

_SURE_OF: Final = {EXACT: 1.0, INFLECTED: 0.8, REORDERED: 0.7}
_PER_WORD: Final = 0.3
"""What a content word more is worth, against how the span was found: the longest span wins nearly always (dev)."""
_CONFIDENT: Final = 0.3
"""What being sure is worth (dev)."""
_GUESS: Final = 1e-3
"""A guess takes the place of no alias (dev)."""


class BestSpans:
    """Given mentions all stay, in order. Of those found, guesses that mean nothing go; overlaps are resolved.

    Args:
        sure: confidence from which a guess is answered.
        foreign_sure: the same in a language that the terminology does not speak.
    """

    def __init__(self, *, sure: float, foreign_sure: float) -> None:
        self._sure = sure
        self._foreign_sure = foreign_sure

    def select(self, prepared: Prepared, linked: list[LinkedMention]) -> list[LinkedMention]:
        """Mentions that do not overlap, in order of appearance."""
        if not linked or linked[0].mention.facts.get("given"):
            return linked
        return self.without_overlaps(linked)

    def without_overlaps(self, linked: list[LinkedMention]) -> list[LinkedMention]:
        """Those found that are worth answering, of such as overlap the best; in order of appearance."""
        worth = [(self.worth(one), number) for number, one in enumerate(linked)]
        starts: list[int] = []
        chosen: list[LinkedMention] = []
        for value, number in sorted(worth, key=lambda pair: (-pair[0], pair[1])):
            one = linked[number].mention
            place = bisect_right(starts, one.start)
            before_ends = place == 0 or chosen[place - 1].mention.end <= one.start
            after_begins = place == len(starts) or one.end <= starts[place]
            if value > 0 and before_ends and after_begins:
                starts.insert(place, one.start)
                chosen.insert(place, linked[number])
        return chosen

    def worth(self, one: LinkedMention) -> float:
        """What a found mention counts for where it overlaps another; 0 is not answered."""
        facts, confidence = one.mention.facts, one.decision.confidence
        if facts["found"] == GUESSED:
            return _GUESS * confidence if not one.decision.nil and confidence >= self._sure_of(one) else 0.0
        longer = _PER_WORD * (int(str(facts["words"])) - 1)
        return _SURE_OF[int(str(facts["found"]))] + longer + _CONFIDENT * confidence

    def _sure_of(self, one: LinkedMention) -> float:
        return self._foreign_sure if one.mention.facts.get("foreign") else self._sure
