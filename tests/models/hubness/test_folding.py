import importlib.util
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from models.arrays import EMPTY, Queries, top_rows, unit
from models.errors import BankMismatch
from models.hubness import registry
from models.hubness.folding import Centring, fold, foldings
from models.hubness.normalizers import Bank
from models.indexes.base import Index
from models.indexes.faiss import FaissIndex
from models.indexes.folded import FoldedIndex
from models.indexes.hybrid import FusionWeights, HybridIndex
from models.indexes.lexical import LexicalIndex
from models.indexes.overfetch import OverfetchingIndex

_spec = importlib.util.spec_from_file_location("reference", Path(__file__).with_name("reference.py"))
reference = importlib.util.module_from_spec(_spec)
_spec.loader.exec_module(reference)

ENCODER = "f" * 64
ADDITIVE = [m for m in registry.METHODS if m != "centre"]


def vectors(n, d=8, seed=0):
    return unit(np.random.default_rng(seed).standard_normal((n, d)).astype(np.float32))


def folded_indexes(world, methods=tuple(ADDITIVE), index="exact"):
    """One engine, a view for each method."""
    fitted = [world.fit(m) for m in methods]
    engine = FaissIndex.build(fold(world.items, fitted), method=index)
    return {name: FoldedIndex(engine, f) for name, f in foldings(world.items.shape[1], fitted).items()}


def corrected(world, method):
    """Every item re-scored: what folding must find."""
    every = top_rows((world.queries @ world.items.T).astype(np.float32), k=len(world.items))
    return world.fit(method).correct(Queries.of_vectors(world.queries), every)


def same_up_to_rounding(found, wanted, k=10, atol=2e-6):
    """The same rows, but where two scores are nearer than rounding."""
    np.testing.assert_allclose(found.scores[:, :k], wanted.scores[:, :k], atol=atol)
    for i, j in np.argwhere(found.ids[:, :k] != wanted.ids[:, :k]):
        near = np.abs(wanted.scores[i] - found.scores[i, j]) <= 2 * atol
        assert found.ids[i, j] in wanted.ids[i][near]


def test_one_index_answers_every_method_and_none(world):
    queries = Queries.of_vectors(world.queries)
    views = folded_indexes(world)
    assert set(views) == {"none", *ADDITIVE}
    for method, view in views.items():
        assert isinstance(view, Index)
        assert view.size == 150
        found = view.search(queries, k=10)
        if method == "none":
            plain = top_rows((world.queries @ world.items.T).astype(np.float32), k=10)
            same_up_to_rounding(found, plain)
        else:
            same_up_to_rounding(found, corrected(world, method))


@pytest.mark.parametrize("method", ADDITIVE)
def test_the_top_ten_is_that_of_the_equation(world, method):
    gallery_beta = 1 / reference.sd(world.items, world.gallery.vectors)
    banks = world.bank.vectors, world.gallery.vectors
    wanted = reference.scores(method, world.queries, world.items, *banks, beta=12.0, gallery_beta=gallery_beta)
    found = folded_indexes(world, [method])[method].search(Queries.of_vectors(world.queries), k=10)
    best = np.sort(wanted, axis=1)[:, ::-1][:, :10]
    got = np.take_along_axis(wanted, found.ids, axis=1)
    np.testing.assert_allclose(got, best, atol=4e-6)


@pytest.mark.parametrize("method", ["none", *ADDITIVE, "centre"])
def test_raw_is_the_uncorrected_similarity(world, method):
    queries = Queries.of_vectors(world.queries)
    view = centred_index(world) if method == "centre" else folded_indexes(world)[method]
    found = view.search(queries, k=10)
    similarity = np.take_along_axis(world.queries @ world.items.T, found.ids, axis=1)
    np.testing.assert_allclose(found.parts["raw"], similarity, atol=2e-6)


def centred_index(world):
    fitted = world.fit("centre")
    return FoldedIndex(FaissIndex.build(fitted.centred_items(world.items)), Centring(fitted))


def test_centring_folds_into_rows_of_its_own(world):
    found = centred_index(world).search(Queries.of_vectors(world.queries), k=10)
    same_up_to_rounding(found, corrected(world, "centre"))


@pytest.mark.parametrize("method", ADDITIVE)
def test_score_agrees_with_search(world, method):
    queries = Queries.of_vectors(world.queries)
    view = folded_indexes(world)[method]
    found = view.search(queries, k=7)
    rows = found.ids.copy()
    rows[0, 0] = EMPTY
    scores = view.score(queries, rows)
    assert scores[0, 0] == -np.inf
    scores[0, 0] = found.scores[0, 0]
    np.testing.assert_allclose(scores, found.scores, atol=1e-6)


