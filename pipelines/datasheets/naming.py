"""HNEN's own parts: an index that knows symbols beside names, the gates of unit, section and device, and a floor."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Final

import numpy as np

from models.arrays import EMPTY, Neighbours, Queries, RowIds, Scores
from models.indexes.base import Index
from pipelines.datasheets.config import DatasheetsConfig
from pipelines.datasheets.notation import cased, forms, plain
from pipelines.datasheets.prepare import split_query
from pipelines.datasheets.units import Dimension, dimension_of
from pipelines.deciding import Decider
from pipelines.results import NIL, Candidate, Decision, Mention, Options
from pipelines.terminology import Concept, Terminology

_DETAILS: Final = frozenset({"static", "dynamic", "switching", "diode", "electrical", "typical", "recommended"})
"""Kinds of section that are one kind to a sheet that has only "electrical characteristics"."""
OTHER_CASE: Final = 0.15
"""Off for a symbol that agrees but for its case, where another agrees with it. A guess."""
_NARROW: Final = 0.1
"""Of the section's bonus, for a parameter of one kind of device against one of all. A guess."""
UNKNOWN_SYMBOL: Final = 0.9
"""What a name is worth beside a symbol that nobody knows. A guess."""
EXACT_NAME: Final = 0.88
"""What a name that is known to the letter is worth beside a symbol cut short to another's. A guess."""
_EXACT: Final = 0.999
_UNITLESS: Final = 0.15
"""Off for a parameter that has a unit where the row prints none. A guess."""


class SymbolIndex:
    """The same rows, found by a row's name in the index given, and by its symbol in a table.

    The score of a concept is a weighted mean of both; a row that has but one is judged by that alone. One row per
    concept is answered: the best of its names.

    Args:
        names: finds names.
        terminology: whose terms without a language are symbols.
        weight: the symbol's share.
    """

    def __init__(self, names: Index, terminology: Terminology, *, weight: float) -> None:
        self._names = names
        self._weight = weight
        self._concepts = terminology.row_concepts
        self._first = np.unique(terminology.row_concepts, return_index=True)
        self._symbols: dict[str, list[int]] = defaultdict(list)
        self._own: dict[int, list[str]] = defaultdict(list)
        self._as_printed: dict[str, set[int]] = defaultdict(set)
        for term, concept in zip(terminology.row_terms, terminology.row_concepts.tolist(), strict=True):
            if term.language is None and concept not in self._symbols[plain(term.text)]:
                self._symbols[plain(term.text)].append(concept)
                self._own[concept].append(plain(term.text))
            if term.language is None:
                self._as_printed[cased(term.text)].add(concept)

    @property
    def size(self) -> int:
        """The number of rows."""
        return self._names.size

    def search(self, queries: Queries, *, k: int) -> Neighbours:
        """The best row of each of the k best concepts, with "symbol" and "lexical" as parts."""
        split = [split_query(text) for text in queries.texts]
        found = self._names.search(_by_name(queries), k=k)
        slots = [self._of_one(found, i, symbol, name) for i, (symbol, name) in enumerate(split)]
        width = max((len(rows) for rows, *_ in slots), default=0)
        ids = np.full((len(slots), width), EMPTY, np.int64)
        fused, symbols, names = (np.full((len(slots), width), fill, np.float32) for fill in (-np.inf, 0, 0))
        for i, (rows, scores, by_symbol, by_name) in enumerate(slots):
            n = len(rows)
            ids[i, :n], fused[i, :n], symbols[i, :n], names[i, :n] = rows, scores, by_symbol, by_name
        return Neighbours(fused, ids, {"symbol": symbols, "lexical": names}).sorted().top(k)

    def score(self, queries: Queries, rows: RowIds) -> Scores:
        """Scores of the rows asked for, by name alone."""
        return self._names.score(_by_name(queries), rows)

    def _of_one(
        self, found: Neighbours, i: int, symbol: str, name: str
    ) -> tuple[list[int], list[float], list[float], list[float]]:
        by_symbol = self._by_symbol(symbol)
        by_name: dict[int, tuple[float, int]] = {}
        for row, score in zip(found.ids[i].tolist(), found.scores[i].tolist(), strict=True):
            if row != EMPTY:
                by_name.setdefault(int(self._concepts[row]), (score, row))
        concepts = sorted({*by_name, *by_symbol})
        rows = [by_name[c][1] if c in by_name else self._first_row(c) for c in concepts]
        named = [by_name[c][0] if c in by_name else 0.0 for c in concepts]
        marked = [by_symbol.get(c, 0.0) for c in concepts]
        weight = self._weight if by_symbol and name else 1.0 if by_symbol else 0.0
        # A symbol that no parameter has says little against a name that one has.
        known = 1.0 if by_symbol or not symbol else UNKNOWN_SYMBOL
        fused = [known * (weight * s + (1 - weight) * n) for s, n in zip(marked, named, strict=True)]
        fused = [
            max(f, EXACT_NAME) if n >= _EXACT and symbol and self._shortened(symbol, c) else f
            for c, f, n in zip(concepts, fused, named, strict=True)
        ]
        return rows, fused, marked, named

    def _by_symbol(self, symbol: str) -> Mapping[int, float]:
        """Concept → how well its symbol agrees; the retried forms count only where the plain one is unknown."""
        printed = self._as_printed.get(cased(symbol), set()) if symbol else set()
        for form, worth in forms(symbol) if symbol else ():
            if form in self._symbols:
                # hFE and hfe are two parameters to those who mind, so the case decides where all else is equal.
                rest = worth - OTHER_CASE if printed else worth
                return {c: worth if c in printed else rest for c in self._symbols[form]}
        return {}

    def _shortened(self, symbol: str, concept: int) -> bool:
        """Whether a symbol may be a parameter's own, printed short: VDS for V(BR)DSS."""
        return any(_within(plain(symbol), own) for own in self._own[concept])

    def _first_row(self, concept: int) -> int:
        concepts, rows = self._first
        return int(rows[np.searchsorted(concepts, concept)])


