import importlib.util
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from models.arrays import unit
from models.errors import ShapeMismatch
from models.hubness import normalizers
from models.hubness.normalizers import (
    MAX_BETA,
    Activations,
    Bank,
    LogPartition,
    Nearest,
    Partition,
    centred,
    default_beta,
    scan,
    within_query_sd,
)

_spec = importlib.util.spec_from_file_location("reference", Path(__file__).with_name("reference.py"))
reference = importlib.util.module_from_spec(_spec)
_spec.loader.exec_module(reference)


def vectors(n, d=6, seed=0):
    return unit(np.random.default_rng(seed).standard_normal((n, d)).astype(np.float32))


def log_partition(items, bank, beta, block=normalizers.BLOCK):
    sums = LogPartition(len(items), beta=beta)
    scan(items, bank, [sums], block=block)
    return sums.log


worlds = st.tuples(st.integers(1, 30), st.integers(1, 30), st.integers(0, 10_000), st.sampled_from([1, 3, 7, 1024]))


@settings(deadline=None)
@given(worlds, st.sampled_from([0.1, 1.0, 20.0, 300.0, 1000.0]))
def test_log_partition_is_the_equation_whatever_the_blocks(world, beta):
    n, b, seed, block = world
    items, bank = vectors(n, seed=seed), vectors(b, seed=seed + 1)
    expected = reference.log_partition(items, bank, beta)
    # float32 similarities are off by 1e-7 or so, and β multiplies that.
    np.testing.assert_allclose(log_partition(items, Bank(bank), beta, block), expected, atol=2e-6 + 1e-6 * beta)


@settings(deadline=None)
@given(worlds, st.data())
def test_masked_pairs_are_left_out_of_sums_and_activation_sets(world, data):
    n, b, seed, block = world
    items, bank = vectors(n, seed=seed), vectors(b, seed=seed + 1)
    pairs = data.draw(st.lists(st.tuples(st.integers(0, b - 1), st.integers(0, n - 1)), max_size=40))
    masked = Bank(bank, np.array(pairs, np.int64).reshape(-1, 2))
    sums, near = LogPartition(n, beta=9.0), Activations(n, b, k=2)
    scan(items, masked, [sums, near], block=block)
    np.testing.assert_allclose(sums.log, reference.log_partition(items, bank, 9.0, pairs), atol=1e-5)
    np.testing.assert_array_equal(near.active(), reference.active(items, bank, 2, pairs))


@settings(deadline=None)
@given(worlds, st.integers(1, 5))
def test_nearest_and_activations_are_the_equations_whatever_the_blocks(world, k):
    n, b, seed, block = world
    items, bank = vectors(n, seed=seed), vectors(b, seed=seed + 1)
    best, near = Nearest(n, k=min(k, b)), Activations(n, b, k=k)
    scan(items, Bank(bank), [best, near], block=block)
    np.testing.assert_allclose(best.mean(min(k, b)), reference.nearness(items, bank, k), atol=1e-6)
    np.testing.assert_allclose(best.mean(1), reference.nearness(items, bank, 1), atol=1e-6)
    np.testing.assert_array_equal(near.active(), reference.active(items, bank, k))


@settings(deadline=None)
@given(worlds)
def test_the_order_of_the_bank_does_not_matter_and_the_order_of_items_goes_along(world):
    n, b, seed, block = world
    items, bank = vectors(n, seed=seed), vectors(b, seed=seed + 1)
    rng = np.random.default_rng(seed)
    shuffled, moved = rng.permutation(b), rng.permutation(n)
    once = log_partition(items, Bank(bank), 15.0, block)
    np.testing.assert_allclose(log_partition(items[moved], Bank(bank[shuffled]), 15.0, block), once[moved], atol=1e-5)


@settings(deadline=None)
@given(worlds)
def test_log_partition_lies_between_the_nearest_and_b_times_the_nearest(world):
    n, b, seed, block = world
    items, bank = vectors(n, seed=seed), vectors(b, seed=seed + 1)
    top = 30.0 * (items @ bank.T).max(axis=1)
    log = log_partition(items, Bank(bank), 30.0, block)
    assert (log >= top - 1e-4).all()
    assert (log <= top + np.log(b) + 1e-4).all()


