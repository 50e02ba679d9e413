import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from models.arrays import EMPTY, Neighbours, Queries, as_vectors, top_rows, unit
from models.errors import ShapeMismatch


def test_as_vectors_refuses_nan_and_wrong_shapes():
    for wrong in (np.array([[np.nan, 1.0]]), np.zeros(3), np.zeros((1, 2, 3))):
        with pytest.raises(ShapeMismatch):
            as_vectors(wrong)
    with pytest.raises(ShapeMismatch, match="2 wide; expected 3"):
        as_vectors(np.zeros((1, 2)), dimension=3)


def test_unit_keeps_a_zero_row_zero():
    vectors = unit(np.array([[3.0, 4.0], [0.0, 0.0]], np.float32))
    assert vectors.tolist() == [[pytest.approx(0.6), pytest.approx(0.8)], [0.0, 0.0]]


def test_queries_need_equal_lengths():
    with pytest.raises(ShapeMismatch):
        Queries(["a"], np.zeros((2, 3), np.float32), [None])


@given(
    hnp.arrays(
        np.float32,
        st.tuples(st.integers(0, 4), st.integers(0, 12)),
        elements=st.sampled_from([-np.inf, 0.0, 0.25, 0.5, 1.0]),
    ),
    st.integers(0, 15),
)
def test_top_rows_agrees_with_a_full_sort(scores, k):
    found = top_rows(scores, k=k)
    for i, row in enumerate(scores):
        expected = sorted((j for j in range(len(row)) if row[j] > -np.inf), key=lambda j: (-row[j], j))[:k]
        assert [j for j in found.ids[i].tolist() if j != EMPTY] == expected
        assert (np.diff(found.scores[i][: len(expected)]) <= 0).all()


def test_sorted_puts_ties_by_lower_id_and_empty_slots_last():
    found = Neighbours(
        np.array([[0.5, -np.inf, 0.5, 0.9]], np.float32),
        np.array([[7, EMPTY, 3, 1]]),
        {"dense": np.array([[1, 2, 3, 4]], np.float32)},
    ).sorted()
    assert found.ids.tolist() == [[1, 3, 7, EMPTY]]
    assert found.parts["dense"].tolist() == [[4, 3, 1, 2]]


def test_with_scores_keeps_the_old_score_as_a_part():
    found = Neighbours(np.array([[0.9, 0.1]], np.float32), np.array([[0, 1]]))
    again = found.with_scores(np.array([[0.2, 0.3]], np.float32), part="raw")
    assert again.ids.tolist() == [[1, 0]]
    assert again.parts["raw"].tolist() == [[pytest.approx(0.1), pytest.approx(0.9)]]
