"""Every correction against its equation, and what all have in common."""

import importlib.util
import json
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from safetensors.numpy import load, save

from models.arrays import EMPTY, Neighbours, Queries, top_rows, unit
from models.errors import ArtifactInvalid, BankMismatch, ShapeMismatch
from models.hubness import metrics, registry
from models.hubness.base import HubnessCorrection
from models.hubness.csls import LocalScaling
from models.hubness.dual_bank import DualDynamicInvertedSoftmax, DualInvertedSoftmax
from models.hubness.fitted import dense_share
from models.hubness.inverted_softmax import DynamicInvertedSoftmax, InvertedSoftmax
from models.hubness.nnn import NearestNeighbourNormalization
from models.hubness.normalizers import Bank
from models.hubness.sinkhorn import SinkhornNormalization

_spec = importlib.util.spec_from_file_location("reference", Path(__file__).with_name("reference.py"))
reference = importlib.util.module_from_spec(_spec)
_spec.loader.exec_module(reference)

ENCODER = "f" * 64
METHODS = registry.METHODS
every_method = pytest.mark.parametrize("method", METHODS)


def vectors(n, d=6, seed=0):
    return unit(np.random.default_rng(seed).standard_normal((n, d)).astype(np.float32))


def found_all(queries, items):
    """Every item, by similarity."""
    return top_rows((queries @ items.T).astype(np.float32), k=len(items))


def expected(world, method, beta=12.0):
    banks = world.bank.vectors, world.gallery.vectors
    # `registry.fit` leaves the gallery's β at 1/σ.
    gallery_beta = 1 / reference.sd(world.items, world.gallery.vectors)
    return reference.scores(method, world.queries, world.items, *banks, beta=beta, gallery_beta=gallery_beta)


@every_method
def test_order_and_differences_are_those_of_the_equation(world, method):
    fitted = world.fit(method)
    fair = fitted.correct(Queries.of_vectors(world.queries), found_all(world.queries, world.items))
    wanted = expected(world, method)
    if method == "csls":
        wanted = wanted / 2
    got = np.empty_like(wanted)
    np.put_along_axis(got, fair.ids, fair.scores.astype(np.float64), axis=1)
    got -= got.mean(axis=1, keepdims=True)
    np.testing.assert_allclose(got, wanted - wanted.mean(axis=1, keepdims=True), atol=3e-6)
    agreement = (fair.ids[:, :10] == reference.order(wanted)).mean()
    assert agreement >= 0.99


@every_method
def test_corrects_and_keeps_the_old_score(world, method):
    fitted = world.fit(method)
    assert isinstance(fitted, HubnessCorrection)
    assert fitted.method == method
    found = found_all(world.queries, world.items).top(20)
    fair = fitted.correct(Queries.of_vectors(world.queries), found)
    assert (np.diff(fair.scores, axis=1) <= 0).all()
    np.testing.assert_array_equal(np.sort(fair.ids, axis=1), np.sort(found.ids, axis=1))
    similarity = np.take_along_axis(world.queries @ world.items.T, fair.ids, axis=1)
    np.testing.assert_allclose(fair.parts["raw"], similarity, atol=1e-6)


@every_method
def test_empty_slots_stay_empty_and_last(world, method):
    queries = Queries.of_vectors(world.queries[:3])
    found = found_all(world.queries[:3], world.items).top(5)
    scores, ids = found.scores.copy(), found.ids.copy()
    scores[1, 2:], ids[1, 2:] = -np.inf, EMPTY
    scores[2], ids[2] = -np.inf, EMPTY
    fair = world.fit(method).correct(queries, Neighbours(scores, ids))
    assert (fair.ids[1, 2:] == EMPTY).all()
    assert (fair.ids[2] == EMPTY).all()
    assert np.isneginf(fair.scores[fair.ids == EMPTY]).all()
    assert np.isfinite(fair.scores[fair.ids != EMPTY]).all()


@every_method
def test_no_queries_and_no_slots_are_fine(world, method):
    fitted = world.fit(method)
    none = Neighbours(np.zeros((0, 3), np.float32), np.zeros((0, 3), np.int64))
    assert len(fitted.correct(Queries.of_vectors(world.queries[:0]), none)) == 0
    slots = Neighbours(np.zeros((2, 0), np.float32), np.zeros((2, 0), np.int64))
    assert fitted.correct(Queries.of_vectors(world.queries[:2]), slots).ids.shape == (2, 0)


@every_method
def test_equal_items_tie_and_the_lower_id_is_first(world, method):
    items = np.concatenate([world.items, world.items[:5]])
    fair = world.fit(method, items=items).correct(Queries.of_vectors(world.queries), found_all(world.queries, items))
    place = np.argsort(fair.ids, axis=1)
    twins = np.arange(5), np.arange(5) + len(world.items)
    assert (place[:, twins[0]] < place[:, twins[1]]).all()
    scores = np.take_along_axis(fair.scores, place, axis=1)
    np.testing.assert_allclose(scores[:, twins[0]], scores[:, twins[1]], atol=1e-5)


