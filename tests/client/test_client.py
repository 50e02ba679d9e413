"""The client against the service itself."""

import asyncio

import httpx
import pytest

from cognomen_client import AsyncClient, Client, NotReached, Problem, errors
from cognomen_client.retrying import Retrying


def test_titles_are_named_in_order_however_many(client):
    titles = ["staff nurse", "plumber", "xqzw"] * 40
    with Client(str(client._http.base_url), batch_size=7) as small:
        results = small.normalize_job_titles(titles, top_k=2)
    assert len(results) == len(titles)
    assert [r["decision"]["concept_id"] for r in results[:2]] == ["T:2221", "T:7126"]
    assert all(len(r["candidates"]) <= 2 for r in results)
    assert results[:3] == results[3:6]


def test_a_title_may_come_with_what_else_is_known(client):
    (result,) = client.normalize_job_titles([{"title": "Koch", "language": "de", "skills": ["Suppen"]}])
    assert result["decision"]["name"] == "Cooks"


def test_async_answers_the_same_side_by_side(live, client):
    titles = ["staff nurse", "plumber", "lorry driver", "Kellner"] * 5

    async def ask():
        async with AsyncClient(live, batch_size=3) as other:
            assert await other.ready()
            found = [c["id"] async for c in other.concepts("twelve", "driver")]
            return await other.normalize_job_titles(titles), found

    results, found = asyncio.run(ask())
    assert results == client.normalize_job_titles(titles)
    assert found == [c["id"] for c in client.concepts("twelve", "driver")]


def test_what_is_hosted_can_be_listed(client):
    assert client.ready()
    assert {"job-titles", "medical", "datasheets"} <= {p["name"] for p in client.pipelines()}
    assert {"twelve", "findings"} <= {t["name"] for t in client.terminologies()}
    assert [c["name"] for c in client.collections()] == ["occupations", "things"]
    assert len(list(client.concepts("twelve"))) == 17
    assert client.concept("twelve", "T:2512")["name"] == "Software developers"


def test_feedback_is_followed(client):
    said = client.feedback("job-titles", [{"title": "ladle hero", "concept_id": "T:5120", "verdict": "accept"}])
    assert said["accepted"] == 1
    (result,) = client.normalize_job_titles(["ladle hero"])
    assert result["decision"]["concept_id"] == "T:5120"


def test_a_note_is_linked(client):
    (result,) = client.link(["😀 No fever."], top_k=1)
    (mention,) = result["mentions"]
    assert (mention["start"], mention["end"], mention["negated"]) == (5, 10, True)
    assert mention["decision"]["name"] == "Fever"


def test_a_collection_is_searched(client):
    first, second = client.search("things", ["red car", "old hat"], top_k=2, hubness="is")
    assert first["hits"][0]["id"] == "red-car"
    assert second["hits"][0]["id"] == "old-hat"


def test_a_file_is_run_and_its_result_fetched(client, tmp_path):
    lines = tmp_path / "titles.jsonl"
    lines.write_text('{"title": "plumber"}\n{"title": "staff nurse"}\n')
    stored = client.upload(lines, purpose="batch")
    assert stored["bytes"] == lines.stat().st_size
    seen = []
    request = {"kind": "run", "pipeline": "job-titles", "input_file_id": stored["id"]}
    job = client.wait_for_job(client.ask_for_job(request)["id"], progress=seen.append, timeout_s=300)
    assert job["counts"] == {"ok": 2, "failed": 0}
    assert seen[-1]["status"] == "succeeded"
    out = client.download(job["output_file_id"], tmp_path / "out.jsonl").read_text().splitlines()
    assert "T:7126" in out[0]
    assert job["id"] in {one["id"] for one in client.jobs()}
    client.delete_file(stored["id"])
    assert stored["id"] not in {one["id"] for one in client.files()}


def test_texts_are_embedded(client):
    one, two = client.embed(["a", "b"], model="hashing")
    assert len(one) == len(two)
    assert one != two


def test_a_refusal_says_why_and_where(client):
    with pytest.raises(errors.NotFound) as unknown:
        client.normalize_job_titles(["cook"], terminology="nowhere")
    assert unknown.value.slug == "terminology-unknown"
    with pytest.raises(errors.Invalid, match="/top_k") as invalid:
        client.normalize_job_titles(["cook"], top_k=1000)
    assert invalid.value.faults[0][0] == "/top_k"
    assert invalid.value.request_id
    assert isinstance(invalid.value, Problem)


def test_nobody_there_is_said_after_every_attempt():
    with Client("http://127.0.0.1:9", retrying=Retrying(attempts=2, first_s=0.0)) as client:
        assert not client.ready()
        with pytest.raises(NotReached, match="after 2 attempts"):
            client.pipelines()


def test_the_types_of_answers_name_what_the_service_answers_with(live):
    from cognomen_client import answers

    schemas = httpx.get(f"{live}/openapi.json").json()["components"]["schemas"]
    pairs = {
        "Candidate": "CandidateAnswer", "Decision": "DecisionAnswer", "JobTitleResult": "JobTitleResult",
        "Terminology": "TerminologyAnswer", "Pipeline": "HostedAnswer", "Concept": "ConceptAnswer",
        "Mention": "MentionAnswer", "MedicalResult": "MedicalResult", "Extraction": "ExtractAnswer",
        "Parameter": "ParameterAnswer", "Focus": "FocusAnswer", "SpiceModel": "SpiceAnswer", "Hit": "HitAnswer",
        "SearchResult": "FoundAnswer", "Collection": "CollectionAnswer", "File": "FileAnswer", "Job": "JobAnswer",
        "FeedbackAnswer": "FeedbackAnswer",
    }  # fmt: skip
    for ours, theirs in pairs.items():
        assert set(getattr(answers, ours).__annotations__) <= set(schemas[theirs]["properties"]), ours
