"""Spans that are no alias and may mean a concept all the same: "aplastic nails" beside "aplasia of the nails".

Stretches of words that occur in aliases are cut into spans, and spans compared with all aliases word by word. What is
most alike is worth linking; linking then says what it means, or that it means nothing.
"""

from collections.abc import Sequence
from typing import Final

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from pipelines.encoding import primary
from pipelines.medical.dictionary import GUESSED, Dictionary, Span, sentences
from pipelines.medical.words import Word, words_of
from pipelines.terminology import Terminology

MOST_WORDS: Final = 6
"""Content words of a guess."""

MOST_RUN: Final = 12
"""Words of a stretch that is cut into spans; a longer one is cut at every word in turn all the same."""

_JOINING: Final = 2
"""Function words in a row that a guess may hold: "anomalies of the nerve"."""


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
        self._columns: dict[str, int] = {}
        rows, columns = [], []
        for row, term in enumerate(terminology.row_terms):
            words = words_of(term.text, language=primary(term.language))
            for stem in {w.stem for w in words if not dictionary.is_function(w)}:
                rows.append(row)
                columns.append(self._columns.setdefault(stem, len(self._columns)))
        n = max(terminology.rows, 1)
        shape = (n, max(len(self._columns), 1))
        counts = np.bincount(np.array(columns, np.int64), minlength=shape[1])
        self._idf = np.log((1 + n) / (1 + counts)).astype(np.float32) + 1
        values = self._idf[np.array(columns, np.int64)]
        matrix = sparse.csr_matrix((values, (rows, columns)), shape=shape, dtype=np.float32)
        lengths = np.sqrt(np.asarray(matrix.multiply(matrix).sum(axis=1)).ravel())
        scaled = sparse.diags(1 / np.maximum(lengths, 1e-9)) @ matrix
        self._postings = sparse.csc_matrix(scaled)

    def guess(self, words: Sequence[Word], text: str, known: Sequence[Span], *, most: int) -> list[Span]:
        """The `most` spans that are most like an alias and none of those known, in order of appearance."""
        taken = {(span.first, span.last) for span in known}
        scored = []
        seen: dict[str, float] = {}
        for start, end in sentences(words, text):
            for first, last in self._runs(words, text, start, end):
                for span, stems in self._cut(words, first, last):
                    if span in taken:
                        continue
                    key = " ".join(sorted(stems))
                    if key not in seen:
                        seen[key] = self._best(stems)
                    if seen[key] >= self._alike:
                        scored.append((seen[key], span))
        scored.sort(key=lambda item: (-item[0], item[1][0], -item[1][1]))
        chosen = [Span(first, last, GUESSED, alike) for alike, (first, last) in scored[:most]]
        return sorted(chosen, key=lambda span: (span.first, span.last))

    def _runs(self, words: Sequence[Word], text: str, start: int, end: int) -> list[tuple[int, int]]:
        """Stretches of known words, function words between them included."""
        runs = []
        first = -1
        gap = 0
        for i in range(start, end + 1):
            known = i < end and self._dictionary.knows(words[i])
            joins = i < end and not known and self._dictionary.is_function(words[i])
            if known:
                first = i if first < 0 else first
                last = i + 1
                gap = 0
            elif joins and first >= 0 and gap < _JOINING:
                gap += 1
            elif first >= 0:
                runs.append((first, last))
                first, gap = -1, 0
        return runs

    def _cut(self, words: Sequence[Word], first: int, last: int) -> list[tuple[tuple[int, int], list[str]]]:
        """Every span of a stretch that begins and ends with a content word, with its content words."""
        content = [i for i in range(first, last) if not self._dictionary.is_function(words[i])]
        spans = []
        for n, begin in enumerate(content):
            for m in range(n, min(n + MOST_WORDS, len(content))):
                spans.append(((begin, content[m] + 1), [words[i].stem for i in content[n : m + 1]]))
        return spans

    def _best(self, stems: Sequence[str]) -> float:
        """The highest cosine with an alias."""
        columns = np.array(sorted({self._columns[s] for s in stems if s in self._columns}), np.int64)
        if not len(columns):
            return 0.0
        weights = self._idf[columns]
        unknown = sum(1 for s in set(stems) if s not in self._columns)
        length = float(np.sqrt((weights**2).sum() + unknown * self._idf.max() ** 2))
        spans = [slice(s, e) for s, e in pairwise_of(self._postings.indptr, columns)]
        rows = np.concatenate([self._postings.indices[span] for span in spans])
        values = np.concatenate(
            [self._postings.data[span] * weight for span, weight in zip(spans, weights, strict=True)]
        )
        distinct, which = np.unique(rows, return_inverse=True)
        return float(np.bincount(which, weights=values, minlength=len(distinct)).max()) / length


def pairwise_of(pointers: NDArray[np.int32], columns: NDArray[np.int64]) -> list[tuple[int, int]]:
    """Where each column's entries begin and end."""
    return list(zip(pointers[columns].tolist(), pointers[columns + 1].tolist(), strict=True))
