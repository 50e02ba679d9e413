"""Lexical rows: TF-IDF over character n-grams, as sparse vectors, by scikit-learn and scipy."""

import copy
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from itertools import chain
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import sparse
from sklearn.feature_extraction.text import CountVectorizer, TfidfTransformer

from models.arrays import EMPTY, Neighbours, Queries, RowIds, Scores
from models.errors import ArtifactInvalid


@dataclass(frozen=True, slots=True)
class NgramConfig:
    """How text becomes n-grams.

    Attributes:
        analyzer: scikit-learn's "char_wb" (n-grams inside padded words), "char" or "word".
        shortest, longest: n.
        sublinear: 1 + log(tf) in place of tf.
        binary: 1 in place of tf.
        strip_accents: é is e. German ä becomes a.
    """

    analyzer: str = "char_wb"
    shortest: int = 2
    longest: int = 4
    sublinear: bool = True
    binary: bool = False
    strip_accents: bool = False


class LexicalIndex:
    """Texts as TF-IDF vectors of unit length; similarity is their cosine, in [0, 1].

    scikit-learn fits the vocabulary and the rows and cuts queries into n-grams; a query's similarities are summed over
    its n-grams' postings here, since scikit-learn's checks cost a single query four times its arithmetic.

    Args:
        config: how text becomes n-grams.
        vocabulary: n-gram → column.
        idf: (columns,) inverse document frequencies.
        rows: (size, columns) CSR float32, unit rows.
    """

    def __init__(
        self,
        config: NgramConfig,
        *,
        vocabulary: Mapping[str, int],
        idf: NDArray[np.float32],
        rows: sparse.csr_matrix,
    ) -> None:
        self.config = config
        self._vocabulary = vocabulary
        self._idf = np.asarray(idf, np.float32)
        self._rows = rows
        self._postings = rows.tocsc()
        self._allowed: NDArray[np.bool_] | None = None
        self._grams: Callable[[str], list[str]] = _vectorizer(config).build_analyzer()

    @classmethod
    def build(cls, texts: Sequence[str], *, config: NgramConfig | None = None) -> "LexicalIndex":
        """Index texts; an empty text becomes a row that nothing matches."""
        config = config or NgramConfig()
        # A terminology of only blanks has no n-gram, and scikit-learn refuses an empty vocabulary.
        some = texts if any(t.strip() for t in texts) else [*texts, "\u241f"]
        counts, vocabulary = (
            _of_words(some, config) if config.analyzer == "char_wb" else _counted(some, _vectorizer(config))
        )
        weighing = TfidfTransformer(sublinear_tf=config.sublinear)
        rows = weighing.fit_transform(counts)[: len(texts)]
        return cls(config, vocabulary=vocabulary, idf=weighing.idf_, rows=sparse.csr_matrix(rows, dtype=np.float32))

    @classmethod
    def from_parts(cls, settings: Mapping[str, Any], tensors: Mapping[str, NDArray[Any]]) -> "LexicalIndex":
        """The inverse of `settings` and `tensors`, as an artifact keeps them."""
        grams = settings["vocabulary"]
        shape = (len(tensors["indptr"]) - 1, len(grams))
        rows = sparse.csr_matrix((tensors["data"], tensors["indices"], tensors["indptr"]), shape=shape)
        if len(tensors["idf"]) != len(grams):
            raise ArtifactInvalid("lexical index: idf and vocabulary differ in length")
        vocabulary = {gram: column for column, gram in enumerate(grams)}
        return cls(NgramConfig(**settings["config"]), vocabulary=vocabulary, idf=tensors["idf"], rows=rows)

    @property
    def settings(self) -> dict[str, Any]:
        """Config and vocabulary, as JSON."""
        return {"config": asdict(self.config), "vocabulary": sorted(self._vocabulary, key=self._vocabulary.__getitem__)}

    @property
    def tensors(self) -> dict[str, NDArray[Any]]:
        """The sparse rows and idf, as arrays."""
        rows = self._rows
        return {"data": rows.data, "indices": rows.indices, "indptr": rows.indptr, "idf": self._idf}

    @property
    def size(self) -> int:
        """The number of rows."""
        return int(self._rows.shape[0])

    def among(self, rows: RowIds) -> "LexicalIndex":
        """The same index, in which only these rows can be found."""
        some = copy.copy(self)
        some._allowed = np.zeros(self.size, bool)
        some._allowed[rows] = True
        return some

    def search(self, queries: Queries, *, k: int) -> Neighbours:
        """The k most similar rows, ties by lower id; rows that share no n-gram are not found (id −1)."""
        return self.search_beside(queries, np.zeros((len(queries), 0), np.int64), k=k)[0]

    def score(self, queries: Queries, rows: RowIds) -> Scores:
        """Cosines with the rows asked for, (n, k); −inf for id −1."""
        scores = np.full(rows.shape, -np.inf, np.float32)
        for i, text in enumerate(queries.texts):
            scores[i] = np.where(rows[i] == EMPTY, -np.inf, self._similarities(text)[rows[i]])
        return scores

    def search_beside(self, queries: Queries, rows: RowIds, *, k: int) -> tuple[Neighbours, Scores]:
        """`search`, and `score` of some rows besides, for the work of one."""
        n, k = len(queries), min(k, self.size)
        found = Neighbours(np.full((n, k), -np.inf, np.float32), np.full((n, k), EMPTY, np.int64))
        beside = np.empty(rows.shape, np.float32)
        for i, text in enumerate(queries.texts):
            similar = self._similarities(text)
            best = _best(similar if self._allowed is None else np.where(self._allowed, similar, 0), k)
            found.scores[i, : len(best)], found.ids[i, : len(best)] = similar[best], best
            beside[i] = np.where(rows[i] == EMPTY, -np.inf, similar[rows[i]])
        return found, beside

    def encode(self, text: str) -> tuple[NDArray[np.int64], NDArray[np.float32]]:
        """The columns of a text's known n-grams, and its unit TF-IDF weights there; both empty where none is known."""
        counts = Counter(self._vocabulary[gram] for gram in self._grams(text) if gram in self._vocabulary)
        columns = np.fromiter(counts.keys(), np.int64, len(counts))
        frequencies = np.fromiter(counts.values(), np.float32, len(counts))
        if self.config.binary:
            frequencies[:] = 1
        elif self.config.sublinear:
            frequencies = 1 + np.log(frequencies)
        weights = frequencies * self._idf[columns]
        length = np.linalg.norm(weights)
        return columns, weights / length if length else weights

    def _similarities(self, text: str) -> NDArray[np.float32]:
        """The cosine of a text with every row, (size,)."""
        columns, weights = self.encode(text)
        starts, ends = self._postings.indptr[columns], self._postings.indptr[columns + 1]
        spans = [slice(s, e) for s, e in zip(starts.tolist(), ends.tolist(), strict=True)]
        if not spans:
            return np.zeros(self.size, np.float32)
        rows = np.concatenate([self._postings.indices[span] for span in spans])
        values = np.concatenate([self._postings.data[span] for span in spans])
        bounds = np.concatenate([[0], np.cumsum(ends - starts)])
        # A third of what numpy.bincount takes, which sums in float64.
        some = sparse.csc_matrix((values, rows, bounds), shape=(self.size, len(columns)))
        similar: NDArray[np.float32] = some @ weights
        return similar


