"""What confirmations teach beyond being aliases: a linear head over query vectors, weighed against all other evidence.

    evidence of a candidate      own · terms · confirmed · head · demand · seen        (`Evidence`)
    weights                      learned from held-out confirmations                   (`fit_choice`)
    kept                         only if it ranks held-out confirmations better        (`fit_head`)

A confirmed text votes for its concept as an alias does. A head adds what all of a concept's confirmed texts have in
common, and the weights say how far each kind of evidence is to be trusted on this terminology and this traffic.
"""

import zlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from models.arrays import EMPTY, Neighbours, Queries, RowIds, Scores, Vectors
from models.calibration.choice import fit_choice
from models.calibration.ridge import RidgeHead
from models.indexes.base import Index
from pipelines.config import PipelineConfig
from pipelines.demand import Demand
from pipelines.feedback import Confirmation, counted
from pipelines.flow import Parts, Pipeline
from pipelines.learning import moved
from pipelines.results import Candidate, Options, Request
from pipelines.terminology import Terminology

EVIDENCE: Final = ("own", "terms", "confirmed", "head", "demand", "seen")
"""What a candidate is weighed by, in order; `Evidence` fills them."""

_FOLDS: Final = 5
_FLOOR: Final = 0.002
"""Least share that the head gives a concept: what it does not know is unlikely, not impossible (a guess)."""
_SURE: Final = 1.64
"""Standard errors by which the head must win: one side, 95 %."""
_AT_ONCE: Final = 512


@dataclass(frozen=True)
class Head:
    """What was fitted.

    Attributes:
        ridge: query vectors → concepts confirmed at least once.
        weights: (len(EVIDENCE),) what each kind of evidence counts.
    """

    ridge: RidgeHead
    weights: NDArray[np.float64]

    def to_tensors(self) -> dict[str, NDArray[Any]]:
        """Arrays, as a build keeps them."""
        return {**self.ridge.to_tensors(), "evidence": self.weights.astype(np.float32)}

    @classmethod
    def from_tensors(cls, tensors: Mapping[str, NDArray[Any]]) -> "Head":
        """The inverse of `to_tensors`."""
        return cls(RidgeHead.from_tensors(tensors), tensors["evidence"].astype(np.float64))


class Evidence:
    """The evidence for each candidate of a query.

    own: the score as named. terms: the vote of the terminology's own terms alone. confirmed: that and the vote of
    confirmed texts, in one sum. head: ln of the head's share. demand: ln of how often it is asked for. seen: whether it
    was ever confirmed.
    """

    def __init__(self, ridge: RidgeHead, *, terminology: Terminology, demand: Demand, config: PipelineConfig) -> None:
        self._ridge = ridge
        self._concepts = terminology.row_concepts
        self._is_confirmed = np.array([term.kind == "confirmed" for term in terminology.row_terms])
        own_rows = np.bincount(self._concepts[~self._is_confirmed], minlength=len(terminology))
        self._penalty = config.length_penalty * np.log(np.maximum(own_rows, 1))
        self._log_ratio = demand.log_ratio
        self._column = np.full(len(terminology), -1)
        self._column[ridge.classes] = np.arange(len(ridge.classes))
        self._temperature = config.temperature
        self._sharpness = config.confirmed.temperature

    def of(
        self, queries: Queries, found: Neighbours, candidates: Sequence[list[Candidate]]
    ) -> list[NDArray[np.float64]]:
        """For each query (candidates, len(EVIDENCE))."""
        shares = self._ridge.scores(queries.vectors)
        return [self._of_one(shares[i], found, i, some) for i, some in enumerate(candidates)]

    def _of_one(
        self, shares: NDArray[np.float32], found: Neighbours, i: int, candidates: Sequence[Candidate]
    ) -> NDArray[np.float64]:
        concepts = np.array([c.concept for c in candidates], np.int64)
        evidence = np.zeros((len(concepts), len(EVIDENCE)))
        if not len(concepts):
            return evidence
        there = found.ids[i] != EMPTY
        rows, scores = found.ids[i, there], found.scores[i, there].astype(np.float64)
        confirmed = self._is_confirmed[rows]
        by_concept = _Slots(concepts, self._concepts[rows])
        t, s = self._temperature, self._sharpness
        terms = (by_concept.log_votes(t * (scores - 1), ~confirmed, least=-t) - self._penalty[concepts]) / t
        votes = by_concept.log_votes(s * (scores - 1), confirmed, least=-2 * s)
        column = self._column[concepts]
        evidence[:, 0] = [c.score for c in candidates]
        evidence[:, 1] = terms
        evidence[:, 2] = np.logaddexp(s * terms, votes)
        evidence[:, 3] = np.log(np.where(column >= 0, np.maximum(shares[column], _FLOOR), _FLOOR))
        evidence[:, 4] = self._log_ratio[concepts]
        evidence[:, 5] = column >= 0
        return evidence