@settings(deadline=None)
@given(worlds, worlds)
def test_a_grown_bank_is_a_refitted_one(world, other):
    n, b, seed, _ = world
    items, bank, more = vectors(n, seed=seed), vectors(b, seed=seed + 1), vectors(other[1], seed=seed + 2)
    old = Partition(log_partition(items, Bank(bank), 8.0), 8.0, b)
    grown = old.grown(items, Bank(more))
    refitted = log_partition(items, Bank(np.concatenate([bank, more])), 8.0)
    np.testing.assert_allclose(grown.log, refitted, atol=1e-5)
    assert grown.bank_size == b + other[1]


@settings(deadline=None)
@given(worlds)
def test_sigma_without_similarities_is_sigma_with_them(world):
    n, b, seed, _ = world
    items, bank = vectors(n, seed=seed), vectors(b, seed=seed + 1)
    assert within_query_sd(items, Bank(bank)) == pytest.approx(reference.sd(items, bank), abs=1e-6)


def test_sigma_is_exact_where_all_similarities_are_alike_but_for_little():
    rng = np.random.default_rng(0)
    items, bank = (unit(np.ones(64, np.float32) + 0.15 * rng.standard_normal((n, 64)).astype("f")) for n in (500, 300))
    assert within_query_sd(items, Bank(bank)) == pytest.approx(reference.sd(items, bank), rel=1e-4)


def test_beta_is_one_over_sigma_and_bounded_where_scores_are_constant():
    items, bank = vectors(50), vectors(20, seed=1)
    assert default_beta(items, Bank(bank)) == pytest.approx(1 / reference.sd(items, bank), rel=1e-5)
    constant = np.repeat(vectors(1), 5, axis=0)
    assert default_beta(constant, Bank(bank)) == MAX_BETA


@pytest.mark.parametrize("beta", [1e3, 1e4])
def test_nothing_overflows_at_high_beta(beta):
    items = np.concatenate([vectors(20), -vectors(20)])
    log = log_partition(items, Bank(vectors(20)), beta)
    assert np.isfinite(log).all()
    np.testing.assert_allclose(log / beta, reference.log_partition(items, vectors(20), beta) / beta, atol=1e-6)


def test_ties_for_the_activation_set_go_to_the_lower_id_across_blocks():
    item = vectors(1)
    items = np.repeat(item, 9, axis=0)
    near = Activations(9, 1, k=2)
    scan(items, Bank(item), [near], block=2)
    assert np.flatnonzero(near.active()).tolist() == [0, 1]


def test_an_item_with_every_bank_query_masked_is_left_alone():
    items, bank = vectors(3), Bank(vectors(2, seed=1), np.array([[0, 1], [1, 1]]))
    log = log_partition(items, bank, 5.0)
    assert np.isneginf(log).tolist() == [False, True, False]
    penalty = centred(log / 5.0)
    assert penalty[1] == 0
    assert np.isfinite(penalty).all()


def test_penalties_are_around_zero():
    assert centred(np.array([1.0, 2.0, 6.0])).tolist() == [-2.0, -1.0, 3.0]
    assert centred(np.full(2, -np.inf)).tolist() == [0.0, 0.0]


@pytest.mark.parametrize(
    "make",
    [
        lambda: Bank(np.zeros((0, 4), np.float32)),
        lambda: Bank(vectors(2), np.array([[2, 0]])),
        lambda: Bank(vectors(2), np.array([[-1, 0]])),
        lambda: Bank(vectors(2), np.array([0, 1])),
        lambda: scan(vectors(3), Bank(vectors(2), np.array([[0, 3]])), []),
        lambda: scan(vectors(3), Bank(vectors(2, d=5)), []),
        lambda: normalizers.inverse_temperature(0.0, vectors(2), Bank(vectors(2))),
        lambda: normalizers.inverse_temperature(float("nan"), vectors(2), Bank(vectors(2))),
    ],
)
def test_what_does_not_fit_is_said(make):
    with pytest.raises(ShapeMismatch):
        make()


@settings(max_examples=20, deadline=None)
@given(st.integers(1, 4))
def test_a_bank_of_duplicates_is_one_query_many_times(copies):
    items, query = vectors(12), vectors(1, seed=5)
    many = log_partition(items, Bank(np.repeat(query, copies, axis=0)), 10.0)
    np.testing.assert_allclose(many - log_partition(items, Bank(query), 10.0), np.log(copies), atol=1e-5)
