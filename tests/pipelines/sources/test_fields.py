import pytest

from pipelines.errors import SourceError
from pipelines.sources import fields
from pipelines.terminology import Term


def test_clean_strips_and_collapses_whitespace_only():
    assert fields.clean("  Koch \t/\n Köchin\u00a0 ", what="a term") == "Koch / Köchin"


@pytest.mark.parametrize(
    ("value", "message"),
    [
        ("", "a term is empty"),
        (" \n", "a term is empty"),
        ("\u200b\ufeff", "a term is empty"),
        ("a\x00b", "a term holds the control character U+0000"),
        ("caf\x85", "a term holds the control character U+0085"),
        ("x" * 1001, "a term has 1,001 characters; at most 1,000"),
        (None, "found null for a term"),
        (True, "found true for a term"),
        (3.5, "found the number 3.5 for a term"),
        (["a"], "found a list of 1 for a term"),
        ({}, "found an object for a term"),
    ],
)
def test_clean_says_what_was_found(value: object, message: str):
    with pytest.raises(SourceError, match=r"^line 7: ") as caught:
        fields.clean(value, what="a term", line=7)
    assert message in str(caught.value)
    assert caught.value.line == 7


def test_shown_never_echoes_a_long_value():
    assert fields.shown("x" * 41) == "a text of 41 characters"
    assert fields.shown("Koch") == "'Koch'"
    assert len(fields.shown(10**300)) < 60


@pytest.mark.parametrize(
    ("tag", "expected"), [("DE", "de"), ("pt_br", "pt-BR"), ("zh-hant-tw", "zh-Hant-TW"), (" fr ", "fr")]
)
def test_language_tag_takes_its_usual_case(tag: str, expected: str):
    assert fields.language_tag(tag) == expected


@pytest.mark.parametrize("tag", ["english", "d", "de-", "source", "de_DE.UTF-8", ""])
def test_language_tag_refuses_what_is_no_tag(tag: str):
    with pytest.raises(SourceError, match="BCP 47"):
        fields.language_tag(tag)


def test_a_missing_preferred_term_is_the_name():
    concept = fields.concept_of("1", "cook", [Term("chef", "en")])
    assert concept.terms == (Term("cook", None, "preferred"), Term("chef", "en"))


def test_the_alternative_that_reads_as_the_name_is_promoted_and_keeps_its_language():
    concept = fields.concept_of("1", "cook", [Term("chef", "en"), Term("cook", "en")])
    assert concept.terms == (Term("cook", "en", "preferred"), Term("chef", "en"))


def test_a_name_that_no_term_reads_as_can_be_found_too():
    concept = fields.concept_of("1", "cook", [Term("Koch", "de", "preferred")])
    assert [term.text for term in concept.terms] == ["cook", "Koch"]


def test_languages_keep_regional_and_unmarked_terms_and_never_empty_a_concept():
    terms = [Term("cook", "en", "preferred"), Term("Koch", "de"), Term("Smutje", "de-AT"), Term("1", None)]
    german = fields.concept_of("1", "cook", terms, languages=["de"])
    assert [term.text for term in german.terms] == ["Koch", "Smutje", "1"]
    assert fields.concept_of("1", "cook", terms[:1], languages=["de"]).terms == (Term("cook", None, "preferred"),)
