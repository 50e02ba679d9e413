"""Feedback: what users together say, what is answered by it, and what the next build learns."""

import dataclasses

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipelines import registry
from pipelines.build import build, open_build
from pipelines.feedback import (
    Confirmation,
    Feedback,
    Memory,
    Verdicts,
    by_key,
    confirmations,
    confirmations_from_lines,
    confirmations_to_lines,
    verdicts,
    with_confirmations,
)
from pipelines.results import Options, Request

SPEC = registry.spec("job_titles")


def said(text, concept_id, verdict="accept", query=None):
    return Feedback(text=text, query=query or text, concept_id=concept_id, verdict=verdict)


def test_one_accept_and_one_reject():
    one = verdicts([said("a", "X"), said("a", "Y", "reject")])
    assert (one.concept_id, one.agree, one.dissent, one.rejected) == ("X", 1, 0, {"Y"})
    assert one.confidence > 0.9


def test_the_majority_wins_then_the_latest():
    x1, x2, y1, y2 = said("a", "X"), said("A", "X"), said("a", "Y"), said("A", "Y")
    assert verdicts([x1, x2, y1]).concept_id == "X"
    assert verdicts([y1, x1, x2]).concept_id == "X"
    assert verdicts([x1, x2, y1, y2]).concept_id == "Y"
    assert verdicts([y1, x1]).rivals == ("X", "Y")
    assert verdicts([x1, y1]).confidence < verdicts([x1]).confidence


def test_a_concept_accepted_and_rejected_goes_by_the_latest():
    assert verdicts([said("a", "X"), said("A", "X", "reject")]).rejected == {"X"}
    assert verdicts([said("A", "X", "reject"), said("a", "X")]).concept_id == "X"


@given(
    st.lists(
        st.tuples(st.sampled_from("abc"), st.sampled_from("XYZ"), st.sampled_from(["accept", "reject"])), max_size=12
    )
)
def test_a_concept_is_never_both_answered_and_rejected(words):
    for items in by_key(said(*word) for word in words).values():
        together = verdicts(items)
        assert together.concept_id not in together.rejected
        assert not together.rejected & set(together.rivals)
        assert {i.concept_id for i in items} == together.rejected | set(together.rivals)
        assert 0 < together.confidence < 1


def test_confirmations_are_one_per_text_with_its_count():
    items = [
        said("Cook!", "X", query="cook"),
        said("cook", "X", query="Cook"),
        said("cook", "Y"),
        said("b", "Z", "reject"),
    ]
    assert confirmations(items) == [Confirmation("cook", "X", None, 2)]
    assert confirmations_from_lines(confirmations_to_lines(confirmations(items))) == confirmations(items)


def test_confirmed_texts_become_terms_of_their_concept(terminology):
    given = [Confirmation("pot boiler", "T:5120", "en"), Confirmation("boss", "T:2"), Confirmation("x", "T:gone")]
    grown, taken = with_confirmations(terminology, given)
    assert taken == given[:1]
    assert [(t.text, t.kind) for t in grown.concept("T:5120").terms][-1] == ("pot boiler", "confirmed")
    assert grown.rows == terminology.rows + 1
    assert with_confirmations(terminology, given[1:]) == (terminology, [])


def test_memory_forgets_what_has_no_items():
    memory = Memory()
    memory.remember([said("Line  COOK", "X")])
    assert memory.recall("line cook") == Verdicts("X", 1, 0, frozenset(), ("X",))
    assert memory.recall("cook") is None
    memory.update({"line cook": []})
    assert len(memory) == 0


# -- what a pipeline answers by it ------------------------------------------------------------------


@pytest.fixture
def built(store, encoder, terminology):
    return build(SPEC, terminology, encoder=encoder, store=store, config=SPEC.config(encoder="hashing"))


def decide(built, text, **options):
    (result,) = built.pipeline.run([Request(text, options=Options(**options))])
    return result.mentions[0].decision


def test_an_accepted_text_is_answered_at_once_however_it_is_written(built):
    assert decide(built, "qzx vvv").concept_id != "T:5120"
    built.memory.remember([said("QZX vvv (m/f/d)", "T:5120", query="QZX vvv")])
    for text in ("qzx vvv", "Senior QZX  VVV (m/w/d)"):
        decision = decide(built, text)
        assert (decision.concept_id, decision.nil, decision.notes) == ("T:5120", False, ("confirmed",))
        assert decision.confidence > 0.9
        best = decision.candidates[0]
        assert best.explanation.startswith("confirmed by users")
        assert best.codes == {"isco-08": "5120"}
        assert sum(c.confidence for c in decision.candidates[1:2]) <= 1 - best.confidence


def test_an_accepted_concept_comes_first_once(built):
    built.memory.remember([said("nurse", "T:2211")])
    decision = decide(built, "nurse", top_k=12)
    ids = [c.concept_id for c in decision.candidates]
    assert ids[0] == "T:2211"
    assert len(ids) == len(set(ids))
    scores = [c.score for c in decision.candidates]
    assert scores == sorted(scores, reverse=True)
    assert len(decide(built, "nurse", top_k=1).candidates) == 1


def test_a_rejected_concept_is_never_answered_for_that_text(built):
    built.memory.remember([said("nurse", "T:2221", "reject"), said("nurse", "T:2", "reject")])
    for options in ({"top_k": 12}, {"backoff": True, "top_k": 12, "min_confidence": 0.01}):
        decision = decide(built, "nurse", **options)
        assert decision.concept_id not in {"T:2221", "T:2"}
        assert "T:2221" not in [c.concept_id for c in decision.candidates]
    assert decide(built, "registered nurse").concept_id == "T:2221"


def test_a_threshold_and_a_type_that_are_asked_for_hold(built):
    built.memory.remember([said("nurse", "T:5120")])
    assert decide(built, "nurse", min_confidence=1.0).nil
    assert decide(built, "nurse", semantic_types=frozenset({"office"})).concept_id != "T:5120"


def test_a_broader_concept_can_be_accepted_and_one_that_is_gone_is_not_answered(built):
    built.memory.remember([said("health hero", "T:2"), said("nurse", "T:gone")])
    assert decide(built, "health hero").concept_id == "T:2"
    assert decide(built, "nurse").concept_id == "T:2221"


def test_other_texts_are_answered_as_before(built):
    before = decide(built, "plumber")
    built.memory.remember([said("nurse", "T:5120"), said("cook", "T:5120", "reject")])
    assert decide(built, "plumber") == before


# -- what the next build learns -----------------------------------------------------------------------


def test_a_confirmed_text_is_a_term_of_the_next_build(store, encoder, terminology):
    given = [Confirmation("galley wizard", "T:5120", "en", 2), Confirmation("x", "T:gone")]
    config = SPEC.config(encoder="hashing")
    built = build(SPEC, terminology, encoder=encoder, store=store, config=config, confirmations=given)
    opened = open_build(SPEC, "twelve", store=store, encoder_of=lambda name: encoder)
    for some in (built, opened):
        decision = decide(some, "galley wizards")
        assert decision.candidates[0].concept_id == "T:5120"
        assert decision.candidates[0].explanation.startswith("confirmed term (en)")
        assert some.confirmed.sum() == 2
    manifest = built.artifact.manifest
    assert manifest.details["confirmations"] == {"given": 2, "taken": 1}
    assert len(manifest.parents["confirmations"]) == 64


def test_a_build_without_confirmations_says_so(built):
    assert "confirmations" not in built.artifact.manifest.parents
    assert not built.confirmed.any()
    assert dataclasses.astuple(Verdicts()) == (None, 0, 0, frozenset(), ())
