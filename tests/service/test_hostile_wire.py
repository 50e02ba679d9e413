"""What arrives over a real socket: half requests, odd framing, odd headers, multipart of any kind. Never a 500."""

import gzip
import json
import os
import socket
from contextlib import suppress
from pathlib import Path
from urllib.parse import urlsplit

import httpx
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from service.app import create_app
from service.settings import Settings

NORMALIZE = "/v1/job-titles/normalize"
GOOD = b'{"items": [{"title": "cook"}]}'
CANARY = "kanarienvogel7131"
MULTIPART = [
    path
    for path, operations in create_app(Settings()).openapi()["paths"].items()
    for operation in operations.values()
    if "multipart/form-data" in operation.get("requestBody", {}).get("content", {})
]
hostile = settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
)


@pytest.fixture(scope="module")
def base(over_a_socket, tmp_path_factory):
    return over_a_socket(tmp_path_factory.mktemp("data"), body_timeout_s=0.3, max_body_bytes=2**20)


@pytest.fixture(scope="module")
def client(base):
    with httpx.Client(base_url=base, timeout=20) as client:
        yield client


def raw(base: str, sent: bytes) -> bytes:
    """What comes back for these bytes, until the server closes or falls silent."""
    where = urlsplit(base)
    received = b""
    with socket.create_connection((where.hostname, where.port), timeout=2) as connection:
        with suppress(OSError):
            connection.sendall(sent)
        with suppress(TimeoutError, ConnectionResetError):
            while piece := connection.recv(65536):
                received += piece
                if b"request_id" in received or received.endswith(b"}"):
                    break
    return received


def alive(client) -> None:
    assert client.post(NORMALIZE, content=GOOD, headers={"content-type": "application/json"}).status_code == 200


def post(headers: bytes, body: bytes = GOOD) -> bytes:
    return b"POST " + NORMALIZE.encode() + b" HTTP/1.1\r\nhost: x\r\n" + headers + b"\r\n" + body


JSON = b"content-type: application/json\r\n"


@pytest.mark.parametrize(
    "sent",
    [
        b"",
        b"\r\n\r\n",
        b"GET /healthz HTTP/9.9\r\n\r\n",
        b"GET\r\n\r\n",
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
        b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
        b"GET " + b"/" * 100_000 + b" HTTP/1.1\r\nhost: x\r\n\r\n",
        b"GET /healthz HTTP/1.1\r\nhost: x\r\n" + b"x: " + b"y" * 200_000 + b"\r\n\r\n",
        b"GET /healthz HTTP/1.1\r\nhost: x\r\n" + b"x: y\r\n" * 5_000 + b"\r\n",
        post(JSON + b"content-length: 10\r\ncontent-length: 30\r\n"),
        post(JSON + b"content-length: -5\r\n"),
        post(JSON + b"content-length: 1e3\r\n"),
        post(JSON + b"transfer-encoding: chunked\r\n", b"zz\r\n" + GOOD),
        post(JSON + b"transfer-encoding: chunked\r\ncontent-length: 30\r\n", b"1e\r\n" + GOOD + b"\r\n0\r\n\r\n"),
        post(JSON + b"content-length: 30\r\nexpect: 200-please\r\n"),
        post(b"content-type : application/json\r\ncontent-length: 30\r\n"),
        post(JSON + b"content-length: 30\r\nx-request-id: \xff\xfe\r\n"),
        post(JSON + b"content-length: 30\r\nx\x00y: z\r\n"),
    ],
)
def test_bytes_that_are_hardly_http_are_no_bug(base, client, sent):
    received = raw(base, sent)
    assert not received.startswith(b"HTTP/1.1 5")
    alive(client)


def test_half_a_body_is_408_and_the_connection_is_freed(base, client):
    received = raw(base, post(JSON + b"content-length: 30\r\n", GOOD[:10]))
    assert received.startswith(b"HTTP/1.1 408")
    assert b"application/problem+json" in received
    alive(client)


def test_a_body_that_is_refused_unread_does_not_become_the_next_request(base):
    smuggled = b"GET /" + CANARY.encode() + b" HTTP/1.1\r\nhost: x\r\n\r\n"
    length = b"content-length: %d\r\n" % len(smuggled)
    for path in (b"/nowhere", NORMALIZE.encode()):
        request = (
            b"POST " + path + b" HTTP/1.1\r\nhost: x\r\ncontent-type: text/plain\r\n" + length + b"\r\n" + smuggled
        )
        received = raw(base, request + b"GET /healthz HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n")
        assert received.count(b"HTTP/1.1 ") <= 2
        assert CANARY.encode() not in received


