"""A service over twelve occupations and the hashing encoder: everything real, nothing slow."""

import asyncio
import importlib.util
import io
import json
import shutil
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path

import httpx
import pytest
import structlog
import uvicorn

from models.artifacts import ArtifactStore
from models.encoders.hashing import HashingEncoder
from models.errors import EncoderUnknown
from pipelines import registry
from pipelines.build import build
from service.app import create_app
from service.host import PipelineHost
from service.server import listening
from service.settings import Settings
from service.telemetry import configure_logging

ROOT = Path(__file__).resolve().parents[2]


class HashingHost(PipelineHost):
    """A host whose one encoder needs no files."""

    def encoders(self):
        return ["hashing"]

    def encoder(self, name):
        if name != "hashing":
            raise EncoderUnknown("no such encoder is prepared here")
        return HashingEncoder()


class Served:
    """An app that has started, and a client of it. Async underneath; `run` and the verbs are for plain tests."""

    def __init__(self, host: PipelineHost, *, wait: bool = True, **settings: object) -> None:
        self.app = create_app(Settings(**{"drain_s": 0.2, **settings}), host)
        self.closed = False
        self._runner = asyncio.Runner()
        self._lifespan = self.app.router.lifespan_context(self.app)
        self.client = httpx.AsyncClient(transport=httpx.ASGITransport(app=self.app), base_url="http://test", timeout=20)
        self.run(self._lifespan.__aenter__())
        if wait:
            self.run(until(lambda: self.services.warm))

    @property
    def services(self):
        return self.app.state.services

    def run(self, work):
        return self._runner.run(work)

    def get(self, path: str, **options) -> httpx.Response:
        return self.run(self.client.get(path, **options))

    def post(self, path: str, content: object = None, **options) -> httpx.Response:
        if content is not None:
            options["json"] = content
        return self.run(self.client.post(path, **options))

    def delete(self, path: str, **options) -> httpx.Response:
        return self.run(self.client.delete(path, **options))

    def close(self) -> None:
        self.closed = True
        self.run(self.client.aclose())
        self.run(self._lifespan.__aexit__(None, None, None))
        self._runner.close()


async def until(condition: Callable[[], bool], *, within_s: float = 10) -> None:
    async with asyncio.timeout(within_s):
        while not condition():
            await asyncio.sleep(0.002)


@pytest.fixture(scope="session")
def built_store(tmp_path_factory, encoder, terminology) -> ArtifactStore:
    store = ArtifactStore(tmp_path_factory.mktemp("service") / "artifacts")
    spec = registry.spec("job_titles")
    build(spec, terminology, encoder=encoder, store=store, config=spec.config(encoder="hashing"))
    return store


@pytest.fixture
def host(built_store) -> HashingHost:
    return HashingHost(built_store)


@pytest.fixture(scope="module")
def served(built_store):
    served = Served(HashingHost(built_store))
    yield served
    served.close()


@pytest.fixture(scope="module")
def served_over():
    """Makes services over a store of the module's own: served_over(store)."""
    made = []

    def start(store) -> Served:
        made.append(Served(HashingHost(store)))
        return made[-1]

    yield start
    for served in made:
        served.close()


@pytest.fixture(scope="session")
def medical_store(tmp_path_factory, encoder) -> ArtifactStore:
    """The starter's findings, by spelling alone."""
    store = ArtifactStore(tmp_path_factory.mktemp("medical") / "artifacts")
    spec = registry.spec("medical")
    build(spec, spec.starter(), encoder=encoder, store=store, config=spec.config(encoder="hashing"))
    return store


@pytest.fixture(scope="module")
def medical(medical_store):
    served = Served(HashingHost(medical_store))
    yield served
    served.close()


@pytest.fixture
def serve(host):
    """Makes services with their own settings: serve(queue_tokens=100)."""
    made = []

    def start(**settings) -> Served:
        made.append(Served(host, **settings))
        return made[-1]

    yield start
    for served in made:
        served.close()


@pytest.fixture(scope="session")
def hosted():
    """Makes a service over any store: hosted(store, datasheet_queue=0). Whoever makes one closes it."""
    return lambda store, **settings: Served(HashingHost(store), **settings)


@pytest.fixture
def serve_from():
    """Makes services over another store: serve_from(store, require_keys=True)."""
    made = []

    def start(store, **settings) -> Served:
        made.append(Served(HashingHost(store), **settings))
        return made[-1]

    yield start
    for served in made:
        served.close()


@pytest.fixture(scope="module")
def over_a_socket(built_store):
    """Starts a service on a free port, in a thread, as it is started in earnest: over_a_socket(tmp_path) is its URL."""
    running = []

    def start(data, **settings) -> str:
        app = create_app(Settings(data=data, drain_s=0, **settings), HashingHost(built_store, data=data))
        (bound,) = listening("127.0.0.1", 0)
        server = uvicorn.Server(
            uvicorn.Config(app, http="httptools", ws="none", log_config=None, server_header=False, access_log=False)
        )
        thread = threading.Thread(target=server.run, args=([bound],))
        thread.start()
        running.append((server, thread))
        base = f"http://127.0.0.1:{bound.getsockname()[1]}"
        with httpx.Client(transport=httpx.HTTPTransport(retries=5)) as client:
            while client.get(f"{base}/readyz").status_code != 200:
                time.sleep(0.02)
        return base

    yield start
    for server, thread in running:
        server.should_exit = True
        thread.join(20)


