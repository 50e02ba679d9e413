"""How good found and linked mentions are: strict, partial and loose precision, recall and F1; what went wrong.

    strict   same place, right concept
    partial  overlapping place, right concept; every annotation counts once
    loose    right concept anywhere in the document; a set of concepts per document

Error types are those of Borchert et al. 2023 (xMEN), as far as they can be told from answers.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Final

import numpy as np

from pipelines.medical.corpora import AnnotatedDocument
from pipelines.results import LinkedMention, Result

MEASURES: Final = ("strict", "partial", "loose")
KS: Final = (1, 5, 16, 64)
ROUNDS: Final = 1000


@dataclass(frozen=True, slots=True)
class Counts:
    """(documents, 3): right, answered, annotated, of one measure."""

    values: np.ndarray[Any, np.dtype[np.int64]]

    def to_json(self) -> dict[str, Any]:
        """Precision, recall and F1, each with its 95 % interval when documents are drawn again."""
        rng = np.random.default_rng(0)
        n = len(self.values)
        drawn = self.values[rng.integers(0, n, (ROUNDS, n))].sum(axis=1)
        shares = {"precision": (1,), "recall": (2,), "f1": (1, 2)}
        return {name: _with_interval(self.values.sum(axis=0), drawn, columns) for name, columns in shares.items()}


@dataclass(frozen=True)
class MentionScores:
    """What was measured.

    Attributes:
        counts: measure → counts per document.
        errors: error type → how many annotations (`spurious`: answers).
        recall: k → share of annotations found at their place whose concept is among the first k candidates.
    """

    counts: dict[str, Counts]
    errors: Counter[str]
    recall: dict[int, float] = field(default_factory=dict)

    def to_json(self) -> dict[str, Any]:
        """Plain numbers."""
        return {
            **{name: counts.to_json() for name, counts in self.counts.items()},
            "errors": dict(sorted(self.errors.items())),
            "recall_at": {str(k): round(share, 4) for k, share in self.recall.items()},
        }


def score_mentions(documents: Sequence[AnnotatedDocument], results: Sequence[Result]) -> MentionScores:
    """Compare found mentions with annotations, document by document. Annotations without a concept are NIL."""
    counts = {name: np.zeros((len(documents), 3), np.int64) for name in MEASURES}
    errors: Counter[str] = Counter()
    ranks: list[float] = []
    for i, (document, result) in enumerate(zip(documents, results, strict=True)):
        answered = [m for m in result.mentions if not m.decision.nil]
        for name, row in zip(MEASURES, _counted(document, answered), strict=True):
            counts[name][i] = row
        errors += _errors(document, list(result.mentions))
        ranks += _ranks(document, result.mentions)
    recall = {k: float(np.mean(np.array(ranks) < k)) for k in KS} if ranks else {}
    return MentionScores({name: Counts(values) for name, values in counts.items()}, errors, recall)


def _counted(document: AnnotatedDocument, answered: Sequence[LinkedMention]) -> list[tuple[int, int, int]]:
    """(right, answered, annotated) of each measure."""
    gold = [a for a in document.annotations if a.concept_ids]
    by_place = {(a.start, a.end): a.concept_ids for a in gold}
    strict = sum(m.decision.concept_id in by_place.get((m.mention.start, m.mention.end), ()) for m in answered)
    left = list(gold)
    partial = 0
    for m in answered:
        hit = next(
            (
                a
                for a in left
                if a.start < m.mention.end and m.mention.start < a.end and m.decision.concept_id in a.concept_ids
            ),
            None,
        )
        if hit is not None:
            left.remove(hit)
            partial += 1
    said = {m.decision.concept_id for m in answered}
    meant = {a.concept_ids for a in gold}
    loose = sum(any(concept_id in ids for ids in meant) for concept_id in said)
    return [
        (strict, len(answered), len(gold)),
        (partial, len(answered), len(gold)),
        (min(loose, len(meant)), len(said), len(meant)),
    ]


def _errors(document: AnnotatedDocument, found: Sequence[LinkedMention]) -> Counter[str]:
    errors: Counter[str] = Counter()
    by_place = {(m.mention.start, m.mention.end): m for m in found}
    for a in document.annotations:
        same = by_place.get((a.start, a.end))
        if same is not None:
            errors[_linking(a.concept_ids, same)] += 1
        elif any(m.mention.start < a.end and a.start < m.mention.end for m in found):
            errors["other boundaries"] += 1
        else:
            errors["missed"] += 1
    errors["spurious"] = sum(
        not any(a.start < m.mention.end and m.mention.start < a.end for a in document.annotations)
        for m in found
        if not m.decision.nil
    )
    return errors


def _linking(right: frozenset[str], linked: LinkedMention) -> str:
    """What became of an annotation whose place was found."""
    decision = linked.decision
    if not right:
        return "right" if decision.nil else "NIL linked"
    if decision.concept_id in right:
        return "right"
    if decision.nil:
        return "taken for NIL"
    listed = any(c.concept_id in right for c in decision.candidates)
    return "wrong concept, right one listed" if listed else "wrong concept, right one not listed"


def _ranks(document: AnnotatedDocument, found: Sequence[LinkedMention]) -> list[float]:
    by_place = {(m.mention.start, m.mention.end): m for m in found}
    ranks = []
    for a in document.annotations:
        linked = by_place.get((a.start, a.end))
        if a.concept_ids and linked is not None:
            places = (i for i, c in enumerate(linked.decision.candidates) if c.concept_id in a.concept_ids)
            ranks.append(float(next(places, np.inf)))
    return ranks


def _with_interval(total: Any, drawn: Any, columns: tuple[int, ...]) -> list[float]:  # noqa: ANN401 - arrays
    """What is right, over the mean of the columns."""

    def share(values: Any) -> Any:  # noqa: ANN401
        return len(columns) * values[..., 0] / np.maximum(sum(values[..., c] for c in columns), 1)

    return [round(float(x), 4) for x in (share(total), *np.percentile(share(drawn), [2.5, 97.5]))]
