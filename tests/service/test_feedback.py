"""POST, GET and DELETE /v1/{pipeline}/feedback: kept, answered by at once, told to nobody."""

import asyncio
import sqlite3

import pytest

from pipelines.feedback import Feedback, Memory
from service.feedback_store import FeedbackStore, FeedbackUnavailable, feedback_path, read_confirmations
from service.host import PipelineHost

PATH = "/v1/job-titles/feedback"
CANARY = "zanzibar-canary-9931"
COOK = {"title": "Galley Wizard (m/f/d)", "concept_id": "T:5120", "verdict": "accept"}


@pytest.fixture
def data(tmp_path):
    return tmp_path / "data"


@pytest.fixture
def served(serve_over, data):
    return serve_over(data)


def say(served, *items, **body):
    return served.post(PATH, {"items": list(items), **body})


def answer(served, title, **options):
    response = served.post("/v1/job-titles/normalize", {"items": [{"title": title}], **options})
    assert response.status_code == 200, response.text
    return response.json()["results"][0]


def listed(served, **params):
    return served.get(PATH, params=params).json()


def test_an_accepted_title_is_answered_at_once(served):
    assert answer(served, "galley wizard")["decision"]["concept_id"] != "T:5120"
    response = say(served, COOK)
    assert (response.status_code, response.json()) == (200, {"accepted": 1, "conflicts": []})
    result = answer(served, "GALLEY wizard, full-time")
    assert result["decision"]["concept_id"] == "T:5120"
    assert result["decision"]["confidence"] > 0.9
    assert result["candidates"][0]["explanation"].startswith("confirmed")
    assert result["candidates"][0]["concept_id"] == "T:5120"


def test_a_rejected_pair_is_not_answered_again(served):
    assert answer(served, "nurse")["decision"]["concept_id"] == "T:2221"
    say(served, {"text": "Nurse", "concept_id": "T:2221", "verdict": "reject"})
    result = answer(served, "nurse", top_k=20)
    assert "T:2221" not in [c["concept_id"] for c in result["candidates"]]
    assert result["decision"]["concept_id"] != "T:2221"


def test_the_same_again_changes_nothing(served):
    for _ in range(3):
        assert say(served, COOK, COOK).json() == {"accepted": 2, "conflicts": []}
    page = listed(served)
    assert page["total"] == len(page["items"]) == 1
    item = page["items"][0]
    assert {k: item[k] for k in ("text", "concept_id", "verdict", "language")} == {
        "text": COOK["title"],
        "concept_id": "T:5120",
        "verdict": "accept",
        "language": None,
    }


def test_the_other_verdict_takes_its_place(served):
    say(served, COOK)
    known = listed(served)["items"][0]["id"]
    say(served, {**COOK, "verdict": "reject"})
    page = listed(served)
    assert [(i["id"], i["verdict"]) for i in page["items"]] == [(known, "reject")]
    assert answer(served, "galley wizard")["decision"]["concept_id"] != "T:5120"


def test_two_accepts_of_one_text_are_a_conflict_that_is_reported(served):
    say(served, COOK)
    response = say(served, {**COOK, "title": "nurse", "concept_id": "T:2221"}, {**COOK, "concept_id": "T:5131"})
    conflict = {"pointer": "/items/1", "concept_ids": ["T:5131", "T:5120"], "answered": "T:5131"}
    assert response.json() == {"accepted": 2, "conflicts": [conflict]}
    assert answer(served, "galley wizard")["decision"]["concept_id"] == "T:5131"
    say(served, {**COOK, "title": "galley wizard"})
    assert answer(served, "galley wizard")["decision"]["concept_id"] == "T:5120"


def test_feedback_is_listed_in_pages_and_deleted_one_by_one(served, assert_problem):
    say(served, *({**COOK, "title": f"galley wizard {i}x"} for i in range(7)))
    seen, token = [], None
    while True:
        page = listed(served, page_size=3, **({"page_token": token} if token else {}))
        assert page["total"] == 7
        seen += page["items"]
        token = page["next_page_token"]
        if token is None:
            break
    assert [i["text"] for i in seen] == [f"galley wizard {i}x" for i in range(7)]
    assert served.delete(f"{PATH}/{seen[0]['id']}").status_code == 204
    assert_problem(served.delete(f"{PATH}/{seen[0]['id']}"), 404, "feedback-unknown")
    assert listed(served)["total"] == 6
    assert answer(served, "galley wizard 0x")["decision"]["notes"] != ["confirmed"]
    assert answer(served, "galley wizard 1x")["decision"]["notes"] == ["confirmed"]


def test_nothing_is_written_before_somebody_says_something(served, data, assert_problem):
    assert listed(served) == {"items": [], "total": 0, "next_page_token": None}
    assert_problem(served.delete(f"{PATH}/nothing"), 404, "feedback-unknown")
    assert not data.exists()


def test_what_was_said_survives_a_restart(served, serve_over, data):
    say(served, COOK, {"title": "nurse", "concept_id": "T:2221", "verdict": "reject"})
    served.close()
    again = serve_over(data)
    assert answer(again, "galley wizard")["decision"]["concept_id"] == "T:5120"
    assert answer(again, "nurse")["decision"]["concept_id"] != "T:2221"
    (confirmed,) = read_confirmations(data, "job-titles", "twelve")
    assert (confirmed.text, confirmed.concept_id) == ("Galley Wizard", "T:5120")


