"""Every endpoint as CONTRACT.md has it."""

import base64
from urllib.parse import quote

import numpy as np
import pytest
from jsonschema import Draft202012Validator
from openapi_spec_validator import validate

from models.encoders.hashing import HashingEncoder
from pipelines.terminology import Concept, Term, Terminology
from service.browsing import Browsers

NORMALIZE = "/v1/job-titles/normalize"
TITLES = {"items": [{"title": "Senior Software Developer (m/w/d)"}, {"title": "zzqx"}, {"title": "Klempner"}]}


def conforms(served, response, path: str, method: str = "get") -> None:
    """The answer is what /openapi.json says."""
    document = served.app.openapi()
    declared = document["paths"][path][method]["responses"][str(response.status_code)]["content"]
    media_type = response.headers["content-type"].partition(";")[0]
    assert media_type in declared
    schema = {**declared[media_type]["schema"], "components": document["components"]}
    Draft202012Validator(schema).validate(response.json())


# -- job titles ----------------------------------------------------------------------------------


def test_titles_are_named_in_order(served):
    response = served.post(NORMALIZE, TITLES)
    assert response.status_code == 200
    developer, nothing, plumber = response.json()["results"]
    assert developer["decision"]["concept_id"] == "T:2512"
    assert developer["cleaned_title"].casefold() == "software developer"
    assert developer["seniority"] == "senior"
    assert developer["candidates"][0]["codes"] == {"isco-08": "2512"}
    assert plumber["decision"]["concept_id"] == "T:7126"
    assert nothing["decision"]["nil"] is True
    assert nothing["decision"]["concept_id"] is None
    conforms(served, response, NORMALIZE, "post")


def test_the_answer_says_what_produced_it(served):
    body = served.post(NORMALIZE, TITLES).json()
    hosted = served.services.host.pipeline("job-titles")
    assert body["terminology"] == {"name": "twelve", "version": "1"}
    assert body["encoder"] == "hashing"
    assert body["generation"] == hosted.generation


def test_nil_lists_candidates_all_the_same(served):
    body = served.post(NORMALIZE, {"items": [{"title": "nurse"}], "min_confidence": 1.0, "top_k": 3}).json()
    (result,) = body["results"]
    assert result["decision"]["nil"]
    assert len(result["candidates"]) == 3


@pytest.mark.parametrize("top_k", [1, 2, 12, 100])
def test_top_k_bounds_the_candidates(served, top_k):
    body = served.post(NORMALIZE, {"items": [{"title": "driver"}], "top_k": top_k}).json()
    assert 1 <= len(body["results"][0]["candidates"]) <= top_k


def test_every_optional_field_is_taken(served):
    item = {"title": "cook", "skills": ["grilling"], "description": "in a kitchen", "language": "en-GB"}
    body = {
        "items": [item],
        "terminology": "twelve",
        "top_k": 1,
        "hubness": "none",
        "min_confidence": 0,
        "backoff": True,
    }
    assert served.post(NORMALIZE, body).status_code == 200


def test_explicit_nulls_are_defaults(served):
    item = {"title": "cook", "description": None, "language": None}
    body = {"items": [item], "terminology": None, "min_confidence": None}
    assert served.post(NORMALIZE, body).status_code == 200


def test_a_request_of_1024_items_keeps_its_order(serve):
    names = ["nurse", "plumber", "taxi driver", "cook"]
    response = serve(max_batch_items=50).post(NORMALIZE, {"items": [{"title": names[i % 4]} for i in range(1024)]})
    found = [result["decision"]["concept_id"] for result in response.json()["results"]]
    assert found == ["T:2221", "T:7126", "T:8322", "T:5120"] * 256


