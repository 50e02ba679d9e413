"""Whatever is sent: never a 500, never an echo, never a payload in the logs."""

import asyncio
import json

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from service.problems import pointer_of

NORMALIZE = "/v1/job-titles/normalize"
CANARY = "kanarienvogel7131"
JSON = {"content-type": "application/json"}


def raw(served, body: bytes, path: str = NORMALIZE, **headers: str):
    return served.run(served.client.post(path, content=body, headers=JSON | headers))


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b" ",
        b"{",
        b'{"items": [{"title": "' + CANARY.encode() + b'"}]',
        b'{"items": [{"title": "x"}]} ' + CANARY.encode(),
        b'{"items": [{"title": "\xff\xfe"}]}',
        b'{"items": [{"title": "x"}], "min_confidence": NaN}',
        b'{"items": [{"title": "x"}], "min_confidence": Infinity}',
        b'{"items": [{"title": "x"}], "min_confidence": 1e999}',
        b'\xef\xbb\xbf{"items": [{"title": "x"}]}',
        "{}".encode("utf-16"),
        b"[" * 100_000 + b"]" * 100_000,
        b'{"a":' * 50_000 + b"1" + b"}" * 50_000,
        b"'single'",
        b'{"items": [{"title": "x\ny"}]}',
    ],
)
def test_what_is_not_json_is_400(served, assert_problem, body):
    assert CANARY not in str(assert_problem(raw(served, body), 400, "malformed"))


@pytest.mark.parametrize(
    ("body", "pointer"),
    [
        (b'{"items": [{"title": "ok"}, {"title": "\\ud800"}]}', "/items/1/title"),
        (b'{"items": [{"title": "x", "skills": ["\\udfff\\ud83d"]}]}', "/items/0/skills/0"),
        (b'{"items": [{"title": "x"}], "\\ud800": 1}', "/?"),
        (b'{"items": [{"title": "x"}], "top_k": 1%s}' % (b"0" * 400), "/top_k"),
        (b'{"items": [{"title": "x"}], "top_k": -1%s}' % (b"0" * 25), "/top_k"),
        (b'{"items": [{"title": "x"}], "min_confidence": 1e300}', "/min_confidence"),
        (b'{"items": ' + b"[" * 900 + b"]" * 900 + b"}", "/items/0"),
        (b'{"items": [' + b"1," * 500_000 + b"1]}", "/items"),
    ],
)
def test_json_that_is_no_request_is_422(served, assert_problem, body, pointer):
    response = raw(served, body)
    if response.status_code == 400:  # An integer of 400 digits is infinite as a double: malformed to orjson.
        assert b"0" * 400 in body
        return
    problem = assert_problem(response, 422)
    assert pointer in [error["pointer"] for error in problem["errors"]]
    assert len(response.content) < 30_000


def test_the_last_of_two_equal_keys_counts(served):
    assert raw(served, b'{"items": [], "items": [{"title": "cook"}]}').status_code == 200


@pytest.mark.parametrize(
    "text", ["\x00", "a\x00b\x1b[31m", "\u202e\u200b", "\U0001f9d1\u200d\U0001f373", "ﷺ" * 1000, "\u0301" * 1000]
)
def test_any_text_is_a_title(served, text):
    assert served.post(NORMALIZE, {"items": [{"title": text}]}).status_code == 200


@pytest.mark.parametrize(
    "declared", ["", "text/plain", "application/x-www-form-urlencoded", "multipart/form-data", "json", "application/"]
)
def test_another_media_type_is_415(served, assert_problem, declared):
    body = json.dumps({"items": [{"title": "cook"}]}).encode()
    assert_problem(raw(served, body, **{"content-type": declared}), 415, "unsupported-media-type")


@pytest.mark.parametrize("declared", ["application/json; charset=utf-8", "Application/JSON", "application/vnd.x+json"])
def test_json_by_any_of_its_names_is_read(served, declared):
    assert raw(served, b'{"items": [{"title": "cook"}]}', **{"content-type": declared}).status_code == 200


# -- size ----------------------------------------------------------------------------------------


def test_a_body_too_large_by_its_own_word_is_not_read(serve, assert_problem):
    assert_problem(raw(serve(max_body_bytes=1024), b"x" * 1025), 413, "body-too-large")


def test_a_chunked_body_is_cut_off_where_it_grows_too_large(serve, assert_problem):
    served = serve(max_body_bytes=1024)
    sent = 0

    async def chunks():
        nonlocal sent
        for _ in range(10_000):
            sent += 1
            yield b"x" * 512

    response = served.run(served.client.post(NORMALIZE, content=chunks(), headers=JSON))
    assert_problem(response, 413, "body-too-large")
    assert sent < 10


@pytest.mark.parametrize("length", ["many", "-1", "9" * 5000])
def test_a_length_that_makes_no_sense_is_no_bug(served, length):
    assert raw(served, b"{}", **{"content-length": length}).status_code in {413, 422}


# -- no echo, no leak ----------------------------------------------------------------------------


SPOILED = [
    {"items": [{"title": CANARY * 100}]},
    {"items": [{"title": "x", "language": CANARY + "!"}]},
    {"items": CANARY},
    {"items": [{"title": "x"}], "hubness": CANARY},
    {"items": [{"title": "x"}], "terminology": CANARY},
    {"items": [{"title": "x"}], "top_k": CANARY},
    {"items": [{"title": "x", "skills": [CANARY * 20]}]},
    {"items": [{"title": "x", "other": CANARY}]},
]


@pytest.mark.parametrize("body", SPOILED)
def test_errors_and_logs_never_repeat_a_value(serve, logged, body):
    served = serve()
    response = served.post(NORMALIZE, body)
    assert 400 <= response.status_code < 500
    assert CANARY not in response.text
    assert CANARY not in logged.getvalue()


