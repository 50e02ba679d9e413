import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from models.arrays import EMPTY
from models.hubness import metrics

found_ids = st.integers(1, 30).flatmap(
    lambda n: st.lists(st.permutations(range(12)).map(lambda p: p[:4]), min_size=n, max_size=n)
).map(lambda rows: np.array(rows, np.int64))  # fmt: skip


@settings(deadline=None)
@given(found_ids)
def test_each_figure_is_its_definition(ids):
    n, k = ids.shape
    counts = [sum(int(g in row) for row in ids) for g in range(12)]
    about = metrics.measure(ids, size=12)
    assert metrics.k_occurrence(ids, size=12).tolist() == counts
    expected = stats.skew(counts) if len(set(counts)) > 1 else 0
    assert about.skewness == pytest.approx(expected, abs=1e-9)
    mean = n * k / 12
    assert about.robin_hood == pytest.approx(sum(abs(c - mean) for c in counts) / (2 * n * k))
    assert about.antihub_rate == pytest.approx(counts.count(0) / 12)
    assert about.hub_occurrence == pytest.approx(sum(c for c in counts if c >= 2 * k) / (n * k))
    assert about.highest == max(counts)


@settings(deadline=None)
@given(found_ids)
def test_figures_stay_in_their_bounds_and_do_not_depend_on_order(ids):
    about = metrics.measure(ids, size=12)
    assert 0 <= about.robin_hood < 1
    assert 0 <= about.antihub_rate <= 1
    assert 0 <= about.hub_occurrence <= 1
    renamed = np.random.default_rng(0).permutation(12)[ids[::-1, ::-1]]
    again = metrics.measure(renamed, size=12)
    assert again.skewness == pytest.approx(about.skewness, abs=1e-9)
    assert (again.robin_hood, again.antihub_rate) == pytest.approx((about.robin_hood, about.antihub_rate))


def test_one_hub_for_all_is_as_bad_as_it_gets():
    about = metrics.measure(np.zeros((100, 1), np.int64), size=100)
    assert about.robin_hood == pytest.approx(0.99)
    assert about.antihub_rate == pytest.approx(0.99)
    assert about.hub_occurrence == 1
    assert about.skewness > 9


def test_even_results_have_no_hubs():
    about = metrics.measure(np.arange(10).reshape(10, 1), size=10)
    assert (about.skewness, about.robin_hood, about.antihub_rate, about.hub_occurrence) == (0, 0, 0, 0)


def test_empty_slots_do_not_count():
    ids = np.array([[0, EMPTY], [0, 1]])
    assert metrics.k_occurrence(ids, size=3).tolist() == [2, 1, 0]
    nothing = metrics.measure(np.full((2, 2), EMPTY), size=3)
    assert (nothing.robin_hood, nothing.hub_occurrence, nothing.skewness) == (0, 0, 0)
