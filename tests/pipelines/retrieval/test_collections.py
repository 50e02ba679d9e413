import json
import threading

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from models.arrays import Queries, top_rows
from models.artifacts import ArtifactStore
from models.encoders.hashing import HashingEncoder
from models.errors import ArtifactInvalid, ArtifactWriteFailed, ShapeMismatch
from models.hubness import registry
from models.hubness.normalizers import Bank
from pipelines.correcting import SERVED
from pipelines.errors import CollectionUnknown, ConfigInvalid, CorrectionUnavailable, InputInvalid, SourceError
from pipelines.retrieval.collection import Asked
from pipelines.retrieval.collections import (
    artifact_name,
    build_collection,
    collections,
    describe_collection,
    open_collection,
)
from pipelines.retrieval.config import CollectionConfig


def ids(found):
    return [[hit.id for hit in one.hits] for one in found]


def of_vectors(world, **options):
    return [Asked(vector=v, **options) for v in world.queries]


# -- what is found -------------------------------------------------------------------------------


def test_texts_are_found_in_order_of_the_queries(make, documents):
    collection = make("things", documents)
    found = collection.search([Asked(text="blue boat"), Asked(text="old hat", top_k=2)])
    assert ids(found)[0][0] == "blue-boat"
    assert ids(found)[1][0] == "old-hat"
    assert [len(one.hits) for one in found] == [5, 2]
    assert found[0].hits[0].text == "blue boat"
    assert found[0].hits[0].metadata["tags"] == ["boat", "blue"]
    assert collection.search([]) == []


def test_a_batch_answers_as_one_by_one(make, documents, bank):
    collection = make("things", documents, queries=bank, gallery="items", lexical=0.3)
    passing = collection.fields.filter({"old": False})
    asked = [
        Asked(text="blue"),
        Asked(text="boat", top_k=9, conditions=passing),
        Asked(text="hat", lexical=0.0),
        Asked(vector=HashingEncoder().encode_query(["tree"])[0], include_vectors=True),
    ]
    for method in collection.methods:
        together = collection.search(asked, hubness=method)
        for one, found in zip(asked, together, strict=True):
            (alone,) = collection.search([one], hubness=method)
            assert ids([alone]) == ids([found])
            assert [h.score for h in alone.hits] == pytest.approx([h.score for h in found.hits], abs=2e-6)


@pytest.mark.parametrize("index", ["exact", "codes", "hnsw"])
@pytest.mark.parametrize("method", ["none", *SERVED])
def test_every_method_finds_what_its_equation_ranks_first(make, world, method, index):
    collection = make("vectors", world.documents, encoder=None, queries=world.bank_file, gallery="items", index=index)
    similarity = world.queries @ world.items.T
    wanted, raw = similarity, similarity
    if method != "none":
        own = np.stack([np.arange(len(world.items))] * 2, axis=1)
        gallery = Bank(world.items, own)
        fitted = registry.fit(method, world.items, Bank(world.bank), gallery=gallery, encoder="any")
        every = top_rows(similarity.astype(np.float32), k=len(world.items))
        corrected = fitted.correct(Queries.of_vectors(world.queries), every)
        wanted = np.empty_like(similarity)
        np.put_along_axis(wanted, corrected.ids, corrected.scores, axis=1)
    found = collection.search(of_vectors(world, top_k=10), hubness=method)
    best = -np.sort(-wanted, axis=1)[:, :10]
    for i, one in enumerate(found):
        rows = [int(hit.id[1:]) for hit in one.hits]
        np.testing.assert_allclose(wanted[i, rows], best[i], atol=5e-6)
        np.testing.assert_allclose([h.score for h in one.hits], best[i], atol=5e-6)
        np.testing.assert_allclose([h.raw_score for h in one.hits], raw[i, rows], atol=5e-6)


@pytest.mark.parametrize("index", ["exact", "codes", "hnsw", "ivf"])
@pytest.mark.parametrize("method", ["none", "is", "dual_dis", "centre"])
def test_a_filter_finds_what_a_collection_of_the_rest_would(make, world, written, method, index):
    options = {"encoder": None, "queries": world.bank_file, "gallery": "items", "index": index}
    collection = make("vectors", world.documents, **options)
    passing = collection.fields.filter({"even": True})
    found = collection.search(of_vectors(world, top_k=100, conditions=passing), hubness=method)
    exact = make("exact", world.documents, **{**options, "index": "exact"})
    everything = exact.search(of_vectors(world, top_k=100), hubness=method)
    for one in found:
        assert one.matched == 60
        assert len(one.hits) == 60
        assert all(hit.metadata["even"] for hit in one.hits)
        assert [h.score for h in one.hits] == sorted((h.score for h in one.hits), reverse=True)
    if method in {"none", "is", "centre"}:  # what gates read differs where the best row is filtered out
        for one, all_of_them in zip(found, everything, strict=True):
            kept = [h.id for h in all_of_them.hits if h.metadata["even"]]
            assert ids([one])[0][: len(kept)] == kept