def test_a_packed_body_is_415(client, assert_problem):
    for encoding in ("gzip", "br", "deflate", "x", "gzip, identity"):
        response = client.post(
            NORMALIZE,
            content=gzip.compress(GOOD),
            headers={"content-type": "application/json", "content-encoding": encoding},
        )
        assert_problem(response, 415, "unsupported-media-type")


@pytest.mark.parametrize("path", ["/nowhere", "/v1/", "/v1", "/V1/pipelines", "//v1/pipelines", "/v1/pipelines/"])
def test_paths_that_lead_nowhere_are_404(client, assert_problem, path):
    assert_problem(client.get(path), 404)


def test_405_lists_every_method_of_the_path(client, assert_problem):
    response = client.request("PATCH", "/v1/job-titles/feedback")
    assert_problem(response, 405, "method-not-allowed")
    assert response.headers["allow"] == "GET, POST"


def test_memory_stays_bounded_under_refused_bodies(client):
    """40 bodies of 50 MB, 2 GB in all, into a service that reads 1 MB: what stays is less than one of them."""

    def resident() -> int:
        return int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")

    def pieces():
        for _ in range(800):
            yield b"x" * 2**16

    before = resident()
    for _ in range(40):
        with suppress(httpx.TransportError):
            answer = client.post(NORMALIZE, content=pieces(), headers={"content-type": "application/json"})
            assert answer.status_code == 413
    assert resident() - before < 50 * 2**20


names = st.text(st.characters(codec="ascii", exclude_characters="\r\n\0"), max_size=20)


@hostile
@given(
    headers=st.lists(
        st.tuples(
            st.sampled_from(
                [
                    *(
                        "accept",
                        "accept-encoding",
                        "authorization",
                        "cookie",
                        "content-encoding",
                        "expect",
                        "forwarded",
                    ),
                    *("if-none-match", "range", "traceparent", "x-forwarded-for", "x-forwarded-host", "te", "origin"),
                    *("x-request-id", "x-request-timeout-ms", "idempotency-key", "host", "content-type"),
                ]
            ),
            st.binary(max_size=60).filter(lambda b: not set(b) & {0, 10, 13}).map(bytes.strip),
        ),
        max_size=6,
    ),
    query=st.text(max_size=20),
)
def test_any_header_is_answered_sanely(client, headers, query):
    sent = [(name, value) for name, value in headers if not (name == "expect" and value)]
    with suppress(httpx.LocalProtocolError):
        response = client.post(NORMALIZE, content=GOOD, headers=sent, params={"q": query})
        assert response.status_code < 500 or response.status_code == 503


# -- multipart -------------------------------------------------------------------------------------

part_names = st.sampled_from(["file", "purpose", "part", "ocr", "parameters", "", 'file"; filename="x']) | names
parts = st.tuples(
    part_names,
    st.none() | names,
    st.sampled_from([None, "application/pdf", "text/plain", "x", ""]),
    st.binary(max_size=200),
)


def multipart(sent, boundary: bytes, end: bytes) -> bytes:
    body = b""
    for name, filename, media_type, content in sent:
        body += b"--" + boundary + b'\r\ncontent-disposition: form-data; name="' + name.encode() + b'"'
        body += b'; filename="' + filename.encode() + b'"' if filename is not None else b""
        body += b"\r\ncontent-type: " + media_type.encode() if media_type is not None else b""
        body += b"\r\n\r\n" + content + b"\r\n"
    return body + end


# Starlette's form parser leaves it to the garbage collector to close what a broken form has begun.
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
@pytest.mark.parametrize("path", MULTIPART or [NORMALIZE])
@hostile
@given(
    sent=st.lists(parts, max_size=4),
    declared=st.sampled_from(["b", "c", "", '"b"', "b; charset=utf-16", "b" * 300]),
    end=st.sampled_from([b"--b--\r\n", b"", b"--b", b"\r\n--b--", b"\xff" * 50]),
)
def test_any_multipart_is_answered_sanely(client, path, sent, declared, end):
    body = multipart(sent, b"b", end)
    response = client.post(path, content=body, headers={"content-type": f"multipart/form-data; boundary={declared}"})
    assert response.status_code < 500 or response.status_code == 503, response.text
    if response.status_code >= 400:
        assert response.headers["content-type"] == "application/problem+json"


def test_a_thousand_parts_are_refused_or_read_but_no_bug(client):
    body = multipart([("part", None, None, b"x")] * 5_000, b"b", b"--b--\r\n")
    for path in MULTIPART or [NORMALIZE]:
        response = client.post(path, content=body, headers={"content-type": "multipart/form-data; boundary=b"})
        assert 400 <= response.status_code < 500
        assert json.loads(response.content)["status"] == response.status_code
