"""Collections over HTTP."""

import asyncio
import json
import threading

import openapi_spec_validator
import pytest

from models.artifacts import ArtifactStore
from models.encoders.hashing import HashingEncoder
from models.errors import EngineUnavailable
from pipelines import registry
from pipelines.build import build
from pipelines.errors import CollectionUnknown
from pipelines.retrieval import collection
from pipelines.retrieval import collections as built
from pipelines.retrieval.config import CollectionConfig
from service import collections as hosted
from service.collections import Collections

JSON = {"content-type": "application/json"}
CANARY = "kanarienvogel7131"


def encoder_of(name):
    return HashingEncoder()


def write(path, lines):
    path.write_text("".join(json.dumps(line) + "\n" for line in lines), encoding="utf-8")
    return path


def make(store, name, folder, lines, **options):
    config = CollectionConfig(**{"encoder": "hashing", **options.pop("config", {})})
    documents = write(folder / f"{name}.jsonl", lines)
    return built.build_collection(name, documents, store=store, encoder_of=encoder_of, config=config, **options)


@pytest.fixture(scope="module")
def collected(tmp_path_factory):
    """A store with a collection of texts and a query bank, and one of vectors without; and no pipeline."""
    folder = tmp_path_factory.mktemp("collections")
    store = ArtifactStore(folder / "artifacts")
    colours, things = ("red", "green", "old"), ("car", "boat", "hat")
    lines = [
        {"id": f"{c}-{t}", "text": f"{c} {t}", "metadata": {"colour": c, "weight": len(t), "more": {"deep": [1]}}}
        for c in colours
        for t in things
    ]
    bank = write(folder / "bank.jsonl", [{"text": f"a {t}, {c}"} for c in colours for t in things])
    make(store, "things", folder, lines, queries=bank)
    vectors = [{"id": str(i), "vector": v} for i, v in enumerate([[1, 0, 0], [0.9, 0.1, 0], [0, 0, -1]])]
    make(store, "vectors", folder, vectors, config={"encoder": None})
    return store


@pytest.fixture(scope="module")
def searched(collected, served_over):
    return served_over(collected)


def search(served, body, collection="things"):
    return served.post(f"/v1/retrieval/{collection}/search", body)


def raw(served, body: bytes, collection="things"):
    path = f"/v1/retrieval/{collection}/search"
    return served.run(served.client.post(path, content=body, headers=JSON))


def test_texts_are_answered_in_order(searched):
    answer = search(searched, {"queries": [{"text": "green boat"}, {"text": "old hat"}], "top_k": 2}).json()
    assert [r["hits"][0]["id"] for r in answer["results"]] == ["green-boat", "old-hat"]
    hit = answer["results"][0]["hits"][0]
    assert set(hit) == {"id", "score", "raw_score", "text", "metadata"}
    assert hit["text"] == "green boat"
    assert hit["metadata"] == {"colour": "green", "weight": 4, "more": {"deep": [1]}}
    assert answer["results"][0]["matched"] == 9
    assert answer["collection"] == "things"
    assert answer["encoder"] == "hashing"
    assert answer["hubness"] == "none"
    assert answer["terminology"] == {"name": "things", "version": answer["generation"]}


def test_vectors_are_answered_and_given_back(searched):
    answer = search(searched, {"queries": [{"vector": [2, 0, 0]}], "include_vectors": True}, "vectors").json()
    hits = answer["results"][0]["hits"]
    assert [h["id"] for h in hits] == ["0", "1", "2"]
    assert hits[0]["vector"] == [1, 0, 0]
    assert hits[0]["score"] == hits[0]["raw_score"] == 1
    assert hits[0]["text"] is None
    assert answer["encoder"] is None


def test_a_correction_keeps_the_raw_score(searched):
    for method in ("centre", "is", "dis", "csls", "nnn"):
        answer = search(searched, {"queries": [{"text": "boat"}], "top_k": 9, "hubness": method}).json()
        plain = search(searched, {"queries": [{"text": "boat"}], "top_k": 9, "hubness": "none"}).json()
        raw_scores = {h["id"]: h["score"] for h in plain["results"][0]["hits"]}
        assert answer["hubness"] == method
        for hit in answer["results"][0]["hits"]:
            assert hit["raw_score"] == pytest.approx(raw_scores[hit["id"]], abs=2e-6)


