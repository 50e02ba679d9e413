"""The re-ranker at work: evidence weighed, and pairs read where that leaves doubt.

logits          models/rerankers/listwise.py over pipelines/medical/evidence.py, for every mention
+ residuals     of a cross-encoder over the best few, where the best two are near each other and one is kept
score           (logit − NIL's logit) / T: above zero where a candidate is likelier than NIL
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, Protocol

import numpy as np
from numpy.typing import NDArray

from models.arrays import Queries
from models.rerankers.listwise import Floats, ListwiseRanker
from pipelines.flow import CandidateReranker, KeepOrder
from pipelines.medical.evidence import EVIDENCE, SUMMARY, Evidence, Memory, Vocabulary
from pipelines.reranking import Reranking
from pipelines.results import Candidate, Mention
from pipelines.space import Space
from pipelines.terminology import Concept, Terminology

LEFT: Final = "left"
RIGHT: Final = "right"
"""Kinds of context that a cross-encoder reads of a mention."""

_RAW: Final = "memory.raw"
"""Annotated mentions as the encoder gives them: every build places them where its own vectors lie."""
_PLACED: Final = "memory.vectors"
"""The same as one build had placed them; as they were kept before builds could change."""
_SHARE_THERE: Final = 0.5
"""Of the annotated concepts, what a terminology must still have (guess)."""

_SYNONYMS: Final = 3
_CHARACTERS: Final = 80
"""Of one name; HPO's longest are definitions."""


class PairScorer(Protocol):
    """What is needed of a cross-encoder (`models.rerankers.cross_encoder.CrossEncoder`)."""

    def logits(self, queries: Sequence[str], documents: Sequence[Sequence[str]]) -> list[NDArray[np.float32]]:
        """One (k_i,) per query."""
        ...


@dataclass(frozen=True, slots=True)
class Reading:
    """When a cross-encoder reads.

    Attributes:
        candidates: the best few that it reads.
        doubt: it reads where the best is not likelier than the second by this share of probability.
        window: characters of context either side.
    """

    candidates: int = 8
    doubt: float = 0.9
    window: int = 48


class MedicalReranker:
    """Candidates by evidence; `scores` say "rerank", the logit above NIL's.

    Args:
        evidence, ranker: as they were trained together.
        cross, reading: the cross-encoder on top, and when it reads.
    """

    def __init__(
        self,
        evidence: Evidence,
        ranker: ListwiseRanker,
        *,
        cross: PairScorer | None = None,
        reading: Reading | None = None,
        terminology: Terminology | None = None,
    ) -> None:
        self._evidence = evidence
        self._ranker = ranker
        self._cross = cross
        self._reading = reading or Reading()
        self._terminology = terminology
        self._temperature = float(ranker.temperature[0])

    def rerank(
        self, mentions: Sequence[Mention], queries: Queries, candidates: Sequence[list[Candidate]]
    ) -> list[list[Candidate]]:
        """The candidates by what speaks for them, ties by the terminology's order; those past the limit stay behind."""
        if not any(candidates):
            return list(candidates)
        logits = self._ranker.logits(self._evidence.of(mentions, queries, candidates))
        if self._cross is not None and self._terminology is not None:
            self._read(self._cross, self._terminology, mentions, candidates, logits)
        return [self._ranked(some, row) for some, row in zip(candidates, logits, strict=True)]

    def _read(
        self,
        cross: PairScorer,
        terminology: Terminology,
        mentions: Sequence[Mention],
        candidates: Sequence[list[Candidate]],
        logits: Floats,
    ) -> None:
        """Add the residuals of the best candidates and of NIL, where there is doubt."""
        doubtful = [i for i, row in enumerate(logits) if in_doubt(row, self._reading.doubt)]
        best = [best_rows(logits[i], self._reading.candidates) for i in doubtful]
        found = cross.logits(
            [question_text(mentions[i]) for i in doubtful],
            [
                [*(candidate_text(terminology.concepts[candidates[i][k].concept], candidates[i][k]) for k in rows), ""]
                for i, rows in zip(doubtful, best, strict=True)
            ],
        )
        for i, rows, residual in zip(doubtful, best, found, strict=True):
            logits[i, [*rows, -1]] += residual

    def _ranked(self, candidates: list[Candidate], logits: Floats) -> list[Candidate]:
        looked = candidates[: min(self._evidence.limit, len(candidates))]
        if not looked:
            return []
        above = (logits[: len(looked)] - logits[-1]).astype(float).tolist()
        ranked = sorted(
            (
                c.with_score(round(value / self._temperature, 4), {**c.scores, "rerank": round(value, 4)})
                for c, value in zip(looked, above, strict=True)
            ),
            key=lambda c: (-c.score, c.concept),
        )
        last = ranked[-1].score - looked[-1].score
        behind = [c.with_score(round(c.score + last, 4), c.scores) for c in candidates[len(looked) :]]
        return ranked + behind


