"""Re-ranking over HTTP: by the hashing encoder, and by a cross-encoder of random weights."""

import asyncio
import json

import pytest
from typer.testing import CliRunner

from models.artifacts import ArtifactStore
from models.encoders.hashing import HashingEncoder
from models.rerankers.cross_encoder import CrossEncoder
from pipelines import registry
from pipelines.build import build
from service.cli import app

RERANK = "/v1/rerank"
CANARY = "kanarienvogel7131"
DOCUMENTS = ["old boat", "red car", "a car that is red", "blue"]


def ask(**more):
    return {"model": "hashing", "query": "red car", "documents": DOCUMENTS, **more}


def test_documents_come_back_by_relevance(served):
    answer = served.post(RERANK, ask()).json()
    assert answer["object"] == "list"
    assert answer["model"] == "hashing"
    assert answer["kind"] == "bi_encoder"
    assert [r["index"] for r in answer["results"]][:2] == [1, 2]
    assert sorted(r["index"] for r in answer["results"]) == [0, 1, 2, 3]
    scores = [r["relevance_score"] for r in answer["results"]]
    assert scores == sorted(scores, reverse=True)
    assert scores[0] == pytest.approx(1, abs=1e-5)
    assert all(set(r) == {"index", "relevance_score"} for r in answer["results"])
    assert answer["usage"]["total_tokens"] > 0


def test_top_n_and_documents_are_as_asked(served):
    answer = served.post(RERANK, ask(top_n=1, return_documents=True)).json()
    assert answer["results"] == [
        {"index": 1, "relevance_score": pytest.approx(1, abs=1e-5), "document": {"text": "red car"}}
    ]
    assert len(served.post(RERANK, ask(top_n=100)).json()["results"]) == 4


def test_documents_may_be_objects_and_ties_keep_their_order(served):
    body = ask(documents=[{"text": "red car"}, "red car", {"text": "red car"}])
    assert [r["index"] for r in served.post(RERANK, body).json()["results"]] == [0, 1, 2]


@pytest.mark.parametrize(
    ("change", "pointer"),
    [
        ({"documents": []}, "/documents"),
        ({"documents": ["a", ""]}, "/documents/1"),
        ({"documents": [5]}, "/documents/0"),
        ({"documents": [{"body": "a"}]}, "/documents/0"),
        ({"documents": "a"}, "/documents"),
        ({"documents": ["a"] * 1025}, "/documents"),
        ({"documents": ["a" * 40_000]}, "/documents/0"),
        ({"query": ""}, "/query"),
        ({"query": None}, "/query"),
        ({"top_n": 0}, "/top_n"),
        ({"top_n": "1"}, "/top_n"),
        ({"top_n": 10**30}, "/top_n"),
        ({"return_documents": 1}, "/return_documents"),
        ({"model": ""}, "/model"),
        ({"extra": CANARY}, "/extra"),
    ],
)
def test_what_is_no_request_is_422(served, assert_problem, change, pointer):
    response = served.post(RERANK, ask(**change))
    if response.status_code == 400:  # a number beyond a double is malformed to orjson
        assert change == {"top_n": 10**30}
        return
    problem = assert_problem(response, 422)
    assert any(e["pointer"].startswith(pointer) for e in problem["errors"])
    assert CANARY not in json.dumps(problem)


@pytest.mark.parametrize("model", [CANARY, "hashing+" + CANARY, "../hashing", "\x00"])
def test_an_unknown_model_is_404(served, assert_problem, model):
    assert CANARY not in json.dumps(assert_problem(served.post(RERANK, ask(model=model)), 404, "model-unknown"))


def test_surrogates_and_nan_are_refused(served, assert_problem):
    for body, status in (
        (b'{"model": "hashing", "query": "\\ud800", "documents": ["a"]}', 422),
        (b'{"top_n": NaN}', 400),
    ):
        response = served.run(served.client.post(RERANK, content=body, headers={"content-type": "application/json"}))
        assert_problem(response, status)


def test_many_at_once_get_what_each_gets_alone(served):
    bodies = [ask(query=q, documents=DOCUMENTS[:n]) for q in ("boat", "blue car", "red") for n in (1, 3, 4)]
    alone = [served.post(RERANK, body).json() for body in bodies]

    async def together():
        return await asyncio.gather(*(served.client.post(RERANK, json=body) for body in bodies))

    assert [response.json() for response in served.run(together())] == alone


def test_models_say_what_they_are(served):
    assert {m["id"]: m["kind"] for m in served.get("/v1/models").json()["data"]} == {"hashing": "encoder"}


def test_a_cross_encoder_that_was_prepared_is_served(
    trained_reranker, prepared_reranker, terminology, tmp_path, served_over
):
    store = ArtifactStore(tmp_path / "artifacts")
    spec = registry.spec("job_titles")
    build(spec, terminology, encoder=HashingEncoder(), store=store, config=spec.config(encoder="hashing"))
    arguments = ["prepare-reranker", str(trained_reranker), "--name", "tiny", "--artifacts", str(store.root)]
    done = CliRunner().invoke(app, arguments, catch_exceptions=False)
    assert done.exit_code == 0, done.output
    served = served_over(store)
    answer = served.post(RERANK, ask(model="tiny")).json()
    assert answer["kind"] == "cross_encoder"
    scores = CrossEncoder(prepared_reranker).score(["red car"], [DOCUMENTS])[0]
    assert {r["index"]: r["relevance_score"] for r in answer["results"]} == pytest.approx(
        dict(enumerate(scores)), abs=1e-5
    )
    assert {"id": "tiny", "kind": "reranker"}.items() <= served.get("/v1/models").json()["data"][-1].items()