class _Slots:
    """Which of a query's candidates each of its rows belongs to."""

    def __init__(self, candidates: NDArray[np.int64], row_concepts: NDArray[np.int64]) -> None:
        self._size = len(candidates)
        order = np.argsort(candidates)
        at = np.minimum(np.searchsorted(candidates[order], row_concepts), self._size - 1)
        self._slot = order[at]
        self._known = candidates[self._slot] == row_concepts

    def log_votes(self, logits: NDArray[np.float64], which: NDArray[np.bool_], *, least: float) -> NDArray[np.float64]:
        """Ln of the sum of exp over each candidate's rows of one kind; `least` where it has none, and at least that."""
        chosen = which & self._known
        votes = np.bincount(self._slot[chosen], weights=np.exp(logits[chosen]), minlength=self._size)
        floored: NDArray[np.float64] = np.log(np.maximum(votes, np.exp(least)))
        return floored


class HeadLearner:
    """Candidates ranked by all evidence together.

    The best candidate keeps the best score there was, and the distance to the others is what the weights make of it, on
    the scale of the similarities: thresholds and calibration go on meaning what they meant.
    """

    def __init__(self, head: Head, *, terminology: Terminology, demand: Demand, config: PipelineConfig) -> None:
        self.reach = config.rows
        self._evidence = Evidence(head.ridge, terminology=terminology, demand=demand, config=config)
        self._weights = head.weights
        self._limit = config.candidates
        self._temperature = config.temperature

    def learn(
        self,
        queries: Queries,
        found: Neighbours,
        candidates: Sequence[list[Candidate]],
        options: Sequence[Options],
    ) -> list[list[Candidate]]:
        """The candidates re-scored; by how much stands in `scores` as "learned"."""
        return [
            self._ranked(some, evidence @ self._weights)[: max(self._limit, wanted.top_k)]
            for some, evidence, wanted in zip(
                candidates, self._evidence.of(queries, found, candidates), options, strict=True
            )
        ]

    def _ranked(self, candidates: list[Candidate], logits: NDArray[np.float64]) -> list[Candidate]:
        if not candidates:
            return []
        best = max(c.score for c in candidates)
        by = [
            best + move - c.score
            for c, move in zip(candidates, ((logits - logits.max()) / self._temperature).tolist(), strict=True)
        ]
        return moved(candidates, by, [{"learned": round(b, 4)} for b in by])


@dataclass(frozen=True)
class Trial:
    """A head fitted on four fifths of the confirmations, to be judged on the others.

    Attributes:
        head: fitted on every confirmation; None if it did not win.
        held: the confirmations held out.
        parts: the build's parts as if those had never been confirmed, with the head on trial if it won.
        report: how many were held out, and reciprocal ranks with and without the head.
    """

    head: Head | None
    held: Sequence[Confirmation]
    parts: Parts
    report: dict[str, Any] = field(default_factory=dict)


def fit_head(
    make: Callable[[Parts], Pipeline],
    parts: Parts,
    taken: Sequence[Confirmation],
    *,
    demand: Demand,
    config: PipelineConfig,
) -> Trial:
    """Fit a head on confirmations and judge it by those held out: every text falls in or out by its checksum.

    It is kept if it ranks held-out confirmations better than votes and demand do, by more than chance would: reciprocal
    ranks, paired, `_SURE` standard errors; weights for either half of the held-out ones come from the other half.
    """
    terminology = parts.terminology
    concepts = np.array([terminology.by_id[c.concept_id] for c in taken], np.int64)
    out = np.array([zlib.crc32(c.text.casefold().encode()) % _FOLDS == 0 for c in taken])
    held = [c for c, is_out in zip(taken, out, strict=True) if is_out]
    known = [c for c, is_out in zip(taken, out, strict=True) if not is_out]
    vectors = _vectors(make(parts), taken)
    ridge = RidgeHead.fit(vectors[~out], concepts[~out], penalty=config.confirmed.penalty)
    before = replace(demand, confirmed=counted(known, terminology))
    recorder = _Recorder(Evidence(ridge, terminology=terminology, demand=before, config=config), reach=config.rows)
    masked = replace(parts, index=Hiding(parts.index, _rows_of(held, terminology)), learner=recorder)
    _run(make(masked), held)
    evidence, chosen = recorder.choices(concepts[out])
    without = _reciprocal(evidence[:, :, 0] + before.bonus_of(evidence[:, :, 4]), chosen)
    half = np.arange(len(chosen)) % 2 == 0
    ours = np.zeros(len(chosen))
    for some in (half, ~half):
        weights = _weights(evidence[some], chosen[some], config)
        ours[~some] = _reciprocal(_weighed(evidence[~some], weights), chosen[~some])
    gain = ours - without
    wins = bool(gain.mean() > _SURE * gain.std() / np.sqrt(max(len(gain), 1)))
    report: dict[str, Any] = {
        "confirmations": len(taken),
        "held_out": len(held),
        "found": round(float((chosen >= 0).mean()), 4),
        "mrr_without": round(float(without.mean()), 4),
        "mrr_with": round(float(ours.mean()), 4),
        "kept": wins,
    }
    if not wins:
        return Trial(None, held, replace(masked, learner=parts.learner), report)
    weights = _weights(evidence, chosen, config)
    report["weights"] = {name: round(float(w), 3) for name, w in zip(EVIDENCE, weights, strict=True)}
    on_trial = HeadLearner(Head(ridge, weights), terminology=terminology, demand=before, config=config)
    head = Head(RidgeHead.fit(vectors, concepts, penalty=config.confirmed.penalty), weights)
    return Trial(head, held, replace(masked, learner=on_trial), report)


