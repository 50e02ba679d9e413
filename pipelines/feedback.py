"""What users said of answers: which concept a text is known by, and which it is not; and what follows from it.

    accepted   answered at once: the concept comes first for the same text          (`RememberingDecider`)
               an alias of kind "confirmed" of the next build                       (`with_confirmations`)
               a vote for the concept in the demand prior, an example for the head  (`build`)
    rejected   never offered again for the same text

"The same text" is the same once `prepare` has cleaned it, case aside. Where users disagree the majority wins, then the
latest. Keeping feedback is not this room's business: `service/feedback_store.py` does.
"""

import hashlib
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final, Literal

import numpy as np
import orjson
from numpy.typing import NDArray

from pipelines.deciding import Decider
from pipelines.results import NIL, Candidate, Decision, Mention, Options
from pipelines.terminology import Term, Terminology

Verdict = Literal["accept", "reject"]

_TRUST: Final = 19.0
"""Votes that stand behind every confirmation: one user alone is believed with 20/21. A guess."""


@dataclass(frozen=True, slots=True)
class Feedback:
    """One user's word on one text.

    Attributes:
        id: opaque; "" before it is stored.
        text: as received.
        query: the text as `prepare` cleaned it: what is remembered, and the alias of the next build.
        language: BCP 47 or None.
        created_at: seconds since 1970.
    """

    text: str
    query: str
    concept_id: str
    verdict: Verdict
    language: str | None = None
    id: str = ""
    created_at: float = 0.0

    @property
    def key(self) -> str:
        """What it is remembered by."""
        return key_of(self.query)


@dataclass(frozen=True, slots=True)
class Verdicts:
    """What users together say of one text.

    Attributes:
        concept_id: what it is known by, or None where no concept is accepted.
        agree: texts as received that say so.
        dissent: those that accept another concept.
        rejected: what it is not.
        rivals: every concept accepted for it, the winner first.
    """

    concept_id: str | None = None
    agree: int = 0
    dissent: int = 0
    rejected: frozenset[str] = frozenset()
    rivals: tuple[str, ...] = ()

    @property
    def confidence(self) -> float:
        """How sure the answer is: the share of agreement, with `_TRUST` votes for it and one against."""
        return round((self.agree + _TRUST) / (self.agree + self.dissent + _TRUST + 1), 4)


@dataclass(frozen=True, slots=True)
class Confirmation:
    """A text known to mean a concept: an alias of the next build.

    Attributes:
        text: cleaned.
        count: how many texts as received stand behind it.
    """

    text: str
    concept_id: str
    language: str | None = None
    count: int = 1


def key_of(query: str) -> str:
    """What a cleaned text is remembered by: case and white space aside."""
    return " ".join(query.casefold().split())


def by_key(items: Iterable[Feedback]) -> dict[str, list[Feedback]]:
    """The items of each text, in the order they came."""
    grouped: dict[str, list[Feedback]] = defaultdict(list)
    for item in items:
        grouped[item.key].append(item)
    return grouped


def verdicts(items: Sequence[Feedback]) -> Verdicts:
    """What the items of one text, oldest first, come to.

    A concept is accepted or rejected by the majority of its own items, then by the latest; of the accepted ones the one
    with most accepts wins, then the one accepted last.
    """
    by_concept: dict[str, list[int]] = defaultdict(list)
    for place, item in enumerate(items, start=1):
        by_concept[item.concept_id].append(place if item.verdict == "accept" else -place)
    accepted = {c: places for c, places in by_concept.items() if _accepted(places)}
    ranked = sorted(accepted, key=lambda c: (sum(p > 0 for p in accepted[c]), max(accepted[c])), reverse=True)
    agree = [sum(p > 0 for p in accepted[c]) for c in ranked]
    return Verdicts(
        concept_id=ranked[0] if ranked else None,
        agree=agree[0] if ranked else 0,
        dissent=sum(agree[1:]),
        rejected=frozenset(by_concept.keys() - accepted.keys()),
        rivals=tuple(ranked),
    )


def _accepted(places: Sequence[int]) -> bool:
    """Whether accepts (positive places) outnumber rejects, or are level and came last."""
    balance = sum(1 if p > 0 else -1 for p in places)
    return balance > 0 or (balance == 0 and max(places, key=abs) > 0)


def confirmations(items: Iterable[Feedback]) -> list[Confirmation]:
    """One confirmation for each text that has an accepted concept, in order of the texts' first items."""
    confirmed = []
    for some in by_key(items).values():
        said = verdicts(some)
        if said.concept_id is not None:
            first = next(i for i in some if i.concept_id == said.concept_id and i.verdict == "accept")
            confirmed.append(Confirmation(first.query, said.concept_id, first.language, said.agree))
    return confirmed


def with_confirmations(
    terminology: Terminology, confirmed: Sequence[Confirmation]
) -> tuple[Terminology, list[Confirmation]]:
    """The terminology with confirmed texts among its concepts' terms, and the confirmations it could take.

    A text that is a term of its concept already adds nothing; a concept that is gone, or a grouper, cannot take one.
    """
    taken = [
        c for c in confirmed if c.concept_id in terminology.by_id and not terminology.concept(c.concept_id).abstract
    ]
    if not taken:
        return terminology, []
    added: dict[str, list[Term]] = defaultdict(list)
    for c in taken:
        added[c.concept_id].append(Term(c.text, c.language, "confirmed"))
    concepts = [
        replace(concept, terms=[*concept.terms, *added[concept.id]]) if concept.id in added else concept
        for concept in terminology.concepts
    ]
    return Terminology(terminology.name, version=terminology.version, concepts=concepts, title=terminology.title), taken