def reranker(reranking: Reranking | None, terminology: Terminology) -> CandidateReranker:
    """The re-ranker that a build has, or none."""
    if reranking is None:
        return KeepOrder()
    settings = reranking.settings
    cross = reranking.cross
    return MedicalReranker(
        Evidence(
            terminology,
            _memory(reranking, terminology),
            vocabulary=Vocabulary(settings["telling"], settings["counts"], settings["rows"]),
            limit=settings["limit"],
        ),
        ListwiseRanker.from_tensors(reranking.tensors),
        cross=cross,
        reading=Reading(**settings["reading"]) if cross is not None else None,
        terminology=terminology,
    )


def window_of(reranking: Reranking | None) -> int:
    """Characters around a mention that a re-ranker reads; 0 where it reads none."""
    return 0 if reranking is None or reranking.cross is None else int(reranking.settings["reading"]["window"])


def settings_of(
    vocabulary: Vocabulary, concept_ids: Sequence[str], *, limit: int, reading: Reading | None
) -> dict[str, Any]:
    """What must be known to make the same evidence again. `concept_ids`: what the memory's numbers stand for."""
    return {
        "evidence": list(EVIDENCE),
        "summary": list(SUMMARY),
        "limit": limit,
        "telling": list(vocabulary.telling),
        "counts": {stem: count for stem, count in sorted(vocabulary.counts.items()) if count > 1},
        "rows": vocabulary.rows,
        "annotated": list(concept_ids),
        "reading": None
        if reading is None
        else {"candidates": reading.candidates, "doubt": reading.doubt, "window": reading.window},
    }


def changed_for(settings: Mapping[str, Any], terminology: Terminology) -> str | None:
    """Why what was learned no longer fits, if it does not: other evidence, or most annotated concepts are gone."""
    if settings["evidence"] != list(EVIDENCE) or settings["summary"] != list(SUMMARY):
        return "the evidence that is weighed"
    annotated = settings["annotated"]
    there = sum(terminology.current(concept_id) in terminology.by_id for concept_id in annotated)
    return "the terminology" if there < _SHARE_THERE * len(annotated) else None


def memory_tensors(
    memory: Memory | None, terminology: Terminology, space: Space
) -> tuple[dict[str, NDArray[Any]], list[str]]:
    """A memory as arrays and the concepts they number, by id: terminologies come and go, and means and maps with them.

    Args:
        space: where the memory's vectors lie.
    """
    if memory is None:
        return {}, []
    concepts, numbers = np.unique(memory.concepts, return_inverse=True)
    tensors: dict[str, NDArray[Any]] = {
        _RAW: space.raw(memory.vectors).astype(np.float16),
        "memory.concepts": numbers.astype(np.int32),
        "memory.owners": memory.owners.astype(np.int32),
    }
    return tensors, [terminology.concepts[c].id for c in concepts]


def _memory(reranking: Reranking, terminology: Terminology) -> Memory | None:
    """What was annotated, where the build's vectors lie; concepts that the terminology no longer has are left out."""
    tensors = reranking.tensors
    if _RAW in tensors:
        vectors = reranking.space.placed(tensors[_RAW].astype(np.float32))
    elif _PLACED in tensors:
        vectors = tensors[_PLACED].astype(np.float32)
    else:
        return None
    places = np.array(
        [terminology.by_id.get(terminology.current(i), -1) for i in reranking.settings["annotated"]], np.int64
    )
    concepts = places[tensors["memory.concepts"]]
    known = concepts >= 0
    owners = tensors["memory.owners"].astype(np.int64)
    return Memory(vectors, concepts[known], owners[known], np.full(len(vectors), -1, np.int64))


def in_doubt(logits: Floats, doubt: float) -> bool:
    """Whether the best candidate of a mention is likelier than the second by less than `doubt`."""
    finite = logits[:-1][np.isfinite(logits[:-1])]
    if len(finite) < 2:
        return False
    shares = np.exp(logits - logits.max())
    second, first = np.sort(shares[:-1])[-2:]
    return bool((first - second) / shares.sum() < doubt)


def best_rows(logits: Floats, most: int) -> list[int]:
    """Numbers of the best candidates, best first."""
    order = np.argsort(-logits[:-1], kind="stable")[:most]
    return [int(k) for k in order if np.isfinite(logits[k])]


def around(text: str, start: int, end: int, window: int) -> dict[str, str]:
    """What stands left and right of a mention, on one line; this many characters each."""
    left, right = text[max(0, start - window) : start], text[end : end + window]
    return {LEFT: " ".join(left.split()) + " ", RIGHT: " " + " ".join(right.split())}


def question_text(mention: Mention) -> str:
    """A mention in its context, between marks, as a cross-encoder reads it."""
    return f"{mention.context.get(LEFT, '')}< {mention.query} >{mention.context.get(RIGHT, '')}"


def candidate_text(concept: Concept, candidate: Candidate) -> str:
    """What a cross-encoder reads of a candidate: the alias that matched best, name, synonyms, types."""
    names = [candidate.term, concept.name, *(t.text for t in concept.terms if t.language == candidate.term_language)]
    distinct = {name.casefold(): name[:_CHARACTERS] for name in reversed(names)}
    shown = [distinct[key] for key in dict.fromkeys(name.casefold() for name in names)][:_SYNONYMS]
    types = f" ({', '.join(concept.semantic_types[:2])})" if concept.semantic_types else ""
    return " | ".join(shown) + types
