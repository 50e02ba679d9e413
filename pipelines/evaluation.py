"""How good a pipeline is on labelled texts: accuracy@k, MRR, NIL, calibration, each with an interval."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from pipelines.errors import SourceError
from pipelines.flow import Pipeline
from pipelines.results import Options, Request
from pipelines.scoring import expected_calibration_error
from pipelines.spec import CalibrationSet
from pipelines.tables import columns_of, read_rows
from pipelines.terminology import Terminology

KS: Final = (1, 5, 10)
_TEXT_COLUMNS: Final = ("title", "text")
_AT_ONCE: Final = 512

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Estimate:
    """A mean with its 95 % percentile bootstrap interval over texts."""

    value: float
    low: float
    high: float

    def to_json(self) -> list[float]:
        """[value, low, high], four digits."""
        return [round(x, 4) for x in (self.value, self.low, self.high)]


@dataclass(frozen=True, slots=True)
class Evaluation:
    """What was measured.

    Attributes:
        texts: how many texts, `named` of which have a concept; the rest are NIL.
        scores: accuracy@1/5/10 and MRR over the named texts, whatever the decision; NaN-free, empty if there are none.
        nil: precision and recall of NIL decisions; a measure without a denominator is absent.
        ece: expected calibration error of the best candidate's confidence over all texts. Texts drawn twice make it
            larger, so its interval leans upward and may lie above the value.
        answered: share of named texts that were answered, and how many of those rightly.
        unknown: named texts whose concept the terminology has not, which nothing can answer rightly; None where no
            terminology was given to look in.
        by_language: the same scores per language, where the file says languages.
    """

    texts: int
    named: int
    scores: dict[str, Estimate]
    nil: dict[str, Estimate]
    answered: dict[str, Estimate]
    ece: Estimate
    by_language: dict[str, dict[str, Estimate]]
    unknown: int | None = None

    def to_json(self) -> dict[str, Any]:
        """Plain numbers."""
        return {
            "texts": self.texts,
            "named": self.named,
            "unknown": self.unknown,
            "scores": _numbers(self.scores),
            "nil": _numbers(self.nil),
            "answered": _numbers(self.answered),
            "ece": self.ece.to_json(),
            "by_language": {language: _numbers(scores) for language, scores in self.by_language.items()},
        }


def ranks(rankings: Sequence[Sequence[str]], gold: Sequence[str | None]) -> Floats:
    """For each text the 0-based rank of its concept in its ranking; inf where it is not there, or the text is NIL."""
    return np.array(
        [
            next((float(rank) for rank, concept in enumerate(ids) if concept == right), np.inf) if right else np.inf
            for ids, right in zip(rankings, gold, strict=True)
        ]
    )


def average_precision(ranking: Sequence[str], relevant: set[str]) -> float:
    """Mean of precision at each relevant position of a full ranking; 0 where nothing is relevant."""
    found, total = 0, 0.0
    for position, concept in enumerate(ranking, start=1):
        if concept in relevant:
            found += 1
            total += found / position
    return total / len(relevant) if relevant else 0.0


def bootstrap(values: Floats, *, rounds: int = 1000, seed: int = 0) -> Estimate:
    """The mean of (n,) values and its interval: texts are drawn again with replacement.

    Source: Efron 1979, percentile interval.
    """
    return bootstrap_of(lambda drawn: float(values[drawn].mean()), len(values), rounds=rounds, seed=seed)


def bootstrap_of(
    measure: Callable[[NDArray[np.int64]], float], n: int, *, rounds: int = 1000, seed: int = 0
) -> Estimate:
    """Any measure of n texts and its interval.

    Args:
        measure: numbers of texts, (n,), some of them twice → the measure.
    """
    rng = np.random.default_rng(seed)
    drawn = [measure(rng.integers(0, n, n)) for _ in range(rounds)]
    low, high = np.percentile(drawn, [2.5, 97.5])
    return Estimate(measure(np.arange(n)), float(low), float(high))


def paired_bootstrap(ours: Floats, theirs: Floats, *, rounds: int = 1000, seed: int = 0) -> Estimate:
    """The mean difference on the same texts; an interval without 0 is a significant one."""
    return bootstrap(ours - theirs, rounds=rounds, seed=seed)


def score(found: Floats) -> dict[str, Estimate]:
    """accuracy@k and MRR of (n,) ranks; empty for none."""
    if not len(found):
        return {}
    scores = {f"accuracy@{k}": bootstrap((found < k).astype(float)) for k in KS}
    return scores | {"MRR": bootstrap(1 / (1 + found))}


def evaluate(
    pipeline: Pipeline,
    labelled: CalibrationSet,
    *,
    terminology: Terminology | None = None,
    on_progress: Callable[[int, int], None] = lambda done, total: None,
) -> Evaluation:
    """Run a pipeline on labelled texts and measure it.

    Args:
        terminology: what it answers from, to count labels that are none of its concepts.

    Raises: SourceError if there is no text.
    """
    if not len(labelled):
        raise SourceError("found no labelled text; expected at least one")
    decisions = []
    for start in range(0, len(labelled), _AT_ONCE):
        chunk = slice(start, start + _AT_ONCE)
        requests = [
            Request(text, language, mentions=((0, len(text)),), options=Options(top_k=max(KS)))
            for text, language in zip(labelled.texts[chunk], labelled.languages[chunk], strict=True)
        ]
        decisions += [result.mentions[0].decision for result in pipeline.run(requests)]
        on_progress(len(decisions), len(labelled))
    rankings = [[c.concept_id for c in d.candidates] for d in decisions]
    found = ranks(rankings, labelled.concepts)
    named = np.array([c is not None for c in labelled.concepts])
    nil = np.array([d.nil for d in decisions])
    confidence = np.array([d.candidates[0].confidence if d.candidates else 0.0 for d in decisions])
    languages = np.array([language or "" for language in labelled.languages])
    return Evaluation(
        texts=len(labelled),
        named=int(named.sum()),
        scores=score(found[named]),
        nil=_shares({"precision": (~named, nil), "recall": (nil, ~named)}),
        answered=_shares({"share": (~nil, named), "right": (found == 0, named & ~nil)}),
        ece=bootstrap_of(lambda drawn: expected_calibration_error(confidence[drawn], found[drawn] == 0), len(found)),
        by_language={
            str(language): score(found[named & (languages == language)])
            for language in sorted(set(languages[named]) - {""})
        },
        unknown=None
        if terminology is None
        else sum(concept is not None and concept not in terminology.by_id for concept in labelled.concepts),
    )


def read_labelled(path: Path) -> CalibrationSet:
    """Labelled texts from a table: columns title or text, concept_id (empty is NIL), and language if there is one.

    Raises: SourceError for a missing column, or for the first row that cannot be read.
    """
    columns = columns_of(path)
    text_column = next((c for c in _TEXT_COLUMNS if c in columns), None)
    if text_column is None or "concept_id" not in columns:
        raise SourceError(f"{path.name}: expected columns title (or text) and concept_id; it has: {', '.join(columns)}")
    texts, languages, concepts = [], [], []
    for row in read_rows(path):
        text = row.values.get(text_column)
        if row.fault is not None or not isinstance(text, str) or not text.strip():
            raise SourceError(row.fault or f"column {text_column}: expected a text", line=row.line)
        texts.append(text)
        language, concept = row.values.get("language"), row.values.get("concept_id")
        languages.append(str(language) if language else None)
        # A code may come as a number; ids are text.
        concepts.append(None if concept in (None, "") else str(concept))
    return CalibrationSet(texts, languages, concepts, [-1] * len(texts))


def _shares(pairs: dict[str, tuple[NDArray[np.bool_], NDArray[np.bool_]]]) -> dict[str, Estimate]:
    """Name → share of the second mask in which the first holds; left out where the second is empty."""
    return {name: bootstrap(hit[among].astype(float)) for name, (hit, among) in pairs.items() if among.any()}


def _numbers(estimates: dict[str, Estimate]) -> dict[str, list[float]]:
    return {name: estimate.to_json() for name, estimate in estimates.items()}