class Hiding:
    """An index in which some rows are never found."""

    def __init__(self, index: Index, rows: NDArray[np.int64]) -> None:
        self._index = index
        self._hidden = np.zeros(index.size + 1, bool)
        self._hidden[rows] = True

    @property
    def size(self) -> int:
        """The number of rows, hidden ones included."""
        return self._index.size

    def search(self, queries: Queries, *, k: int) -> Neighbours:
        """The k best rows, less the hidden ones among them."""
        found = self._index.search(queries, k=k)
        # Id −1 reads the last entry, which is never hidden.
        hidden = self._hidden[found.ids]
        scores = np.where(hidden, -np.inf, found.scores).astype(np.float32)
        return replace(found, scores=scores, ids=np.where(hidden, EMPTY, found.ids)).sorted()

    def score(self, queries: Queries, rows: RowIds) -> Scores:
        """As the index scores them."""
        return self._index.score(queries, rows)


class _Recorder:
    """A learner that learns nothing and writes down the evidence it was shown."""

    def __init__(self, evidence: Evidence, *, reach: int) -> None:
        self.reach = reach
        self._evidence = evidence
        self._seen: list[NDArray[np.float64]] = []
        self._concepts: list[list[int]] = []

    def learn(
        self,
        queries: Queries,
        found: Neighbours,
        candidates: Sequence[list[Candidate]],
        options: Sequence[Options],
    ) -> list[list[Candidate]]:
        """The candidates as they came."""
        self._seen += self._evidence.of(queries, found, candidates)
        self._concepts += [[c.concept for c in some] for some in candidates]
        return list(candidates)

    def choices(self, right: NDArray[np.int64]) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
        """Evidence (n, m, f), −inf where a slot is empty, and which slot holds the right concept, −1 for none."""
        most = max((len(some) for some in self._seen), default=0)
        evidence = np.zeros((len(self._seen), most, len(EVIDENCE)))
        evidence[:, :, 0] = -np.inf
        chosen = np.full(len(self._seen), -1, np.int64)
        for i, (some, concepts) in enumerate(zip(self._seen, self._concepts, strict=True)):
            evidence[i, : len(some)] = some
            if right[i] in concepts:
                chosen[i] = concepts.index(int(right[i]))
        return evidence, chosen


def _vectors(pipeline: Pipeline, taken: Sequence[Confirmation]) -> Vectors:
    """The query vectors of confirmed texts."""
    chunks = [pipeline.encoded(_requests(taken[i : i + _AT_ONCE])).vectors for i in range(0, len(taken), _AT_ONCE)]
    vectors: Vectors = np.concatenate(chunks)
    return vectors


def _run(pipeline: Pipeline, held: Sequence[Confirmation]) -> None:
    for start in range(0, len(held), _AT_ONCE):
        pipeline.run(_requests(held[start : start + _AT_ONCE]), merge=False)


def _requests(confirmed: Sequence[Confirmation]) -> list[Request]:
    return [Request(c.text, c.language, mentions=[(0, len(c.text))]) for c in confirmed]


def _rows_of(confirmed: Sequence[Confirmation], terminology: Terminology) -> NDArray[np.int64]:
    """The rows that are there because of these confirmations."""
    own = {(terminology.by_id[c.concept_id], c.text.casefold()) for c in confirmed}
    return np.array(
        [
            row
            for row, (term, concept) in enumerate(
                zip(terminology.row_terms, terminology.row_concepts.tolist(), strict=True)
            )
            if term.kind == "confirmed" and (concept, term.text.casefold()) in own
        ],
        np.int64,
    )


def _weights(evidence: NDArray[np.float64], chosen: NDArray[np.int64], config: PipelineConfig) -> NDArray[np.float64]:
    """What each kind of evidence counts, near to "the score alone" where there is little to learn from."""
    start = np.zeros(len(EVIDENCE))
    start[0] = config.temperature
    known = chosen >= 0
    if not known.any():
        return start
    return fit_choice(evidence[known], chosen[known], start=start, positive=np.array(EVIDENCE) != "seen")


def _weighed(evidence: NDArray[np.float64], weights: NDArray[np.float64]) -> NDArray[np.float64]:
    empty = np.isneginf(evidence[:, :, 0])
    logits: NDArray[np.float64] = np.where(empty[:, :, None], 0.0, evidence) @ weights
    logits[empty] = -np.inf
    return logits


def _reciprocal(logits: NDArray[np.float64], chosen: NDArray[np.int64]) -> NDArray[np.float64]:
    """1 / rank of the chosen slot, 0 where there is none."""
    of_chosen = logits[np.arange(len(chosen)), chosen]
    rank = 1 + (logits > of_chosen[:, None]).sum(axis=1)
    return np.where(chosen >= 0, 1.0 / rank, 0.0)
