"""Generations over HTTP: listed, gone back to, followed by the service; nothing is changed by what is refused."""

import time

import pytest

from models.encoders.hashing import HashingEncoder
from pipelines import registry
from pipelines.build import build

NAME = "pipelines/job_titles/twelve"


@pytest.fixture
def service(serve_jobs, own_store, terminology):
    spec = registry.spec("job_titles")
    config = spec.config(encoder="hashing")
    build(spec, terminology, encoder=HashingEncoder(), store=own_store, config=config).artifact.close()
    return serve_jobs(job_workers=0).served


def kept(service):
    listed = service.get("/v1/generations").json()["artifacts"]
    return {one["artifact"]: one for one in listed}[NAME]["generations"]


def test_what_is_kept_is_listed_newest_first(service):
    newest, earlier = kept(service)
    assert newest["generation"] > earlier["generation"]
    assert (newest["answers"], earlier["answers"]) == (True, False)
    assert newest["bytes"] > 0


def test_an_earlier_generation_answers_again_without_a_restart(service):
    newest, earlier = kept(service)
    answer = service.post("/v1/generations/rollback", {"artifact": NAME}).json()
    assert answer == {"artifact": NAME, "generation": earlier["generation"], "was": newest["generation"]}
    body = {"items": [{"title": "cook"}], "terminology": "twelve"}
    deadline = time.monotonic() + 30
    while service.post("/v1/job-titles/normalize", body).json()["generation"] != earlier["generation"]:
        assert time.monotonic() < deadline
        time.sleep(0.1)
    forward = {"artifact": NAME, "generation": newest["generation"]}
    assert service.post("/v1/generations/rollback", forward).json()["was"] == earlier["generation"]


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ({"artifact": "zanzibar"}, 404),
        ({"artifact": "../etc"}, 404),
        ({"artifact": NAME, "generation": "zanzibar"}, 409),
        ({"artifact": NAME, "x": 1}, 422),
        ({}, 422),
    ],
)
def test_what_is_not_kept_changes_nothing(service, assert_problem, body, status):
    before = kept(service)
    problem = assert_problem(service.post("/v1/generations/rollback", body), status)
    assert "zanzibar" not in str(problem)
    assert kept(service) == before


def test_a_damaged_generation_is_not_gone_back_to(service, own_store, assert_problem):
    _, earlier = kept(service)
    index = own_store.root / NAME / earlier["generation"] / "dense.faiss"
    content = index.read_bytes()
    index.write_bytes(content[:-1] + bytes([content[-1] ^ 1]))
    assert_problem(service.post("/v1/generations/rollback", {"artifact": NAME}), 409)
    assert kept(service)[0]["answers"]