@every_method
def test_survives_json_and_safetensors(world, method):
    fitted = world.fit(method)
    about = json.loads(json.dumps(fitted.settings))
    opened = registry.open_fitted(about, load(save(fitted.to_tensors())))
    assert opened.settings == fitted.settings
    queries, found = Queries.of_vectors(world.queries), found_all(world.queries, world.items)
    np.testing.assert_array_equal(opened.correct(queries, found).ids, fitted.correct(queries, found).ids)


@pytest.mark.parametrize("banked", [90, 4])
def test_fitting_all_at_once_is_fitting_each(world, banked):
    pairs = np.array([[b, 7 * b % 150] for b in range(banked)])
    bank = Bank(world.bank.vectors[:banked], pairs)
    banks = {"encoder": ENCODER, "gallery": world.gallery}
    together = registry.fit_all(world.items, bank, **banks)
    assert list(together) == [m for m in METHODS if m != "sinkhorn"]
    for method, fitted in together.items():
        alone = registry.fit(method, world.items, bank, **banks)
        assert fitted.settings == alone.settings
        for name, tensor in alone.to_tensors().items():
            np.testing.assert_allclose(fitted.to_tensors()[name], tensor, atol=1e-6)
    assert set(registry.fit_all(world.items, bank, encoder=ENCODER)) == set(together) - registry.NEED_GALLERY


def test_several_are_packed_into_one_file_and_come_out_in_order(world):
    fitted = list(registry.fit_all(world.items, world.bank, encoder=ENCODER, gallery=world.gallery).values())
    about, tensors = registry.pack(fitted)
    opened = registry.unpack(json.loads(json.dumps(about)), load(save(tensors)))
    assert [o.settings for o in opened] == [f.settings for f in fitted]
    for one, other in zip(opened, fitted, strict=True):
        for name, tensor in other.to_tensors().items():
            np.testing.assert_array_equal(one.to_tensors()[name], tensor)
    with pytest.raises(ArtifactInvalid):
        registry.unpack([{"method": "magic"}], tensors)


@every_method
def test_another_encoder_or_index_is_refused(world, method):
    fitted = world.fit(method)
    fitted.fitted_for.check(encoder=ENCODER, size=150)
    with pytest.raises(BankMismatch, match="encoder"):
        fitted.fitted_for.check(encoder="0" * 64, size=150)
    with pytest.raises(BankMismatch, match="151"):
        fitted.fitted_for.check(encoder=ENCODER, size=151)
    found = found_all(world.queries, world.items).top(3)
    with pytest.raises(BankMismatch, match="wide"):
        fitted.correct(Queries.of_vectors(vectors(40, d=5)), found)
    beyond = Neighbours(found.scores, np.full_like(found.ids, 150))
    with pytest.raises(BankMismatch, match="row 150"):
        fitted.correct(Queries.of_vectors(world.queries), beyond)


@every_method
@pytest.mark.parametrize("bank", ["one query", "duplicates", "constant scores"])
def test_a_degenerate_bank_gives_finite_scores(world, method, bank):
    items = world.items
    match bank:
        case "one query":
            some = Bank(world.bank.vectors[:1])
        case "duplicates":
            some = Bank(np.repeat(world.bank.vectors[:1], 30, axis=0))
        case _:
            items, some = np.repeat(items[:1], 20, axis=0), world.bank
    fitted = registry.fit(method, items, some, gallery=world.gallery, encoder=ENCODER)
    fair = fitted.correct(Queries.of_vectors(world.queries), found_all(world.queries, items))
    assert np.isfinite(fair.scores).all()
    if bank == "constant scores":
        np.testing.assert_array_equal(fair.ids, found_all(world.queries, items).ids)


@pytest.mark.parametrize("method", sorted(registry.NEED_BETA))
def test_high_beta_does_not_overflow(world, method):
    fitted = world.fit(method, beta=1000.0)
    fair = fitted.correct(Queries.of_vectors(world.queries), found_all(world.queries, world.items))
    assert np.isfinite(fair.scores).all()


@every_method
def test_hubs_are_pushed_down(method):
    rng = np.random.default_rng(0)
    axis = np.eye(1, 24, dtype=np.float32)[0]
    noise = [rng.standard_normal((n, 24)).astype(np.float32) / 5 for n in (400, 400, 400, 400)]
    # Every tenth item lies near the axis that all queries share.
    noise[0][::10] *= 0.3
    items, queries, bank, gallery = (unit(x + axis) for x in noise)
    fitted = registry.fit(method, items, Bank(bank), gallery=Bank(gallery), encoder=ENCODER)
    found = found_all(queries, items)
    fair = fitted.correct(Queries.of_vectors(queries), found)
    before, after = (metrics.measure(f.ids[:, :5], size=400) for f in (found, fair))
    assert before.skewness > 2
    assert after.skewness < 0.8 * before.skewness
    assert after.robin_hood < before.robin_hood


