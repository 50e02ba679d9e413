from dataclasses import replace

import pytest

from pipelines.medical.context import function_words, modifiers
from pipelines.medical.dictionary import Dictionary
from pipelines.medical.guesses import Guesser
from pipelines.medical.prepare import MedicalPreparer, language_of
from pipelines.medical.starter import starter
from pipelines.results import Request
from pipelines.terminology import Concept, Term, Terminology


@pytest.fixture(scope="module")
def preparer() -> MedicalPreparer:
    terminology = starter()
    dictionary = Dictionary(terminology, function_words=function_words(), modifiers=modifiers())
    return MedicalPreparer(dictionary, Guesser(terminology, dictionary, alike=0.7), guesses=3, foreign_guesses=40)


def texts(preparer, text, language=None):
    (prepared,) = preparer.prepare([Request(text, language)])
    return [m.text for m in prepared.mentions]


def test_a_short_text_is_looked_up_in_every_language(preparer):
    assert texts(preparer, "HTA, fiebre") == ["HTA", "fiebre"]
    assert "HTA" not in texts(preparer, "HTA, fiebre", "de")


def test_an_abbreviation_stands_for_what_the_text_says(preparer):
    text = "Shortness of breath (SOB) was worse; SOB at night and fever too since the last visit."
    (prepared,) = preparer.prepare([Request(text)])
    assert [(m.text, m.query) for m in prepared.mentions if m.text == "SOB"] == [("SOB", "Shortness of breath")] * 2


def test_a_language_without_aliases_is_tried_by_stretches(preparer):
    assert {"feber", "hosta", "huvudvärk"} <= set(texts(preparer, "Barnet har feber och hosta, ingen huvudvärk."))


@pytest.mark.parametrize(
    ("text", "language"),
    [
        ("The patient was discharged.", "en"),
        ("Die Patientin wurde entlassen.", "de"),
        ("La patiente est sortie hier.", "fr"),
        ("La paciente fue dada de alta.", "es"),
        ("De patiënt is naar huis.", "nl"),
        ("Боль в груди", "ru"),
        ("胸痛三天", "zh"),
        ("左室肥大", "zh"),
        ("胸が痛い", "ja"),
        ("MRI検査で脳梗塞を認めた", "ja"),
        ("두통", "ko"),
        ("صداع شديد", "ar"),
        ("The β-thalassemia of the patient is mild.", "en"),
        ("…", None),
        ("", None),
    ],
)
def test_languages_are_told_apart(text, language):
    assert language_of(text) == language


@pytest.mark.parametrize(("text", "language"), [("Kein Fieber", "de"), ("Sin fiebre", "es"), ("Geen hoofdpijn", "nl")])
def test_a_short_text_is_read_in_the_language_of_what_it_names(preparer, text, language):
    (prepared,) = preparer.prepare([Request(text)])
    assert prepared.language == language
    assert prepared.mentions[0].facts["negated"]


def test_an_abbreviation_that_the_text_explains_otherwise_is_no_alias(preparer):
    assert "HTA" in texts(preparer, "La patiente a une HTA et de la fièvre depuis trois jours déjà.", "fr")
    said = "Le handicap total apparent (HTA) est noté. HTA et fièvre depuis trois jours déjà."
    assert "HTA" not in texts(preparer, said, "fr")


def test_an_inflected_mention_is_searched_for_by_its_alias(preparer):
    (prepared,) = preparer.prepare([Request("The child had two seizures and several nosebleeds last week.", "en")])
    assert {m.text: m.query for m in prepared.mentions}["nosebleeds"] == "Nosebleed"


def test_a_language_that_names_few_concepts_is_tried_by_stretches_too():
    concepts = [Concept(f"T:{i}", name, [Term(name, "en")]) for i, name in enumerate(["Fever", "Cough", "Vertigo"])]
    concepts[0] = replace(concepts[0], terms=[*concepts[0].terms, Term("Koorts", "nl")])
    terminology = Terminology("t", version="1", concepts=concepts)
    dictionary = Dictionary(terminology, function_words=function_words(), modifiers=modifiers())
    some = MedicalPreparer(dictionary, Guesser(terminology, dictionary, alike=0.7), guesses=3, foreign_guesses=40)
    found = texts(some, "De patiënt heeft koorts en klaagt over duizeligheid sinds gisteren.", "nl")
    assert {"koorts", "duizeligheid"} <= set(found)


def test_no_alias_is_looked_for_in_a_given_mention_that_is_longer_than_any(preparer, monkeypatch):
    text = "No fever was seen. " * 20
    looked = []
    find = preparer._dictionary.find
    monkeypatch.setattr(
        preparer._dictionary, "find", lambda words, *_, **said: looked.append(words) or find(words, *_, **said)
    )
    preparer.prepare([Request(text, "en", mentions=((0, 8), (0, 300)))])
    assert [len(words) for words in looked] == [2]
