"""What job titles learn from: pairs of titles, titles with skills, titles with descriptions.

From a terminology: two terms of one occupation, of one language or of two; a term and the occupation's definition; a
term and some of its skills. From vacancies, which name no occupation: a title and its skills, a title and its
description.
"""

import hashlib
import math
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np

from models.training.bi_encoder import DevelopmentSet
from models.training.pairs import Draw, Pair, PairSource
from pipelines.encoding import primary
from pipelines.errors import ConfigInvalid
from pipelines.job_titles.cleaning import clean_titles
from pipelines.job_titles.pipeline import row_text
from pipelines.tables import read_rows
from pipelines.terminology import Concept, Terminology

SKILLS_AT_ONCE: Final = 6
"""Skills that are joined to one text (FINDINGS: joined by ", "; how many is a guess)."""
WORDS: Final = 40
"""Of a description; its first sentences say what the job is. A guess."""
_DEV_QUERIES, _DEV_CORPUS = 150, 800

_Choose = Callable[[np.random.Generator, int], Pair | None]


@dataclass(frozen=True, slots=True)
class Shares:
    """How the batches of one terminology are spread.

    Attributes:
        languages: primary tag → weight; empty: all there are, by the square root of their number of terms.
        cross_lingual: of the pairs of titles, the share whose two texts are of languages drawn apart.
        definitions: share of the batches that pair a title with a definition.
        skills: share of the batches that pair a title with skills.
    """

    languages: Mapping[str, float]
    cross_lingual: float
    definitions: float
    skills: float


def held_out(concept_id: str, share: float) -> bool:
    """Whether an occupation is kept out of training, by checksum: the same in every terminology that has it."""
    return int(hashlib.sha256(concept_id.encode()).hexdigest()[:8], 16) % 1000 < 1000 * share


class Titles:
    """A terminology's terms as they are encoded, by concept and language."""

    def __init__(self, terminology: Terminology, *, keep_out: float) -> None:
        self.name = terminology.name
        self.known: list[Concept] = []
        self.held: list[Concept] = []
        for concept in terminology.concepts:
            if not concept.abstract:
                (self.held if held_out(concept.id, keep_out) else self.known).append(concept)

    def sources(self, weight: float, shares: Shares) -> list[PairSource]:
        """One source per pair of languages, and per language with definitions or skills."""
        by_language = _by_language(self.known)
        languages = _weights(by_language, shares.languages)
        titles = weight * (1 - shares.definitions - shares.skills)
        found = []
        for one, weight_one in languages.items():
            for other, weight_other in languages.items():
                together = shares.cross_lingual * weight_other + (1 - shares.cross_lingual) * (one == other)
                if together > 0:
                    draw = _two_titles(self.known, by_language[one], by_language[other])
                    found.append(PairSource(f"{self.name} {one}-{other}", titles * weight_one * together, draw))
            if shares.definitions and any(c.definition for c in self.known):
                draw = _title_and(self.known, by_language[one], _definition)
                found.append(
                    PairSource(f"{self.name} {one} definitions", weight * shares.definitions * weight_one, draw)
                )
            if shares.skills and any(c.skills for c in self.known):
                draw = _title_and(self.known, by_language[one], _some_skills)
                found.append(PairSource(f"{self.name} {one} skills", weight * shares.skills * weight_one, draw))
        return [s for s in found if s.weight > 0]

    def development(self, shares: Shares, *, seed: int) -> list[DevelopmentSet]:
        """Per language: titles of occupations kept out, to be found among their other titles and many others'."""
        sets = []
        everyone = _by_language([*self.held, *self.known])
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