def confirmations_to_lines(confirmed: Sequence[Confirmation]) -> list[bytes]:
    """JSON Lines, as a build keeps them."""
    return [
        orjson.dumps({"text": c.text, "concept_id": c.concept_id, "language": c.language, "count": c.count})
        for c in confirmed
    ]


def confirmations_from_lines(lines: Iterable[bytes]) -> list[Confirmation]:
    """The inverse of `confirmations_to_lines`."""
    return [Confirmation(**orjson.loads(line)) for line in lines if line.strip()]


def counted(confirmed: Sequence[Confirmation], terminology: Terminology) -> NDArray[np.float64]:
    """(concepts,) how many texts as received were confirmed to mean each concept."""
    counts = np.zeros(len(terminology))
    for c in confirmed:
        counts[terminology.by_id[c.concept_id]] += c.count
    return counts


def fingerprint(confirmed: Sequence[Confirmation]) -> str:
    """Hex sha256 of what was confirmed: a build's parent."""
    return hashlib.sha256(b"\n".join(confirmations_to_lines(confirmed))).hexdigest()


class Memory:
    """What users said, by text; read by every request, written when feedback comes. Safe from several threads."""

    def __init__(self) -> None:
        self._verdicts: Mapping[str, Verdicts] = {}

    def __len__(self) -> int:
        """Texts remembered."""
        return len(self._verdicts)

    def recall(self, query: str) -> Verdicts | None:
        """What is known of a cleaned text; None where nothing is."""
        return self._verdicts.get(key_of(query)) if self._verdicts else None

    def remember(self, items: Iterable[Feedback]) -> None:
        """Everything there is, oldest first, in place of what was known."""
        self._verdicts = {key: verdicts(some) for key, some in by_key(items).items()}

    def update(self, changed: Mapping[str, Sequence[Feedback]]) -> None:
        """All the items of some texts, by key, in place of what was known of them; no items, nothing known."""
        said = {key: verdicts(items) for key, items in changed.items() if items}
        # A new mapping and not a changed one: readers hold no lock. The store's lock keeps writers apart.
        self._verdicts = {k: v for k, v in self._verdicts.items() if k not in changed} | said


class RememberingDecider:
    """Another decider's decisions, except where users have said what a text means.

    Args:
        decider: decides all other texts.
        memory: what users said; may change at any time.
    """

    def __init__(self, decider: Decider, *, terminology: Terminology, memory: Memory) -> None:
        self._decider = decider
        self._terminology = terminology
        self._memory = memory

    def decide(
        self, mentions: Sequence[Mention], candidates: Sequence[list[Candidate]], options: Sequence[Options]
    ) -> list[Decision]:
        """One decision per mention; a confirmed concept first, a rejected one nowhere."""
        recalled = [self._recall(mention) for mention in mentions]
        offered = [
            [c for c in some if c.concept_id not in said.rejected] if said.rejected else some
            for some, said in zip(candidates, recalled, strict=True)
        ]
        decisions = self._decider.decide(mentions, offered, options)
        return [
            decision if said is _NOTHING_SAID else self._told(decision, said, wanted)
            for decision, said, wanted in zip(decisions, recalled, options, strict=True)
        ]

    def _recall(self, mention: Mention) -> Verdicts:
        """What was said of the mention as it is spelled, or else of what it is searched by."""
        spelled = self._memory.recall(mention.spelled) if mention.spelled else None
        return spelled or self._memory.recall(mention.query) or _NOTHING_SAID

    def _told(self, decision: Decision, said: Verdicts, options: Options) -> Decision:
        if decision.concept_id in said.rejected:
            # Only a broader concept can come this far: candidates were taken out before.
            decision = Decision(NIL, None, 0.0, decision.candidates, ("rejected for this text",))
        best = self._confirmed(decision, said, options)
        if best is None:
            return decision
        rest = [
            c.with_confidence(round(min(c.confidence, 1 - best.confidence), 4))
            for c in decision.candidates
            if c.concept_id != best.concept_id
        ]
        shown = [best, *rest][: options.top_k]
        if best.confidence < (options.min_confidence or 0.0):
            return Decision(NIL, None, best.confidence, shown, ("below min_confidence",))
        return Decision(best.concept_id, best.name, best.confidence, shown, ("confirmed",))

    def _confirmed(self, decision: Decision, said: Verdicts, options: Options) -> Candidate | None:
        """The confirmed concept as a candidate; None where there is none that may answer."""
        row = self._terminology.by_id.get(said.concept_id or "")
        if row is None:
            return None
        concept = self._terminology.concepts[row]
        if options.semantic_types and options.semantic_types.isdisjoint(concept.semantic_types):
            return None
        known = next((c for c in decision.candidates if c.concept_id == concept.id), None)
        top = max([1.0, *(c.score for c in decision.candidates)])
        texts = "1 text" if said.agree == 1 else f"{said.agree} texts"
        return Candidate(
            concept=row,
            concept_id=concept.id,
            name=concept.name,
            term=known.term if known else concept.name,
            term_language=known.term_language if known else None,
            score=top,
            scores={**(known.scores if known else {}), "confirmed": 1.0},
            support=known.support if known else 1,
            codes=concept.codes,
            semantic_types=concept.semantic_types,
            confidence=said.confidence,
            explanation=f"confirmed by users for this very text ({texts})",
        )


_NOTHING_SAID: Final = Verdicts()
