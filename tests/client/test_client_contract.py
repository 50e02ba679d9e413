"""The client against answers in the contract's shapes: retries, uploads, jobs, datasheets."""

import io
import json

import httpx
import pytest

from cognomen_client import JobFailed, NotReached, errors
from cognomen_client.progress import ProgressLine, progress_text
from cognomen_client.retrying import Retrying, retry_after_s
from tests.console import contract_answers as contract


def refusal(status, slug, **headers):
    return httpx.Response(status, json={"type": f"urn:cognomen:problem:{slug}", "title": slug}, headers=headers)


def test_retry_after_is_honoured(answering, monkeypatch):
    waited = []
    monkeypatch.setattr("cognomen_client.sync.time.sleep", waited.append)
    answers = [refusal(503, "overloaded", **{"retry-after": "7"}), refusal(429, "rate", **{"retry-after": "2"}),
               httpx.Response(200, json={"pipelines": []})]  # fmt: skip
    client = answering(lambda _request: answers.pop(0))
    assert client.pipelines() == []
    assert waited == [7.0, 2.0]


def test_patience_ends(answering, monkeypatch):
    monkeypatch.setattr("cognomen_client.sync.time.sleep", lambda _s: None)
    seen = []

    def handler(request):
        seen.append(request)
        return refusal(503, "loading", **{"retry-after": "1"})

    with pytest.raises(errors.Unavailable) as refused:
        answering(handler, retrying=Retrying(attempts=3)).pipelines()
    assert len(seen) == 3
    assert refused.value.retry_after_s == 1.0


def test_a_wait_longer_than_our_patience_is_not_begun(answering):
    with pytest.raises(errors.TooManyRequests):
        answering(lambda _request: refusal(429, "rate", **{"retry-after": "3600"})).pipelines()


@pytest.mark.parametrize(("said", "seconds"), [("12", 12.0), ("", None), ("soon", None), ("-1", None), ("²", None)])
def test_retry_after_is_seconds_or_a_date(said, seconds):
    assert retry_after_s({"retry-after": said}) == seconds
    assert retry_after_s({"retry-after": "Wed, 21 Oct 2015 07:28:00 GMT"}) == 0.0


def test_an_upload_is_not_repeated_after_a_broken_connection_but_after_a_refusal(answering):
    seen = []

    def cut(request):
        seen.append(request.read())
        raise httpx.ReadError("cut off")

    with pytest.raises(NotReached):
        answering(cut).upload(b"one", purpose="batch")
    assert len(seen) == 1

    bodies = []

    def busy_once(request):
        bodies.append(request.read())
        return (
            refusal(503, "overloaded", **{"retry-after": "0"})
            if len(bodies) == 1
            else httpx.Response(201, json=contract.FILE)
        )

    stored = answering(busy_once).upload(io.BytesIO(b"the whole of it"), purpose="batch", filename="t.jsonl")
    assert stored["id"] == "file-1"
    assert all(b"the whole of it" in body and b'filename="t.jsonl"' in body for body in bodies)
    assert len(bodies) == 2


def test_a_stream_that_cannot_be_put_back_is_sent_once(answering):
    class Pipe(io.BytesIO):
        def seekable(self):
            return False

    with pytest.raises(errors.Unavailable):
        answering(lambda request: request.read() and refusal(503, "overloaded")).upload(Pipe(b"x"), purpose="batch")


def test_a_retried_job_carries_the_same_key(answering):
    keys = []

    def handler(request):
        keys.append(request.headers["idempotency-key"])
        if len(keys) == 1:
            raise httpx.ReadError("cut off")
        return httpx.Response(202, json=contract.job("queued", 0))

    assert answering(handler).ask_for_job({"kind": "run"})["status"] == "queued"
    assert keys[0] == keys[1]


def test_a_job_is_waited_for_and_its_result_fetched(answering, tmp_path):
    def handler(request):
        path = request.url.path
        assert path.startswith("/names/v1/")
        if path.endswith("/events"):
            states = [contract.job("running", 10), contract.job("succeeded", 100, output_file_id="file-2")]
            text = ": still here\n\n" + "".join(f"event: job\ndata: {json.dumps(state)}\n\n" for state in states)
            return httpx.Response(200, text=text, headers={"content-type": "text/event-stream"})
        return httpx.Response(200, content=b"out\n")

    seen = []
    client = answering(handler)
    job = client.wait_for_job("job-1", progress=lambda state: seen.append(state["progress"]["done"]))
    assert seen == [10, 100]
    assert client.download(job["output_file_id"], tmp_path / "out.jsonl").read_bytes() == b"out\n"
    assert [p.name for p in tmp_path.iterdir()] == ["out.jsonl"]


def test_a_job_that_fails_says_why(answering):
    failed = contract.job("failed", 3, error={"title": "Bad file", "detail": "line 4 is no JSON"})

    def handler(request):
        return refusal(404, "not-found") if request.url.path.endswith("/events") else httpx.Response(200, json=failed)

    with pytest.raises(JobFailed, match="line 4 is no JSON"):
        answering(handler).wait_for_job("job-1")


def test_a_sheet_of_several_parts_says_which(answering):
    def handler(request):
        if b'name="part"' in request.read():
            return httpx.Response(200, json=contract.DATASHEET)
        return httpx.Response(409, json={"title": "Several parts", "candidates": ["1N4148", "1N4448"]})

    client = answering(handler)
    with pytest.raises(errors.Conflict) as several:
        client.extract(b"%PDF-1.4")
    part = several.value.candidates[0]
    assert client.extract(b"%PDF-1.4", part=part, parameters=["a", "b"], ocr=False)["part"] == "1N4148"


def test_vectors_and_texts_are_searched_for(answering):
    def handler(request):
        queries = json.loads(request.content)["queries"]
        assert queries == [{"text": "a"}, {"vector": [0.5, 1.0]}]
        assert request.url.path == "/names/v1/retrieval/my%20notes/search" or request.url.raw_path.endswith(
            b"my%20notes/search"
        )
        return httpx.Response(200, json={"results": [{"hits": []}, {"hits": []}]})

    assert answering(handler).search("my notes", ["a", [0.5, 1]], hubness="none") == [{"hits": []}, {"hits": []}]


def test_the_key_goes_with_every_request(answering):
    def handler(request):
        assert request.headers["authorization"] == "Bearer cg_mine"
        return httpx.Response(200, json={"terminologies": []})

    assert answering(handler, key="cg_mine").terminologies() == []


def test_an_answer_of_something_in_between_is_a_problem_too(answering):
    with pytest.raises(errors.Problem) as bad:
        answering(lambda _request: httpx.Response(502, text="<html>nginx</html>")).pipelines()
    assert bad.value.status == 502


def test_progress_is_a_line_on_a_terminal_and_nothing_in_a_pipe():
    assert "40/100 lines 50/s" in progress_text(contract.job("running", 40))
    pipe = io.StringIO()
    ProgressLine(pipe)(contract.job("running", 40))
    assert pipe.getvalue() == ""

    class Terminal(io.StringIO):
        def isatty(self):
            return True

    terminal = Terminal()
    line = ProgressLine(terminal)
    line(contract.job("running", 40))
    line(contract.job("succeeded", 100))
    assert terminal.getvalue().count("\r") == 2
    assert terminal.getvalue().endswith("\n")
