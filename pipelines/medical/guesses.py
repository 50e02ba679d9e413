"""Spans that are no alias and may mean a concept all the same.

In a language that the terminology speaks: stretches that share most of their words with an alias ("aplastic nails"
beside "aplasia of the nails"). In any other language, and in one that names only some of the concepts, short stretches
between punctuation are tried, as far as the budget goes. Linking then says what a guess means; only a sure one is
answered.
"""

from collections.abc import Iterator, Sequence
from functools import cached_property
from itertools import pairwise
from typing import Final

import numpy as np
from scipy import sparse

from pipelines.encoding import primary
from pipelines.medical.dictionary import GUESSED, Dictionary, Span, is_plain, sentences
from pipelines.medical.words import Word, words_of
from pipelines.terminology import Terminology

MOST_WORDS: Final = 6
"""Content words of a guess by likeness."""

MOST_FOREIGN: Final = 3
"""Words of a guess in a language that the terminology does not speak (a guess: names of findings are short)."""

_JOINING: Final = 2
"""Function words in a row that a guess may hold: "anomalies of the nerve"."""

SPOKEN: Final = 0.5
"""Share of the concepts that have a name in a language from which its texts are read by these names alone. HPO has
0.2 % in Dutch, 19 % in German, 72 % in French; a guess."""

_LEAST_LETTERS: Final = 4
"""Of a word that may stand alone in a language whose function words are not known."""


class Guesser:
    """Words of a text against the words of every alias.

    Args:
        terminology: whose aliases are compared with.
        dictionary: of the same terminology.
        alike: cosine of words below which a span is not tried.
    """

    def __init__(self, terminology: Terminology, dictionary: Dictionary, *, alike: float) -> None:
        self._dictionary = dictionary
        self._alike = alike
        named: dict[str, set[int]] = {}
        for term, concept in zip(terminology.row_terms, terminology.row_concepts.tolist(), strict=True):
            named.setdefault(primary(term.language), set()).add(concept)
        least = SPOKEN * len({concept for some in named.values() for concept in some})
        self._named = named.keys() - {""}
        self._spoken = {tag for tag in self._named if len(named[tag]) >= least}
        self._terminology = terminology

    @cached_property
    def _words(self) -> "_Words":
        return _Words(self._terminology, self._dictionary)

    def speaks(self, language: str | None) -> bool:
        """Whether most concepts have names in a text's language, to compare word by word; or if nobody knows."""
        tag = primary(language)
        return not tag or not self._named or tag in self._spoken

    def guess(
        self, words: Sequence[Word], text: str, known: Sequence[Span], *, language: str | None, most: int
    ) -> list[Span]:
        """At most `most` spans, in order of appearance; none is known, none cuts through a known one.

        Args:
            known: what the dictionary found.
        """
        # The first text, whatever is in it, has aliases read: a request that warms up must leave nothing to the next.
        aliases = self._words
        if most <= 0:
            return []
        tag = primary(language)
        likened = not tag or not self._named or tag in self._named
        scored = [*self._alike_spans(words, text, known, language, aliases)] if likened else []
        if not self.speaks(language):
            scored += _foreign_spans(words, text, self._dictionary, known)
        taken = {(span.first, span.last) for span in known}
        best = sorted(((s, span) for s, span in scored if span not in taken), key=lambda item: (-item[0], item[1]))
        return sorted(
            (Span(first, last, GUESSED, score) for score, (first, last) in best[:most]),
            key=lambda span: (span.first, span.last),
        )

    def _alike_spans(
        self, words: Sequence[Word], text: str, known: Sequence[Span], language: str | None, aliases: "_Words"
    ) -> Iterator[tuple[float, tuple[int, int]]]:
        modifiers = self._dictionary.modifiers(language)
        seen: dict[str, float] = {}
        inside = _cut_by(known, len(words))
        for start, end in sentences(words, text):
            for first, last in self._runs(words, text, start, end):
                for span in self._cut(words, first, last):
                    stems = [w.stem for w in words[span[0] : span[1]] if not self._dictionary.is_function(w)]
                    if inside[span[0]] or inside[span[1]] or all(stem in modifiers for stem in stems):
                        continue
                    key = " ".join(sorted(stems))
                    if key not in seen:
                        seen[key] = aliases.best(stems)
                    if seen[key] >= self._alike:
                        yield seen[key], span

    def _runs(self, words: Sequence[Word], text: str, start: int, end: int) -> Iterator[tuple[int, int]]:
        """Stretches of known words with nothing but blanks between, function words inside included."""
        first, last, gap = -1, -1, 0
        for i in range(start, end):
            parted = i > start and not is_plain(text[words[i - 1].end : words[i].start])
            known = self._dictionary.knows(words[i])
            joins = not known and self._dictionary.is_function(words[i]) and gap < _JOINING
            if first >= 0 and (parted or not (known or joins)):
                yield first, last
                first, gap = -1, 0
            if known:
                first, last, gap = (i if first < 0 else first), i + 1, 0
            elif first >= 0:
                gap += 1
        if first >= 0:
            yield first, last

    def _cut(self, words: Sequence[Word], first: int, last: int) -> Iterator[tuple[int, int]]:
        """Every span of a stretch that begins and ends with a content word and has two at least."""
        content = [i for i in range(first, last) if not self._dictionary.is_function(words[i])]
        for n, begin in enumerate(content):
            for m in range(n + 1, min(n + MOST_WORDS, len(content))):
                yield begin, content[m] + 1


