"""The service as a whole: under load, while loading, while leaving."""

import asyncio
import os
import signal
import subprocess
import sys
import threading
from pathlib import Path

import pytest
import uvicorn

from models.errors import ArtifactCorrupt
from pipelines import registry
from pipelines.build import build
from pipelines.terminology import Terminology
from service.jobs.queue import QueueUnavailable
from service.server import CannotListen, DrainingServer, listening

ROOT = Path(__file__).resolve().parents[2]
NORMALIZE = "/v1/job-titles/normalize"
ANSWERS = {"nurse": "T:2221", "plumber": "T:7126", "taxi driver": "T:8322", "cook": "T:5120"}


def titles(*names):
    return {"items": [{"title": name} for name in names]}


@pytest.fixture
def held(monkeypatch):
    """Holds a service's pipeline back until released; records the batches it saw."""
    free = threading.Event()

    def hold(served):
        pipeline = served.services.host.pipeline("job-titles").pipeline
        original, batches = pipeline.run, []

        def run(requests, **options):
            assert free.wait(10)
            batches.append([request.text for request in requests])
            return original(requests, **options)

        monkeypatch.setattr(pipeline, "run", run)
        return free, batches

    yield hold
    free.set()


async def began(served):
    """Wait until a batch is being computed."""
    while not served.services.batcher._batches:
        await asyncio.sleep(0.001)


def test_200_concurrent_requests_are_answered_rightly_in_few_batches(serve, held):
    served = serve()
    free, batches = held(served)
    free.set()
    names = list(ANSWERS) * 50

    async def test():
        return await asyncio.gather(*(served.client.post(NORMALIZE, json=titles(name)) for name in names))

    responses = served.run(test())
    assert [r.status_code for r in responses] == [200] * 200
    assert [r.json()["results"][0]["decision"]["concept_id"] for r in responses] == list(ANSWERS.values()) * 50
    assert sum(map(len, batches)) == 200
    assert len(batches) < 50


def test_a_full_queue_is_503_with_retry_after_and_probes_still_answer(serve, held, assert_problem):
    served = serve(queue_tokens=16)
    free, _ = held(served)

    async def test():
        first = asyncio.ensure_future(served.client.post(NORMALIZE, json=titles("cook")))
        await began(served)
        second = asyncio.ensure_future(served.client.post(NORMALIZE, json=titles(*["nurse"] * 3)))
        await asyncio.sleep(0.02)
        refused = await served.client.post(NORMALIZE, json=titles(*["plumber"] * 3))
        probes = [(await served.client.get(path)).status_code for path in ("/healthz", "/readyz", "/metrics")]
        free.set()
        return refused, probes, (await first).status_code, (await second).status_code

    refused, probes, *answered = served.run(test())
    assert_problem(refused, 503, "overloaded")
    assert 1 <= int(refused.headers["retry-after"]) <= 60
    assert probes == [200, 200, 200]
    assert answered == [200, 200]
    assert 'cognomen_refused_total{reason="overloaded"} 1.0' in served.get("/metrics").text


def test_the_callers_deadline_is_kept(serve, held, assert_problem):
    served = serve()
    free, batches = held(served)

    async def test():
        first = asyncio.ensure_future(served.client.post(NORMALIZE, json=titles("cook")))
        await began(served)
        late = await served.client.post(NORMALIZE, json=titles("nurse"), headers={"x-request-timeout-ms": "30"})
        free.set()
        await first
        return late

    late = served.run(test())
    assert_problem(late, 503, "timeout")
    assert late.headers["retry-after"]
    assert batches == [["cook"]]


@pytest.mark.parametrize("asked", ["0", "-1", "soon", "1e3", "99999999999"])
def test_a_deadline_that_is_none_is_422(served, assert_problem, asked):
    response = served.post(NORMALIZE, titles("cook"), headers={"x-request-timeout-ms": asked})
    assert assert_problem(response, 422)["errors"][0]["pointer"] == "/header/x-request-timeout-ms"