class Gates:
    """Candidates re-scored by what the row's unit measures, its device and its section.

    A unit of another dimension shuts a candidate out. A parameter of another kind of device costs, and the usual
    section gains. If nothing is left above `least`, or nothing of the device's own kind is a known name and something
    of another kind is, the device's gate is lifted: its kind may have been guessed wrong.
    """

    def __init__(self, terminology: Terminology, config: DatasheetsConfig) -> None:
        self._config = config
        self._dimensions = [_dimensions(concept) for concept in terminology.concepts]
        self._sections = [frozenset(filter(None, c.codes.get("sections", "").split("|"))) for c in terminology.concepts]

    def rerank(
        self, mentions: Sequence[Mention], queries: Queries, candidates: Sequence[list[Candidate]]
    ) -> list[list[Candidate]]:
        """The same candidates per mention, best first, ties as they came."""
        return [self._one(m, some) for m, some in zip(mentions, candidates, strict=True)]

    def _one(self, mention: Mention, candidates: list[Candidate]) -> list[Candidate]:
        held = mention.facts.get("held", ())
        words = frozenset(held) if isinstance(held, tuple) else frozenset()
        strict = [self._gated(mention, c, words, devices=True) for c in candidates]
        best = max((c.score for c in strict), default=0.0)
        if best < self._config.known:
            lifted = [self._gated(mention, c, words, devices=False) for c in candidates]
            if best < self._config.least or max((c.score for c in lifted), default=0.0) >= self._config.known:
                strict = lifted
        return sorted(strict, key=lambda c: -c.score)

    def _gated(self, mention: Mention, candidate: Candidate, words: frozenset[str], *, devices: bool) -> Candidate:
        unit = self._unit(mention.facts.get("dimension"), self._dimensions[candidate.concept])
        types = frozenset(candidate.semantic_types)
        other = devices and bool(types & _DEVICE_WORDS) and bool(words & _DEVICE_WORDS) and not types & words
        sections = self._sections[candidate.concept]
        # A section is a hint of the second rank: it settles what symbol and name leave open.
        section = self._section(sections, words)
        # Of two that agree alike, the one of fewer devices is meant: a collector's dissipation, not any.
        section += _NARROW * (1 - len(types) / len(_DEVICE_WORDS)) if types & words else 0.0
        score = candidate.score + unit - self._config.device_penalty * other + self._config.section_bonus * section
        if score == candidate.score:
            return candidate
        return candidate.with_score(round(score, 4), {**candidate.scores, "gates": round(score - candidate.score, 4)})

    def _unit(self, dimension: object, allowed: frozenset[Dimension]) -> float:
        if dimension is None or not allowed:
            return 0.0
        if dimension in allowed:
            return 0.0
        return -_UNITLESS if dimension == () else -1.0

    def _section(self, sections: frozenset[str], words: frozenset[str]) -> float:
        if not sections or not words:
            return 0.0
        if sections & words:
            return 1.0
        return 0.5 if sections & _DETAILS and words & _DETAILS else 0.0


class Floor:
    """A decider that answers NIL for what is unlike every name, and never for what is one.

    The gates leave few candidates, so that the margin alone would make a poor one sure; and a name printed as it is
    known is one, however crowded its neighbourhood. A request that names its own threshold, and what users said, are
    left alone.

    Args:
        decider: decides the rest.
        least: a best score below it is NIL.
        known: a best score from here on is not.
    """

    def __init__(self, decider: Decider, *, least: float, known: float) -> None:
        self._decider = decider
        self._least = least
        self._known = known

    def decide(
        self, mentions: Sequence[Mention], candidates: Sequence[list[Candidate]], options: Sequence[Options]
    ) -> list[Decision]:
        """One decision per mention, in order."""
        decisions = self._decider.decide(mentions, candidates, options)
        return [self._judged(d, wanted) for d, wanted in zip(decisions, options, strict=True)]

    def _judged(self, decision: Decision, wanted: Options) -> Decision:
        if wanted.min_confidence is not None or not decision.candidates or "confirmed" in decision.notes:
            return decision
        best = decision.candidates[0]
        if not decision.nil and best.score < self._least:
            return replace(decision, concept_id=NIL, name=None, notes=(*decision.notes, "unlike every name"))
        if decision.nil and best.score >= self._known:
            return replace(decision, concept_id=best.concept_id, name=best.name, notes=("as it is known",))
        return decision


_DEVICE_WORDS: Final = frozenset(
    {"diode", "schottky", "zener", "rectifier", "led", "bjt", "mosfet", "jfet", "op_amp", "regulator", "optocoupler"}
)


def _within(short: str, long: str) -> bool:
    """Whether the letters of one stand in the other in their order."""
    letters = iter(long)
    return all(letter in letters for letter in short)


def _by_name(queries: Queries) -> Queries:
    """The queries as names are searched: without their symbols, spelled as terms are indexed."""
    texts = [(name or symbol).lower().replace("-", " ") for symbol, name in map(split_query, queries.texts)]
    return Queries(texts, queries.vectors, queries.languages)


def _dimensions(concept: Concept) -> frozenset[Dimension]:
    return frozenset(() if u == "1" else dimension_of(u) for u in concept.codes.get("unit", "").split("|") if u)