class _Words:
    """TF-IDF of aliases over the stems of their words, by stem; read when the first text is looked through."""

    def __init__(self, terminology: Terminology, dictionary: Dictionary) -> None:
        self.columns: dict[str, int] = {}
        rows, columns = [], []
        for row, term in enumerate(terminology.row_terms):
            words = words_of(term.text, language=primary(term.language))
            for stem in {w.stem for w in words if not dictionary.is_function(w)}:
                rows.append(row)
                columns.append(self.columns.setdefault(stem, len(self.columns)))
        n = max(terminology.rows, 1)
        shape = (n, max(len(self.columns), 1))
        counts = np.bincount(np.array(columns, np.int64), minlength=shape[1])
        self.idf = np.log((1 + n) / (1 + counts)).astype(np.float32) + 1
        values = self.idf[np.array(columns, np.int64)]
        matrix = sparse.csr_matrix((values, (rows, columns)), shape=shape, dtype=np.float32)
        lengths = np.sqrt(np.asarray(matrix.multiply(matrix).sum(axis=1)).ravel())
        self.postings = sparse.csc_matrix(sparse.diags(1 / np.maximum(lengths, 1e-9)) @ matrix)

    def best(self, stems: Sequence[str]) -> float:
        """The highest cosine with an alias."""
        columns = np.array(sorted({self.columns[s] for s in stems if s in self.columns}), np.int64)
        if not len(columns):
            return 0.0
        weights, postings = self.idf[columns], self.postings
        starts, ends = postings.indptr[columns].tolist(), postings.indptr[columns + 1].tolist()
        slices = [slice(s, e) for s, e in zip(starts, ends, strict=True)]
        rows = np.concatenate([postings.indices[part] for part in slices])
        values = np.concatenate([postings.data[part] * w for part, w in zip(slices, weights, strict=True)])
        distinct, which = np.unique(rows, return_inverse=True)
        best = np.bincount(which, weights=values, minlength=len(distinct)).max()
        return float(best / np.sqrt((weights**2).sum()))


def _foreign_spans(
    words: Sequence[Word], text: str, dictionary: Dictionary, known: Sequence[Span]
) -> Iterator[tuple[float, tuple[int, int]]]:
    """Short stretches without punctuation, function words or words of a known span; long words and whole ones first."""
    taken = [False] * len(words)
    for span in known:
        taken[span.first : span.last] = [True] * (span.last - span.first)
    first = 0
    cuts = [
        i
        for i, (a, b) in enumerate(pairwise(words), 1)
        if not is_plain(text[a.end : b.start])
        or taken[i - 1] != taken[i]
        or dictionary.is_function(a)
        or dictionary.is_function(b)
    ]
    for last in [*cuts, len(words)]:
        for begin in range(first, last):
            for end in range(begin + 1, min(begin + MOST_FOREIGN, last) + 1):
                letters = sum(len(word.norm) for word in words[begin:end])
                short = min(len(words[begin].norm), len(words[end - 1].norm)) < _LEAST_LETTERS
                if not (short or taken[begin] or dictionary.is_function(words[begin])):
                    whole = begin == first and end == last
                    yield letters / (end - begin) + 2 * whole, (begin, end)
        first = last


def _cut_by(known: Sequence[Span], size: int) -> list[bool]:
    """For each boundary between words whether it lies inside a known span."""
    inside = [False] * (size + 1)
    for span in known:
        for i in range(span.first + 1, span.last):
            inside[i] = True
    return inside
