"""What is asked for, and how often: a prior over concepts, learned from texts that nobody labelled.

A similarity says how near a concept is, not how often it is meant: of two occupations as near to "manager", the one
that a thousand adverts name is the likelier. How often each is named shows in traffic itself, without a label: every
text is spread over the concepts near it, the shares are added up, and texts are spread again by what came out.

Texts that are near nothing lie, for want of better, near the same few concepts: learned from, they would make hubs look
popular. So only texts that come close to a term teach, and the more the less they are torn between concepts.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Final

import numpy as np
from numpy.typing import NDArray

from models.artifacts import ArtifactStore
from pipelines.config import DemandOptions
from pipelines.terminology import Terminology

KIND: Final = "demand"
Counts = NDArray[np.float64]


def artifact_name(pipeline: str, terminology: str) -> str:
    """Where the demand that a pipeline learned for a terminology rests."""
    return f"demand/{pipeline}/{terminology}"


@dataclass(frozen=True)
class Demand:
    """How often each concept of a terminology is asked for.

    Attributes:
        counts: (concepts,) texts expected to mean each concept, as `expected_counts` found them.
        confirmed: (concepts,) texts confirmed to mean it.
        texts: how many unlabelled texts `counts` was learned from.
    """

    counts: Counts
    confirmed: Counts
    options: DemandOptions
    texts: int = 0

    @cached_property
    def log_ratio(self) -> Counts:
        """ln(share / uniform share) of each concept, held to ±`options.limit`."""
        return log_ratio(self.counts + self.confirmed, self.options)

    @cached_property
    def bonus(self) -> NDArray[np.float32]:
        """What is added to each concept's score: weight · log_ratio / T, on the scale of the similarities."""
        return self.bonus_of(self.log_ratio).astype(np.float32)

    def bonus_of(self, log_ratios: Counts) -> Counts:
        """The bonus that such ratios come to."""
        return self.options.weight / self.options.temperature * log_ratios

    def top(self, terminology: Terminology, *, limit: int = 20) -> list["Asked"]:
        """The concepts asked for most, most first, ties by the terminology's order."""
        counts = self.counts + self.confirmed
        order = np.argsort(-counts, kind="stable")[:limit].tolist()
        total = max(float(counts.sum()), 1e-12)
        return [
            Asked(
                terminology.concepts[c].id,
                terminology.concepts[c].name,
                share=float(counts[c]) / total,
                confirmed=int(self.confirmed[c]),
                bonus=float(self.bonus[c]),
            )
            for c in order
            if counts[c] > 0
        ]


@dataclass(frozen=True, slots=True)
class Asked:
    """One concept's demand, to look at: its share of the texts, how many confirmations say so, its bonus."""

    concept_id: str
    name: str
    share: float
    confirmed: int
    bonus: float


def log_ratio(counts: Counts, options: DemandOptions) -> Counts:
    """Each concept's ln(share / uniform share), smoothed by `pseudo_count` texts each, held to ±`limit`."""
    smoothed = counts + options.pseudo_count
    ratio: Counts = np.clip(np.log(smoothed * (len(counts) / smoothed.sum())), -options.limit, options.limit)
    return ratio


def expected_counts(
    scores: NDArray[np.float32],
    concepts: NDArray[np.int64],
    *,
    confirmed: Counts,
    options: DemandOptions,
) -> Counts:
    """How many of n texts mean each concept, by expectation maximization.

    E: P(c | text) ∝ π_c · exp(T · score). M: π ∝ Σ_texts w · P(c | text) + confirmed_c + pseudo_count, bounded as it is
    bounded when it answers. The scores stay as they are: only the prior is learned. A text's weight w is 0 below
    `nearness`, else its largest share under a uniform prior to the power `certainty`.

    Args:
        scores: (n, m) of the candidates of each text, −inf where a slot is empty.
        concepts: (n, m) which concepts they are, −1 where a slot is empty; no concept twice in a row.
        confirmed: (size,) texts known to mean each concept, beside these.

    Returns: (size,) Σ_texts w · P(c | text); a text without candidates adds nothing.

    Source: Saerens et al. 2002, *Adjusting the outputs of a classifier to new a priori probabilities*, with softmax of
    similarities for the classifier; differs: smoothed, bounded, weighted. Measured: benchmarks/quality/vacancysbert.py.
    """
    near = scores.max(axis=1, initial=-np.inf) >= options.nearness
    scores, concepts = scores[near], concepts[near]
    slots = np.maximum(concepts, 0)
    counts: Counts = np.zeros(len(confirmed))
    if not len(scores):
        return counts
    nearness = options.temperature * (scores.astype(np.float64) - scores.max(axis=1, keepdims=True))
    nearness[concepts < 0] = -np.inf
    weights = _shares(nearness).max(axis=1, keepdims=True) ** options.certainty
    for _ in range(options.rounds):
        shares = weights * _shares(nearness + log_ratio(counts + confirmed, options)[slots])
        counts = np.bincount(slots.ravel(), weights=shares.ravel(), minlength=len(confirmed)).astype(np.float64)
    return counts


def _shares(logits: Counts) -> Counts:
    """Softmax of each row."""
    shares = np.exp(logits - logits.max(axis=1, keepdims=True))
    normalized: Counts = shares / shares.sum(axis=1, keepdims=True)
    return normalized


def save_demand(
    demand: Demand, pipeline: str, terminology: Terminology, *, store: ArtifactStore, parents: Mapping[str, str]
) -> str:
    """Store what was learned as a new generation and give its id back. Concepts are kept by id: builds come and go."""
    name = artifact_name(pipeline, terminology.name)
    asked = {
        terminology.concepts[c].id: round(float(demand.counts[c]), 4) for c in np.flatnonzero(demand.counts > 1e-3)
    }
    with store.write(name, kind=KIND, parents=parents) as writer:
        writer.add_json("demand.json", {"options": demand.options.model_dump(), "counts": asked})
        writer.details.update(texts=demand.texts, concepts=len(asked))
    return store.current(name)


def open_demand(
    pipeline: str,
    terminology: Terminology,
    *,
    store: ArtifactStore,
    confirmed: Counts,
    options: DemandOptions,
    at: Mapping[str, str] | None = None,
) -> Demand:
    """The demand that was learned for a terminology, with what was confirmed; without either, all concepts alike.

    Concepts that the terminology no longer has are left out.

    Args:
        at: artifact → the generation to read; what is not in it is taken not to be there. None: as it is now.
    """
    counts = np.zeros(len(terminology))
    texts = 0
    name = artifact_name(pipeline, terminology.name)
    if store.exists(name) if at is None else name in at:
        with store.open(name, kind=KIND, generation=None if at is None else at[name]) as artifact:
            content = artifact.read_json("demand.json")
            texts = int(artifact.manifest.details["texts"])
        options = DemandOptions(**content["options"])
        for concept_id, count in content["counts"].items():
            if concept_id in terminology.by_id:
                counts[terminology.by_id[concept_id]] = count
    return Demand(counts, confirmed, options, texts)


def forget_demand(pipeline: str, terminology: str, *, store: ArtifactStore) -> bool:
    """Forget what was learned from traffic, and say whether there was anything. Confirmations stay."""
    name = artifact_name(pipeline, terminology)
    if not store.exists(name):
        return False
    store.delete(name)
    return True
