import numpy as np
import pytest
from sklearn.feature_extraction.text import CountVectorizer, TfidfVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.naive_bayes import MultinomialNB

from pipelines.language import LanguageGuesser
from pipelines.likeness import Likeness

NAMES = [
    "line cook",
    "night cook",
    "book keeper",
    "bus driver",
    "taxi driver",
    "nurse",
    "night nurse",
    "Koch",
    "Fahrerin",
]
OTHERS = ["driving", "cooking", "keeping books", "nursing care", "good night", "driving a taxi", "booking"]
ASKED = ["taxi driver", "night driving", "COOK", "", "1234", "öü", "nurse nurse nurse"]


def test_likeness_is_scikit_learns_decision():
    vectorizer = TfidfVectorizer(analyzer="char_wb", ngram_range=(2, 4), min_df=2)
    model = LogisticRegression(C=10.0, class_weight="balanced", solver="liblinear", random_state=0)
    model.fit(vectorizer.fit_transform([t.lower() for t in NAMES + OTHERS]), [1] * len(NAMES) + [0] * len(OTHERS))
    expected = np.clip(model.decision_function(vectorizer.transform([t.lower() for t in ASKED])), -6, 6)
    assert Likeness(NAMES, OTHERS).score(ASKED) == pytest.approx(expected.tolist())


def test_the_guess_is_scikit_learns_prediction():
    languages = ["en"] * 7 + ["de"] * 2
    vectorizer = CountVectorizer(analyzer="char_wb", ngram_range=(2, 4), binary=True)
    model = MultinomialNB(alpha=0.05)
    model.fit(vectorizer.fit_transform([t.lower() for t in NAMES]), languages)
    asked = [t for t in ASKED if any(map(str.isalpha, t)) and t != "öü"]
    expected = model.predict(vectorizer.transform([t.lower() for t in asked])).tolist()
    assert LanguageGuesser(NAMES, languages).guess(asked) == expected


def test_no_texts_have_no_likeness():
    assert Likeness(NAMES, OTHERS).score([]) == []
