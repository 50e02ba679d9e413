import numpy as np
import pytest

from models.arrays import unit
from models.encoders.concatenated import ConcatenatedEncoder
from models.encoders.hashing import HashingEncoder
from models.errors import ShapeMismatch
from pipelines.encoding import MAP, centred
from pipelines.space import Space

TEXTS = ["nurse", "cook", "taxi driver", "night nurse", "pastry cook"]


def means_for(*encoders, seed=0):
    rng = np.random.default_rng(seed)
    found = {}
    for encoder in encoders:
        d = encoder.dimension
        found[encoder.name] = encoder.encode_query(TEXTS).mean(axis=0)
        found[encoder.name + MAP] = (np.eye(d) + 0.02 * rng.normal(size=(d, d))).astype(np.float32)
    return found


def test_what_a_build_does_to_vectors_is_what_it_does_to_its_encoder():
    encoder = HashingEncoder(64, name="a")
    means = means_for(encoder)
    placed = Space(encoder, means).placed(encoder.encode_query(TEXTS))
    np.testing.assert_allclose(placed, centred(encoder, means).encode_query(TEXTS), atol=1e-5)


@pytest.mark.parametrize("kinds", [(), ("a",), ("a" + MAP,), ("a", "a" + MAP)])
def test_vectors_go_from_one_build_into_the_next(kinds):
    encoder = HashingEncoder(64, name="a")
    one, other = ({k: v for k, v in means_for(encoder, seed=s).items() if k in kinds} for s in (0, 1))
    carried = Space(encoder, other).placed(Space(encoder, one).raw(centred(encoder, one).encode_query(TEXTS)))
    np.testing.assert_allclose(carried, centred(encoder, other).encode_query(TEXTS), atol=1e-4)


def test_parts_keep_the_weights_they_were_read_with():
    parts = [HashingEncoder(64, name="a"), HashingEncoder(32, name="b")]
    joined = ConcatenatedEncoder(parts)
    one, other = means_for(*parts, seed=0), means_for(*parts, seed=1)
    weights = np.array([[0.8, 0.2], [1, 0], [0.5, 0.5], [0, 1], [0.3, 0.7]])
    before, after = (
        centred(joined, means).encode_query_weighted(TEXTS, block_weights=weights) for means in (one, other)
    )
    carried = Space(joined, other).placed(Space(joined, one).raw(before))
    np.testing.assert_allclose(carried, after, atol=1e-4)
    assert not carried[1, 64:].any()


def test_nothing_stays_nothing():
    encoder = HashingEncoder(64, name="a")
    space = Space(encoder, means_for(encoder))
    assert not space.placed(np.zeros((2, 64), np.float32)).any()
    assert space.raw(np.zeros((0, 64), np.float32)).shape == (0, 64)
    with pytest.raises(ShapeMismatch):
        space.raw(unit(np.ones((1, 32), np.float32)))
