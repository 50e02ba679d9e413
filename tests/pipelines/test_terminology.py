import pytest

from pipelines.errors import ConceptUnknown, SourceError
from pipelines.terminology import Concept, Term, Terminology


def test_rows_map_terms_to_concepts(terminology):
    assert terminology.rows == len(terminology.row_terms) == len(terminology.row_concepts)
    for term, c in zip(terminology.row_terms, terminology.row_concepts, strict=True):
        assert term in terminology.concepts[c].terms
    assert terminology.languages == ["de", "en"]


def test_terms_that_differ_only_in_case_share_a_row():
    concept = Concept("x:1", "Nurse", [Term("Nurse", "en", "preferred"), Term("nurse", "en"), Term("NURSE", "en")])
    assert [t.text for t in Terminology("t", version="1", concepts=[concept]).row_terms] == ["Nurse"]


def test_lines_round_trip(terminology):
    again = Terminology.from_lines("twelve", version="1", lines=terminology.to_lines())
    assert list(again.to_lines()) == list(terminology.to_lines())
    assert again.rows == terminology.rows


def test_ids_must_be_unique():
    with pytest.raises(SourceError, match="twice"):
        Terminology("t", version="1", concepts=[Concept("x", "a", []), Concept("x", "b", [])])


def test_ancestors_come_nearest_first_and_survive_cycles_and_strangers():
    concepts = [
        Concept("a", "a", [], parents=["b", "gone"]),
        Concept("b", "b", [], parents=["c"]),
        Concept("c", "c", [], parents=["a"]),
    ]
    terminology = Terminology("t", version="1", concepts=concepts)
    assert terminology.ancestors("a") == ["b", "c"]


def test_an_unknown_concept_is_named_as_such(terminology):
    with pytest.raises(ConceptUnknown):
        terminology.concept("T:none")
