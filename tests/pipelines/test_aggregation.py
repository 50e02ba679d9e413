import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.arrays import EMPTY, Neighbours
from pipelines.aggregation import BestTerm, KernelVote, Naming
from pipelines.results import Options


@given(
    st.lists(st.tuples(st.integers(0, 4), st.floats(-1, 1, width=32)), min_size=1, max_size=20),
    st.sampled_from([5.0, 15.0, 40.0]),
    st.sampled_from([0.0, 0.5, 1.0]),
)
def test_kernel_vote_is_its_equation(rows, temperature, penalty):
    present = sorted({c for c, _ in rows})
    concepts = np.array([present.index(c) for c, _ in rows])
    scores = np.array([s for _, s in rows], np.float32)
    counts = np.bincount(concepts) + 2
    voted = KernelVote(temperature, penalty).concept_scores(scores, concepts, counts)
    for m in range(len(present)):
        votes = sum(math.exp(temperature * (float(s) - 1)) for s, c in zip(scores, concepts, strict=True) if c == m)
        expected = 1 + math.log(votes / counts[m] ** penalty) / temperature
        assert voted[m] == pytest.approx(expected, abs=1e-4)


def test_one_term_without_penalty_scores_as_itself():
    voted = KernelVote(20, 0).concept_scores(np.array([0.4], np.float32), np.array([0]), np.array([1]))
    assert voted[0] == pytest.approx(0.4, abs=1e-6)


def test_two_near_terms_beat_one_slightly_nearer():
    scores, concepts = np.array([0.82, 0.80, 0.80], np.float32), np.array([0, 1, 1])
    counts = np.array([2, 2])
    assert KernelVote(15, 0.5).concept_scores(scores, concepts, counts).argmax() == 1
    assert BestTerm().concept_scores(scores, concepts, counts).argmax() == 0


def found(terminology, rows, scores):
    return Neighbours(np.array([scores], np.float32), np.array([rows]), {"dense": np.array([scores], np.float32)})


def test_naming_offers_each_concept_once_with_its_best_term(terminology):
    nurse = [r for r, c in enumerate(terminology.row_concepts) if terminology.concepts[c].id == "T:2221"]
    cook = [r for r, c in enumerate(terminology.row_concepts) if terminology.concepts[c].id == "T:5120"]
    naming = Naming(terminology, aggregation=BestTerm(), limit=10)
    (candidates,) = naming.candidates(
        found(terminology, [nurse[1], cook[0], nurse[0], EMPTY], [0.9, 0.8, 0.7, -np.inf]), options=[Options()]
    )
    assert [c.concept_id for c in candidates] == ["T:2221", "T:5120"]
    assert candidates[0].term == "nurse"
    assert candidates[0].support == 2
    assert candidates[0].scores == {"dense": pytest.approx(0.9)}
    assert candidates[0].codes == {"isco-08": "2221"}
    assert "2 terms" in candidates[0].explanation


def test_naming_answers_only_the_semantic_types_asked_for(terminology):
    rows = list(range(terminology.rows))
    scores = np.linspace(1, 0, len(rows)).tolist()
    naming = Naming(terminology, aggregation=BestTerm(), limit=50)
    (candidates,) = naming.candidates(
        found(terminology, rows, scores), options=[Options(semantic_types=frozenset({"manual"}))]
    )
    assert {c.concept_id[2] for c in candidates} == {"5", "7", "8"}


def test_naming_of_nothing_is_no_candidates(terminology):
    naming = Naming(terminology, aggregation=KernelVote(), limit=10)
    assert naming.candidates(found(terminology, [EMPTY], [-np.inf]), options=[Options()]) == [[]]


def test_ties_go_by_the_order_of_the_terminology(terminology):
    rows = [int(np.flatnonzero(terminology.row_concepts == c)[0]) for c in (5, 2, 9)]
    naming = Naming(terminology, aggregation=BestTerm(), limit=10)
    (candidates,) = naming.candidates(found(terminology, rows, [0.5, 0.5, 0.5]), options=[Options()])
    assert [c.concept for c in candidates] == [2, 5, 9]