def test_a_caller_who_hangs_up_in_the_queue_is_not_computed(serve, held, logged):
    served = serve()
    free, batches = held(served)
    body = b'{"items": [{"title": "nurse"}]}'
    scope = {
        "type": "http", "method": "POST", "path": NORMALIZE, "raw_path": b"", "query_string": b"", "root_path": "",
        "headers": [(b"content-type", b"application/json")], "scheme": "http", "http_version": "1.1",
        "client": ("127.0.0.1", 1),
    }  # fmt: skip
    sent = []

    async def test():
        first = asyncio.ensure_future(served.client.post(NORMALIZE, json=titles("cook")))
        await began(served)
        messages = iter([{"type": "http.request", "body": body}])

        async def receive():
            return next(messages, {"type": "http.disconnect"})

        async def send(message):
            sent.append(message)

        await asyncio.wait_for(served.app(scope, receive, send), 5)
        free.set()
        await first

    served.run(test())
    assert sent[0]["status"] == 499
    assert batches == [["cook"]]
    assert [line["status"] for line in logged.lines() if line["event"] == "answered"] == [499, 200]


def test_one_request_that_fails_does_not_fail_its_batch(serve, monkeypatch, assert_problem):
    served = serve()
    pipeline = served.services.host.pipeline("job-titles").pipeline
    original, batches = pipeline.run, []

    def fail(requests, **options):
        batches.append(len(requests))
        if any(request.text == "poison" for request in requests):
            raise ZeroDivisionError
        return original(requests, **options)

    monkeypatch.setattr(pipeline, "run", fail)

    async def test():
        names = ("cook", "poison", "nurse")
        return await asyncio.gather(*(served.client.post(NORMALIZE, json=titles(name)) for name in names))

    cook, poison, nurse = served.run(test())
    assert max(batches) == 3
    assert_problem(poison, 500)
    assert cook.json()["results"][0]["decision"]["concept_id"] == "T:5120"
    assert nurse.json()["results"][0]["decision"]["concept_id"] == "T:2221"


# -- loading and leaving ---------------------------------------------------------------------------


def test_while_loading_everything_but_health_is_503(serve, host, monkeypatch, assert_problem):
    go = threading.Event()
    original = host.load
    monkeypatch.setattr(host, "load", lambda: go.wait(10) and original())
    served = serve(wait=False)
    try:
        assert served.get("/healthz").status_code == 200
        assert served.get("/metrics").status_code == 200
        for path in ("/readyz", "/v1/pipelines", "/v1/terminologies", "/v1/models"):
            response = served.get(path)
            assert_problem(response, 503, "loading")
            assert int(response.headers["retry-after"]) > 0
        assert_problem(served.post(NORMALIZE, titles("cook")), 503, "loading")
    finally:
        go.set()

    async def wait():
        while not served.services.warm:
            await asyncio.sleep(0.002)

    served.run(asyncio.wait_for(wait(), 10))
    assert served.get("/readyz").status_code == 200


@pytest.mark.parametrize("error", [ArtifactCorrupt("/secret/path is broken"), RuntimeError("/secret/path")])
def test_what_cannot_be_loaded_leaves_the_service_alive_and_not_ready(
    serve, host, monkeypatch, logged, assert_problem, error
):
    def load():
        raise error

    monkeypatch.setattr(host, "load", load)
    served = serve(wait=False)

    async def wait():
        while not host.failure:
            await asyncio.sleep(0.002)

    served.run(asyncio.wait_for(wait(), 10))
    problem = assert_problem(served.get("/readyz"), 503, "loading")
    assert "log" in problem["detail"]
    assert "secret" not in str(problem)
    assert served.get("/healthz").status_code == 200
    assert [line for line in logged.lines() if line["level"] == "error"]


def test_while_draining_the_gateway_is_told_and_work_is_still_done(serve, assert_problem):
    served = serve()
    served.services.draining = True
    response = served.get("/readyz")
    assert_problem(response, 503, "draining")
    assert response.headers["retry-after"]
    assert served.get("/healthz").status_code == 200
    assert served.post(NORMALIZE, titles("cook")).status_code == 200
    served.run(served.services.batcher.close(grace_s=0))
    assert_problem(served.post(NORMALIZE, titles("cook")), 503, "draining")


