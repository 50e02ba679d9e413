"""Which language a short text is in, where nobody says."""

from collections.abc import Sequence

import numpy as np
from sklearn.feature_extraction.text import CountVectorizer
from sklearn.naive_bayes import MultinomialNB

from pipelines.ngrams import KnownGrams


class LanguageGuesser:
    """Naive Bayes over character n-grams, by scikit-learn, fitted on texts of the kind to be guessed.

    General detectors are made for sentences. Fitted on a few thousand titles this is right more often than lingua on
    English, German, French and Spanish ones, less often on Dutch and Italian, for a fifth of the work and none of its
    memory (benchmarks/quality/language.py).

    Args:
        texts: n short texts.
        languages: n BCP 47 primary subtags.
    """

    def __init__(self, texts: Sequence[str], languages: Sequence[str]) -> None:
        vectorizer = CountVectorizer(analyzer="char_wb", ngram_range=(2, 4), binary=True)
        # The samples' sizes are the prior: what is asked in most. α = .05: .5 drowns the languages with few samples.
        bayes = MultinomialNB(alpha=0.05)
        bayes.fit(vectorizer.fit_transform([text.lower() for text in texts]), list(languages))
        self._grams = KnownGrams(vectorizer)
        self._languages = [str(language) for language in bayes.classes_]
        self._prior = bayes.class_log_prior_
        self._log_odds = np.ascontiguousarray(bayes.feature_log_prob_.T)

    def guess(self, texts: Sequence[str]) -> list[str | None]:
        """One language per text; None where nothing can be told: no letters, or an unknown script."""
        return [self._one(text.lower()) for text in texts]

    def _one(self, text: str) -> str | None:
        columns, _ = self._grams.of(text)
        if len(columns) == 0 or not any(map(str.isalpha, text)):
            return None
        return self._languages[int((self._prior + self._log_odds[columns].sum(axis=0)).argmax())]