@pytest.mark.parametrize(
    ("body", "pointer"),
    [
        ({}, "/items"),
        ({"items": []}, "/items"),
        ({"items": [{"title": ""}]}, "/items/0/title"),
        ({"items": [{"title": "x"}, {"title": "x" * 1001}]}, "/items/1/title"),
        ({"items": [{"title": "x"}] * 1025}, "/items"),
        ({"items": [{"title": 3}]}, "/items/0/title"),
        ({"items": [{"title": "x", "skills": ["y"] * 51}]}, "/items/0/skills"),
        ({"items": [{"title": "x", "skills": ["y", "z" * 201]}]}, "/items/0/skills/1"),
        ({"items": [{"title": "x", "description": "y" * 20_001}]}, "/items/0/description"),
        ({"items": [{"title": "x", "language": "not a tag"}]}, "/items/0/language"),
        ({"items": [{"title": "x", "tite": "y"}]}, "/items/0/tite"),
        ({"items": [{"title": "x"}], "topk": 3}, "/topk"),
        ({"items": [{"title": "x"}], "a/b~c": 3}, "/a~1b~0c"),
        ({"items": [{"title": "x"}], "top_k": 0}, "/top_k"),
        ({"items": [{"title": "x"}], "top_k": 101}, "/top_k"),
        ({"items": [{"title": "x"}], "top_k": "5"}, "/top_k"),
        ({"items": [{"title": "x"}], "top_k": True}, "/top_k"),
        ({"items": [{"title": "x"}], "hubness": "sorcery"}, "/hubness"),
        ({"items": [{"title": "x"}], "min_confidence": 1.1}, "/min_confidence"),
        ({"items": [{"title": "x"}], **{f"k{i}": 0 for i in range(100)}}, ""),
        ([], ""),
        ("text", ""),
    ],
)
def test_an_invalid_request_is_422_with_a_pointer(served, assert_problem, body, pointer):
    problem = assert_problem(served.run(served.client.post(NORMALIZE, json=body)), 422, "invalid-request")
    assert pointer in [error["pointer"] for error in problem["errors"]]


def test_every_fault_is_listed(served, assert_problem):
    body = {"items": [{"title": ""}, {"title": "x"}, {}], "top_k": 0}
    problem = assert_problem(served.post(NORMALIZE, body), 422)
    assert {e["pointer"] for e in problem["errors"]} == {"/items/0/title", "/items/2/title", "/top_k"}
    assert {e["in"] for e in problem["errors"]} == {"body"}


def test_an_unknown_terminology_is_404(served, assert_problem):
    body = {"items": [{"title": "x"}], "terminology": "atlantis"}
    assert "atlantis" not in str(assert_problem(served.post(NORMALIZE, body), 404, "terminology-unknown"))


# -- what is hosted ------------------------------------------------------------------------------


def test_pipelines_are_listed_and_found_under_both_spellings(served, assert_problem):
    response = served.get("/v1/pipelines")
    conforms(served, response, "/v1/pipelines")
    (pipeline,) = response.json()["pipelines"]
    assert pipeline["name"] == "job-titles"
    assert pipeline["verb"] == "normalize"
    assert pipeline["terminology"]["languages"] == ["de", "en"]
    assert pipeline["encoder"] == {"name": "hashing", "dimension": 256, "device": "cpu"}
    assert pipeline["ready"] is True
    for name in ("job-titles", "job_titles"):
        assert served.get(f"/v1/pipelines/{name}").json() == pipeline
    assert_problem(served.get("/v1/pipelines/alchemy"), 404, "pipeline-unknown")


def test_terminologies_are_listed(served, assert_problem):
    response = served.get("/v1/terminologies")
    conforms(served, response, "/v1/terminologies")
    (twelve,) = response.json()["terminologies"]
    assert (twelve["name"], twelve["concepts"], twelve["terms"]) == ("twelve", 17, 41)
    assert served.get("/v1/terminologies/twelve").json() == twelve
    assert_problem(served.get("/v1/terminologies/thirteen"), 404, "terminology-unknown")


def test_concepts_are_paged_in_a_stable_order(served):
    path = "/v1/terminologies/twelve/concepts"
    everything = served.get(path, params={"page_size": 200}).json()
    assert everything["total"] == len(everything["concepts"]) == 17
    assert everything["next_page_token"] is None
    paged, token = [], ""
    while token is not None:
        response = served.get(path, params={"page_size": 5} | ({"page_token": token} if token else {}))
        conforms(served, response, "/v1/terminologies/{name}/concepts")
        paged += response.json()["concepts"]
        token = response.json()["next_page_token"]
    assert paged == everything["concepts"]


@pytest.mark.parametrize(
    ("query", "first"),
    [("PLUMB", "T:7126"), ("nurse", "T:2221"), ("driver taxi", "T:8322"), ("T:5120", "T:5120"), ("lkw", "T:8332")],
)
def test_concepts_are_found_by_any_term(served, query, first):
    found = served.get("/v1/terminologies/twelve/concepts", params={"query": query}).json()
    assert found["concepts"][0]["id"] == first


