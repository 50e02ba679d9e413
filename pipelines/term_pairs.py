"""What encoders learn from a terminology: pairs of texts that mean the same.

Two terms of one concept, of one language or of two; a term and the concept's definition; a term and some of its skills.
"""

import hashlib
import math
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from models.arrays import Vectors, unit
from models.training.bases import Encode
from models.training.bi_encoder import DevelopmentSet
from models.training.pairs import Draw, Pair, PairSource
from pipelines.encoding import primary
from pipelines.errors import ConfigInvalid
from pipelines.terminology import Concept, Terminology

SKILLS_AT_ONCE: Final = 6
"""Skills that are joined to one text (FINDINGS: joined by ", "; how many is a guess)."""
WORDS: Final = 40
"""Of a description; its first sentences say what the job is. A guess."""
NEIGHBOURS: Final = 64
"""Concepts of a neighbourhood; at most half of one come into a batch. A guess."""
FEWEST: Final = 32
"""Concepts with a pair of two languages below which these make no batches. A guess."""
_DEV_QUERIES, _DEV_CORPUS = 150, 800

_Choose = Callable[[np.random.Generator, int], Pair | None]


@dataclass(frozen=True, slots=True)
class Shares:
    """How the batches of one terminology are spread.

    Attributes:
        languages: primary tag → weight; empty: all there are, by the square root of their number of terms.
        cross_lingual: of the pairs of terms, the share whose two texts are of languages drawn apart.
        definitions: share of the batches that pair a term with a definition.
        skills: share of the batches that pair a term with skills.
        neighbours: share of the batches whose concepts are near each other, and so hard to tell apart.
    """

    languages: Mapping[str, float]
    cross_lingual: float
    definitions: float = 0.0
    skills: float = 0.0
    neighbours: float = 0.0


def held_out(concept_id: str, share: float) -> bool:
    """Whether a concept is kept out of training, by checksum: the same in every terminology that has it."""
    return int(hashlib.sha256(concept_id.encode()).hexdigest()[:8], 16) % 1000 < 1000 * share


class Terms:
    """A terminology's terms as they are encoded, by concept and language.

    Args:
        row_text: how a term's text is prepared before it is encoded; "" leaves it out.
        keep_out: share of the concepts that teach nothing, and that development is measured on.
    """

    def __init__(self, terminology: Terminology, *, row_text: Callable[[str], str], keep_out: float) -> None:
        self.name = terminology.name
        self._row_text = row_text
        self.known: list[Concept] = []
        self.held: list[Concept] = []
        for concept in terminology.concepts:
            if not concept.abstract:
                (self.held if held_out(concept.id, keep_out) else self.known).append(concept)

    def sources(self, weight: float, shares: Shares, encode: Encode | None = None) -> list[PairSource]:
        """One source per pair of languages, and per language with definitions or skills.

        Args:
            encode: says which concepts are near each other, by their names; needed for `shares.neighbours` alone.
        """
        by_language = self._by_language(self.known)
        near = Near([], 0.0)
        if shares.neighbours and encode is not None:
            near = Near(neighbourhoods(encode([self._row_text(c.name) for c in self.known])), shares.neighbours)
        languages = _weights(by_language, shares.languages)
        terms = weight * (1 - shares.definitions - shares.skills)
        found = []
        for one, weight_one in languages.items():
            for other, weight_other in languages.items():
                together = shares.cross_lingual * weight_other + (1 - shares.cross_lingual) * (one == other)
                draw = _two_terms(self.known, by_language[one], by_language[other], near)
                if together > 0 and draw is not None:
                    found.append(PairSource(f"{self.name} {one}-{other}", terms * weight_one * together, draw))
            if shares.definitions and any(c.definition for c in self.known):
                draw = _term_and(self.known, by_language[one], self._definition)
                found.append(
                    PairSource(f"{self.name} {one} definitions", weight * shares.definitions * weight_one, draw)
                )
            if shares.skills and any(c.skills for c in self.known):
                draw = _term_and(self.known, by_language[one], self._some_skills)
                found.append(PairSource(f"{self.name} {one} skills", weight * shares.skills * weight_one, draw))
        return [s for s in found if s.weight > 0]

    def development(self, shares: Shares, *, seed: int) -> list[DevelopmentSet]:
        """Per language: terms of concepts kept out, to be found among their other terms and many others'."""
        sets = []
        everyone = self._by_language([*self.held, *self.known])
        for language in _weights(everyone, shares.languages):
            rng = np.random.default_rng(seed)
            held = [(c.id, everyone[language].get(c.id, [])) for c in self.held]
            queries = [(cid, texts) for cid, texts in held if len(texts) > 1][:_DEV_QUERIES]
            if len(queries) < 2:
                continue
            asked = {cid: texts[int(rng.integers(len(texts)))] for cid, texts in queries}
            corpus = [(cid, t) for cid, texts in held for t in texts if asked.get(cid) != t]
            others = [(c.id, t) for c in self.known for t in everyone[language].get(c.id, [])]
            chosen = rng.permutation(len(others))[: max(_DEV_CORPUS - len(corpus), 0)]
            corpus += [others[i] for i in chosen]
            right: dict[str, set[int]] = defaultdict(set)
            for i, (cid, _) in enumerate(corpus):
                right[cid].add(i)
            relevant = [right[cid] for cid in asked]
            sets.append(
                DevelopmentSet(f"{self.name}-{language}", list(asked.values()), [t for _, t in corpus], relevant)
            )
        return sets

    def _by_language(self, concepts: Sequence[Concept]) -> "dict[str, dict[str, list[str]]]":
        found: dict[str, dict[str, list[str]]] = defaultdict(dict)
        for concept in concepts:
            for term in concept.terms:
                texts = found[primary(term.language)].setdefault(concept.id, [])
                if (text := self._row_text(term.text)) and text not in texts:
                    texts.append(text)
        return dict(found)

    def _definition(self, rng: np.random.Generator, concept: Concept) -> str | None:
        return first_words(self._row_text(concept.definition or "")) or None

    def _some_skills(self, rng: np.random.Generator, concept: Concept) -> str | None:
        return self._row_text(some_of(rng, concept.skills)) if concept.skills else None


