"""Demand: EM against a slow and obvious one, its bounds, what it does to answers, and how it is forgotten."""

import math
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipelines import registry
from pipelines.adapting import adapt, learn_demand
from pipelines.build import build, open_build
from pipelines.config import DemandOptions
from pipelines.demand import Demand, artifact_name, expected_counts, forget_demand, log_ratio, open_demand, save_demand
from pipelines.errors import SourceError
from pipelines.feedback import Confirmation
from pipelines.results import Options, Request
from pipelines.terminology import Term, Terminology

SPEC = registry.spec("job_titles")


def slow_counts(scores, concepts, confirmed, options):
    """The equations, one number at a time."""
    size = len(confirmed)
    counts = [0.0] * size
    for _ in range(options.rounds):
        total = sum(counts) + sum(confirmed) + options.pseudo_count * size
        weight = []
        for c in range(size):
            ratio = (counts[c] + confirmed[c] + options.pseudo_count) / total * size
            weight.append(min(max(ratio, math.exp(-options.limit)), math.exp(options.limit)))
        fresh = [0.0] * size
        for row, some in zip(scores, concepts, strict=True):
            if max(row) < options.nearness:
                continue
            plain = [math.exp(options.temperature * s) for s, c in zip(row, some, strict=True) if c >= 0]
            certain = (max(plain) / sum(plain)) ** options.certainty
            shares = {
                c: weight[c] * math.exp(options.temperature * s) for s, c in zip(row, some, strict=True) if c >= 0
            }
            for c, share in shares.items():
                fresh[c] += certain * share / sum(shares.values())
        counts = fresh
    return counts


@given(seed=st.integers(0, 10_000), texts=st.integers(1, 12), limit=st.floats(0.1, 5))
def test_em_finds_what_the_slow_version_finds(seed, texts, limit):
    rng = np.random.default_rng(seed)
    scores = rng.random((texts, 4)).astype(np.float32)
    concepts = np.array([rng.permutation(7)[:4] for _ in range(texts)])
    empty = rng.random((texts, 4)) < 0.2
    empty[:, 0] = False
    scores[empty], concepts[empty] = -np.inf, -1
    confirmed = rng.integers(0, 3, 7).astype(float)
    options = DemandOptions(temperature=8, limit=limit, rounds=7, nearness=0.5)
    found = expected_counts(scores, concepts, confirmed=confirmed, options=options)
    np.testing.assert_allclose(found, slow_counts(scores, concepts, confirmed, options), rtol=1e-5, atol=1e-9)
    assert found.sum() <= texts + 1e-9


def test_a_text_near_nothing_teaches_nothing_and_one_torn_teaches_little():
    scores = np.array([[0.7, 0.1], [0.9, 0.9], [0.9, 0.1]], np.float32)
    found = expected_counts(scores, np.array([[0, 1]] * 3), confirmed=np.zeros(3), options=DemandOptions())
    assert found.sum() == pytest.approx(1 + 0.25)
    every = DemandOptions(nearness=0, certainty=0)
    assert expected_counts(scores, np.array([[0, 1]] * 3), confirmed=np.zeros(3), options=every).sum() == pytest.approx(
        3
    )


def test_a_text_without_candidates_adds_nothing():
    scores = np.array([[0.9, 0.1], [-np.inf, -np.inf]], np.float32)
    found = expected_counts(scores, np.array([[0, 1], [-1, -1]]), confirmed=np.zeros(3), options=DemandOptions())
    assert found.sum() == pytest.approx(1)
    assert not expected_counts(
        scores[:0], np.zeros((0, 2), np.int64), confirmed=np.zeros(3), options=DemandOptions()
    ).any()


@given(st.lists(st.floats(0, 1e6), min_size=2, max_size=30), st.floats(0.1, 6), st.floats(0, 5))
def test_no_bonus_exceeds_its_limit_and_more_demand_never_means_less(counts, limit, weight):
    options = DemandOptions(limit=limit, weight=weight)
    demand = Demand(np.array(counts), np.zeros(len(counts)), options)
    most = weight * limit / options.temperature
    assert (np.abs(demand.bonus) <= most + 1e-6).all()
    order = np.argsort(counts)
    assert (np.diff(log_ratio(np.array(counts), options)[order]) >= -1e-12).all()


def test_without_evidence_all_concepts_are_alike():
    assert not log_ratio(np.zeros(5), DemandOptions()).any()


@pytest.fixture
def built(store, encoder, terminology):
    return build(
        SPEC, both_called_operator(terminology), encoder=encoder, store=store, config=SPEC.config(encoder="hashing")
    )


def both_called_operator(terminology):
    """Two occupations share a term."""
    concepts = [
        replace(c, terms=[*c.terms, Term("operator", "en")]) if c.id in {"T:2512", "T:8332"} else c
        for c in terminology.concepts
    ]
    return Terminology("twelve", version="1", concepts=concepts)


TRAFFIC = ["truck driver", "lorry driver", "HGV driver", "truck driver (m/f)"] * 10 + ["plumber"]


