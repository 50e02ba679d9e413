import pytest

from pipelines.medical.context import function_words, variants
from pipelines.medical.dictionary import EXACT, GUESSED, INFLECTED, REORDERED, Dictionary
from pipelines.medical.guesses import Guesser
from pipelines.medical.words import words_of
from pipelines.terminology import Concept, Term, Terminology

TERMS = {
    "1": [("Seizure", "en"), ("Anfall", "de")],
    "2": [("Atrophy of the optic nerve", "en"), ("Atrophie du nerf optique", "fr")],
    "3": [("ALL", "en"), ("Acute lymphoblastic leukemia", "en")],
    "4": [("Short stature", "en"), ("Kleinwuchs", "de"), ("mode", "fr")],
    "5": [("Facial palsy", "en"), ("Palsy", "en")],
    "6": [("發燒", "zh")],
}


@pytest.fixture(scope="module")
def terminology() -> Terminology:
    return Terminology(
        "t", version="1", concepts=[Concept(i, t[0][0], [Term(text, tag) for text, tag in t]) for i, t in TERMS.items()]
    )


@pytest.fixture(scope="module")
def dictionary(terminology) -> Dictionary:
    return Dictionary(terminology, function_words=function_words())


def found(dictionary, text, language="en"):
    words = words_of(text, language=language)
    spans = dictionary.find(words, text, language=language)
    return {text[words[s.first].start : words[s.last - 1].end]: s.kind for s in spans}


def test_aliases_are_found_as_spelled_inflected_and_reordered(dictionary):
    assert found(dictionary, "One seizure, two SEIZURES.") == {"seizure": EXACT, "SEIZURES": INFLECTED}
    assert found(dictionary, "optic nerve atrophy") == {"optic nerve atrophy": REORDERED}
    assert found(dictionary, "atrophy of the optic nerves") == {"atrophy of the optic nerves": INFLECTED}


def test_an_alias_does_not_run_over_a_full_stop(dictionary):
    assert found(dictionary, "He is short. Stature is normal.") == {}


def test_spans_may_overlap_and_the_shorter_is_found_too(dictionary):
    assert set(found(dictionary, "facial palsy")) == {"facial palsy", "palsy"}


def test_capitals_are_asked_of_short_aliases_in_capitals(dictionary):
    assert found(dictionary, "all of it") == {}
    assert found(dictionary, "ALL was found") == {"ALL": EXACT}


def test_words_of_another_language_are_not_taken(dictionary):
    assert found(dictionary, "Kleinwuchs", "de") == {"Kleinwuchs": EXACT}
    assert found(dictionary, "the usual mode", "en") == {}
    assert found(dictionary, "short stature", "de") == {"short stature": EXACT}
    assert found(dictionary, "mode", None) == {"mode": EXACT}


def test_scripts_without_spaces_are_found(dictionary):
    assert found(dictionary, "病人發燒了", "zh") == {"發燒": EXACT}


def test_guesses_are_like_an_alias_and_none(terminology, dictionary):
    text = "We saw atrophy of an optic disc, facial, and two seizures."
    words = words_of(text, language="en")
    known = dictionary.find(words, text, language="en")
    guesser = Guesser(terminology, dictionary, alike=0.5)
    guesses = guesser.guess(words, text, known, language="en", most=5)
    assert all(s.kind == GUESSED for s in guesses)
    assert "atrophy of an optic" in [text[words[s.first].start : words[s.last - 1].end] for s in guesses]
    assert not {(s.first, s.last) for s in guesses} & {(s.first, s.last) for s in known}
    assert len(guesser.guess(words, text, known, language="en", most=1)) == 1
    assert guesser.guess(words, text, known, language="en", most=0) == []


def test_a_guess_does_not_cut_through_a_known_span(terminology, dictionary):
    text = "optic facial palsy nerve"
    words = words_of(text, language="en")
    known = dictionary.find(words, text, language="en")
    guesses = Guesser(terminology, dictionary, alike=0.0).guess(words, text, known, language="en", most=50)
    assert guesses
    assert all(not (s.first == 2 or s.last == 2) for s in guesses)


def test_in_a_language_without_aliases_short_stretches_are_guessed(terminology, dictionary):
    text = "Dziecko ma napady drgawkowe, bez innych."
    words = words_of(text, language="pl")
    guesses = Guesser(terminology, dictionary, alike=0.9).guess(words, text, [], language="pl", most=50)
    texts = [text[words[s.first].start : words[s.last - 1].end] for s in guesses]
    assert {"napady", "napady drgawkowe", "drgawkowe", "innych"} <= set(texts)
    assert not any("," in guess for guess in texts)


NAMES = {
    "7": ["Abnormality of the kidney", "Anomalie du rein"],
    "8": ["Type C brachydactyly"],
    "9": ["Nausea and vomiting"],
    "10": ["Branchial fistula"],
    "11": ["Unable to"],
    "12": ["Anaemia"],
}


@pytest.fixture(scope="module")
def named() -> Dictionary:
    concepts = [
        Concept(i, names[0], [Term(t, tag) for t, tag in zip(names, ("en", "fr"), strict=False)])
        for i, names in NAMES.items()
    ]
    return Dictionary(
        Terminology("n", version="1", concepts=concepts), function_words=function_words(), variants=variants()
    )


def test_words_that_say_the_same_make_the_same_name(named):
    assert found(named, "several renal anomalies") == {"renal anomalies": REORDERED}
    assert found(named, "des malformations rénales", "fr") == {"malformations rénales": REORDERED}


def test_a_letter_belongs_to_its_name(named):
    assert found(named, "brachydactyly type C was seen") == {"brachydactyly type C": REORDERED}
    assert found(named, "a brachydactyly type") == {}


def test_what_a_comma_parts_is_not_one_alias(named):
    assert found(named, "nausea, vomiting") == {}
    assert found(named, "nausea and vomiting") == {"nausea and vomiting": EXACT}


def test_british_and_latin_spellings_are_inflections(named):
    assert set(found(named, "branchial fistulae and anemias")) == {"branchial fistulae", "anemias"}


def test_an_alias_may_end_in_a_word_that_joins(named):
    assert found(named, "he was unable to walk")["unable to"] == EXACT


def test_an_inflected_span_knows_its_alias(named):
    text = "branchial fistulae"
    (span,) = named.find(words_of(text, language="en"), text, language="en")
    assert (span.alias, span.content) == ("Branchial fistula", 2)