def test_posts_at_the_same_time_lose_nothing(served):
    async def post(i):
        items = [{**COOK, "title": f"galley wizard {i * 5 + j}x"} for j in range(5)]
        return await served.client.post(PATH, json={"items": [*items, COOK]})

    async def all_at_once():
        return await asyncio.gather(*(post(i) for i in range(20)))

    assert {r.status_code for r in served.run(all_at_once())} == {200}
    assert listed(served)["total"] == 101
    assert answer(served, "galley wizard 99x")["decision"]["concept_id"] == "T:5120"


@pytest.mark.parametrize(
    ("item", "pointer"),
    [
        ({**COOK, "concept_id": "T:nope"}, "/items/1/concept_id"),
        ({**COOK, "text": "both"}, "/items/1"),
        ({"concept_id": "T:5120", "verdict": "accept"}, "/items/1"),
        ({**COOK, "verdict": "maybe"}, "/items/1/verdict"),
        ({**COOK, "title": ""}, "/items/1/title"),
        ({**COOK, "title": "   "}, "/items/1/title"),
        ({**COOK, "title": "x" * 1001}, "/items/1/title"),
        ({**COOK, "language": "not a tag"}, "/items/1/language"),
        ({**COOK, "more": 1}, "/items/1/more"),
    ],
)
def test_what_cannot_be_kept_is_refused_with_a_pointer_and_nothing_is_kept(served, assert_problem, item, pointer):
    problem = assert_problem(say(served, COOK, item), 422, "invalid-request")
    assert [e["pointer"] for e in problem["errors"]] == [pointer]
    assert listed(served)["total"] == 0


def test_unknown_pipelines_terminologies_and_tokens_are_refused(served, assert_problem):
    assert_problem(served.post("/v1/no-such/feedback", {"items": [COOK]}), 404, "pipeline-unknown")
    assert_problem(say(served, COOK, terminology="nope"), 404, "terminology-unknown")
    assert_problem(served.get(PATH, params={"terminology": "nope"}), 404, "terminology-unknown")
    for token in ("!!!", "YWJj", "LTE", "MTIzNDU2Nzg5MDEyMzQ1Njc4OTA"):
        assert_problem(served.get(PATH, params={"page_token": token}), 422, "invalid-request")
    assert_problem(say(served), 422, "invalid-request")
    assert say(served, COOK, terminology="twelve").status_code == 200


def test_what_was_said_is_in_no_log_and_no_error(serve_over, data, logged, assert_problem):
    served = serve_over(data)
    item = {"title": CANARY, "concept_id": "T:5120", "verdict": "accept"}
    assert say(served, item).status_code == 200
    answers = [
        say(served, {**item, "concept_id": CANARY}),
        say(served, {**item, "verdict": CANARY}),
        say(served, item, terminology=CANARY),
        served.get(PATH, params={"page_token": CANARY}),
        served.delete(f"{PATH}/{CANARY}"),
    ]
    for response in answers:
        assert response.status_code in {404, 422}
        assert CANARY not in response.text
    assert CANARY not in logged.getvalue()
    assert str(data) not in logged.getvalue() + "".join(r.text for r in answers)


def test_a_disk_that_refuses_is_a_503_and_the_service_goes_on(serve_over, tmp_path, assert_problem):
    (tmp_path / "file").write_text("in the way")
    served = serve_over(tmp_path / "file")
    problem = assert_problem(say(served, COOK), 503, "feedback-unavailable")
    assert str(tmp_path) not in str(problem)
    assert answer(served, "nurse")["decision"]["concept_id"] == "T:2221"


def test_a_damaged_file_keeps_the_service_from_becoming_ready(built_store, data):
    path = feedback_path(data, "job-titles", "twelve")
    path.parent.mkdir(parents=True)
    path.write_bytes(b"this is no database" * 100)
    host = PipelineHost(built_store, device="cpu", data=data)
    host.load()
    assert not host.ready
    assert host.failure.startswith("job-titles/twelve: FeedbackUnavailable")


def test_a_post_that_breaks_half_way_keeps_nothing(data):
    memory = Memory()
    store = FeedbackStore(feedback_path(data, "job-titles", "twelve"), memory=memory)
    good = Feedback("a", "a", "T:1", "accept")
    broken = Feedback("b", "b", "T:1", "maybe")
    with pytest.raises(FeedbackUnavailable, match="IntegrityError"):
        store.add([good, broken])
    assert store.all() == []
    assert len(memory) == 0
    store.add([good])
    assert len(store.all()) == len(memory) == 1
    store.close()
    with sqlite3.connect(feedback_path(data, "job-titles", "twelve")) as connection:
        assert connection.execute("PRAGMA journal_mode").fetchone() == ("wal",)
    connection.close()


def test_feedback_is_documented(served):
    document = served.get("/openapi.json").json()
    assert set(document["paths"]["/v1/{pipeline}/feedback"]) == {"post", "get"}
    assert "delete" in document["paths"]["/v1/{pipeline}/feedback/{feedback_id}"]