def test_sq8_finds_nearly_the_same(make, world):
    exact = make("exact", world.documents, encoder=None, index="exact").search(of_vectors(world, top_k=10))
    coded = make("coded", world.documents, encoder=None, index="ivf_sq8").search(of_vectors(world, top_k=10))
    overlap = np.mean([len({*a} & {*b}) / 10 for a, b in zip(ids(exact), ids(coded), strict=True)])
    assert overlap >= 0.9


def test_vectors_come_back_as_they_are_searched(make, world):
    for index in ("exact", "codes", "hnsw", "ivf"):
        collection = make("vectors", world.documents, encoder=None, queries=world.bank_file, index=index)
        (found,) = collection.search([Asked(vector=3 * world.items[7], top_k=1, include_vectors=True)])
        assert found.hits[0].id == "v7"
        assert found.hits[0].score == pytest.approx(1, abs=1e-5)
        np.testing.assert_allclose(found.hits[0].vector, world.items[7], atol=1e-6)


def test_inner_product_does_not_scale(make, written):
    lines = [{"id": "long", "vector": [3, 0]}, {"id": "short", "vector": [0.5, 0.5]}, {"id": "none", "vector": [0, 0]}]
    collection = make("ip", written("v.jsonl", lines), encoder=None, metric="inner_product")
    (found,) = collection.search([Asked(vector=np.array([2, 1], np.float32))])
    assert [(h.id, h.score) for h in found.hits] == [("long", 6.0), ("short", 1.5), ("none", 0.0)]


def test_hybrid_search_adds_spelling_and_keeps_raw_uncorrected(make, documents, bank):
    collection = make("things", documents, queries=bank, lexical=0.5)
    (fused,) = collection.search([Asked(text="blue boat", top_k=20)], hubness="is")
    (dense,) = collection.search([Asked(text="blue boat", top_k=20, lexical=0.0)], hubness="none")
    (plain,) = collection.search([Asked(text="blue boat", top_k=20)], hubness="none")
    similarity = {hit.id: hit.score for hit in dense.hits}
    uncorrected = {hit.id: hit.score for hit in plain.hits}
    assert fused.hits[0].id == "blue-boat"
    for hit in fused.hits:
        assert hit.raw_score == pytest.approx(uncorrected[hit.id], abs=1e-5)
        assert hit.raw_score >= 0.5 * similarity[hit.id] - 1e-6
    vector = HashingEncoder().encode_query(["blue boat"])[0]
    (by_vector,) = collection.search([Asked(vector=vector, top_k=20)], hubness="none")
    assert [h.score for h in by_vector.hits] == pytest.approx([h.score for h in dense.hits], abs=1e-6)


def test_equal_documents_tie_by_their_order(make, written):
    lines = [{"id": name, "text": "the same"} for name in ("b", "a", "c")]
    (found,) = make("same", written("same.jsonl", lines)).search([Asked(text="the same")])
    assert [hit.id for hit in found.hits] == ["b", "a", "c"]


