"""The linear head and the weights beside it, against slow and obvious versions."""

import numpy as np
import pytest
from scipy.optimize import approx_fprime, minimize

from models.arrays import unit
from models.calibration.choice import fit_choice
from models.calibration.ridge import RidgeHead
from models.errors import ShapeMismatch


@pytest.fixture
def rng():
    return np.random.default_rng(0)


def test_the_ridge_head_solves_its_least_squares(rng):
    vectors = rng.standard_normal((40, 6)).astype(np.float32)
    labels = rng.choice([2, 5, 9], 40)
    head = RidgeHead.fit(vectors, labels, penalty=0.7)
    assert head.classes.tolist() == [2, 5, 9]
    rows = unit(vectors).astype(float)
    for column, label in enumerate(head.classes):
        target = (labels == label).astype(float)

        def loss(w, target=target):
            return ((rows @ w - target) ** 2).sum() + 0.7 * w @ w

        slope = approx_fprime(head.weights[:, column].astype(float), loss, 1e-6)
        np.testing.assert_allclose(slope, 0, atol=1e-3)


def test_the_ridge_head_does_not_mind_how_long_vectors_are(rng):
    vectors = rng.standard_normal((9, 4)).astype(np.float32)
    head = RidgeHead.fit(vectors, np.arange(9) % 3)
    np.testing.assert_allclose(head.scores(vectors * 7), head.scores(vectors), rtol=1e-5)
    again = RidgeHead.from_tensors(head.to_tensors())
    np.testing.assert_array_equal(again.scores(vectors), head.scores(vectors))
    assert head.to_tensors()["weights"].dtype == np.float32


def test_what_does_not_fit_is_refused(rng):
    with pytest.raises(ShapeMismatch, match="labels"):
        RidgeHead.fit(np.zeros((0, 3), np.float32), np.zeros(0, np.int64))
    head = RidgeHead.fit(np.ones((2, 3), np.float32), np.array([0, 1]))
    with pytest.raises(ShapeMismatch, match="wide"):
        head.scores(np.ones((1, 4), np.float32))
    with pytest.raises(ShapeMismatch, match="choices"):
        fit_choice(np.zeros((2, 3, 1)), np.array([0]), start=np.zeros(1))


def slow_loss(weights, evidence, chosen, start, penalty):
    total = 0.0
    kept = [row[~np.isneginf(row[:, 0])] for row in evidence]
    scale = np.concatenate(kept).std(axis=0)
    for row, right in zip(kept, chosen, strict=True):
        logits = row @ weights
        total -= logits[right] - np.log(np.exp(logits).sum())
    return total + penalty / 2 * ((weights - start) * scale) @ ((weights - start) * scale)


def test_choice_finds_what_the_slow_version_finds(rng):
    evidence = rng.standard_normal((30, 5, 3))
    evidence[:, 3:, 0][rng.random((30, 2)) < 0.5] = -np.inf
    chosen = np.where(rng.random(30) < 0.7, evidence[:, :3, 1].argmax(axis=1), 0)
    start = np.array([1.0, 0.0, 0.0])
    found = fit_choice(evidence, chosen, start=start, penalty=2.0)
    slow = minimize(slow_loss, start, args=(evidence, chosen, start, 2.0)).x
    np.testing.assert_allclose(found, slow, atol=1e-3)
    assert found[1] > 0.5


def test_choice_stays_near_its_start_where_it_is_told_to(rng):
    start = np.array([20.0, 0.0])
    found = fit_choice(rng.standard_normal((4, 3, 2)), np.zeros(4, np.int64), start=start, penalty=1e6)
    np.testing.assert_allclose(found, start, atol=1e-3)


def test_evidence_that_is_the_same_everywhere_weighs_what_it_weighed(rng):
    evidence = rng.standard_normal((20, 3, 3))
    evidence[:, :, 2] = 1.0
    chosen = evidence[:, :, 1].argmin(axis=1)
    start = np.array([1.0, 0.0, 0.5])
    assert fit_choice(evidence, chosen, start=start)[2] == pytest.approx(0.5)
    assert fit_choice(evidence, chosen, start=start)[1] < -0.5
    bound = fit_choice(evidence, chosen, start=start, positive=np.array([True, True, False]))
    assert bound[1] == 0
