"""The head: kept only when it wins on confirmations held out, and what it does to answers when it is."""

import numpy as np
import pytest

from models.arrays import EMPTY, Queries
from models.indexes.faiss import FaissIndex
from pipelines import registry
from pipelines.build import build, open_build
from pipelines.config import ConfirmedOptions
from pipelines.feedback import Confirmation
from pipelines.head import EVIDENCE, Hiding
from pipelines.learning import DemandBonus
from pipelines.results import Options, Request

SPEC = registry.spec("job_titles")
CONFIG = SPEC.config(encoder="hashing", confirmed=ConfirmedOptions(least=100))
CODES = {"T:5120": "gx", "T:5131": "vj", "T:8332": "qz", "T:2221": "mb"}
"""Words that say which concept is meant, and stand in no term."""


def confirmations(rng, *, telling: bool, n: int = 600) -> list[Confirmation]:
    """Texts of mostly noise, with one word that tells the concept, or with none that does."""
    noise = ["".join(word) for word in np.random.default_rng(1).choice(list("aeioulnrst"), (40, 9))]
    found = {}
    for i in range(n):
        concept = list(CODES)[i % len(CODES)]
        code = CODES[concept] if telling else list(CODES.values())[rng.integers(len(CODES))]
        words = [code, *rng.choice(noise, 3, replace=False)]
        text = " ".join(rng.permutation(words))
        found[text] = Confirmation(text, concept, "en")
    return list(found.values())


def made(store, encoder, terminology, confirmed, config=CONFIG):
    return build(SPEC, terminology, encoder=encoder, store=store, config=config, confirmations=confirmed)


def first(built, text):
    (result,) = built.pipeline.run([Request(text, language="en", options=Options(top_k=12))])
    return result.mentions[0].decision.candidates[0]


def test_a_head_that_wins_is_kept_and_answers(store, encoder, terminology):
    built = made(store, encoder, terminology, confirmations(np.random.default_rng(0), telling=True))
    report = built.artifact.manifest.details["head"]
    assert report["kept"]
    assert report["mrr_with"] > report["mrr_without"]
    assert set(report["weights"]) == set(EVIDENCE)
    opened = open_build(SPEC, "twelve", store=store, encoder_of=lambda name: encoder)
    for some in (built, opened):
        for concept, code in CODES.items():
            best = first(some, f"{code} harbour annex")
            assert best.concept_id == concept
            assert "learned" in best.scores
        assert first(some, "plumber").concept_id == "T:7126"


def test_a_head_that_does_not_win_is_left_out(store, encoder, terminology):
    built = made(store, encoder, terminology, confirmations(np.random.default_rng(0), telling=False))
    report = built.artifact.manifest.details["head"]
    assert not report["kept"]
    assert "head.safetensors" not in built.artifact.manifest.files
    assert isinstance(built.parts.learner, DemandBonus)


def test_a_few_confirmations_are_aliases_and_nothing_more(store, encoder, terminology):
    built = made(store, encoder, terminology, confirmations(np.random.default_rng(0), telling=True, n=60))
    assert built.artifact.manifest.details["head"] == {}
    assert isinstance(built.parts.learner, DemandBonus)


def test_the_same_confirmations_make_the_same_head(store, encoder, terminology):
    one, two = (
        made(store, encoder, terminology, confirmations(np.random.default_rng(0), telling=True)) for _ in range(2)
    )
    assert one.artifact.read_bytes("head.safetensors") == two.artifact.read_bytes("head.safetensors")


def test_a_batch_is_answered_as_one_by_one_with_a_head(store, encoder, terminology):
    built = made(store, encoder, terminology, confirmations(np.random.default_rng(0), telling=True))
    requests = [Request(t) for t in ("gx late", "nurse", "", "zzz qqq", "line cook vj")]
    together = built.pipeline.run(requests)
    for request, result in zip(requests, together, strict=True):
        assert built.pipeline.run([request]) == [result]
        for linked in result.mentions:
            scores = [c.score for c in linked.decision.candidates]
            assert scores == sorted(scores, reverse=True)


def test_hidden_rows_are_not_found():
    rng = np.random.default_rng(0)
    vectors = rng.standard_normal((9, 4)).astype(np.float32)
    index = FaissIndex.build(vectors, method="exact")
    queries = Queries.of_vectors(vectors[:3])
    hidden = Hiding(index, np.array([0, 4]))
    found, plain = hidden.search(queries, k=9), index.search(queries, k=9)
    for i in range(3):
        left = [row for row in plain.ids[i].tolist() if row not in {0, 4}]
        assert found.ids[i].tolist() == [*left, EMPTY, EMPTY]
    np.testing.assert_array_equal(Hiding(index, np.zeros(0, np.int64)).search(queries, k=9).ids, plain.ids)


def test_least_is_not_less_than_can_be_judged():
    with pytest.raises(ValueError, match="greater than or equal to 10"):
        ConfirmedOptions(least=3)