def test_work_that_stands_still_makes_the_service_unready(serve, held, assert_problem):
    served = serve(request_timeout_s=0.05)
    free, _ = held(served)

    async def test():
        late = await served.client.post(NORMALIZE, json=titles("cook"))
        await asyncio.sleep(0.1)
        ready = await served.client.get("/readyz")
        free.set()
        return late, ready

    late, ready = served.run(test())
    assert_problem(late, 503, "timeout")
    assert_problem(ready, 503)


def test_sigterm_drains_before_it_leaves_and_sigint_does_not_wait(serve, monkeypatch):
    monkeypatch.setattr("service.server._settle_memory", lambda: None)
    served = serve()
    server = DrainingServer(uvicorn.Config(served.app, log_config=None), app=served.app, drain_s=0.2)
    server.started = True
    server.handle_exit(signal.SIGTERM, None)
    assert served.services.draining
    assert not server.should_exit
    assert (b"connection", b"close") in server.config.encoded_headers
    assert served.run(server.on_tick(1)) is False
    served.run(asyncio.sleep(0.21))
    assert served.run(server.on_tick(2)) is True
    hasty = DrainingServer(uvicorn.Config(served.app, log_config=None), app=served.app, drain_s=60)
    hasty.started = True
    hasty.handle_exit(signal.SIGINT, None)
    assert hasty.should_exit


# -- listening -------------------------------------------------------------------------------------


def test_a_free_port_is_taken_and_told():
    (bound,) = listening("127.0.0.1", 0)
    try:
        port = bound.getsockname()[1]
        assert port
        with pytest.raises(CannotListen, match=f"cannot listen on 127.0.0.1:{port}: "):
            listening("127.0.0.1", port)
    finally:
        bound.close()


def test_localhost_listens_on_one_port():
    made = listening("localhost", 0)
    assert len({bound.getsockname()[1] for bound in made}) == 1
    for bound in made:
        bound.close()


def test_an_address_that_is_not_ours_is_one_line():
    with pytest.raises(CannotListen, match=r"cannot listen on 192\.0\.2\.1:0"):
        listening("192.0.2.1", 0)


def test_a_port_in_use_ends_with_one_line_and_1(tmp_path):
    (taken,) = listening("127.0.0.1", 0)
    environment = {**os.environ, "COGNOMEN_PORT": str(taken.getsockname()[1]), "COGNOMEN_ARTIFACTS": str(tmp_path)}
    done = subprocess.run(
        [sys.executable, "-m", "service"], cwd=ROOT, env=environment, capture_output=True, text=True, check=False
    )
    taken.close()
    assert done.returncode == 1
    assert done.stderr.startswith("cognomen: cannot listen on 127.0.0.1:")
    assert done.stderr.count("\n") == 1


def test_a_build_that_cannot_be_opened_leaves_the_others_served(
    serve_from, store, encoder, terminology, assert_problem, logged
):
    spec = registry.spec("job-titles")
    for name in ("alpha", "beta"):
        named = Terminology(name, version="1", concepts=terminology.concepts)
        build(spec, named, encoder=encoder, store=store, config=spec.config(encoder="hashing"))
    broken = store.root / "pipelines/job_titles/beta" / store.current("pipelines/job_titles/beta")
    (broken / "concepts.jsonl").write_bytes(b"")
    served = serve_from(store)
    assert served.get("/readyz").json() == {"status": "degraded", "builds_failed": 1}
    assert served.post(NORMALIZE, titles("cook")).json()["terminology"]["name"] == "alpha"
    refused = served.post(NORMALIZE, titles("cook") | {"terminology": "beta"})
    assert_problem(refused, 503, "build-unavailable")
    assert "cognomen_builds_failed 1.0" in served.get("/metrics").text
    assert any("beta" in str(line.get("reason")) for line in logged.lines())


def test_a_build_that_cannot_be_opened_can_keep_the_service_from_being_ready(
    serve_from, store, encoder, terminology, assert_problem
):
    spec = registry.spec("job-titles")
    build(spec, terminology, encoder=encoder, store=store, config=spec.config(encoder="hashing"))
    build(
        spec,
        Terminology("beta", version="1", concepts=terminology.concepts),
        encoder=encoder,
        store=store,
        config=spec.config(encoder="hashing"),
    )
    broken = store.root / "pipelines/job_titles/beta" / store.current("pipelines/job_titles/beta")
    (broken / "concepts.jsonl").write_bytes(b"")
    served = serve_from(store, wait=False, require_all_builds=True)
    served.run(until_settled(served))
    assert_problem(served.get("/readyz"), 503, "loading")