def some_of(rng: np.random.Generator, skills: Sequence[str]) -> str:
    """A few skills as one text."""
    chosen = rng.permutation(len(skills))[:SKILLS_AT_ONCE]
    return ", ".join(skills[i] for i in chosen)


def first_words(text: str) -> str:
    """The first `WORDS` words of a text."""
    return " ".join(text.split()[:WORDS])


@dataclass(frozen=True, slots=True)
class Near:
    """Which items are near each other, and the share of the draws that stay among such."""

    groups: Sequence[NDArray[np.int64]]
    share: float


def neighbourhoods(vectors: Vectors) -> list[NDArray[np.int64]]:
    """Rows that are near each other: k-means over the centred vectors, some `NEIGHBOURS` rows a group."""
    import faiss

    centred = unit(vectors - vectors.mean(axis=0))
    means = faiss.Kmeans(vectors.shape[1], max(len(vectors) // NEIGHBOURS, 1), niter=8, seed=0)
    means.train(centred)
    _, nearest = means.index.search(centred, 1)
    return [np.flatnonzero(nearest[:, 0] == group) for group in np.unique(nearest)]


def drawn(items: Sequence[int], choose: _Choose, near: Near = Near([], 0.0)) -> Draw:
    """Pairs from numbered items drawn without repeats; `choose` makes one of an item's number, or None."""
    numbers = np.asarray(items, np.int64)
    groups = [group for g in near.groups if len(group := g[np.isin(g, numbers)])]

    def draw(rng: np.random.Generator, n: int) -> list[Pair]:
        if groups and rng.random() < near.share:
            order = [rng.permutation(groups[g])[: NEIGHBOURS // 2] for g in rng.permutation(len(groups))]
            rows = np.concatenate(order)[: 2 * n]
        else:
            rows = rng.permutation(numbers)[: 2 * n]
        return [pair for i in rows if (pair := choose(rng, int(i))) is not None]

    return draw


_Texts = Mapping[str, Sequence[str]]
"""Concept id → its terms of one language."""


def _weights(by_language: Mapping[str, _Texts], wanted: Mapping[str, float]) -> dict[str, float]:
    """Language → share of the batches; they sum to 1."""
    counts = {tag: sum(map(len, texts.values())) for tag, texts in by_language.items()}
    if missing := sorted(set(wanted) - set(counts)):
        raise ConfigInvalid(f"languages: no terms in {', '.join(missing)}; there are {', '.join(sorted(counts))}")
    chosen = {tag: float(w) for tag, w in wanted.items()} or {tag: math.sqrt(n) for tag, n in counts.items()}
    total = sum(chosen.values())
    return {tag: weight / total for tag, weight in chosen.items()}


def _two_terms(concepts: Sequence[Concept], one: _Texts, other: _Texts, near: Near) -> Draw | None:
    """Pairs of a term of one side and one of the other; None where too few concepts have such."""
    sides = [(one.get(concept.id), other.get(concept.id)) for concept in concepts]
    both = [i for i, (left, right) in enumerate(sides) if left and right and len({*left, *right}) > 1]
    if len(both) < FEWEST:
        return None
    return drawn(both, _chooses(concepts, one, lambda rng, concept: _one_of(rng, other.get(concept.id))), near)


def _term_and(
    concepts: Sequence[Concept], terms: _Texts, other: Callable[[np.random.Generator, Concept], str | None]
) -> Draw:
    return drawn([i for i, c in enumerate(concepts) if terms.get(c.id)], _chooses(concepts, terms, other))


def _chooses(
    concepts: Sequence[Concept], terms: _Texts, other: Callable[[np.random.Generator, Concept], str | None]
) -> _Choose:
    def choose(rng: np.random.Generator, i: int) -> Pair | None:
        term, text = _one_of(rng, terms.get(concepts[i].id)), other(rng, concepts[i])
        return Pair(term, text, concepts[i].id) if term and text else None

    return choose


def _one_of(rng: np.random.Generator, texts: Sequence[str] | None) -> str | None:
    return texts[int(rng.integers(len(texts)))] if texts else None
