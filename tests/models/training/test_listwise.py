import numpy as np
import pytest

pytest.importorskip("torch")

from models.errors import ShapeMismatch, TrainingError
from models.rerankers.listwise import Listed, ListwiseRanker
from models.training.listwise import ListwiseOptions, fit_listwise

OPTIONS = ListwiseOptions(steps=150, batch_size=16, hidden=4, learning_rate=2e-2)


def listed(n=80, k=5, *, seed=0):
    """The second feature says what is right, a word speaks against; the score says little."""
    rng = np.random.default_rng(seed)
    right = np.zeros((n, k), bool)
    right[np.arange(n), rng.integers(0, k - 1, n)] = True
    filled = np.ones((n, k), bool)
    filled[: n // 2, k - 1] = False
    evidence = rng.normal(size=(n, k, 3)).astype(np.float32) * 0.1
    evidence[:, :, 1] += right
    words = np.full((n, k, 2), -1, np.int64)
    words[~right, 0] = 1
    return Listed(evidence, words, filled, rng.normal(size=(n, 2)).astype(np.float32)), right


def test_logits_are_what_the_equation_says():
    data, right = listed()
    ranker = fit_listwise(data, right, words=3, options=OPTIONS)
    found = ranker.logits(data)
    i, k = 60, 4
    z = (data.evidence[i, k] - ranker.mean) / ranker.scale
    slow = ranker.temperature[0] * data.evidence[i, k, 0] + ranker.linear @ z
    slow += np.tanh(ranker.inner.T @ z + ranker.inner_bias) @ ranker.outer
    slow += sum(ranker.words[w] for w in data.words[i, k] if w >= 0)
    assert found[i, k] == pytest.approx(slow, abs=1e-4)
    assert found[i, -1] == pytest.approx(ranker.nil @ data.summary[i] + ranker.nil_bias[0], abs=1e-4)
    assert np.isneginf(found[0, 4])


def test_what_is_right_is_learned_and_so_is_nil():
    data, right = listed()
    ranker = fit_listwise(data, right, words=3, options=OPTIONS)
    again, truth = listed(seed=1)
    logits = ranker.logits(again)
    assert (truth[np.arange(len(truth)), logits[:, :-1].argmax(axis=1)]).mean() > 0.95
    without = Listed(again.evidence, again.words, again.filled & ~truth, again.summary)
    nil = ranker.logits(without)
    assert (nil.argmax(axis=1) == nil.shape[1] - 1).mean() > 0.5
    assert (logits.argmax(axis=1) == nil.shape[1] - 1).mean() < 0.2


def test_equal_seeds_give_equal_bits_and_tensors_come_back():
    data, right = listed()
    one, other = (fit_listwise(data, right, words=3, options=OPTIONS) for _ in range(2))
    np.testing.assert_array_equal(one.logits(data), other.logits(data))
    np.testing.assert_array_equal(ListwiseRanker.from_tensors(one.to_tensors()).logits(data), one.logits(data))


def test_before_anything_is_learned_the_order_is_retrievals():
    data, right = listed()
    ranker = fit_listwise(data, right, words=3, options=ListwiseOptions(steps=1, learning_rate=1e-12))
    scores = np.where(data.filled, data.evidence[:, :, 0], -np.inf)
    np.testing.assert_array_equal(ranker.logits(data)[:, :-1].argmax(axis=1), scores.argmax(axis=1))


def test_other_evidence_is_refused():
    data, right = listed()
    ranker = fit_listwise(data, right, words=3, options=ListwiseOptions(steps=1))
    other = Listed(data.evidence[:, :, :2], data.words, data.filled, data.summary)
    with pytest.raises(ShapeMismatch, match="trained on 3"):
        ranker.logits(other)


def test_nothing_right_is_nothing_to_learn_from():
    data, right = listed()
    with pytest.raises(TrainingError, match="nothing to learn"):
        fit_listwise(data, np.zeros_like(right), words=3, options=OPTIONS)


def test_lists_of_two_lengths_are_joined():
    short, _ = listed(4, 3)
    long, _ = listed(4, 5)
    both = short.joined(long)
    assert both.filled.shape == (8, 5)
    assert not both.filled[:4, 3:].any()
    assert (both.words[:4, 3:] == -1).all()
    np.testing.assert_array_equal(both.evidence[4:], long.evidence)
