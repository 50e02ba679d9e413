import numpy as np
import pytest

from pipelines.deciding import CalibratedDecider, TakeBest, features
from pipelines.results import Candidate, Mention, Options

MENTION = Mention("Nurse", "nurse", 0, 5)


class FirstFeature:
    """A calibrator whose probability is the score."""

    def probabilities(self, features):
        return features[:, 0]


def candidate(terminology, concept_id, score):
    concept = terminology.by_id[concept_id]
    name = terminology.concepts[concept].name
    return Candidate(concept, concept_id, name, "nurse", "en", score, {"dense": score})


def decide(terminology, scores, *, threshold=0.5, **options):
    candidates = [candidate(terminology, c, s) for c, s in scores.items()]
    decider = CalibratedDecider(terminology, FirstFeature(), threshold)
    return decider.decide([MENTION], [candidates], [Options(**options)])[0]


def test_a_sure_candidate_is_the_decision(terminology):
    decision = decide(terminology, {"T:2221": 0.8, "T:2211": 0.1})
    assert (decision.concept_id, decision.name, decision.confidence) == ("T:2221", "Nursing professionals", 0.8)
    assert not decision.nil


def test_decide_answers_nil_below_threshold_and_still_lists_candidates(terminology):
    decision = decide(terminology, {"T:2221": 0.4, "T:2211": 0.1})
    assert decision.nil
    assert decision.concept_id is None
    assert [c.concept_id for c in decision.candidates] == ["T:2221", "T:2211"]
    assert decision.notes == ("below min_confidence",)


def test_min_confidence_of_the_request_overrides_the_build(terminology):
    assert decide(terminology, {"T:2221": 0.4}, min_confidence=0.3).concept_id == "T:2221"
    assert decide(terminology, {"T:2221": 0.8}, min_confidence=0.9).nil


def test_no_candidate_is_nil_with_confidence_zero(terminology):
    decision = decide(terminology, {})
    assert decision.nil
    assert decision.confidence == 0
    assert decision.notes == ("no candidate",)


def test_backoff_answers_the_broader_concept_that_is_sure(terminology):
    scores = {"T:2221": 0.4, "T:2211": 0.35, "T:5120": 0.2}
    assert decide(terminology, scores).nil
    broader = decide(terminology, scores, backoff=True)
    assert broader.concept_id == "T:2"
    assert broader.confidence == pytest.approx(0.75)
    assert "broader" in broader.notes[0]


def test_backoff_without_a_sure_ancestor_stays_nil(terminology):
    assert decide(terminology, {"T:2221": 0.3, "T:5120": 0.3}, backoff=True).nil


def test_confidences_of_one_mention_sum_to_at_most_one_and_follow_rank(terminology):
    decision = decide(terminology, {"T:2221": 0.7, "T:2211": 0.6, "T:5120": 0.65}, threshold=0)
    confidences = [c.confidence for c in decision.candidates]
    assert sum(confidences) <= 1.0001
    assert confidences == sorted(confidences, reverse=True)


def test_top_k_cuts_what_is_shown_only(terminology):
    decision = decide(terminology, {"T:2221": 0.4, "T:2211": 0.35, "T:5120": 0.2}, top_k=1, backoff=True)
    assert len(decision.candidates) == 1
    assert decision.concept_id == "T:2"


def test_take_best_answers_with_the_score(terminology):
    decision = TakeBest().decide([MENTION], [[candidate(terminology, "T:2221", 1.2)]], [Options()])[0]
    assert (decision.concept_id, decision.confidence) == ("T:2221", 1.0)


def test_the_margin_is_to_the_best_other_candidate(terminology):
    evidence = features(MENTION, [candidate(terminology, c, s) for c, s in {"T:2221": 0.9, "T:2211": 0.6}.items()])
    np.testing.assert_allclose(evidence[:, 1], [0.3, -0.3], atol=1e-6)
    assert evidence[:, 4].tolist() == [1.0, 1.0]


class LastFeature:
    """A calibrator whose probability is the likeness."""

    def probabilities(self, features):
        return features[:, -1]


def test_a_text_that_names_nothing_is_nil_unless_the_request_sets_its_own_threshold(terminology):
    decider = CalibratedDecider(terminology, FirstFeature(), 0.1, LastFeature())
    candidates = [candidate(terminology, "T:2221", 0.9)]
    strange = Mention("blue sky", "blue sky", 0, 8, facts={"likeness": 0.2})
    known = Mention("nurse", "nurse", 0, 5, facts={"likeness": 0.8})
    judged = decider.decide([strange, known], [candidates] * 2, [Options()] * 2)
    assert [d.nil for d in judged] == [True, False]
    assert "names nothing" in judged[0].notes[0]
    (own,) = decider.decide([strange], [candidates], [Options(min_confidence=0.5)])
    assert own.concept_id == "T:2221"


def test_an_empty_batch_gives_no_decisions(terminology):
    assert CalibratedDecider(terminology, FirstFeature(), 0.5).decide([], [], []) == []