@pytest.mark.parametrize("index", ["codes", "hnsw"])
@pytest.mark.parametrize("method", ["is", "dual_dis"])
def test_an_index_that_is_not_exact_serves_folded_rows(world, method, index):
    found = folded_indexes(world, [method], index=index)[method].search(Queries.of_vectors(world.queries), k=10)
    wanted = corrected(world, method).ids[:, :10]
    recall = np.mean([len(np.intersect1d(a, b)) / 10 for a, b in zip(found.ids, wanted, strict=True)])
    assert recall >= 0.99


def test_a_batch_answers_as_one_by_one(world):
    view = folded_indexes(world)["dual_dis"]
    together = view.search(Queries.of_vectors(world.queries), k=5)
    for i in range(len(world.queries)):
        alone = view.search(Queries.of_vectors(world.queries[i : i + 1]), k=5)
        np.testing.assert_array_equal(alone.ids[0], together.ids[i])


def test_equal_items_tie_by_lower_id(world):
    items = np.concatenate([world.items, world.items])
    fitted = [world.fit("is", items=items)]
    index = FoldedIndex(FaissIndex.build(fold(items, fitted)), foldings(items.shape[1], fitted)["is"])
    ids = index.search(Queries.of_vectors(world.queries), k=2).ids
    np.testing.assert_array_equal(ids[:, 1], ids[:, 0] + len(world.items))


def test_no_queries_and_no_slots(world):
    for view in folded_indexes(world).values():
        assert view.search(Queries.of_vectors(world.queries[:0]), k=3).ids.shape == (0, 3)
        assert view.search(Queries.of_vectors(world.queries[:2]), k=0).ids.shape == (2, 0)


def test_rows_of_another_index_are_not_folded(world):
    with pytest.raises(BankMismatch):
        fold(world.items[:9], [world.fit("is")])
    for folding in (foldings(12, [world.fit("is")])["is"], Centring(world.fit("centre"))):
        with pytest.raises(BankMismatch):
            FoldedIndex(FaissIndex.build(vectors(9, d=13)), folding)


@settings(max_examples=25, deadline=None)
@given(st.integers(2, 40), st.integers(1, 30), st.integers(0, 10_000), st.sampled_from([1.0, 30.0, 1000.0]))
def test_folding_is_exact_whatever_the_vectors(n, b, seed, beta):
    items, queries = vectors(n, seed=seed), vectors(3, seed=seed + 2)
    banks = {"gallery": Bank(vectors(b, seed=seed + 3)), "encoder": ENCODER, "beta": beta}
    fitted = [registry.fit(m, items, Bank(vectors(b, seed=seed + 1)), **banks) for m in ADDITIVE]
    engine = FaissIndex.build(fold(items, fitted))
    every = top_rows((queries @ items.T).astype(np.float32), k=n)
    for correction in fitted:
        view = FoldedIndex(engine, foldings(items.shape[1], fitted)[correction.method])
        wanted = correction.correct(Queries.of_vectors(queries), every)
        same_up_to_rounding(view.search(Queries.of_vectors(queries), k=10), wanted)


def test_inside_a_hybrid_index_the_dense_side_is_corrected_and_the_lexical_one_is_not(world):
    texts = [f"item {i} of {i % 7}" for i in range(150)]
    fitted = world.fit("is")
    dense = FoldedIndex(FaissIndex.build(fold(world.items, [fitted])), foldings(12, [fitted])["is"])
    plain = FaissIndex.build(world.items)
    lexical = LexicalIndex.build(texts)
    asked = Queries([f"item {i}" for i in range(40)], world.queries, [None] * 40)
    inside, outside = (HybridIndex(d, lexical, weights=FusionWeights(0.3), pool=150) for d in (dense, plain))
    after = fitted.correct(asked, outside.search(asked, k=150))
    same_up_to_rounding(inside.search(asked, k=150), after, atol=1e-5)


@pytest.mark.parametrize("method", registry.METHODS)
def test_overfetching_everything_is_exact(world, method):
    index = OverfetchingIndex(FaissIndex.build(world.items), world.fit(method).rescore, fetch=1000)
    queries = Queries.of_vectors(world.queries)
    assert isinstance(index, Index)
    assert index.size == 150
    found = index.search(queries, k=10)
    same_up_to_rounding(found, corrected(world, method))
    np.testing.assert_allclose(index.score(queries, found.ids), found.scores, atol=1e-6)
    similarity = np.take_along_axis(world.queries @ world.items.T, found.ids, axis=1)
    np.testing.assert_allclose(found.parts["raw"], similarity, atol=1e-6)


def test_overfetching_less_misses_what_only_its_correction_lifts(world):
    queries = Queries.of_vectors(world.queries)
    index = OverfetchingIndex(FaissIndex.build(world.items), world.fit("is").rescore, fetch=10)
    wanted = corrected(world, "is").ids[:, :10]
    assert index.search(queries, k=10).ids.shape == wanted.shape
    assert (index.search(queries, k=10).ids != wanted).any()
