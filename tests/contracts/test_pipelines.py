"""What every pipeline must do, whatever it is for. A new folder under `pipelines/` is taken up by existing."""

import dataclasses
import json

import pytest

from pipelines import registry
from pipelines.build import build, open_build
from pipelines.errors import CorrectionUnavailable, PipelineUnknown
from pipelines.feedback import Feedback
from pipelines.results import Options, Request

TEXTS = ["Senior Software Developer (m/w/d)", "registered nurse", "Klempner", "qzx vvv 0000", "", "taxi driver"]


@pytest.fixture(params=registry.specs())
def built(request, store, encoder, terminology):
    spec = registry.spec(request.param)
    return build(spec, terminology, encoder=encoder, store=store, config=spec.config(encoder="hashing"))


def run(built, texts, **options):
    return built.pipeline.run([Request(t, options=Options(**options)) for t in texts])


def test_order_is_kept_and_a_batch_answers_as_one_by_one(built):
    together = run(built, TEXTS)
    assert len(together) == len(TEXTS)
    for text, result in zip(TEXTS, together, strict=True):
        assert run(built, [text])[0] == result


def test_an_empty_batch_gives_an_empty_list(built):
    assert run(built, []) == []


def test_answers_are_deterministic(built):
    assert run(built, TEXTS) == run(built, TEXTS)


def test_nil_is_an_answer_with_candidates(built):
    (result,) = run(built, ["registered nurse"], min_confidence=1.0)
    for linked in result.mentions:
        assert linked.decision.nil
        assert linked.decision.concept_id is None
        assert linked.decision.candidates


def test_results_survive_json(built):
    for result in run(built, TEXTS):
        content = dataclasses.asdict(result)
        assert json.loads(json.dumps(content, default=list)) is not None


def test_confidence_is_a_probability_and_scores_descend(built):
    for result in run(built, TEXTS, top_k=12):
        for linked in result.mentions:
            scores = [c.score for c in linked.decision.candidates]
            assert scores == sorted(scores, reverse=True)
            assert all(0 <= c.confidence <= 1 for c in linked.decision.candidates)
            assert 0 <= linked.decision.confidence <= 1


def test_a_correction_without_a_bank_is_refused(built):
    with pytest.raises(CorrectionUnavailable, match="none"):
        built.pipeline.run([Request("nurse")], hubness="no-such-method")


def test_an_opened_build_answers_as_the_one_built(built, store, encoder):
    spec = registry.spec(built.pipeline.name)
    opened = open_build(spec, built.terminology.name, store=store, encoder_of=lambda name: encoder)
    assert opened.artifact.generation == built.artifact.generation
    assert [r.mentions for r in opened.pipeline.run([Request(t) for t in TEXTS])] == [
        r.mentions for r in run(built, TEXTS)
    ]


def test_every_stage_is_observed(built):
    seen = []
    built.pipeline.observer = lambda stage, seconds, n: seen.append(stage)
    run(built, ["nurse"])
    assert seen == ["prepare", "encode", "retrieve", "correct", "name", "learn", "rerank", "decide"]


def test_what_users_said_of_a_text_is_answered(built):
    text = "registered nurse"
    request = Request(text, mentions=[(0, len(text))], options=Options(top_k=12))
    (query,) = built.pipeline.queries([request])
    for concept_id in ("T:5120", "T:2211"):
        built.memory.remember([Feedback(text, query, concept_id, "accept"), Feedback(text, query, "T:2221", "reject")])
        (result,) = built.pipeline.run([request])
        decision = result.mentions[0].decision
        assert decision.concept_id == concept_id
        assert "T:2221" not in [c.concept_id for c in decision.candidates]


def test_hyphens_and_underscores_name_the_same_pipeline():
    for name in registry.specs():
        assert registry.spec(name.replace("_", "-")) is registry.spec(name)
    with pytest.raises(PipelineUnknown):
        registry.spec("no-such-pipeline")