def test_several_threads_get_what_one_gets(make, world):
    collection = make("vectors", world.documents, encoder=None, queries=world.bank_file, index="hnsw")
    wanted = ids(collection.search(of_vectors(world), hubness="is"))
    seen = []
    threads = [
        threading.Thread(target=lambda: seen.append(ids(collection.search(of_vectors(world), hubness="is"))))
        for _ in range(8)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert seen == [wanted] * 8


# -- corrections ---------------------------------------------------------------------------------


def test_without_a_bank_no_correction_can_be_had_and_auto_says_why(make, documents):
    collection = make("things", documents)
    report = collection.about.hubness
    assert (report.method, report.query_bank, report.gallery_bank) == ("none", None, None)
    assert "no query bank" in report.reason
    assert report.measured_on == "items"
    assert report.skewness_before == report.skewness_after
    assert collection.methods == ["auto", "none"]
    with pytest.raises(CorrectionUnavailable, match="auto, none"):
        collection.search([Asked(text="car")], hubness="is")


def test_a_query_bank_alone_gives_no_dual_correction(make, documents, bank):
    collection = make("things", documents, queries=bank)
    assert collection.methods == ["auto", "none", "centre", "is", "dis", "csls", "nnn"]
    assert "no development queries" in collection.about.hubness.reason
    assert collection.method("auto") == "none"
    with pytest.raises(CorrectionUnavailable):
        collection.search([Asked(text="car")], hubness="dual_is")


def test_auto_is_what_development_queries_show_to_help(make, written):
    """Every query is its item moved towards one hub; the bank shows it, a correction takes it out."""
    rng = np.random.default_rng(0)
    items = rng.standard_normal((300, 16))
    items[0] = 6 * np.ones(16)
    asked = items / np.linalg.norm(items, axis=1, keepdims=True) + 0.35 * np.ones(16)
    documents = written("d.jsonl", [{"id": str(i), "vector": v.tolist()} for i, v in enumerate(items)])
    bank = written("b.jsonl", [{"vector": v.tolist()} for v in asked[150:] + 0.01])
    development = written(
        "q.jsonl", [{"vector": v.tolist(), "relevant": [str(i)]} for i, v in enumerate(asked[1:150], 1)]
    )
    collection = make("hub", documents, encoder=None, queries=bank, development=development)
    report = collection.about.hubness
    assert report.method != "none"
    assert collection.method("auto") == report.method
    assert f"{report.method} is on" in report.reason
    assert report.measured_on == "development queries"
    assert report.skewness_after < report.skewness_before
    assert {c["method"] for c in report.comparisons} == {"centre", "is", "dis", "csls", "nnn"}


def test_auto_stays_off_where_nothing_helps(make, written, documents, bank):
    lines = [{"text": f"{c} {t}", "relevant": [f"{c}-{t}"]} for c in ("red", "old") for t in ("car", "hat")]
    collection = make("things", documents, queries=bank, development=written("dev.jsonl", lines))
    assert collection.method("auto") == "none"
    assert collection.about.hubness.reason.startswith("none: no correction is surely better")


def test_an_operator_may_set_what_auto_is(make, documents, bank, store):
    collection = make("things", documents, queries=bank, hubness="nnn")
    assert collection.method("auto") == "nnn"
    assert "set when it was built" in collection.about.hubness.reason
    with pytest.raises(CorrectionUnavailable, match="gallery bank"):
        make("things", documents, queries=bank, hubness="dual_is")
    with pytest.raises(CorrectionUnavailable, match="query bank"):
        make("things", documents, hubness="is")
    assert (
        open_collection("things", store=store, encoder_of=lambda n: HashingEncoder()).generation
        == collection.generation
    )


def test_only_the_methods_asked_for_are_fitted(make, documents, bank):
    assert make("a", documents, queries=bank, methods=["is"]).methods == ["auto", "none", "is"]
    assert make("b", documents, queries=bank, methods=["csls", "centre"]).methods == ["auto", "none", "centre", "csls"]
    with pytest.raises(ShapeMismatch, match="sinkhorn"):
        make("c", documents, queries=bank, methods=["sinkhorn"])


def test_known_answers_of_the_bank_are_masked(make, world, written):
    marked = [{"vector": v.tolist(), "relevant": [f"v{i}", "elsewhere"]} for i, v in enumerate(world.bank[:100])]
    masked = make("masked", world.documents, encoder=None, queries=written("m.jsonl", marked), methods=["is"])
    positives = np.stack([np.arange(100)] * 2, axis=1)
    beta = masked.corrections["is"].partition.beta
    fitted = registry.fit("is", world.items, Bank(world.bank[:100], positives), encoder="any", beta=beta)
    np.testing.assert_allclose(masked.corrections["is"].partition.log, fitted.partition.log, rtol=1e-6)


# -- artifacts -----------------------------------------------------------------------------------


def test_a_new_generation_answers_and_the_old_one_still_does(make, documents, written, store):
    old = make("things", documents)
    new = make("things", written("more.jsonl", [{"id": "x", "text": "a purple cow"}]))
    assert new.generation != old.generation
    assert ids(new.search([Asked(text="red car")])) == [["x"]]
    assert ids(old.search([Asked(text="red car", top_k=1)])) == [["red-car"]]
    assert collections(store) == ["things"]
    assert describe_collection("things", store=store).items == 1


def test_a_build_that_fails_leaves_the_last_one_answering(make, documents, written, store):
    old = make("things", documents)
    bad = written("bad.jsonl", [{"id": "x", "text": "fine"}, {"id": "x", "text": "twice"}])
    with pytest.raises(SourceError, match="line 2"):
        make("things", bad)
    assert store.current(artifact_name("things")) == old.generation
    with pytest.raises(SourceError, match="line 2"):
        make("never", bad)
    assert collections(store) == ["things"]


def test_another_encoder_of_the_same_name_is_refused(make, documents, store):
    make("things", documents)
    with pytest.raises(ArtifactInvalid, match="another version"):
        open_collection("things", store=store, encoder_of=lambda name: HashingEncoder(64))


def test_a_collection_of_before_engines_is_to_be_built_again(make, documents, store):
    make("things", documents).artifact.close()
    with store.open(artifact_name("things")) as artifact:
        files = {file: artifact.read_bytes(file) for file in artifact.manifest.files}
        details = {k: v for k, v in artifact.manifest.details.items() if k != "engine"}
    with store.write(artifact_name("things"), kind="collection") as writer:
        for file, content in files.items():
            writer.add_bytes(file, content)
        writer.details.update(details)
    with pytest.raises(ArtifactInvalid, match="build it again"):
        open_collection("things", store=store, encoder_of=lambda name: HashingEncoder())


def test_what_was_never_built_is_unknown(store, documents):
    for name in ("nothing", "", "../x", "a/b", "\ud800"):
        with pytest.raises(CollectionUnknown):
            open_collection(name, store=store, encoder_of=lambda name: HashingEncoder())
        with pytest.raises(CollectionUnknown):
            describe_collection(name, store=store)
    with pytest.raises(ArtifactInvalid):
        build_collection("No Such Name", documents, store=store, encoder_of=lambda name: HashingEncoder())


def test_a_disk_that_refuses_is_said_to(make, documents, tmp_path):
    (tmp_path / "file").write_text("no folder")
    with pytest.raises((ArtifactWriteFailed, OSError)):
        build_collection(
            "things", documents, store=ArtifactStore(tmp_path / "file"), encoder_of=lambda name: HashingEncoder()
        )


@pytest.mark.parametrize("engine", ["pgvector", "milvus"])
def test_a_server_that_nobody_set_up_is_said_to_be_missing(make, documents, engine):
    with pytest.raises(ConfigInvalid, match=f"COGNOMEN_{engine.upper()}_URL"):
        make("things", documents, engine=engine)


def test_progress_is_told_stage_by_stage(store, documents, bank):
    seen = []
    build_collection(
        "things",
        documents,
        store=store,
        encoder_of=lambda name: HashingEncoder(),
        queries=bank,
        on_progress=lambda stage, done, total: seen.append((stage, done, total)),
    )
    assert list(dict.fromkeys(stage for stage, _, _ in seen)) == [
        "read",
        "encode",
        "fit",
        "encode bank",
        "index",
        "write",
    ]
    assert all(0 <= done <= total for _, done, total in seen)


# -- documents -----------------------------------------------------------------------------------


def test_parquet_is_read_as_jsonl_is(make, documents, tmp_path):
    lines = [json.loads(line) for line in documents.read_text().splitlines()]
    path = tmp_path / "documents.parquet"
    pq.write_table(pa.Table.from_pylist(lines), path)
    one, other = make("one", documents), make("other", path)
    assert one.about.fields == other.about.fields
    for text in ("blue hat", "lamp"):
        assert ids(one.search([Asked(text=text)])) == ids(other.search([Asked(text=text)]))
    vectors = [{"id": str(i), "vector": [float(i), 1.0]} for i in range(5)]
    pq.write_table(pa.Table.from_pylist(vectors), path)
    assert make("vectors", path, encoder=None).about.dimension == 2


@pytest.mark.parametrize(
    ("lines", "fault"),
    [
        ([], "no document"),
        ([{"id": "a"}], "line 1: found neither"),
        ([{"text": "a"}], "line 1: found null for an id"),
        ([{"id": "", "text": "a"}], "line 1"),
        ([{"id": "x" * 501, "text": "a"}], "501 characters"),
        ([{"id": "a", "text": "  "}], "line 1"),
        ([{"id": "a", "text": 5}], "line 1"),
        ([{"id": "a", "text": "x" * 100_001}], "100,001 characters"),
        ([{"id": "a", "text": "a"}, {"id": "b", "vector": [1]}], "line 2: some documents bring vectors"),
        ([{"id": "a", "vector": [1]}, {"id": "b", "text": "b"}], "line 2: some documents bring vectors"),
        ([{"id": "a", "vector": [1, 2]}, {"id": "b", "vector": [1]}], "line 2: the vector has 1"),
        ([{"id": "a", "vector": []}], "line 1"),
        ([{"id": "a", "vector": [0, 0]}], "line 1: the vector is zero"),
        ([{"id": "a", "vector": [1, "2"]}], "line 1"),
        ([{"id": "a", "vector": [1, True]}], "line 1"),
        ([{"id": "a", "vector": [1, 1e300]}], "line 1"),
        ([{"id": "a", "vector": [1] * 8193}], "8,193 numbers"),
        ([{"id": "a", "vector": "1,2"}], "line 1"),
        (
            [{"id": "a", "text": "a", "metadata": []}, {"id": "b", "text": "a", "metadata": 5}],
            "line 2: found the number 5",
        ),
        ([{"id": "a", "text": "a", "metadata": {"x": "y" * 70_000}}], "line 1: metadata has"),
        ([{"id": "a", "text": "a", "metadata": {str(i): i for i in range(65)}}], "line 1: metadata has 65"),
        (["text"], "line 1"),
    ],
)
def test_a_faulty_document_is_named_by_its_line(make, written, lines, fault):
    with pytest.raises(SourceError, match=fault):
        make("bad", written("bad.jsonl", lines), encoder=None if "vector" in str(lines) else "hashing")


@pytest.mark.parametrize(
    "content", [b"{", b'{"id": "\xff"}', b'{"id": "\\ud800", "text": "a"}', b'{"id": 1, "vector": [NaN]}']
)
def test_what_is_no_json_is_named_by_its_line(make, tmp_path, content):
    path = tmp_path / "bad.jsonl"
    path.write_bytes(b'{"id": "a", "text": "a"}\n' + content)
    with pytest.raises(SourceError, match="line 2"):
        make("bad", path)


def test_a_damaged_parquet_file_is_said_to_be(make, tmp_path):
    path = tmp_path / "bad.parquet"
    path.write_bytes(b"PAR1 and nothing more")
    with pytest.raises(SourceError, match="no Parquet file"):
        make("bad", path)
    with pytest.raises(SourceError, match="expected jsonl or parquet"):
        build_collection("x", path, store=ArtifactStore(tmp_path), encoder_of=lambda n: HashingEncoder(), format="csv")


def test_banks_and_development_queries_are_checked_too(make, documents, world, written):
    for lines, fault in (
        ([], "no query"),
        ([{}], "line 1: expected one of"),
        ([{"text": "a", "vector": [1]}], "line 1: expected one of"),
        ([{"text": "a", "relevant": "x"}], "line 1"),
        ([{"text": "a"}, {"vector": [1, 2, 3]}], "line 2: the vector has 3"),
    ):
        with pytest.raises(SourceError, match=fault):
            make("bad", documents, queries=written("bank.jsonl", lines))
    for relevant in ([], ["no-such"]):
        with pytest.raises(SourceError, match="line 1: a development query names no document"):
            make("bad", documents, development=written("dev.jsonl", [{"text": "a", "relevant": relevant}]))
    with pytest.raises(SourceError, match="line 1: found a text"):
        make("bad", world.documents, encoder=None, queries=written("texts.jsonl", [{"text": "a"}]))
    with pytest.raises(SourceError, match="makes 256"):
        make("bad", world.documents, encoder="hashing")
    with pytest.raises(SourceError, match="lexical"):
        make("bad", world.documents, encoder=None, lexical=0.5)


def test_queries_that_do_not_fit_are_refused_with_a_pointer(make, world, documents):
    vectors = make("vectors", world.documents, encoder=None)
    for asked, pointer in (
        (Asked(text="car"), "/queries/0/text"),
        (Asked(vector=np.ones(3, np.float32)), "/queries/0/vector"),
        (Asked(vector=np.zeros(12, np.float32)), "/queries/0/vector"),
        (Asked(vector=world.queries[0], lexical=0.5), "/lexical_weight"),
    ):
        with pytest.raises(InputInvalid) as refused:
            vectors.search([asked])
        assert refused.value.pointer == pointer


def test_vectors_with_an_encoder_of_their_width_take_texts_too(make, written):
    encoder = HashingEncoder(32)
    lines = [{"id": t, "text": t, "vector": encoder.encode_passage([t])[0].tolist()} for t in ("a cat", "a dog")]
    collection = make("both", written("both.jsonl", lines), encoder_of=lambda name: encoder)
    assert ids(collection.search([Asked(text="dog", top_k=1)])) == [["a dog"]]
    assert CollectionConfig().encoder is None
