import pytest

from pipelines.medical.several import unite
from pipelines.results import Candidate, Decision

THRESHOLD = 0.5


def candidate(terminology, concept_id, confidence, **codes):
    named = {system.replace("_", "-"): code for system, code in codes.items()}
    return Candidate(
        0, concept_id, concept_id, "t", "en", 1.0, {}, codes=named, confidence=confidence, terminology=terminology
    )


def decision(*candidates):
    best = candidates[0]
    if best.confidence < THRESHOLD:
        return Decision(None, None, best.confidence, candidates, ("below min_confidence",))
    return Decision(best.concept_id, best.name, best.confidence, candidates)


def shown(united):
    return [(c.terminology, c.concept_id) for c in united.candidates]


def test_the_surest_of_all_terminologies_answers():
    united = unite([decision(candidate("a", "1", 0.6)), decision(candidate("b", "2", 0.9))], top_k=5)
    assert (united.terminology, united.concept_id, united.confidence) == ("b", "2", 0.9)
    assert shown(united) == [("b", "2"), ("a", "1")]
    assert [c.score for c in united.candidates] == [0.9, 0.6]


def test_ties_go_to_the_terminology_asked_first():
    united = unite([decision(candidate("a", "1", 0.6)), decision(candidate("b", "2", 0.6))], top_k=1)
    assert (united.source, shown(united)) == ("a", [("a", "1")])


@pytest.mark.parametrize(
    ("hpo", "icd"),
    [
        (candidate("hpo", "HP:1", 0.9, icd_10_cm="R04.0|R04.1"), candidate("icd", "R04.0", 0.8, icd_10_cm="R04.0")),
        (candidate("hpo", "HP:1", 0.9, icd_10="R04.0"), candidate("icd", "R04.0", 0.8, icd_10_cm="R04.0")),
        (candidate("hpo", "HP:1", 0.9, icd_10="I10"), candidate("who", "I10", 0.8, icd_10="I10")),
        (candidate("hpo", "HP:1", 0.9), candidate("own", "HP:1", 0.8)),
        (candidate("hpo", "HP:1", 0.9), candidate("own", "x", 0.8, hpo="1")),
        (candidate("hpo", "HP:1", 0.9, umls="C1|C2"), candidate("mesh", "MESH:D1", 0.8, umls="C2")),
    ],
    ids=["icd", "who", "who itself", "same id", "named back", "shared"],
)
def test_cross_references_unite(hpo, icd):
    united = unite([decision(hpo), decision(icd)], top_k=5)
    (one,) = united.candidates
    assert one.concept_id == "HP:1"
    assert one.confidence == 0.9
    assert all(code in one.codes.get(system, "").split("|") for system, code in icd.codes.items() if system != "hpo")


def test_a_shared_code_of_icd_does_not_unite():
    a, b = candidate("hpo", "HP:1", 0.9, icd_10="R04"), candidate("mondo", "MONDO:1", 0.8, icd_10="R04")
    assert len(unite([decision(a), decision(b)], top_k=5).candidates) == 2


def test_one_terminology_does_not_name_a_concept_twice():
    both = decision(candidate("icd", "A", 0.9, umls="C1"), candidate("icd", "B", 0.05, umls="C1"))
    united = unite([both, decision(candidate("hpo", "HP:1", 0.8, umls="C1"))], top_k=5)
    assert shown(united) == [("icd", "A"), ("icd", "B")]
    assert united.candidates[0].codes["hpo"] == "1"


def test_what_a_terminology_decided_for_leads_its_united_concept():
    refused = Decision(None, None, 0.95, [candidate("a", "HP:1", 0.95)], ("names nothing in this terminology",))
    united = unite([refused, decision(candidate("b", "HP:1", 0.7))], top_k=5)
    assert (united.source, united.chosen.terminology, united.notes) == ("b", "b", ())


@pytest.mark.parametrize("top_k", [1, 5])
def test_what_is_decided_for_stands_first(top_k):
    refused = Decision(None, None, 0.7, [candidate("b", "1", 0.7)], ("below min_confidence",))
    united = unite([decision(candidate("a", "1", 0.6)), refused], top_k=top_k)
    assert (united.concept_id, united.chosen.terminology) == ("1", "a")
    assert shown(united) == [("a", "1"), ("b", "1")][:top_k]


def test_nil_where_all_say_nil():
    united = unite([decision(candidate("a", "1", 0.2)), decision(candidate("b", "2", 0.3))], top_k=5)
    assert united.nil
    assert (united.confidence, united.source, united.chosen) == (0.3, None, None)
    assert united.notes == ("below min_confidence",)
    assert shown(united) == [("b", "2"), ("a", "1")]


def test_ids_that_two_terminologies_use_for_different_things_are_told_apart():
    united = unite([decision(candidate("a", "1", 0.6)), decision(candidate("b", "1", 0.9))], top_k=5)
    assert len(united.candidates) == 2
    assert united.chosen.terminology == "b"
