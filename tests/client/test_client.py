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
    assert [p["name"] for p in client.pipelines()] == ["job-titles"]
    assert [t["name"] for t in client.terminologies()] == ["twelve"]
    assert len(list(client.concepts("twelve"))) == 17
    assert client.concept("twelve", "T:2512")["name"] == "Software developers"


def test_feedback_is_followed(client):
    said = client.feedback("job-titles", [{"title": "ladle hero", "concept_id": "T:5120", "verdict": "accept"}])
    assert said["accepted"] == 1
    (result,) = client.normalize_job_titles(["ladle hero"])
    assert result["decision"]["concept_id"] == "T:5120"


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
        if theirs in schemas:  # What this service hosts.
            assert set(getattr(answers, ours).__annotations__) <= set(schemas[theirs]["properties"]), ours
