"""Candidates in, decisions out: a concept, a broader one, or NIL, each with a probability."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Final, Protocol

import numpy as np
from numpy.typing import NDArray

from models.calibration.base import Calibrator
from pipelines.results import NIL, Candidate, Decision, Mention, Options
from pipelines.terminology import Terminology

FEATURES: Final = ("score", "margin", "dense", "lexical", "exact", "support", "length", "mean", "likeness")
"""What a confidence is computed from, in order; `features` fills them."""

NEAREST: Final = 10
"""Candidates whose mean score tells how crowded the neighbourhood is. A guess."""


class Decider(Protocol):
    """The last step of the flow."""

    def decide(
        self, mentions: Sequence[Mention], candidates: Sequence[list[Candidate]], options: Sequence[Options]
    ) -> list[Decision]:
        """One decision per mention, in order."""
        ...


def features(mention: Mention, candidates: Sequence[Candidate]) -> NDArray[np.float32]:
    """The evidence for each candidate of one mention, (c, len(FEATURES)).

    `margin` is the distance to the best *other* candidate: positive for the first, negative for the rest. `mean` is the
    mean score of the nearest candidates, and `likeness` what `prepare` thinks of the text (0 where it thinks nothing).
    """
    evidence = np.empty((len(candidates), len(FEATURES)), np.float32)
    if not candidates:
        return evidence
    scores = np.array([c.score for c in candidates], np.float32)
    second = scores[1] if len(scores) > 1 else scores[0] - 0.2
    query = mention.query.casefold()
    evidence[:, 0] = scores
    evidence[:, 1] = scores - scores[0]
    evidence[0, 1] = scores[0] - second
    evidence[:, 2] = [c.scores.get("dense", c.score) for c in candidates]
    evidence[:, 3] = [c.scores.get("lexical", 0.0) for c in candidates]
    evidence[:, 4] = [c.term.casefold() == query for c in candidates]
    evidence[:, 5] = np.log([c.support for c in candidates])
    evidence[:, 6] = np.log1p(len(mention.query.split()))
    evidence[:, 7] = scores[:NEAREST].mean()
    evidence[:, 8] = np.asarray(mention.facts.get("likeness", 0.0))
    return evidence


@dataclass(frozen=True)
class TakeBest:
    """No calibration: the best candidate answers, and its confidence is its score held to [0, 1]."""

    def decide(
        self, mentions: Sequence[Mention], candidates: Sequence[list[Candidate]], options: Sequence[Options]
    ) -> list[Decision]:
        """NIL where there is no candidate, or where the score is below an explicit `min_confidence`."""
        scored = [[c.with_confidence(float(min(max(c.score, 0), 1))) for c in some] for some in candidates]
        return [
            _decide(some, wanted, wanted.min_confidence or 0.0) for some, wanted in zip(scored, options, strict=True)
        ]


@dataclass(frozen=True)
class CalibratedDecider:
    """The best candidate answers if its calibrated probability reaches the threshold.

    A request that names no threshold is judged twice: does the text name anything at all (`named`), and is the best
    candidate sure enough (`threshold`)? A request that names one has taken the judging upon itself.

    Attributes:
        calibrator: FEATURES → probability that a candidate is right.
        threshold: used where a request names none; calibrated at build.
        named: FEATURES of the best candidate → probability that the text names a concept; None does not ask.
    """

    terminology: Terminology
    calibrator: Calibrator
    threshold: float
    named: Calibrator | None = None

    def decide(
        self, mentions: Sequence[Mention], candidates: Sequence[list[Candidate]], options: Sequence[Options]
    ) -> list[Decision]:
        """One decision per mention; with `backoff`, a broader concept before NIL."""
        if not mentions:
            return []
        evidence = [features(m, some) for m, some in zip(mentions, candidates, strict=True)]
        confident = self._with_confidence(evidence, candidates, options)
        decisions = []
        for some, known, wanted in zip(confident, self._known(evidence), options, strict=True):
            if wanted.min_confidence is None and not known:
                decisions.append(_nil(some, wanted, "names nothing in this terminology"))
                continue
            threshold = self.threshold if wanted.min_confidence is None else wanted.min_confidence
            decision = _decide(some, wanted, threshold)
            if decision.nil and wanted.backoff:
                decision = self._broader(some, wanted, threshold) or decision
            decisions.append(decision)
        return decisions

    def _known(self, evidence: Sequence[NDArray[np.float32]]) -> list[bool]:
        """Whether each text is likelier than not to name a concept."""
        if self.named is None:
            return [True] * len(evidence)
        first = np.array([e[0] if len(e) else np.zeros(len(FEATURES)) for e in evidence], np.float32)
        return [bool(p >= 0.5) for p in self.named.probabilities(first)]

    def _with_confidence(
        self,
        evidence: Sequence[NDArray[np.float32]],
        candidates: Sequence[list[Candidate]],
        options: Sequence[Options],
    ) -> list[list[Candidate]]:
        """All mentions in one matrix; the probabilities of one mention are scaled to sum to at most 1.

        Only the candidates that somebody will look at are given back: `top_k`, or all where a broader concept is asked
        for.
        """
        probabilities = self.calibrator.probabilities(np.concatenate(evidence))
        ends = np.cumsum([len(some) for some in candidates])
        confident = []
        for some, p, wanted in zip(candidates, np.split(probabilities, ends[:-1]), options, strict=True):
            # Confidence follows rank: a later candidate is never surer than an earlier one.
            p = np.minimum.accumulate(p / max(1.0, float(p.sum())))
            sure = zip(some, p.tolist(), strict=True)
            looked_at = sure if wanted.backoff else islice(sure, wanted.top_k)
            confident.append([c.with_confidence(round(q, 4)) for c, q in looked_at])
        return confident

    def _broader(self, candidates: Sequence[Candidate], options: Options, threshold: float) -> Decision | None:
        """The narrowest ancestor whose candidates together reach the threshold.

        Ties in depth go to the more probable, then to the terminology's order.
        """
        mass: dict[str, float] = defaultdict(float)
        height: dict[str, int] = {}
        for candidate in candidates:
            for level, ancestor in enumerate(self.terminology.ancestors(candidate.concept_id), start=1):
                mass[ancestor] += candidate.confidence
                height[ancestor] = max(level, height.get(ancestor, 0))
        sure = [a for a, p in mass.items() if p >= threshold]
        if not sure:
            return None
        chosen = min(sure, key=lambda a: (height[a], -mass[a], self.terminology.by_id[a]))
        return Decision(
            concept_id=chosen,
            name=self.terminology.concept(chosen).name,
            confidence=round(min(mass[chosen], 1.0), 4),
            candidates=candidates[: options.top_k],
            notes=("broader: no specific concept was sure enough",),
        )


def _decide(candidates: Sequence[Candidate], options: Options, threshold: float) -> Decision:
    shown = candidates[: options.top_k]
    if not candidates:
        return _nil(candidates, options, "no candidate")
    best = candidates[0]
    if best.confidence < threshold:
        return _nil(candidates, options, "below min_confidence")
    return Decision(best.concept_id, best.name, best.confidence, shown)


def _nil(candidates: Sequence[Candidate], options: Options, note: str) -> Decision:
    confidence = candidates[0].confidence if candidates else 0.0
    return Decision(NIL, None, confidence, candidates[: options.top_k], notes=(note,))
