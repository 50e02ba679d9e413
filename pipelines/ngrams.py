"""A text's known n-grams, one text at a time, as a fitted scikit-learn vectorizer cuts them."""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence

import numpy as np
from numpy.typing import NDArray
from sklearn.feature_extraction.text import CountVectorizer


class KnownGrams:
    """Columns and counts of a text's n-grams that a vectorizer knows.

    scikit-learn's `transform` costs a millisecond a call, whatever the text: too much for one title of a request.

    Args:
        vectorizer: fitted.
    """

    def __init__(self, vectorizer: CountVectorizer) -> None:
        self._grams: Callable[[str], Sequence[str]] = vectorizer.build_analyzer()
        self._vocabulary: Mapping[str, int] = {gram: int(column) for gram, column in vectorizer.vocabulary_.items()}

    def of(self, text: str) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
        """(g,) columns, each once, and (g,) how often each occurs."""
        vocabulary = self._vocabulary
        counts = Counter([vocabulary[gram] for gram in self._grams(text) if gram in vocabulary])
        n = len(counts)
        return np.fromiter(counts.keys(), np.int64, n), np.fromiter(counts.values(), np.float64, n)
