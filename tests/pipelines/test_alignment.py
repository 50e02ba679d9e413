import numpy as np
import pytest
from scipy.optimize import approx_fprime

from models.arrays import unit
from models.encoders.aligned import AlignedEncoder, _gradient, fit_map
from models.encoders.hashing import HashingEncoder
from models.errors import ShapeMismatch
from pipelines import alignment
from pipelines.alignment import align


@pytest.fixture
def noisy():
    """Names of 300 things, three each: ten dimensions mean something, thirty are noise of the name's own."""
    rng = np.random.default_rng(0)
    meaning = np.repeat(rng.standard_normal((300, 10)), 3, axis=0)
    noise = 1.2 * rng.standard_normal((900, 30))
    return unit(np.hstack([meaning, noise]).astype(np.float32)), np.repeat(np.arange(300), 3)


def test_the_gradient_is_the_slope_of_the_loss():
    rng = np.random.default_rng(1)
    a, b = (unit(rng.standard_normal((5, 4)).astype(np.float32)).astype(np.float64) for _ in range(2))
    weights = np.eye(4) + 0.1 * rng.standard_normal((4, 4))

    def loss(flat):
        u, v = a @ flat.reshape(4, 4), b @ flat.reshape(4, 4)
        u, v = (x / np.linalg.norm(x, axis=1, keepdims=True) for x in (u, v))
        logits = 20 * u @ v.T
        there = logits - np.log(np.exp(logits).sum(axis=1, keepdims=True))
        back = logits - np.log(np.exp(logits).sum(axis=0, keepdims=True))
        return -(np.diag(there) + np.diag(back)).mean() / 2

    slope = approx_fprime(weights.ravel(), loss, 1e-6).reshape(4, 4)
    np.testing.assert_allclose(_gradient(weights, a, b, 20.0), slope, atol=2e-4)


def test_a_map_that_wins_on_held_out_names_is_kept(noisy, monkeypatch):
    vectors, concepts = noisy
    monkeypatch.setattr(alignment, "STEPS", 400)
    matrix = align(vectors, concepts)
    assert matrix is not None
    meaning, noise = np.abs(np.diag(matrix))[:10].mean(), np.abs(np.diag(matrix))[10:].mean()
    assert meaning > noise


def test_a_map_that_cannot_win_is_not(monkeypatch):
    monkeypatch.setattr(alignment, "STEPS", 20)
    rng = np.random.default_rng(0)
    vectors = unit(rng.standard_normal((900, 16)).astype(np.float32))
    assert align(vectors, np.repeat(np.arange(300), 3)) is None


def test_too_few_concepts_teach_nothing(noisy):
    vectors, concepts = noisy
    assert align(vectors[:300], concepts[:300]) is None


def test_without_pairs_the_map_is_the_identity():
    vectors = np.eye(3, dtype=np.float32)
    assert (fit_map(vectors, [np.array([0, 1])], steps=5) == np.eye(3)).all()


def test_an_aligned_encoder_is_its_encoder_times_the_matrix():
    inner = HashingEncoder(8)
    matrix = np.random.default_rng(0).standard_normal((8, 8)).astype(np.float32)
    aligned = AlignedEncoder(inner, matrix)
    np.testing.assert_allclose(aligned.encode_query(["fever"]), unit(inner.encode_query(["fever"]) @ matrix), atol=1e-6)
    assert aligned.fingerprint not in {inner.fingerprint, AlignedEncoder(inner, 2 * matrix).fingerprint}
    with pytest.raises(ShapeMismatch):
        AlignedEncoder(inner, np.eye(4, dtype=np.float32))
