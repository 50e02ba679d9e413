"""Lexical rows: TF-IDF over character n-grams, as sparse vectors, by scikit-learn and scipy."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import sparse
from sklearn.feature_extraction.text import TfidfVectorizer

from models.arrays import EMPTY, Neighbours, Queries, RowIds, Scores
from models.errors import ArtifactInvalid


@dataclass(frozen=True, slots=True)
class NgramConfig:
    """How text becomes n-grams.

    Attributes:
        analyzer: scikit-learn's "char_wb" (n-grams inside padded words), "char" or "word".
        shortest, longest: n.
        sublinear: 1 + log(tf) in place of tf.
    """

    analyzer: str = "char_wb"
    shortest: int = 2
    longest: int = 4
    sublinear: bool = True


class LexicalIndex:
    """Texts as TF-IDF vectors of unit length; similarity is their cosine, in [0, 1].

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
        idf: NDArray[np.float64],
        rows: sparse.csr_matrix,
    ) -> None:
        self.config = config
        self._rows = rows
        self._columns = rows.T.tocsr()
        self._vectorizer = _vectorizer(config, vocabulary=dict(vocabulary))
        self._vectorizer.idf_ = idf

    @classmethod
    def build(cls, texts: Sequence[str], *, config: NgramConfig | None = None) -> "LexicalIndex":
        """Index texts; an empty text becomes a row that nothing matches."""
        config = config or NgramConfig()
        vectorizer = _vectorizer(config)
        # A terminology of only blanks has no n-gram, and scikit-learn refuses an empty vocabulary.
        rows = vectorizer.fit_transform(texts if any(t.strip() for t in texts) else [*texts, "\u241f"])[: len(texts)]
        return cls(
            config,
            vocabulary={gram: int(column) for gram, column in vectorizer.vocabulary_.items()},
            idf=vectorizer.idf_,
            rows=sparse.csr_matrix(rows, dtype=np.float32),
        )

    @classmethod
    def from_parts(cls, settings: Mapping[str, Any], tensors: Mapping[str, NDArray[Any]]) -> "LexicalIndex":
        """The inverse of `settings` and `tensors`, as an artifact keeps them."""
        grams = settings["vocabulary"]
        shape = (len(tensors["indptr"]) - 1, len(grams))
        rows = sparse.csr_matrix((tensors["data"], tensors["indices"], tensors["indptr"]), shape=shape)
        if len(tensors["idf"]) != len(grams):
            raise ArtifactInvalid("lexical index: idf and vocabulary differ in length")
        return cls(
            NgramConfig(**settings["config"]),
            vocabulary={gram: column for column, gram in enumerate(grams)},
            idf=tensors["idf"],
            rows=rows,
        )

    @property
    def settings(self) -> dict[str, Any]:
        """Config and vocabulary, as JSON."""
        vocabulary = self._vectorizer.vocabulary
        return {"config": asdict(self.config), "vocabulary": sorted(vocabulary, key=vocabulary.__getitem__)}

    @property
    def tensors(self) -> dict[str, NDArray[Any]]:
        """The sparse rows and idf, as arrays."""
        rows = self._rows
        return {"data": rows.data, "indices": rows.indices, "indptr": rows.indptr, "idf": self._vectorizer.idf_}

    @property
    def size(self) -> int:
        """The number of rows."""
        return int(self._rows.shape[0])

    def search(self, queries: Queries, *, k: int) -> Neighbours:
        """The k most similar rows, ties by lower id; rows that share no n-gram are not found (id −1)."""
        n, k = len(queries), min(k, self.size)
        scores = np.full((n, k), -np.inf, np.float32)
        ids = np.full((n, k), EMPTY, np.int64)
        products = self.encode(queries.texts) @ self._columns
        for i in range(n):
            span = slice(products.indptr[i], products.indptr[i + 1])
            similar, rows = products.data[span], products.indices[span].astype(np.int64)
            if len(rows) > k:
                # All rows level with the k-th stay in, so that ties are broken by id and not by chance.
                kept = similar >= np.partition(similar, len(rows) - k)[len(rows) - k]
                similar, rows = similar[kept], rows[kept]
            order = np.lexsort((rows, -similar))[:k]
            scores[i, : len(order)], ids[i, : len(order)] = similar[order], rows[order]
        return Neighbours(scores, ids)

    def score(self, queries: Queries, rows: RowIds) -> Scores:
        """Cosines with the rows asked for, (n, k); −inf for id −1."""
        encoded = self.encode(queries.texts)
        scores = np.full(rows.shape, -np.inf, np.float32)
        for i in range(len(queries)):
            wanted = rows[i] != EMPTY
            dense = np.zeros(encoded.shape[1], np.float32)
            span = slice(encoded.indptr[i], encoded.indptr[i + 1])
            dense[encoded.indices[span]] = encoded.data[span]
            scores[i, wanted] = self._rows[rows[i, wanted]] @ dense
        return scores

    def encode(self, texts: Sequence[str]) -> sparse.csr_matrix:
        """Texts as (n, columns) CSR float32, unit rows (zero rows where no n-gram is known)."""
        if not texts:  # scikit-learn refuses an empty batch
            return sparse.csr_matrix((0, len(self._vectorizer.vocabulary)), dtype=np.float32)
        return sparse.csr_matrix(self._vectorizer.transform(texts), dtype=np.float32)


def _vectorizer(config: NgramConfig, *, vocabulary: Mapping[str, int] | None = None) -> TfidfVectorizer:
    return TfidfVectorizer(
        analyzer=config.analyzer,
        ngram_range=(config.shortest, config.longest),
        sublinear_tf=config.sublinear,
        lowercase=True,
        dtype=np.float32,
        vocabulary=vocabulary,
    )
