"""How much spelling counts beside meaning, learned for each language of a terminology; kept where it wins."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from models.arrays import EMPTY, Neighbours, Queries
from models.indexes.base import Index
from models.indexes.hybrid import FusionWeights
from pipelines.aggregation import KernelVote
from pipelines.config import FusionConfig, PipelineConfig
from pipelines.encoding import primary
from pipelines.results import Request
from pipelines.spec import CalibrationSet
from pipelines.terminology import Terminology

WEIGHTS: Final = (0.0, 0.05, 0.1, 0.15, 0.2, 0.3, 0.45, 0.6)
"""Lexical weights that are tried, beside the one that the options say."""

LEAST: Final = 100
"""Texts of a language below which nothing is learned. A guess."""

_PRIOR: Final = 50
"""Texts that the weight of the options is worth. A guess."""

_SURE: Final = 1.64
"""Standard errors that the gain on the other half must be above zero."""

_ROWS: Final = 4
"""Times the rows of a search: another weight may want rows that this one does not."""

_AT_ONCE: Final = 256


@dataclass(frozen=True, slots=True)
class Trial:
    """What was tried for one language.

    Attributes:
        texts: on which.
        before, weight: the lexical weight of the options, and the one that half of the texts taught.
        gain, error: what the other half gained by it in mean reciprocal rank, and the standard error of that.
        kept: whether the gain is beyond chance.
    """

    texts: int
    before: float
    weight: float
    gain: float
    error: float
    kept: bool


@dataclass(frozen=True)
class LearnedFusion:
    """Lexical weights that a terminology taught.

    Attributes:
        trials: primary language subtag → what was tried, "foreign" among them.
    """

    trials: Mapping[str, Trial] = field(default_factory=dict)

    def weights(self, fusion: FusionConfig, languages: Sequence[str]) -> FusionWeights:
        """What the options say for a terminology in these languages, and what was learned in place of it."""
        kept = {tag: trial.weight for tag, trial in self.trials.items() if trial.kept}
        # A terminology that does not say its language is taken to be in the query's.
        spoken = {primary(tag): fusion.by_language.get(primary(tag), fusion.default) for tag in languages}
        foreign = kept.pop(FOREIGN, fusion.foreign) if spoken else fusion.default
        return FusionWeights(fusion.unknown, foreign, {tag: kept.get(tag, weight) for tag, weight in spoken.items()})

    def to_json(self) -> dict[str, Any]:
        """As an artifact keeps it."""
        return {tag: asdict(trial) for tag, trial in self.trials.items()}

    @classmethod
    def from_json(cls, content: Mapping[str, Any]) -> "LearnedFusion":
        """The inverse of `to_json`."""
        return cls({tag: Trial(**trial) for tag, trial in content.items()})


FOREIGN: Final = "foreign"


def learn_fusion(
    examples: CalibrationSet,
    *,
    encode: Callable[[Sequence[Request]], Queries],
    index: Index,
    terminology: Terminology,
    config: PipelineConfig,
) -> LearnedFusion:
    """The lexical weight of each language under which texts find their concept soonest.

    A weight is chosen by mean reciprocal rank on half of a language's texts, drawn towards that of the options the
    fewer they are, and kept if the other half gains by it, paired, beyond chance. The weight of languages that the
    terminology has not is learned from those it has, all rows of the text's own language hidden.

    Args:
        examples: texts with known concepts; their `held_out` rows are hidden. Those that name nothing are passed over.
        encode: requests → queries, as they will be searched with.
        index: fused, with "dense" and "lexical" as parts.
    """
    fusion = config.fusion
    named = [i for i, concept in enumerate(examples.concepts) if concept in terminology.by_id]
    tags = np.array([primary(examples.languages[i]) for i in named])
    tried = sorted({*WEIGHTS, fusion.default, fusion.foreign, *fusion.by_language.values()})
    ranking = _Ranking(terminology, KernelVote(config.temperature, config.length_penalty), tried)
    spoken, foreign = np.zeros((len(named), len(tried))), np.zeros((len(named), len(tried)))
    for start in range(0, len(named), _AT_ONCE):
        some = named[start : start + _AT_ONCE]
        texts = [(examples.texts[i], examples.languages[i]) for i in some]
        queries = encode([Request(text, tag, mentions=((0, len(text)),)) for text, tag in texts])
        found = index.search(queries, k=_ROWS * config.rows)
        for j, i in enumerate(some):
            concept = terminology.by_id[str(examples.concepts[i])]
            hidden = found.ids[j] == examples.held_out[i]
            spoken[start + j] = ranking.reciprocal(found, j, concept, hidden)
            own = ranking.languages[found.ids[j]] == tags[start + j]
            foreign[start + j] = ranking.reciprocal(found, j, concept, hidden | own)
    groups = {tag: spoken[tags == tag] for tag in dict.fromkeys(tags.tolist()) if tag}
    trials = {
        tag: _trial(some, tried, fusion.by_language.get(tag, fusion.default))
        for tag, some in groups.items()
        if len(some) >= LEAST
    }
    reached = foreign[foreign.any(axis=1)]
    if len(groups) > 1 and len(reached) >= LEAST:
        trials[FOREIGN] = _trial(reached, tried, fusion.foreign)
    return LearnedFusion(trials)


class _Ranking:
    """Where a concept stands under each of several lexical weights."""

    def __init__(self, terminology: Terminology, vote: KernelVote, weights: Sequence[float]) -> None:
        self.languages = np.array([primary(term.language) for term in terminology.row_terms])
        self._terminology = terminology
        self._vote = vote
        self._weights = weights

    def reciprocal(self, found: Neighbours, i: int, concept: int, hidden: NDArray[np.bool_]) -> NDArray[np.float64]:
        """1 / rank of the concept for query i, (weights,); 0 where none of its rows was found."""
        slots = np.flatnonzero((found.ids[i] != EMPTY) & ~hidden)
        concepts, member = np.unique(self._terminology.row_concepts[found.ids[i, slots]], return_inverse=True)
        place = int(np.searchsorted(concepts, concept))
        if place == len(concepts) or concepts[place] != concept:
            return np.zeros(len(self._weights))
        counts = self._terminology.row_counts[concepts]
        dense, lexical = found.parts["dense"][i, slots], found.parts["lexical"][i, slots]
        ranks = []
        for weight in self._weights:
            scores = self._vote.concept_scores((1 - weight) * dense + weight * lexical, member, counts)
            # Of concepts that are level each is as likely the first.
            ranks.append(1 + (scores > scores[place]).sum() + ((scores == scores[place]).sum() - 1) / 2)
        return 1 / np.array(ranks)


def _trial(reciprocal: NDArray[np.float64], tried: Sequence[float], before: float) -> Trial:
    """The weight that half of the texts choose, judged by the other half."""
    n = len(reciprocal)
    half = np.random.default_rng(0).permutation(n) < n // 2
    means = reciprocal[half].mean(axis=0)
    # Of weights that are level the one nearest to the options'.
    best = min(range(len(tried)), key=lambda w: (-round(float(means[w]), 6), abs(tried[w] - before)))
    drawn = before + (tried[best] - before) * half.sum() / (half.sum() + _PRIOR)
    chosen = min(range(len(tried)), key=lambda w: abs(tried[w] - drawn))
    gains = reciprocal[~half, chosen] - reciprocal[~half, tried.index(before)]
    gain, error = float(gains.mean()), float(gains.std() / np.sqrt(len(gains)))
    return Trial(n, before, tried[chosen], round(gain, 4), round(error, 4), gain > _SURE * error)