async def until_settled(served):
    while not served.services.host.failure:
        await asyncio.sleep(0.002)
    await asyncio.sleep(0.05)


def test_a_body_that_stops_coming_is_408(serve, assert_problem):
    served = serve(body_timeout_s=0.05)

    async def slow():
        yield b'{"items"'
        await asyncio.sleep(1)
        yield b": []}"

    response = served.run(served.client.post(NORMALIZE, content=slow(), headers={"content-type": "application/json"}))
    assert_problem(response, 408, "body-too-slow")


def test_a_full_queue_refuses_before_the_body_is_read(serve, held, assert_problem):
    served = serve(queue_tokens=16)
    free, _ = held(served)
    read = 0

    async def body():
        nonlocal read
        read += 1
        yield b'{"items": [{"title": "plumber"}]}'

    async def test():
        first = asyncio.ensure_future(served.client.post(NORMALIZE, json=titles(*["cook"] * 4)))
        await began(served)
        second = asyncio.ensure_future(served.client.post(NORMALIZE, json=titles(*["nurse"] * 4)))
        await asyncio.sleep(0.02)
        refused = await served.client.post(NORMALIZE, content=body(), headers={"content-type": "application/json"})
        free.set()
        await asyncio.gather(first, second)
        return refused

    assert_problem(served.run(test()), 503, "overloaded")
    assert read == 0
    assert served.post(NORMALIZE, titles("cook")).status_code == 200


def test_what_answers_nothing_but_errors_is_not_ready_until_it_answers_again(serve, monkeypatch, assert_problem):
    served = serve()
    pipeline = served.services.host.pipeline("job-titles").pipeline
    original, broken = pipeline.run, True

    def run(requests, **options):
        if broken:
            raise MemoryError
        return original(requests, **options)

    monkeypatch.setattr(pipeline, "run", run)
    for _ in range(5):
        assert served.get("/readyz").status_code == 200
        assert_problem(served.post(NORMALIZE, titles("cook")), 500)
    assert_problem(served.get("/readyz"), 503, "loading")
    served.run(asyncio.sleep(0.05))
    assert_problem(served.get("/readyz"), 503, "loading")
    broken = False
    served.run(asyncio.sleep(0.05))
    assert served.get("/readyz").status_code in {200, 503}

    async def settle():
        while (await served.client.get("/readyz")).status_code != 200:
            await asyncio.sleep(0.01)

    served.run(asyncio.wait_for(settle(), 10))


def test_requests_that_are_wrong_do_not_make_the_service_unready(serve, assert_problem):
    served = serve()
    for _ in range(10):
        assert_problem(served.post(NORMALIZE, titles("cook") | {"top_k": 0}), 422)
        served.post(NORMALIZE, titles("cook") | {"hubness": "csls"})
    assert served.get("/readyz").status_code == 200


def test_metrics_say_how_the_service_is_doing(serve):
    served = serve()
    served.post(NORMALIZE, titles("cook"))
    text = served.get("/metrics").text
    for line in ("cognomen_ready 1.0", "cognomen_queue_age_seconds 0.0", "cognomen_batches_failing 0.0"):
        assert line in text
    assert 'hubness="' in text
    assert 'cognomen_stage_seconds_count{pipeline="job-titles",stage="encode"}' in text
    served.services.draining = True
    assert "cognomen_ready 0.0" in served.get("/metrics").text


def test_metrics_count_jobs_and_are_told_without_their_queue(serve, monkeypatch):
    served = serve()
    monkeypatch.setattr(served.services.jobs, "tally", lambda: {("run", "running"): 2})
    assert 'cognomen_jobs{kind="run",status="running"} 2.0' in served.get("/metrics").text

    def away():
        raise QueueUnavailable("away", retry_after_s=1)

    monkeypatch.setattr(served.services.jobs, "tally", away)
    response = served.get("/metrics")
    assert response.status_code == 200
    assert "cognomen_ready" in response.text
    assert "cognomen_jobs{" not in response.text
