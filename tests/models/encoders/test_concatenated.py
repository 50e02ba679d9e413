import numpy as np
import pytest

from models.encoders.concatenated import ConcatenatedEncoder
from models.encoders.hashing import HashingEncoder
from models.errors import EncoderError, ShapeMismatch

PARTS = [HashingEncoder(32), HashingEncoder(64), HashingEncoder(128)]
QUERIES = ["staff nurse", "line cook"]
PASSAGES = ["nurse", "cook", "plumber"]


def cosines():
    """(parts, queries, passages), the slow and obvious way."""
    return np.array([part.encode_query(QUERIES) @ part.encode_passage(PASSAGES).T for part in PARTS])


def test_inner_product_is_the_weighted_mean_of_cosines():
    encoder = ConcatenatedEncoder(PARTS, weights=[2, 1, 1])
    found = encoder.encode_query(QUERIES) @ encoder.encode_passage(PASSAGES).T
    np.testing.assert_allclose(found, np.tensordot([0.5, 0.25, 0.25], cosines(), 1), atol=1e-6)


def test_weights_of_a_query_replace_the_encoders_own():
    encoder = ConcatenatedEncoder(PARTS, weights=[2, 1, 1])
    rows = np.array([[0, 0, 3], [1, 1, 2]], np.float32)
    found = encoder.encode_query_weighted(QUERIES, block_weights=rows) @ encoder.encode_passage(PASSAGES).T
    expected = np.einsum("qb,bqp->qp", rows / rows.sum(axis=1, keepdims=True), cosines())
    np.testing.assert_allclose(found, expected, atol=1e-6)


def test_query_weights_equal_to_the_encoders_own_change_nothing():
    encoder = ConcatenatedEncoder(PARTS, weights=[2, 1, 1])
    rows = np.array([[2, 1, 1], [0, 0, 0]], np.float32)
    np.testing.assert_allclose(
        encoder.encode_query_weighted(QUERIES, block_weights=rows), encoder.encode_query(QUERIES), atol=1e-6
    )


def test_blocks_are_the_columns_of_each_part():
    assert ConcatenatedEncoder(PARTS).blocks == [slice(0, 32), slice(32, 96), slice(96, 224)]


@pytest.mark.parametrize("weights", [[1, 1], [1, 1, 0], [1, 1, -1], [1, 1, float("nan")]])
def test_refuses_weights_that_are_not_one_positive_number_each(weights):
    with pytest.raises(EncoderError, match="one positive number each"):
        ConcatenatedEncoder(PARTS, weights=weights)


@pytest.mark.parametrize("rows", [np.ones((1, 3)), np.ones((2, 2)), -np.ones((2, 3)), np.full((2, 3), np.inf)])
def test_refuses_query_weights_that_do_not_fit(rows):
    with pytest.raises(ShapeMismatch, match="block weights"):
        ConcatenatedEncoder(PARTS).encode_query_weighted(QUERIES, block_weights=rows)


def test_fingerprint_depends_on_weights_and_parts():
    fingerprints = {
        ConcatenatedEncoder(PARTS).fingerprint,
        ConcatenatedEncoder(PARTS, weights=[2, 1, 1]).fingerprint,
        ConcatenatedEncoder(PARTS[::-1]).fingerprint,
    }
    assert len(fingerprints) == 3


def test_tokens_add_up():
    one = PARTS[0].count_tokens(QUERIES)
    assert ConcatenatedEncoder(PARTS).count_tokens(QUERIES) == [3 * count for count in one]