@pytest.fixture
def serve_over(built_store):
    """Makes services that keep what users say in a folder: serve_over(tmp_path); one may be closed before the next."""
    made = []

    def start(data) -> Served:
        made.append(Served(HashingHost(built_store, data=data)))
        return made[-1]

    yield start
    for served in made:
        if not served.closed:
            served.close()


@pytest.fixture
def logged():
    """Everything logged during the test, as text; `.lines()` as objects."""

    class Logged(io.StringIO):
        def lines(self) -> list[dict]:
            return [json.loads(line) for line in self.getvalue().splitlines()]

    stream = Logged()
    configure_logging(level="debug", style="json", stream=stream)
    yield stream
    structlog.reset_defaults()


@pytest.fixture
def assert_problem():
    def check(response: httpx.Response, status: int, slug: str | None = None) -> dict:
        assert response.status_code == status, response.text
        assert response.headers["content-type"] == "application/problem+json"
        problem = response.json()
        assert {"type", "title", "status", "detail", "instance", "request_id"} <= set(problem)
        assert problem["status"] == status
        assert problem["request_id"] == response.headers["x-request-id"]
        if slug:
            assert problem["type"] == f"urn:cognomen:problem:{slug}"
        if status == 422:
            assert problem["errors"]
        return problem

    return check


@pytest.fixture(scope="session")
def named_store(tmp_path_factory) -> ArtifactStore:
    store = ArtifactStore(tmp_path_factory.mktemp("datasheets") / "artifacts")
    spec = registry.spec("datasheets")
    terminology = spec.starter()
    few = spec.calibration(terminology, 400, 0)
    build(spec, terminology, encoder=HashingEncoder(), store=store, config=spec.config(), labelled=few)
    return store


@pytest.fixture(scope="session")
def synthetic_sheets():
    """Makers of datasheets of parts that do not exist."""
    pytest.importorskip("reportlab")
    spec = importlib.util.spec_from_file_location("datasheets_synthetic", ROOT / "tests/data/datasheets_synthetic.py")
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


class Jobs:
    """Uploads, asks and waits, through a served app."""

    def __init__(self, served: Served) -> None:
        self.served = served

    def upload(self, content: bytes, *, name: str = "lines.jsonl", purpose: str = "batch") -> str:
        form = {"files": {"file": (name, content)}, "data": {"purpose": purpose}}
        response = self.served.run(self.served.client.post("/v1/files", **form))
        assert response.status_code == 201, response.text
        return response.json()["id"]

    def ask(self, _key: str | None = None, **body) -> httpx.Response:
        headers = {"idempotency-key": _key} if _key else {}
        return self.served.post("/v1/jobs", body, headers=headers)

    def started(self, **body) -> str:
        response = self.ask(**body)
        assert response.status_code == 202, response.text
        return response.json()["id"]

    def get(self, job_id: str) -> dict:
        return self.served.get(f"/v1/jobs/{job_id}").json()

    def wait(self, job_id: str, until=lambda job: job["status"] in ENDED, *, within_s: float = 240) -> dict:
        async def waited() -> dict:
            async with asyncio.timeout(within_s):
                while not until(job := (await self.served.client.get(f"/v1/jobs/{job_id}")).json()):
                    await asyncio.sleep(0.05)
                return job

        return self.served.run(waited())

    def done(self, **body) -> dict:
        job = self.wait(self.started(**body))
        assert job["status"] == "succeeded", job
        return job

    def result(self, job_id: str) -> bytes:
        response = self.served.get(f"/v1/jobs/{job_id}/result")
        assert response.status_code == 200, response.text
        return response.content


ENDED = {"succeeded", "failed", "cancelled"}


@pytest.fixture
def own_store(built_store, tmp_path) -> ArtifactStore:
    """A copy of the built store that a test may change."""
    shutil.copytree(built_store.root, tmp_path / "artifacts")
    return ArtifactStore(tmp_path / "artifacts")


@pytest.fixture
def serve_jobs(own_store, tmp_path):
    """Makes services with workers over one artifacts and one data folder: serve_jobs(job_nice=0)."""
    made = []

    def start(**settings) -> Jobs:
        data = tmp_path / "data"
        made.append(Served(HashingHost(own_store, data=data), data=data, **{"job_nice": 0, **settings}))
        return Jobs(made[-1])

    yield start
    for served in made:
        if not served.closed:
            served.close()


@pytest.fixture(scope="module")
def jobs(built_store, tmp_path_factory):
    """A service with a worker, shared by the tests that leave its pipelines as they are."""
    folder = tmp_path_factory.mktemp("jobs")
    shutil.copytree(built_store.root, folder / "artifacts")
    host = HashingHost(ArtifactStore(folder / "artifacts"), data=folder / "data")
    served = Served(host, data=folder / "data", job_nice=0)
    yield Jobs(served)
    served.close()


@pytest.fixture(scope="module")
def idle(built_store, tmp_path_factory):
    """A service without workers."""
    data = tmp_path_factory.mktemp("idle")
    served = Served(HashingHost(built_store, data=data), data=data, job_workers=0)
    yield Jobs(served)
    served.close()