def _best(similar: NDArray[np.float32], k: int) -> NDArray[np.int64]:
    """The k rows that are most similar, ties by lower id; only those that are similar at all."""
    # All rows level with the k-th stay in, so that ties are broken by id and not by chance.
    lowest = np.partition(similar, len(similar) - k)[len(similar) - k] if k < len(similar) else 0.0
    rows = np.flatnonzero(similar >= lowest if lowest > 0 else similar)
    # Rows are in rising order, and a stable sort leaves them so where they tie.
    return rows[np.argsort(-similar[rows], kind="stable")[:k]]


def _counted(texts: Sequence[str], vectorizer: CountVectorizer) -> tuple[sparse.csr_matrix, dict[str, int]]:
    """How often each n-gram is in each text, and its column."""
    counts = sparse.csr_matrix(vectorizer.fit_transform(texts))
    return counts, {gram: int(column) for gram, column in vectorizer.vocabulary_.items()}


def _of_words(texts: Sequence[str], config: NgramConfig) -> tuple[sparse.csr_matrix, dict[str, int]]:
    """The same for n-grams inside words: each distinct word is cut once, which takes a quarter of the time."""
    prepared = _vectorizer(config).build_preprocessor()
    words: dict[str, int] = {}
    said = [[words.setdefault(word, len(words)) for word in prepared(text).split()] for text in texts]
    columns = np.fromiter(chain.from_iterable(said), np.int64)
    bounds = np.cumsum([0, *map(len, said)])
    texts_of_words = sparse.csr_matrix(
        (np.ones(len(columns), np.float32), columns, bounds), shape=(len(texts), len(words))
    )
    # Prepared once, as a query is: "℃" without its compatibility is "°C", which a second time were "°c".
    grams, vocabulary = _counted(list(words), _vectorizer(config).set_params(preprocessor=str))
    counts = sparse.csr_matrix(texts_of_words @ grams)
    counts.sort_indices()
    if config.binary:
        counts.data[:] = 1
    return counts, vocabulary


def _vectorizer(config: NgramConfig) -> CountVectorizer:
    return CountVectorizer(
        analyzer=config.analyzer,
        ngram_range=(config.shortest, config.longest),
        binary=config.binary,
        strip_accents="unicode" if config.strip_accents else None,
        lowercase=True,
        dtype=np.float32,
    )