@pytest.mark.parametrize(
    ("params", "pointer"),
    [
        ({"page_size": 0}, "/query/page_size"),
        ({"page_size": "many"}, "/query/page_size"),
        ({"page_token": "!!"}, "/query/page_token"),
        ({"page_token": "MS4zNmIyYTkzZjU0YjA"}, "/query/page_token"),
        ({"query": "x" * 201}, "/query/query"),
    ],
)
def test_bad_paging_is_422(served, assert_problem, params, pointer):
    problem = assert_problem(served.get("/v1/terminologies/twelve/concepts", params=params), 422)
    assert problem["errors"][0]["pointer"] == pointer
    assert problem["errors"][0]["in"] == "query"


def test_a_page_token_belongs_to_its_query(served, assert_problem):
    path = "/v1/terminologies/twelve/concepts"
    token = served.get(path, params={"query": "er", "page_size": 1}).json()["next_page_token"]
    assert served.get(path, params={"query": "ER", "page_size": 1, "page_token": token}).status_code == 200
    assert_problem(served.get(path, params={"query": "re", "page_token": token}), 422)


def test_a_concept_is_found_by_its_id(served, assert_problem):
    response = served.get("/v1/terminologies/twelve/concepts/T:2221")
    conforms(served, response, "/v1/terminologies/{name}/concepts/{concept_id}")
    assert response.json()["parents"] == ["T:2"]
    assert served.get("/v1/terminologies/twelve/concepts/T%3A2221").json() == response.json()
    assert_problem(served.get("/v1/terminologies/twelve/concepts/T:0"), 404, "concept-unknown")


def test_ids_may_be_uris(serve, monkeypatch):
    uri = "http://data.example/occupation/9f#b"
    uris = Terminology("uris", version="1", concepts=[Concept(uri, "Ferryman", [Term("ferryman", "en")])])
    served = serve()
    monkeypatch.setattr(served.services.host, "terminology", lambda name: uris)
    for path in (quote(uri, safe=""), quote(uri, safe=":/"), "http:/data.example/occupation/9f%23b"):
        assert served.get(f"/v1/terminologies/uris/concepts/{path}").json()["id"] == uri


def test_browsing_ignores_case_and_accents_and_puts_whole_terms_first():
    names = ["Pâtissier en chef", "Chef pâtissier", "Pâtissier", "Apprenti pâtissiér"]
    concepts = [Concept(f"C:{i}", name, [Term(name)]) for i, name in enumerate(names)]
    terminology = Terminology("cakes", version="1", concepts=concepts)
    found, total, following = Browsers().page(terminology, query="PATISSIER", token=None, size=10)
    assert [concept.id for concept in found] == ["C:2", "C:0", "C:1", "C:3"]
    assert (total, following) == (4, None)


# -- embeddings ----------------------------------------------------------------------------------


def test_embeddings_are_the_encoders_own_in_both_formats(served):
    texts = ["ferry pilot", "Käsemacher"]
    expected = HashingEncoder().encode_query(texts)
    as_float = served.post("/v1/embeddings", {"model": "hashing", "input": texts})
    conforms(served, as_float, "/v1/embeddings", "post")
    for i, entry in enumerate(as_float.json()["data"]):
        assert entry["index"] == i
        np.testing.assert_array_equal(np.float32(entry["embedding"]), expected[i])
    coded = served.post("/v1/embeddings", {"model": "hashing", "input": texts, "encoding_format": "base64"})
    conforms(served, coded, "/v1/embeddings", "post")
    for i, entry in enumerate(coded.json()["data"]):
        np.testing.assert_array_equal(np.frombuffer(base64.b64decode(entry["embedding"]), "<f4"), expected[i])
    assert as_float.json()["usage"] == {"prompt_tokens": 7, "total_tokens": 7}


def test_one_text_is_a_list_of_one(served):
    body = {"model": "hashing", "input": "cook", "dimensions": 256, "input_type": "passage", "user": "u1"}
    assert len(served.post("/v1/embeddings", body).json()["data"]) == 1


@pytest.mark.parametrize(
    ("body", "pointer"),
    [
        ({"input": [1, 2, 3]}, "/input"),
        ({"input": [[1, 2], [3]]}, "/input"),
        ({"input": []}, "/input"),
        ({"input": ""}, "/input"),
        ({"input": ["a", ""]}, "/input"),
        ({"input": ["a", 3]}, "/input/1"),
        ({"input": "a", "dimensions": 64}, "/dimensions"),
        ({"input": "a", "encoding_format": "hex"}, "/encoding_format"),
        ({"input": ["a"] * 2049}, "/input"),
    ],
)
def test_an_invalid_embedding_request_is_422(served, assert_problem, body, pointer):
    problem = assert_problem(served.post("/v1/embeddings", {"model": "hashing", **body}), 422)
    assert problem["errors"][0]["pointer"] == pointer


