"""Which language a short text is in, where nobody says."""

from collections.abc import Sequence

import numpy as np
from sklearn.feature_extraction.text import CountVectorizer
from sklearn.naive_bayes import MultinomialNB


class LanguageGuesser:
    """Naive Bayes over character n-grams, by scikit-learn, fitted on texts of the kind to be guessed.

    General detectors are made for sentences: on job titles lingua took "software engineer" for Finnish, and half of the
    English titles for something else. Fitted on a few thousand titles this is right on 19 of 20
    (benchmarks/quality/language.py) at no megabytes.

    Args:
        texts: n short texts.
        languages: n BCP 47 primary subtags.
    """

    def __init__(self, texts: Sequence[str], languages: Sequence[str]) -> None:
        self._grams = CountVectorizer(analyzer="char_wb", ngram_range=(2, 4), binary=True)
        # Every language is as likely as any other. α = .1: .5 drowns the languages with few samples.
        self._bayes = MultinomialNB(alpha=0.1, fit_prior=False)
        self._bayes.fit(self._grams.fit_transform([text.lower() for text in texts]), list(languages))

    def guess(self, texts: Sequence[str]) -> list[str | None]:
        """One language per text; None where nothing can be told: no letters, or an unknown script."""
        if not texts:
            return []
        counts = self._grams.transform([text.lower() for text in texts])
        guessed = self._bayes.predict(counts)
        known = [n > 0 and any(map(str.isalpha, t)) for n, t in zip(np.diff(counts.indptr), texts, strict=True)]
        return [str(language) if seen else None for language, seen in zip(guessed, known, strict=True)]
