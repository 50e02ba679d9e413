"""Whether a text looks like a name of the kind that is asked for, whatever it names."""

from collections.abc import Sequence
from typing import Final

import numpy as np
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression

from pipelines.ngrams import KnownGrams

_LIMIT: Final = 6.0


class Likeness:
    """Logistic regression over character n-grams, by scikit-learn: names against texts that stand beside names.

    Retrieval alone takes "conduct job interviews" for a recruiter, since the words are near; what sort of text it is,
    its spelling tells ("-er" against "-ing"). One more feature of the decision, not a filter.

    Args:
        names: texts of the kind.
        others: texts that are not.
    """

    def __init__(self, names: Sequence[str], others: Sequence[str]) -> None:
        vectorizer = TfidfVectorizer(analyzer="char_wb", ngram_range=(2, 4), min_df=2)
        # Both kinds weigh the same, however many there are of each. C is a guess.
        model = LogisticRegression(C=10.0, class_weight="balanced", solver="liblinear", random_state=0)
        matrix = vectorizer.fit_transform([text.lower() for text in [*names, *others]])
        model.fit(matrix, np.repeat([1, 0], [len(names), len(others)]))
        self._grams = KnownGrams(vectorizer)
        self._idf = vectorizer.idf_
        self._weights = model.coef_[0]
        self._bias = float(model.intercept_[0])

    def score(self, texts: Sequence[str]) -> list[float]:
        """Log-odds that each text is a name, held to ±6."""
        return [self._one(text.lower()) for text in texts]

    def _one(self, text: str) -> float:
        columns, counts = self._grams.of(text)
        vector = counts * self._idf[columns]
        length = float(np.sqrt(vector @ vector)) or 1.0
        odds = float(vector @ self._weights[columns]) / length + self._bias
        return max(-_LIMIT, min(_LIMIT, odds))
