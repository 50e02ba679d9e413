"""What every index must do, whatever is inside."""

import numpy as np
import pytest
from sklearn.feature_extraction.text import TfidfVectorizer

from models.arrays import EMPTY, Queries, unit
from models.encoders.hashing import HashingEncoder
from models.indexes.base import Index
from models.indexes.faiss import FaissIndex
from models.indexes.hybrid import FusionWeights, HybridIndex
from models.indexes.lexical import LexicalIndex, NgramConfig

TEXTS = [
    f"{adjective} {noun}" for adjective in ("red", "green", "blue", "old") for noun in ("car", "boat", "tree", "hat")
]
TEXTS += ["red car"]  # a tie with row 0
ENCODER = HashingEncoder()


def dense(method):
    return FaissIndex.build(ENCODER.encode_passage(TEXTS), method=method)


INDEXES = {
    "exact": lambda: dense("exact"),
    "codes": lambda: dense("codes"),
    "hnsw": lambda: dense("hnsw"),
    "lexical": lambda: LexicalIndex.build(TEXTS),
    "hybrid": lambda: HybridIndex(dense("exact"), LexicalIndex.build(TEXTS), weights=FusionWeights(0.4, 0.4)),
}


def queries(texts):
    return Queries(texts, ENCODER.encode_query(texts), ["en"] * len(texts))


@pytest.fixture(params=INDEXES)
def index(request):
    return INDEXES[request.param]()


def test_is_an_index(index):
    assert isinstance(index, Index)
    assert index.size == len(TEXTS)


def test_finds_itself_first_and_breaks_the_tie_by_lower_id(index):
    found = index.search(queries(["red car", "old hat"]), k=3)
    assert found.ids[0, :2].tolist() == [0, 16]
    assert found.ids[1, 0] == TEXTS.index("old hat")
    assert found.scores[0, 0] == pytest.approx(1.0, abs=1e-4)


def test_scores_descend_and_agree_with_score(index):
    asked = queries(["green boat", "a tree"])
    found = index.search(asked, k=6)
    finite = np.where(found.ids == EMPTY, 0, found.scores)
    assert (np.diff(finite, axis=1) <= 1e-6).all()
    again = index.score(asked, found.ids)
    np.testing.assert_allclose(np.where(found.ids == EMPTY, 0, again), finite, atol=1e-5)


def test_an_empty_slot_scores_minus_infinity(index):
    assert index.score(queries(["hat"]), np.array([[EMPTY, 0]]))[0, 0] == -np.inf


def test_no_queries_give_no_neighbours(index):
    assert len(index.search(queries([]), k=3)) == 0


def test_k_beyond_the_size_is_cut_or_padded(index):
    found = index.search(queries(["red car"]), k=100)
    ids = found.ids[found.ids != EMPTY]
    assert len(ids) <= len(TEXTS)
    assert len(set(ids.tolist())) == len(ids)


def test_a_batch_answers_as_one_by_one(index):
    texts = ["red tree", "blue", "xyzzy", ""]
    together = index.search(queries(texts), k=4)
    for i, text in enumerate(texts):
        alone = index.search(queries([text]), k=4)
        np.testing.assert_array_equal(together.ids[i], alone.ids[0])


def test_faiss_survives_a_round_trip_through_bytes(tmp_path):
    for method in ("exact", "codes", "hnsw", "ivf", "ivf_sq8"):
        built = dense(method)
        path = tmp_path / method
        path.write_bytes(built.to_bytes())
        opened = FaissIndex.from_file(path, size=len(TEXTS), dimension=ENCODER.dimension)
        assert opened.method == method
        asked = queries(["blue hat"])
        np.testing.assert_array_equal(opened.search(asked, k=5).ids, built.search(asked, k=5).ids)
        every = np.arange(len(TEXTS))
        np.testing.assert_array_equal(opened.rows(every), built.rows(every))
        assert opened.effort == built.effort


@pytest.mark.parametrize("method", ["ivf", "ivf_sq8"])
def test_inverted_lists_reach_the_recall_they_are_tuned_to(method):
    rng = np.random.default_rng(0)
    rows = unit(rng.standard_normal((4000, 32)).astype(np.float32))
    asked = unit(rng.standard_normal((100, 32)).astype(np.float32))
    built = FaissIndex.build(rows, method=method, queries=asked, recall=0.9, k=10)
    exact = FaissIndex.build(rows, method="exact").search(Queries.of_vectors(asked), k=10).ids
    found = built.search(Queries.of_vectors(asked), k=10).ids
    reached = np.mean([len(np.intersect1d(a, b)) / 10 for a, b in zip(exact, found, strict=True)])
    assert built.recall == pytest.approx(reached)
    assert 0.9 <= built.recall < 1
    assert 1 < built.effort < 253


@pytest.mark.parametrize("among", ["dense", "lexical"])
def test_among_some_rows_nothing_else_is_found(among):
    index = dense("exact") if among == "dense" else LexicalIndex.build(TEXTS)
    rows = np.array([1, 4, 16])
    found = index.among(rows).search(queries(["red car", "green boat"]), k=5)
    assert set(found.ids[found.ids != EMPTY].tolist()) <= set(rows.tolist())
    assert found.ids[0, 0] == 16
    assert index.search(queries(["red car"]), k=1).ids[0, 0] == 0


def test_lexical_survives_a_round_trip_through_its_parts():
    built = LexicalIndex.build(TEXTS)
    opened = LexicalIndex.from_parts(built.settings, built.tensors)
    asked = queries(["blue hat", "ЖЖЖ"])
    np.testing.assert_array_equal(opened.search(asked, k=5).ids, built.search(asked, k=5).ids)


@pytest.mark.parametrize("method", ["codes", "hnsw"])
def test_it_reaches_its_recall_on_vectors_it_was_not_built_from(method):
    rng = np.random.default_rng(0)
    rows = unit(rng.standard_normal((4000, 32)).astype(np.float32))
    asked = Queries.of_vectors(unit(rng.standard_normal((50, 32)).astype(np.float32)))
    exact = FaissIndex.build(rows, method="exact").search(asked, k=10).ids
    found = FaissIndex.build(rows, method=method).search(asked, k=10).ids
    recall = np.mean([len(np.intersect1d(a, b)) / 10 for a, b in zip(exact, found, strict=True)])
    assert recall >= 0.95


@pytest.mark.parametrize("sublinear", [True, False])
@pytest.mark.parametrize("analyzer", ["char_wb", "char", "word"])
def test_lexical_similarity_is_scikit_learns_tf_idf_cosine(analyzer, sublinear):
    config = NgramConfig(analyzer=analyzer, shortest=1, longest=3, sublinear=sublinear)
    asked = ["blue boat blue boats", "old", "Ж unknown", ""]
    reference = TfidfVectorizer(analyzer=analyzer, ngram_range=(1, 3), sublinear_tf=sublinear)
    expected = (reference.fit_transform(TEXTS) @ reference.transform(asked).T).toarray().T
    every_row = np.broadcast_to(np.arange(len(TEXTS)), (len(asked), len(TEXTS)))
    scores = LexicalIndex.build(TEXTS, config=config).score(Queries.of_texts(asked), every_row)
    np.testing.assert_allclose(scores, expected, atol=1e-5)