def test_a_filter_is_applied_before_the_search(searched):
    body = {"queries": [{"text": "boat"}], "filter": {"colour": ["red", "old"], "weight": {"lt": 4}}}
    result = search(searched, body).json()["results"][0]
    assert {h["id"] for h in result["hits"]} == {"red-car", "red-hat", "old-car", "old-hat"}
    assert result["matched"] == 4
    nothing = search(searched, {"queries": [{"text": "boat"}], "filter": {"weight": 99}}).json()["results"][0]
    assert nothing == {"hits": [], "matched": 0}


def test_collections_say_what_is_known_of_their_hubs(searched, assert_problem):
    listed = {c["name"]: c for c in searched.get("/v1/retrieval").json()["collections"]}
    assert set(listed) == {"things", "vectors"}
    things = listed["things"]
    assert (things["items"], things["dimension"], things["metric"]) == (9, 256, "cosine")
    assert things["fields"] == {"colour": "text", "weight": "number"}
    hubness = things["hubness"]
    assert hubness["method"] == "none"
    assert hubness["query_bank"] == 9
    assert hubness["gallery_bank"] is None
    assert hubness["skewness_before"] == hubness["skewness_after"]
    assert "development" in hubness["reason"]
    assert "is" in hubness["methods"]
    assert listed["vectors"]["encoder"] is None
    assert searched.get("/v1/retrieval/things").json() == things
    assert_problem(searched.get(f"/v1/retrieval/{CANARY}"), 404, "collection-unknown")


@pytest.mark.parametrize(
    ("body", "pointer"),
    [
        ({"queries": []}, "/queries"),
        ({"queries": [{}]}, "/queries/0"),
        ({"queries": [{"text": ""}]}, "/queries/0/text"),
        ({"queries": [{"text": "a", "vector": [1]}]}, "/queries/0"),
        ({"queries": [{"text": "a" * 32_769}]}, "/queries/0/text"),
        ({"queries": [{"text": 5}]}, "/queries/0/text"),
        ({"queries": [{"vector": []}]}, "/queries/0/vector"),
        ({"queries": [{"vector": [1, 2, 3]}]}, "/queries/0/vector"),
        ({"queries": [{"vector": [0] * 256}]}, "/queries/0/vector"),
        ({"queries": [{"vector": [1e-30] * 256}]}, "/queries/0/vector"),
        ({"queries": [{"vector": [1e300] * 256}]}, "/queries/0/vector/0"),
        ({"queries": [{"vector": ["1"] * 256}]}, "/queries/0/vector/0"),
        ({"queries": [{"vector": [None] * 256}]}, "/queries/0/vector/0"),
        ({"queries": [{"vector": [1.0] * 9000}]}, "/queries/0/vector"),
        ({"queries": [{"text": "a"}] * 1025}, "/queries"),
        ({"queries": [{"text": "a"}], "top_k": 0}, "/top_k"),
        ({"queries": [{"text": "a"}], "top_k": 101}, "/top_k"),
        ({"queries": [{"text": "a"}], "top_k": "5"}, "/top_k"),
        ({"queries": [{"text": "a"}], "hubness": "sinkhorn"}, "/hubness"),
        ({"queries": [{"text": "a"}], "hubness": "dual_is"}, "/hubness"),
        ({"queries": [{"text": "a"}], "filter": {CANARY: 1}}, f"/filter/{CANARY}"),
        ({"queries": [{"text": "a"}], "filter": {"more": 1}}, "/filter/more"),
        ({"queries": [{"text": "a"}], "filter": {"colour": {"$gt": CANARY}}}, "/filter/colour/$gt"),
        ({"queries": [{"text": "a"}], "filter": {"weight": {"deep": {"er": 1}}}}, "/filter/weight/deep"),
        ({"queries": [{"text": "a"}], "filter": {str(i): i for i in range(40)}}, "/filter"),
        ({"queries": [{"text": "a"}], "filter": []}, "/filter"),
        ({"queries": [{"text": "a"}], "lexical_weight": 0.5}, "/lexical_weight"),
        ({"queries": [{"text": "a"}], "lexical_weight": 2}, "/lexical_weight"),
        ({"queries": [{"text": "a"}], "include_vectors": "yes"}, "/include_vectors"),
        ({"queries": [{"text": "a"}], "extra": 1}, "/extra"),
    ],
)
def test_what_is_no_search_is_422_where_it_is_wrong(searched, assert_problem, body, pointer):
    problem = assert_problem(search(searched, body), 422)
    assert pointer in [error["pointer"] for error in problem["errors"]]


