import numpy as np

from models.arrays import EMPTY, Queries, unit
from models.indexes.faiss import FaissIndex
from models.indexes.hybrid import FusionWeights, HybridIndex
from models.indexes.lexical import LexicalIndex

TEXTS = ["nurse", "night nurse", "plumber", "pipe fitter", "baker", "pastry cook", "teacher", "head teacher"]


def random_vectors(n, d=16, seed=0):
    return unit(np.random.default_rng(seed).standard_normal((n, d)).astype(np.float32))


def hybrid(weights, pool=8):
    vectors = random_vectors(len(TEXTS))
    return HybridIndex(FaissIndex.build(vectors), LexicalIndex.build(TEXTS), weights=weights, pool=pool), vectors


def test_fused_scores_are_the_weighted_sum_of_both_cosines_for_every_row():
    index, vectors = hybrid(FusionWeights(0.25))
    lexical = LexicalIndex.build(TEXTS)
    queries = Queries(["nurse teacher"], random_vectors(1, seed=1), [None])
    found = index.search(queries, k=8)
    dense = (queries.vectors @ vectors.T)[0]
    words = lexical.score(queries, np.arange(len(TEXTS))[None])[0]
    expected = 0.75 * dense + 0.25 * words
    assert found.ids[0].tolist() == np.argsort(-expected, kind="stable").tolist()
    np.testing.assert_allclose(found.scores[0], np.sort(expected)[::-1], atol=1e-6)
    np.testing.assert_allclose(0.75 * found.parts["dense"] + 0.25 * found.parts["lexical"], found.scores, atol=1e-6)


def test_weights_follow_the_primary_language_of_each_query():
    weights = FusionWeights(0.5, 0.25, {"de": 1.0, "fr": 0.0})
    assert weights.lexical(["de-AT", "FR", None, "xx"]).ravel().tolist() == [1.0, 0.0, 0.5, 0.25]
    index, _ = hybrid(weights)
    both = Queries(["baker", "baker"], random_vectors(2, seed=3), ["de", "fr"])
    found = index.search(both, k=3)
    np.testing.assert_allclose(found.scores[0], found.parts["lexical"][0], atol=1e-6)
    np.testing.assert_allclose(found.scores[1], found.parts["dense"][1], atol=1e-6)


def test_a_small_pool_still_scores_each_row_by_both():
    index, _ = hybrid(FusionWeights(0.5), pool=2)
    found = index.search(Queries(["plumber"], random_vectors(1, seed=4), [None]), k=2)
    assert found.ids.shape == (1, 2)
    assert np.isfinite(found.parts["dense"]).all()
    assert np.isfinite(found.parts["lexical"]).all()


def test_no_row_is_found_twice():
    index, _ = hybrid(FusionWeights(0.5))
    ids = index.search(Queries(["nurse"], random_vectors(1, seed=5), [None]), k=8).ids[0]
    ids = ids[ids != EMPTY]
    assert len(set(ids.tolist())) == len(ids)
