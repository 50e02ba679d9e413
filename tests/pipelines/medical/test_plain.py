"""What a classification's names are called in texts."""

import pytest

from pipelines.medical.plain import parents_of, plain, searched
from pipelines.terminology import Concept, Term, Terminology


def _concept(code: str, *terms: tuple[str, str], parents: tuple[str, ...] = ()) -> Concept:
    return Concept(code, terms[0][0], [Term(text, language) for text, language in terms], parents=parents)


def _terminology(*concepts: Concept) -> Terminology:
    return Terminology("icd", version="1", concepts=concepts)


@pytest.mark.parametrize(
    ("name", "language", "called"),
    [
        ("Fever, unspecified", "en", ["Fever"]),
        ("Unspecified abdominal pain", "en", ["abdominal pain"]),
        ("Difficulty in swallowing NOS", "en", ["Difficulty in swallowing"]),
        ("Hemorrhage, not elsewhere classified", "en-US", ["Hemorrhage"]),
        ("Flatback syndrome, site unspecified", "en", ["Flatback syndrome"]),
        ("Pressure ulcer of left heel, unspecified stage", "en", ["Pressure ulcer of left heel"]),
        ("Rheumatoid arthritis of unspecified site", "en", ["Rheumatoid arthritis"]),
        ("Essential (primary) hypertension", "en", ["Essential hypertension"]),
        ("Fiebre, no especificada", "es", ["Fiebre"]),
        ("Anemia de tipo no especificado", "es", ["Anemia"]),
        ("Lepra [enfermedad de Hansen]", "es", ["Lepra", "enfermedad de Hansen"]),
        ("Encefalitis por adenovirus (G05.1)", "es", ["Encefalitis por adenovirus"]),
        ("Hémorragie, non classée ailleurs", "fr", ["Hémorragie"]),
        ("Anémie, sans précision", "fr", ["Anémie"]),
        ("Fieber, nicht näher bezeichnet", "de", ["Fieber"]),
        ("Anämie o.n.A.", "de", ["Anämie"]),
        ("Nicht näher bezeichnete Anämie", "de", ["Anämie"]),
        ("Febbre, non specificata", "it", ["Febbre"]),
        ("Febre, não especificada", "pt", ["Febre"]),
        ("Koorts, niet gespecificeerd", "nl", ["Koorts"]),
    ],
)
def test_a_name_loses_what_only_a_classification_says(name: str, language: str, called: list[str]) -> None:
    assert plain(name, language) == called


@pytest.mark.parametrize(
    ("name", "language"),
    [
        ("Fever", "en"),
        ("Unspecified", "en"),
        ("Nosebleed", "en"),
        ("Mastocitosis", "es"),
        ("Fièvre", None),
        ("Pain, no especificado", "de"),
        ("[]", "en"),
        ("", "es"),
    ],
)
def test_other_names_stay_as_they_are(name: str, language: str | None) -> None:
    assert plain(name, language) == []


def test_codes_are_their_own_hierarchy_where_none_is_stated() -> None:
    codes = ("r13", "r13.1", "r13.10")

    assert parents_of(_terminology(*(_concept(code, ("name", "en")) for code in codes))) == [None, 0, 1]


def test_stated_parents_win_and_other_ids_have_none() -> None:
    below = _concept("r13.1", ("b", "en"), parents=("r14",))
    stated = _terminology(_concept("r13", ("a", "en")), below, _concept("r14", ("c", "en")))

    assert parents_of(stated) == [None, 2, None]
    assert parents_of(_terminology(_concept("HP:1", ("a", "en")), _concept("HP:12", ("b", "en")))) == [None, None]


def test_the_concept_of_nothing_more_is_known_by_the_broader_names() -> None:
    known = _terminology(
        _concept("r13", ("Dysphagia", "en"), ("Disfagia", "es")),
        _concept("r13.10", ("Dysphagia, unspecified", "en")),
        _concept("r13.11", ("Dysphagia, oral phase", "en")),
    )

    made = searched(known)

    assert [(t.text, t.language, t.kind) for t in made.concept("r13.10").terms] == [
        ("Dysphagia, unspecified", "en", "alternative"),
        ("Dysphagia", "en", "hidden"),
        ("Disfagia", "es", "hidden"),
    ]
    assert made.concept("r13.11").terms == known.concept("r13.11").terms
    assert made.concept("r13").name == "Dysphagia"


def test_several_levels_of_nothing_more_hand_their_names_down() -> None:
    made = searched(
        _terminology(
            _concept("k59", ("Trouble", "en"), ("Trastorno", "es")),
            _concept("k59.9", ("Trouble, unspecified", "en")),
            _concept("k59.90", ("Trouble, unspecified, NOS", "en")),
        )
    )

    assert "Trastorno" in [t.text for t in made.concept("k59.90").terms]


def test_one_child_at_most_stands_for_the_parent() -> None:
    made = searched(
        _terminology(
            _concept("a15", ("Lung disease", "en"), ("Mal", "es")),
            _concept("a15.8", ("Other disease, unspecified cause", "en")),
            _concept("a15.9", ("Lung disease, unspecified", "en")),
        )
    )

    assert "Mal" not in [t.text for t in made.concept("a15.8").terms]
    assert "Mal" in [t.text for t in made.concept("a15.9").terms]


def test_parents_in_a_circle_end():
    a = _concept("A", ("Fever, unspecified", "en"), parents=("B",))
    b = _concept("B", ("Fever, unspecified", "en"), parents=("A",))
    own = _concept("C", ("Rash, unspecified", "en"), parents=("C",))
    found = searched(_terminology(a, b, own))
    assert {t.text for t in found.concepts[0].terms} == {"Fever, unspecified", "Fever"}
    assert {t.text for t in found.concepts[2].terms} == {"Rash, unspecified", "Rash"}
