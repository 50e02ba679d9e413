import pytest

from pipelines.job_titles.prepare import title_language
from pipelines.language import LanguageGuesser


@pytest.mark.parametrize(
    ("text", "language"),
    [
        ("Software Engineer", "en"),
        ("Account Manager", "en"),
        ("Gesundheits- und Krankenpflegerin", "de"),
        ("infirmière diplômée d'État", "fr"),
        ("ingeniero de caminos", "es"),
        ("addetto alle vendite", "it"),
        ("medewerker klantenservice", "nl"),
        ("12345 ---", None),
        ("", None),
    ],
)
def test_short_titles_are_told_apart(text, language):
    assert title_language().guess([text]) == [language]


def test_an_empty_batch_guesses_nothing():
    assert LanguageGuesser(["abc", "xyz"], ["en", "de"]).guess([]) == []
