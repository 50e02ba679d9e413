import numpy as np
import pytest

from models.arrays import Neighbours, Queries
from pipelines import registry
from pipelines.build import build, open_build
from pipelines.config import FusionConfig, PipelineConfig
from pipelines.fusing import FOREIGN, LearnedFusion, Trial, learn_fusion
from pipelines.spec import CalibrationSet
from pipelines.terminology import Concept, Term, Terminology

N = 300
CONFIG = PipelineConfig(rows=8, fusion=FusionConfig(default=0.2, foreign=0.1, unknown=0.3))


class Telling:
    """Finds for query i all rows of concepts i to i + 9: one signal points to concept i, the other to the one after."""

    size = 2 * N

    def __init__(self, right: str) -> None:
        self._right = right

    def search(self, queries: Queries, *, k: int) -> Neighbours:
        first = np.array([int(text) for text in queries.texts])[:, None]
        concepts = (first + np.arange(10)) % N
        ids = np.concatenate([2 * concepts, 2 * concepts + 1], axis=1)
        parts = {
            "dense": np.full(ids.shape, 0.2, np.float32),
            "lexical": np.full(ids.shape, 0.2, np.float32),
        }
        wrong = "dense" if self._right == "lexical" else "lexical"
        parts[self._right][:, [0, 10]] = 0.6
        parts[wrong][:, [1, 11]] = 0.4
        return Neighbours(np.zeros(ids.shape, np.float32), ids, parts)

    def score(self, queries, rows):
        raise NotImplementedError


@pytest.fixture
def bilingual():
    concepts = [Concept(f"C:{i}", f"{i}", [Term(f"{i} en", "en"), Term(f"{i} de", "de")]) for i in range(N)]
    return Terminology("bilingual", version="1", concepts=concepts)


def learned(terminology, right, *, texts=N):
    examples = CalibrationSet(
        [str(i) for i in range(texts)], ["en"] * texts, [f"C:{i}" for i in range(texts)], list(range(0, 2 * texts, 2))
    )
    return learn_fusion(
        examples,
        encode=lambda some: Queries.of_texts([r.text for r in some]),
        index=Telling(right),
        terminology=terminology,
        config=CONFIG,
    )


def test_a_language_whose_spelling_tells_gets_a_higher_weight(bilingual):
    trial = learned(bilingual, "lexical").trials["en"]
    assert trial.kept
    assert trial.weight > 0.4
    assert trial.gain > 0


def test_weights_that_do_not_win_leave_the_options_alone(bilingual):
    fusion = learned(bilingual, "dense")
    assert not fusion.trials["en"].kept  # the default finds every concept first already
    weights = fusion.weights(CONFIG.fusion, bilingual.languages)
    assert weights.by_language == {"en": 0.2, "de": 0.2}
    assert (weights.foreign, weights.unknown) == (0.1, 0.3)


def test_few_texts_teach_nothing(bilingual):
    assert learned(bilingual, "lexical", texts=50).trials == {}


def test_texts_of_unknown_concepts_are_passed_over(bilingual):
    nothing = CalibrationSet(["a"], ["en"], [None], [-1])
    fusion = learn_fusion(
        nothing, encode=Queries.of_texts, index=Telling("dense"), terminology=bilingual, config=CONFIG
    )
    assert fusion.trials == {}


def test_learned_weights_stand_in_for_those_of_the_options():
    trial = Trial(texts=500, before=0.2, weight=0.45, gain=0.1, error=0.01, kept=True)
    fusion = LearnedFusion.from_json(LearnedFusion({"de": trial, FOREIGN: trial}).to_json())
    weights = fusion.weights(CONFIG.fusion, ["de", "en-GB"])
    assert weights.by_language == {"de": 0.45, "en": 0.2}
    assert weights.foreign == 0.45


def test_a_build_keeps_what_it_learned_unless_weights_are_set(store, encoder, terminology, monkeypatch):
    spec = registry.spec("job-titles")
    trial = Trial(texts=500, before=0.17, weight=0.6, gain=0.1, error=0.01, kept=True)
    monkeypatch.setattr("pipelines.build.learn_fusion", lambda *_, **__: LearnedFusion({"de": trial}))

    def score(made):
        queries = Queries(["Koch"], np.zeros((1, encoder.dimension), np.float32), ["de"])
        return made.parts.index.search(queries, k=1).scores[0, 0]

    plain = build(spec, terminology, encoder=encoder, store=store, config=spec.config(encoder="hashing"))
    options = {"encoder": "hashing", "learn_fusion": True}
    made = build(spec, terminology, encoder=encoder, store=store, config=spec.config(**options))
    assert made.artifact.manifest.details["fusion"]["de"]["weight"] == 0.6
    assert score(made) > score(plain)
    reopened = open_build(spec, "twelve", store=store, encoder_of=lambda _: encoder)
    assert score(reopened) == score(made)

    fixed = spec.config(**options, fusion={"default": 0.1})
    own = build(spec, terminology, encoder=encoder, store=store, config=fixed)
    assert own.artifact.manifest.details["fusion"] == {}