def first(built, text):
    (result,) = built.pipeline.run([Request(text, language="en", options=Options(top_k=12))])
    return result.mentions[0].decision.candidates[0]


def again(store, encoder):
    return open_build(SPEC, "twelve", store=store, encoder_of=lambda name: encoder)


def test_traffic_settles_what_similarity_cannot(built, store, encoder):
    assert first(built, "operator").concept_id == "T:2512"
    demand = adapt(SPEC, store, TRAFFIC, terminology="twelve", encoder_of=lambda name: encoder)
    assert demand.texts == len(TRAFFIC)
    assert demand.counts.sum() == pytest.approx(len(TRAFFIC), rel=0.2)
    best = first(again(store, encoder), "operator")
    assert best.concept_id == "T:8332"
    assert 0 < best.scores["demand"] <= 4.6 / 40
    assert "demand +0." in best.explanation


def test_what_was_learned_can_be_looked_at(built, store, encoder):
    demand = adapt(SPEC, store, TRAFFIC, terminology="twelve", encoder_of=lambda name: encoder)
    asked = demand.top(built.terminology, limit=2)
    assert asked[0].concept_id == "T:8332"
    assert asked[0].share > 0.8
    assert asked[0].bonus > asked[1].bonus
    manifest = store.manifest(artifact_name("job_titles", "twelve"))
    assert manifest.details["texts"] == len(TRAFFIC)
    assert manifest.parents["build"].endswith(built.artifact.generation)


def test_demand_is_learned_from_similarity_and_not_from_earlier_demand(built, store, encoder):
    once = adapt(SPEC, store, TRAFFIC, terminology="twelve", encoder_of=lambda name: encoder)
    twice = adapt(SPEC, store, TRAFFIC, terminology="twelve", encoder_of=lambda name: encoder)
    np.testing.assert_array_equal(once.counts, twice.counts)


def test_forgotten_demand_answers_as_before(built, store, encoder):
    before = built.pipeline.run([Request(t) for t in TRAFFIC[:4]])
    adapt(SPEC, store, TRAFFIC, terminology="twelve", encoder_of=lambda name: encoder)
    assert again(store, encoder).pipeline.run([Request(t) for t in TRAFFIC[:4]]) != before
    assert forget_demand("job_titles", "twelve", store=store)
    assert not forget_demand("job_titles", "twelve", store=store)
    assert again(store, encoder).pipeline.run([Request(t) for t in TRAFFIC[:4]]) == before


def test_demand_outlives_the_build_and_drops_concepts_that_are_gone(built, store, encoder, terminology):
    demand = adapt(SPEC, store, TRAFFIC, terminology="twelve", encoder_of=lambda name: encoder)
    fewer = Terminology("twelve", version="2", concepts=[c for c in terminology.concepts if c.id != "T:7126"])
    kept = open_demand(
        "job_titles", fewer, store=store, confirmed=np.zeros(len(fewer)), options=DemandOptions(weight=0.5)
    )
    assert kept.counts[fewer.by_id["T:8332"]] == pytest.approx(demand.counts[terminology.by_id["T:8332"]], abs=1e-4)
    assert kept.options == demand.options
    assert kept.counts.sum() < demand.counts.sum()


def test_weight_zero_takes_it_off(store, encoder, terminology):
    config = SPEC.config(encoder="hashing", demand=DemandOptions(weight=0))
    built = build(SPEC, both_called_operator(terminology), encoder=encoder, store=store, config=config)
    adapt(SPEC, store, TRAFFIC, terminology="twelve", encoder_of=lambda name: encoder)
    assert first(again(store, encoder), "operator").concept_id == first(built, "operator").concept_id


def test_confirmations_sharpen_it(store, encoder, terminology):
    confirmed = [Confirmation(f"haulier {i}", "T:8332", "en", count=3) for i in range(5)]
    built = build(
        SPEC,
        both_called_operator(terminology),
        encoder=encoder,
        store=store,
        config=SPEC.config(encoder="hashing"),
        confirmations=confirmed,
    )
    assert built.confirmed[built.terminology.by_id["T:8332"]] == 15
    assert first(built, "operator").concept_id == "T:8332"
    demand = learn_demand(SPEC, built, ["plumber"], languages=["en"])
    assert demand.top(built.terminology)[0].confirmed == 15


def test_nothing_to_learn_from_is_said(built, store, encoder):
    with pytest.raises(SourceError, match="no text"):
        adapt(SPEC, store, [], terminology="twelve", encoder_of=lambda name: encoder)


def test_saving_names_its_parents(built, store):
    demand = Demand(np.ones(len(built.terminology)), np.zeros(len(built.terminology)), DemandOptions(), 3)
    generation = save_demand(demand, "job_titles", built.terminology, store=store, parents={"build": "x@y"})
    manifest = store.manifest(artifact_name("job_titles", "twelve"), generation=generation)
    assert dict(manifest.parents) == {"build": "x@y"}