def test_models_are_listed_and_an_unknown_one_is_404(served, assert_problem):
    response = served.get("/v1/models")
    conforms(served, response, "/v1/models")
    assert [model["id"] for model in response.json()["data"]] == ["hashing"]
    assert_problem(served.post("/v1/embeddings", {"model": "nope", "input": "a"}), 404, "model-unknown")


# -- health, docs, ids -----------------------------------------------------------------------------


def test_health_answers_to_get_and_head(served):
    for path in ("/healthz", "/readyz"):
        assert served.get(path).status_code == 200
        assert served.run(served.client.head(path)).status_code == 200


def test_metrics_count_by_template_never_by_path(served):
    served.get("/v1/terminologies/twelve/concepts/T:5120")
    served.get("/nowhere/at/all")
    served.post(NORMALIZE, TITLES)
    text = served.get("/metrics").text
    assert "T:5120" not in text
    assert "nowhere" not in text
    assert 'route="/v1/terminologies/{name}/concepts/{concept_id:path}",status="200"' in text
    assert 'cognomen_stage_seconds_count{pipeline="job-titles",stage="encode"}' in text
    assert 'cognomen_pipeline_info{encoder="hashing"' in text
    assert "cognomen_batch_items_count" in text


def test_metrics_can_be_closed_to_other_machines(serve, assert_problem):
    served = serve(metrics_open=False)
    assert served.get("/metrics").status_code == 200  # The test client is 127.0.0.1.
    served.client._transport.client = ("192.0.2.7", 1)
    assert_problem(served.get("/metrics"), 403)


def test_openapi_is_valid_and_declares_problems(served):
    document = served.get("/openapi.json").json()
    validate(document)
    for path, methods in document["paths"].items():
        for method, operation in methods.items():
            for status, answer in operation["responses"].items():
                if int(status) >= 400:
                    assert list(answer["content"]) == ["application/problem+json"], (path, method, status)
    assert "HTTPValidationError" not in document["components"]["schemas"]


def test_openapi_examples_are_accepted(served):
    schemas = served.app.openapi()["components"]["schemas"]
    assert served.post(NORMALIZE, schemas["JobTitlesRequest"]["example"]).status_code == 200
    example = schemas["EmbeddingsRequest"]["example"] | {"model": "hashing"}
    assert served.post("/v1/embeddings", example).status_code == 200


def test_docs_need_no_internet_and_know_the_gateways_prefix(serve):
    served = serve()
    served.client._transport.root_path = "/names"
    page = served.get("/docs").text
    assert "//" not in page.replace("<!-- ", "").replace("// ", "")
    for asset in ("swagger-ui-bundle.js", "swagger-ui.css", "favicon-32x32.png"):
        assert f"/names/docs/{asset}" in page
        assert served.get(f"/docs/{asset}").status_code == 200


def test_docs_can_be_switched_off(serve, assert_problem):
    served = serve(docs=False)
    for path in ("/docs", "/openapi.json", "/docs/swagger-ui.css"):
        assert_problem(served.get(path), 404, "not-found")


@pytest.mark.parametrize("sent", ["abc-1.2_X", "a" * 128])
def test_a_sane_request_id_is_kept(served, sent):
    for path in ("/healthz", "/nope", "/v1/pipelines/nope"):
        assert served.get(path, headers={"x-request-id": sent}).headers.get_list("x-request-id") == [sent]


@pytest.mark.parametrize("sent", ["", "a b", "a" * 129, "<script>", 'a"b', "ä".encode("latin-1")])
def test_another_request_id_is_replaced(served, sent):
    answered = served.get("/healthz", headers={"x-request-id": sent}).headers["x-request-id"]
    assert answered != sent
    assert len(answered) == 32


def test_unknown_paths_and_methods_are_problems(served, assert_problem):
    for path in ("/", "/v1", "/v1/nope", "/v1/pipelines/", "/v2/pipelines"):
        assert_problem(served.get(path), 404)
    response = served.run(served.client.delete(NORMALIZE))
    assert_problem(response, 405, "method-not-allowed")
    assert response.headers["allow"] == "POST"