@settings(deadline=None)
@given(st.integers(0, 1000))
def test_the_order_of_items_does_not_matter(seed):
    items, bank, queries = vectors(20, seed=seed), vectors(15, seed=seed + 1), vectors(4, seed=seed + 2)
    moved = np.random.default_rng(seed).permutation(20)
    for method in ("is", "dis", "csls", "nnn", "centre", "sinkhorn"):
        one = registry.fit(method, items, Bank(bank), encoder=ENCODER, beta=10.0)
        other = registry.fit(method, items[moved], Bank(bank), encoder=ENCODER, beta=10.0)
        left = one.correct(Queries.of_vectors(queries), found_all(queries, items))
        right = other.correct(Queries.of_vectors(queries), found_all(queries, items[moved]))
        np.testing.assert_allclose(left.scores, right.scores, atol=2e-5)


def test_dis_corrects_only_queries_whose_best_row_is_some_bank_querys_best():
    items = np.eye(4, dtype=np.float32)
    bank = Bank(unit(np.array([[1, 0.2, 0, 0], [1, 0.1, 0.1, 0], [0, 1, 0, 0]], np.float32)))
    fitted = DynamicInvertedSoftmax.fit(items, bank, encoder=ENCODER, beta=5.0)
    assert fitted.active.tolist() == [True, True, False, False]
    queries = unit(np.array([[1, 0.9, 0.8, 0], [0, 0.8, 1, 0.1]], np.float32))
    found = found_all(queries, items)
    fair = fitted.correct(Queries.of_vectors(queries), found)
    always = InvertedSoftmax.fit(items, bank, encoder=ENCODER, beta=5.0).correct(Queries.of_vectors(queries), found)
    np.testing.assert_array_equal(fair.ids[0], always.ids[0])
    np.testing.assert_array_equal(fair.ids[1], found.ids[1])
    np.testing.assert_allclose(fair.scores[1], found.scores[1])
    assert always.ids[1].tolist() != found.ids[1].tolist()


def test_dis_with_a_wider_activation_set_opens_more_gates(world):
    sizes = [
        DynamicInvertedSoftmax.fit(world.items, world.bank, encoder=ENCODER, k=k).active.sum() for k in (1, 3, 150)
    ]
    assert sizes[0] < sizes[1] < sizes[2] == 150


def test_dual_dis_gates_each_bank_by_itself(world):
    fitted = world.fit("dual_dis")
    first = np.array([EMPTY, *range(150)])
    gates = fitted.gates(first)
    assert gates[0].tolist() == [0, 0]
    np.testing.assert_array_equal(gates[1:, 0] > 0, reference.active(world.items, world.bank.vectors))
    np.testing.assert_array_equal(gates[1:, 1] > 0, reference.active(world.items, world.gallery.vectors))
    assert len(np.unique(gates, axis=0)) == 4


def test_dual_dis_does_not_flip_order_where_cosines_are_negative():
    items, bank = vectors(30), Bank(vectors(20, seed=1))
    queries = -items[:5]
    fitted = DualDynamicInvertedSoftmax.fit(items, bank, Bank(vectors(20, seed=2)), encoder=ENCODER)
    closed = DualDynamicInvertedSoftmax(
        fitted.fitted_for, fitted.by_queries, fitted.by_gallery, np.zeros((30, 2), bool)
    )
    found = found_all(queries, items)
    np.testing.assert_array_equal(closed.correct(Queries.of_vectors(queries), found).ids, found.ids)


def test_csls_is_nnn_at_one_half_and_ten(world):
    csls = LocalScaling.fit(world.items, world.bank, encoder=ENCODER)
    nnn = NearestNeighbourNormalization.fit(world.items, world.bank, encoder=ENCODER, alpha=0.5, k=10)
    np.testing.assert_allclose(csls.penalties, nnn.penalties, atol=1e-7)


def test_sinkhorn_gives_every_item_the_same_mass(world):
    fitted = SinkhornNormalization.fit(world.items, world.bank, encoder=ENCODER, beta=12.0, iterations=200)
    plan = np.exp(12.0 * reference.similarity(world.bank.vectors, world.items) - fitted.potential)
    plan /= plan.sum(axis=1, keepdims=True)
    np.testing.assert_allclose(plan.sum(axis=0), len(plan) / len(world.items), rtol=1e-3)