def vacancies(path: Path, *, weight: float, name: str) -> tuple[list[PairSource], int]:
    """Titles with their skills and descriptions, and how many vacancies there are.

    Args:
        path: JSONL, CSV or Parquet with `title`, and `skills` (a list, or text separated by ";") or `description`.

    Raises: SourceError for a file of another kind; ConfigInvalid if no row has a title and either of the others.
    """
    rows = [row.values for row in read_rows(path) if row.fault is None]
    titles = [row_text(c.text) for c in clean_titles([str(r.get("title") or "") for r in rows])]
    skills = [(t, _listed(r.get("skills"))) for t, r in zip(titles, rows, strict=True) if t]
    described = [(t, _first_words(str(r.get("description") or ""))) for t, r in zip(titles, rows, strict=True) if t]
    skills, described = [s for s in skills if s[1]], [d for d in described if d[1]]
    found = []

    def title_with_skills(rng: np.random.Generator, i: int) -> Pair:
        title, listed = skills[i]
        return Pair(title, _join(rng, listed), title)

    def title_with_description(rng: np.random.Generator, i: int) -> Pair:
        return Pair(described[i][0], described[i][1], described[i][0])

    total = len(skills) + len(described)
    for kind, some, choose in (
        ("skills", skills, title_with_skills),
        ("descriptions", described, title_with_description),
    ):
        if some:
            found.append(PairSource(f"{name} {kind}", weight * len(some) / total, _draw(some, choose)))
    if not found:
        raise ConfigInvalid(f"{name}: no row has a title, and skills or a description beside it")
    return found, len(rows)


def _draw(items: Sequence[object], choose: _Choose) -> Draw:
    def draw(rng: np.random.Generator, n: int) -> list[Pair]:
        rows = rng.permutation(len(items))[: 2 * n]
        return [pair for i in rows if (pair := choose(rng, int(i))) is not None]

    return draw


_Texts = Mapping[str, Sequence[str]]
"""Concept id → its terms of one language."""


def _by_language(concepts: Sequence[Concept]) -> dict[str, dict[str, list[str]]]:
    found: dict[str, dict[str, list[str]]] = defaultdict(dict)
    for concept in concepts:
        for term in concept.terms:
            texts = found[primary(term.language)].setdefault(concept.id, [])
            if (text := row_text(term.text)) and text not in texts:
                texts.append(text)
    return dict(found)


def _weights(by_language: Mapping[str, _Texts], wanted: Mapping[str, float]) -> dict[str, float]:
    """Language → share of the batches; they sum to 1."""
    counts = {tag: sum(map(len, texts.values())) for tag, texts in by_language.items()}
    if missing := sorted(set(wanted) - set(counts)):
        raise ConfigInvalid(f"languages: no terms in {', '.join(missing)}; there are {', '.join(sorted(counts))}")
    chosen = {tag: float(w) for tag, w in wanted.items()} or {tag: math.sqrt(n) for tag, n in counts.items()}
    total = sum(chosen.values())
    return {tag: weight / total for tag, weight in chosen.items()}


def _two_titles(concepts: Sequence[Concept], one: _Texts, other: _Texts) -> Draw:
    return _title_and(concepts, one, lambda rng, concept: _one_of(rng, other.get(concept.id)))


def _title_and(
    concepts: Sequence[Concept], titles: _Texts, other: Callable[[np.random.Generator, Concept], str | None]
) -> Draw:
    def choose(rng: np.random.Generator, i: int) -> Pair | None:
        title, text = _one_of(rng, titles.get(concepts[i].id)), other(rng, concepts[i])
        return Pair(title, text, concepts[i].id) if title and text else None

    return _draw(concepts, choose)


def _one_of(rng: np.random.Generator, texts: Sequence[str] | None) -> str | None:
    return texts[int(rng.integers(len(texts)))] if texts else None


def _definition(rng: np.random.Generator, concept: Concept) -> str | None:
    return _first_words(concept.definition or "") or None


def _some_skills(rng: np.random.Generator, concept: Concept) -> str | None:
    return _join(rng, concept.skills) if concept.skills else None


def _join(rng: np.random.Generator, skills: Sequence[str]) -> str:
    chosen = rng.permutation(len(skills))[:SKILLS_AT_ONCE]
    return row_text(", ".join(skills[i] for i in chosen))


def _first_words(text: str) -> str:
    return " ".join(row_text(text).split()[:WORDS])


def _listed(value: object) -> list[str]:
    parts = value.split(";") if isinstance(value, str) else value if isinstance(value, list) else []
    return [text for part in parts if (text := str(part).strip())]