def test_an_answer_that_would_fill_the_memory_is_422(searched, assert_problem, monkeypatch):
    body = {"queries": [{"text": "a"}] * 3, "top_k": 9, "include_vectors": True}
    assert search(searched, body).status_code == 200
    monkeypatch.setattr(collection, "MAX_ANSWER_BYTES", 50_000)
    problem = assert_problem(search(searched, body), 422)
    assert problem["errors"][0]["pointer"] == "/top_k"


def test_a_text_for_a_collection_of_vectors_is_422(searched, assert_problem):
    problem = assert_problem(search(searched, {"queries": [{"text": CANARY}]}, "vectors"), 422)
    assert problem["errors"][0]["pointer"] == "/queries/0/text"
    assert CANARY not in json.dumps(problem)


@pytest.mark.parametrize(
    ("body", "status"),
    [
        (b'{"queries": [{"vector": [NaN, 1, 1]}]}', 400),
        (b'{"queries": [{"vector": [1e999, 1, 1]}]}', 400),
        (b'{"queries": [{"text": "\\ud800"}]}', 422),
        (b'{"queries": [{"text": "a"}], "filter": {"\\udfff": 1}}', 422),
        (b'{"queries": [{"text": "a"}], "filter": {"colour": "\\ud800"}}', 422),
        (b'{"queries": ' + b"[" * 900 + b"]" * 900 + b"}", 422),
    ],
)
def test_hostile_json_is_refused(searched, assert_problem, body, status):
    assert_problem(raw(searched, body, "vectors"), status)


@pytest.mark.parametrize("name", [CANARY, "..", "%2e%2e%2fencoders", "%00", "A", "x" * 5000])
def test_an_unknown_collection_is_404(searched, assert_problem, name):
    problem = assert_problem(search(searched, {"queries": [{"text": "a"}]}, name), 404)
    assert CANARY not in json.dumps(problem)


@pytest.mark.parametrize("text", ["\x00", "\u202e\u200b", "\U0001f9d1\u200d\U0001f373", "\u0301" * 1000, " "])
def test_any_text_is_a_query(searched, text):
    assert search(searched, {"queries": [{"text": text}]}).status_code == 200


def test_many_at_once_get_what_each_gets_alone(searched):
    bodies = [
        {"queries": [{"text": text}], "top_k": k, "filter": wanted}
        for text in ("car", "red hat", "boat")
        for k in (1, 4)
        for wanted in (None, {"colour": "red"}, {"weight": {"gte": 4}})
    ]
    alone = [search(searched, body).json()["results"] for body in bodies]

    async def together():
        post = searched.client.post
        return await asyncio.gather(*(post("/v1/retrieval/things/search", json=body) for body in bodies))

    assert [response.json()["results"] for response in searched.run(together())] == alone


def test_a_new_generation_and_a_new_collection_answer_without_a_restart(searched, collected, tmp_path, monkeypatch):
    monkeypatch.setattr(hosted, "FOLLOWED_S", 0.0)
    make(collected, "grown", tmp_path, [{"id": "a", "text": "one"}])
    first = search(searched, {"queries": [{"text": "one"}]}, "grown").json()
    make(collected, "grown", tmp_path, [{"id": "b", "text": "two"}])
    second = search(searched, {"queries": [{"text": "one"}]}, "grown").json()
    assert [h["id"] for r in (first, second) for h in r["results"][0]["hits"]] == ["a", "b"]
    assert first["generation"] != second["generation"]
    collected.delete(built.artifact_name("grown"))
    assert search(searched, {"queries": [{"text": "one"}]}, "grown").status_code == 404


def test_a_new_generation_that_cannot_be_opened_leaves_the_last_one_answering(store, tmp_path, monkeypatch):
    monkeypatch.setattr(hosted, "FOLLOWED_S", 0.0)
    generation = make(store, "grown", tmp_path, [{"id": "a", "text": "one"}])
    collections = Collections(store, encoder_of=encoder_of)
    assert collections.get("grown").generation == generation
    broken = make(store, "grown", tmp_path, [{"id": "b", "text": "two"}])
    (store.root / "collections" / "grown" / broken / "dense.faiss").write_bytes(b"nonsense")
    assert collections.get("grown").generation == generation