def test_sinkhorn_leaves_masked_pairs_out(world):
    pairs = np.array([[b, b % 150] for b in range(90)])
    masked = SinkhornNormalization.fit(world.items, Bank(world.bank.vectors, pairs), encoder=ENCODER, beta=12.0)
    powers = 12.0 * reference.similarity(world.bank.vectors, world.items)
    powers[pairs[:, 0], pairs[:, 1]] = -np.inf
    plan, right = np.exp(powers), np.ones(150)
    for _ in range(10):
        right = 1 / ((1 / (plan @ right)) @ plan)
    np.testing.assert_allclose(masked.potential, -np.log(right), atol=1e-4)


@pytest.mark.parametrize("method", ["is", "dis"])
def test_a_grown_bank_corrects_as_a_refitted_one(world, method):
    more = Bank(vectors(25, d=12, seed=9), np.array([[3, 7]]))
    both = Bank(np.concatenate([world.bank.vectors, more.vectors]), np.array([[93, 7]]))
    grown = world.fit(method).grown(world.items, more)
    refitted = registry.fit(method, world.items, both, encoder=ENCODER, beta=12.0)
    assert grown.settings == refitted.settings
    for name, tensor in refitted.to_tensors().items():
        np.testing.assert_allclose(grown.to_tensors()[name], tensor, atol=1e-5)


@pytest.mark.parametrize("kind", [DualInvertedSoftmax, DualDynamicInvertedSoftmax])
def test_either_bank_of_a_dual_one_grows(world, kind):
    more = Bank(vectors(25, d=12, seed=9))
    fit = {"encoder": ENCODER, "beta": 7.0, "gallery_beta": 3.0}
    both = [Bank(np.concatenate([b.vectors, more.vectors])) for b in (world.bank, world.gallery)]
    grown = kind.fit(world.items, world.bank, world.gallery, **fit).grown(world.items, queries=more, gallery=more)
    refitted = kind.fit(world.items, *both, **fit)
    assert grown.settings == refitted.settings
    for name, tensor in refitted.to_tensors().items():
        np.testing.assert_allclose(grown.to_tensors()[name], tensor, atol=1e-5)
    with pytest.raises(ShapeMismatch):
        grown.grown(world.items[:9], queries=more)


def test_known_positives_masked_no_longer_push_an_item_down(world):
    target, query = 5, 0
    near = world.bank.vectors.copy()
    near[query] = world.items[target]
    plain = InvertedSoftmax.fit(world.items, Bank(near), encoder=ENCODER, beta=30.0)
    masked = InvertedSoftmax.fit(world.items, Bank(near, np.array([[query, target]])), encoder=ENCODER, beta=30.0)
    assert masked.penalties[target] < plain.penalties[target] - 0.01


def test_where_dense_and_lexical_are_fused_only_the_dense_share_is_corrected(world):
    queries = Queries.of_vectors(world.queries)
    dense = found_all(world.queries, world.items)
    lexical = np.random.default_rng(0).random(dense.scores.shape).astype(np.float32)
    weight = np.linspace(0, 0.9, len(queries), dtype=np.float32)[:, None]
    fused = (1 - weight) * dense.scores + weight * lexical
    found = Neighbours(fused, dense.ids, {"dense": dense.scores, "lexical": lexical}).sorted()
    np.testing.assert_allclose(dense_share(found), 1 - weight, atol=1e-5)
    fitted = world.fit("is")
    fair = fitted.correct(queries, found)
    wanted = fused - (1 - weight) * fitted.penalties[dense.ids, 0]
    np.testing.assert_allclose(np.sort(fair.scores), np.sort(wanted), atol=1e-5)
    np.testing.assert_allclose(
        fair.parts["raw"], (1 - weight) * fair.parts["dense"] + weight * fair.parts["lexical"], atol=1e-5
    )


def test_unknown_methods_and_missing_banks_are_said(world):
    with pytest.raises(ShapeMismatch, match="unknown hubness method 'magic'"):
        registry.fit("magic", world.items, world.bank, encoder=ENCODER)
    with pytest.raises(ShapeMismatch, match="gallery"):
        registry.fit("dual_is", world.items, world.bank, encoder=ENCODER)
    with pytest.raises(ShapeMismatch):
        NearestNeighbourNormalization.fit(world.items, world.bank, encoder=ENCODER, k=0)
    with pytest.raises(ShapeMismatch):
        SinkhornNormalization.fit(world.items, world.bank, encoder=ENCODER, iterations=0)
    fitted = world.fit("is")
    with pytest.raises(ArtifactInvalid):
        registry.open_fitted({**fitted.settings, "method": "magic"}, fitted.to_tensors())
    with pytest.raises(ArtifactInvalid):
        registry.open_fitted(fitted.settings, {})
    with pytest.raises(ArtifactInvalid):
        registry.open_fitted(fitted.settings, {"log_partition": np.zeros(3)})
