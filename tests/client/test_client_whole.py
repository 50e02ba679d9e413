"""The client has a call for every route of the service, and each is answered: sync and async."""

import asyncio
import re
from pathlib import Path

import httpx
import pytest

from cognomen_client import AsyncClient, Client, calls, errors
from service.app import create_app
from service.settings import Settings

PROBES = {"GET /healthz", "GET /readyz"}
RERANKED = {"model": "x", "results": [{"index": 1, "relevance_score": 0.9}, {"index": 0, "relevance_score": 0.1}]}
NAME = "pipelines/job_titles/twelve"


def test_every_route_of_the_service_has_a_call():
    document = create_app(Settings()).openapi()
    offered = {f"{method.upper()} {path}" for path, item in document["paths"].items() for method in item}
    text = Path(calls.__file__).read_text(encoding="utf-8")
    assert offered - PROBES == set(re.findall(r'"""((?:GET|POST|DELETE) /v1/[^\s:.]+)', text))


def test_documents_are_re_ranked(answering):
    asked = []

    def answer(request):
        asked.append(request.read())
        return httpx.Response(200, json=RERANKED)

    client = answering(answer)
    assert client.rerank("cook", ["nurse", "chef"], model="x", top_n=2) == RERANKED["results"]
    assert asked == [b'{"query":"cook","documents":["nurse","chef"],"model":"x","top_n":2}']


def test_documents_are_re_ranked_by_async_too():
    async def ask():
        transport = httpx.MockTransport(lambda _request: httpx.Response(200, json=RERANKED))
        async with AsyncClient("http://names.test", transport=transport) as client:
            return await client.rerank("cook", ["nurse", "chef"], model="x")

    assert [one["index"] for one in asyncio.run(ask())] == [1, 0]


def test_a_re_ranker_that_is_not_here_is_404(client):
    with pytest.raises(errors.NotFound):
        client.rerank("cook", ["nurse", "chef"], model="nowhere")


@pytest.fixture(scope="module")
def sheet(synthetic_sheets):
    return synthetic_sheets.unruled().pdf


def test_a_page_is_drawn(live, client, sheet):
    picture = client.page_picture(sheet, page=1, width=400)
    assert picture.png.startswith(b"\x89PNG")
    assert picture.width > 100
    assert picture.height > picture.width

    async def ask():
        async with AsyncClient(live) as other:
            return await other.page_picture(sheet, width=400)

    assert asyncio.run(ask()) == picture
    with pytest.raises(errors.Problem):
        client.page_picture(sheet, page=99)


def test_what_was_said_is_listed_and_taken_back(live, client):
    client.feedback("job-titles", [{"title": "spoon king", "concept_id": "T:5120", "verdict": "accept"}])
    (said,) = [one for one in client.feedback_given("job-titles") if one["text"] == "spoon king"]
    assert (said["concept_id"], said["verdict"]) == ("T:5120", "accept")
    client.take_back("job-titles", said["id"])
    with pytest.raises(errors.NotFound):
        client.take_back("job-titles", said["id"])

    async def texts():
        async with AsyncClient(live) as other:
            return [one["text"] async for one in other.feedback_given("job-titles")]

    assert "spoon king" not in asyncio.run(texts())


def test_one_of_everything_is_told(client):
    assert client.pipeline("job-titles")["terminology"]["name"] == "twelve"
    assert client.terminology("twelve")["name"] == "twelve"
    assert client.collection("things")["items"] > 0
    assert client.models() == []


def test_a_result_is_fetched_by_its_job(live, client, tmp_path):
    stored = client.upload(b'{"title": "plumber"}\n', purpose="batch", filename="one.jsonl")
    assert client.file(stored["id"])["sha256"] == stored["sha256"]
    job = client.ask_for_job({"kind": "run", "pipeline": "job-titles", "input_file_id": stored["id"]})
    client.wait_for_job(job["id"], timeout_s=300)
    assert "T:7126" in client.result(job["id"], tmp_path / "out.jsonl").read_text()

    async def fetch():
        async with AsyncClient(live) as other:
            return await other.result(job["id"], tmp_path / "again.jsonl")

    assert asyncio.run(fetch()).read_bytes() == (tmp_path / "out.jsonl").read_bytes()


def test_keys_are_made_rotated_and_revoked(client):
    assert client.own_key()["scopes"] == ["read", "write", "admin"]
    made = client.create_key("gateway", scopes=["read"], prefixes=["acme-"])
    with Client(str(client._http.base_url), key=made["key"]) as other:
        assert other.own_key()["id"] in {made["id"], "anybody"}
    assert client.rotate_key(made["id"])["key"] != made["key"]
    listed = client.keys()
    assert made["id"] in {key["id"] for key in listed}
    client.revoke_key(made["id"])
    listed = client.keys()
    assert made["id"] not in {key["id"] for key in listed}


def test_generations_are_listed_and_gone_back_to_only_where_there_is_one(client):
    (kept,) = [one for one in client.generations() if one["artifact"] == NAME]
    assert [one["answers"] for one in kept["generations"]].count(True) == 1
    with pytest.raises(errors.Conflict):
        client.roll_back(NAME, generation="nowhere")