def test_while_a_new_generation_is_opened_the_last_one_answers(store, tmp_path, monkeypatch):
    monkeypatch.setattr(hosted, "FOLLOWED_S", 0.0)
    first = make(store, "grown", tmp_path, [{"id": "a", "text": "one"}])
    begun, go_on = threading.Event(), threading.Event()

    class Slow(Collections):
        def _open(self, name):
            if self._opened:
                begun.set()
                assert go_on.wait(20)
            return super()._open(name)

    collections = Slow(store, encoder_of=encoder_of)
    assert collections.get("grown").generation == first
    second = make(store, "grown", tmp_path, [{"id": "b", "text": "two"}])
    opener = threading.Thread(target=collections.get, args=["grown"])
    opener.start()
    assert begun.wait(20)
    assert collections.get("grown").generation == first
    go_on.set()
    opener.join()
    assert collections.get("grown").generation == second


def test_generations_in_use_are_not_pruned(store, tmp_path):
    generation = make(store, "grown", tmp_path, [{"id": "a", "text": "one"}])
    held = Collections(store, encoder_of=encoder_of).get("grown")
    for i in range(4):
        make(store, "grown", tmp_path, [{"id": str(i), "text": "two"}])
    assert generation in store.generations(built.artifact_name("grown"))
    assert held.generation == generation


def test_the_operator_says_which_collections_are_hosted(store, tmp_path):
    make(store, "one", tmp_path, [{"id": "a", "text": "one"}])
    make(store, "two", tmp_path, [{"id": "a", "text": "two"}])
    collections = Collections(store, encoder_of=encoder_of, hosts=lambda name: name == "two")
    assert collections.names() == ["two"]
    with pytest.raises(CollectionUnknown):
        collections.get("one")


def test_openapi_agrees_with_what_is_answered(searched):
    document = searched.get("/openapi.json").json()
    openapi_spec_validator.validate(document)
    assert "/v1/retrieval/{collection}/search" in document["paths"]


def test_job_titles_take_a_correction_their_build_has_and_refuse_others(
    tmp_path, terminology, served_over, assert_problem
):
    store = ArtifactStore(tmp_path / "artifacts")
    spec = registry.spec("job_titles")
    for bank, status in ((12, 200), (0, 422)):
        config = spec.config(encoder="hashing", hubness={"bank": bank})
        build(spec, terminology, encoder=HashingEncoder(), store=store, config=config)
        served = served_over(store)
        body = {"items": [{"title": "nurse"}], "hubness": "dual_is"}
        response = served.post("/v1/job-titles/normalize", body)
        (listed,) = served.get("/v1/pipelines").json()["pipelines"]
        assert listed["hubness"] == "none"
        assert ("dual_is" in listed["hubness_methods"]) == (status == 200)
        if status == 200:
            assert "corrected" in response.json()["results"][0]["candidates"][0]["scores"]
            assert "development" in listed["hubness_reason"]
        else:
            assert assert_problem(response, 422)["errors"][0]["pointer"] == "/hubness"


def test_a_view_of_some_names_opens_no_others(collected):
    everything = Collections(collected, encoder_of=encoder_of)
    name = everything.names()[0]
    everything.get(name)
    seen = everything.seen_by(lambda n: n.startswith("nobody-"))
    assert seen.names() == []
    assert seen.all() == []
    with pytest.raises(CollectionUnknown):
        seen.get(name)
    assert everything.seen_by(lambda n: n == name).get(name) is everything.get(name)


def test_a_server_of_vectors_that_does_not_answer_is_503(searched, assert_problem, monkeypatch):
    def refuse(*_, **__):
        raise EngineUnavailable(f"{CANARY} does not answer")

    monkeypatch.setattr(searched.services.host.collections.get("things").dense, "search", refuse, raising=False)
    problem_response = search(searched, {"queries": [{"text": "boat"}]})
    assert CANARY not in json.dumps(assert_problem(problem_response, 503, "engine-unavailable"))
    assert int(problem_response.headers["retry-after"]) > 0