def test_paths_queries_and_headers_are_neither_echoed_nor_logged(serve, logged):
    served = serve()
    for path in (
        f"/{CANARY}",
        f"/v1/pipelines/{CANARY}",
        f"/v1/terminologies/{CANARY}",
        f"/v1/terminologies/twelve/concepts/{CANARY}",
        f"/v1/terminologies/twelve/concepts?page_token={CANARY}",
        f"/v1/terminologies/twelve/concepts?page_size={CANARY}",
    ):
        response = served.get(path, headers={"user-agent": CANARY, "authorization": CANARY})
        assert response.status_code in {404, 422}
        assert CANARY not in response.text
    answered = served.post(NORMALIZE, {"items": [{"title": f"{CANARY} nurse"}]})
    assert answered.status_code == 200
    assert CANARY not in logged.getvalue()
    assert {line["route"] for line in logged.lines() if line["event"] == "answered"} >= {"unmatched", NORMALIZE}


def test_a_bug_is_500_without_details_and_logged_without_the_payload(serve, logged, assert_problem, monkeypatch):
    served = serve()
    pipeline = served.services.host.pipeline("job-titles").pipeline

    def fail(requests, **_):
        raise KeyError(f"cannot cope with {requests[0].text}")

    monkeypatch.setattr(pipeline, "run", fail)
    response = served.post(NORMALIZE, {"items": [{"title": CANARY}]}, headers={"x-request-id": "bug-1"})
    problem = assert_problem(response, 500, "internal-error")
    assert "KeyError" not in str(problem)
    (line,) = [line for line in logged.lines() if line["event"] == "unexpected error"]
    assert line["request_id"] == "bug-1"
    assert line["error_type"] == "KeyError"
    assert any(" fail" in frame for frame in line["frames"])
    assert CANARY not in logged.getvalue()


# -- anything at all -------------------------------------------------------------------------------

texts = st.text(max_size=30) | st.sampled_from(["title", "items", "top_k", "\x00", CANARY])
values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | texts,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(texts, inner, max_size=4),
    max_leaves=12,
)
bodies = (
    values
    | st.fixed_dictionaries({"items": values}, optional={"top_k": values, "hubness": values, "min_confidence": values})
    | st.fixed_dictionaries({"items": st.lists(st.fixed_dictionaries({"title": values}), min_size=1, max_size=3)})
    | st.fixed_dictionaries({"model": values | st.just("hashing"), "input": values}, optional={"dimensions": values})
)
hostile = settings(
    max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
)


def is_sane(response) -> None:
    assert response.status_code < 500 or response.status_code == 503, response.text
    assert response.headers["x-request-id"]
    if response.status_code >= 400:
        assert response.headers["content-type"] == "application/problem+json"
        assert response.json()["status"] == response.status_code


@hostile
@given(path=st.sampled_from([NORMALIZE, "/v1/embeddings"]), body=bodies)
def test_any_json_is_answered_sanely(served, path, body):
    is_sane(raw(served, json.dumps(body).encode(), path))


@hostile
@given(path=st.sampled_from([NORMALIZE, "/v1/embeddings"]), body=st.binary(max_size=200))
def test_any_bytes_are_answered_sanely(served, path, body):
    is_sane(raw(served, body, path))


@hostile
@given(
    path=st.sampled_from(["/v1/pipelines/", "/v1/terminologies/", "/v1/terminologies/twelve/concepts/", "/"]),
    rest=st.text(max_size=40),
    query=st.text(max_size=40),
    header=st.binary(max_size=40).filter(lambda b: b"\n" not in b and b"\r" not in b),
)
def test_any_path_query_and_header_are_answered_sanely(served, path, rest, query, header):
    scope = {
        "type": "http",
        "method": "GET",
        "path": path + rest,
        "raw_path": b"",
        "query_string": f"query={query}&page_token={query}&page_size={query}".encode("utf-8", "surrogatepass"),
        "headers": [(b"x-request-timeout-ms", header), (b"x-request-id", header), (b"accept", header)],
        "root_path": "",
        "scheme": "http",
        "http_version": "1.1",
        "client": ("127.0.0.1", 1),
    }
    sent = []

    async def receive():
        return {"type": "http.request", "body": b""}

    async def send(message):
        sent.append(message)

    served.run(served.app(scope, receive, send))
    assert sent[0]["status"] < 500


@given(st.lists(st.text() | st.integers(), max_size=4))
def test_every_pointer_is_encodable_and_has_a_part_for_each_step(loc):
    pointer = pointer_of(("body", *loc))
    assert pointer.encode() is not None
    assert pointer.count("/") == len(loc)


def test_a_caller_who_hangs_up_half_way_is_no_bug(served, logged):
    scope = {
        "type": "http", "method": "POST", "path": NORMALIZE, "raw_path": b"", "query_string": b"", "root_path": "",
        "headers": [(b"content-type", b"application/json")], "scheme": "http", "http_version": "1.1",
        "client": ("127.0.0.1", 1),
    }  # fmt: skip
    messages = iter([{"type": "http.request", "body": b'{"it', "more_body": True}, {"type": "http.disconnect"}])
    sent = []

    async def receive():
        return next(messages)

    async def send(message):
        sent.append(message)

    served.run(asyncio.wait_for(served.app(scope, receive, send), 5))
    assert not [line for line in logged.lines() if line["level"] == "error"]
    assert sent[0]["status"] == 499


def test_null_is_no_request(served, assert_problem):
    assert_problem(raw(served, b"null"), 422)
