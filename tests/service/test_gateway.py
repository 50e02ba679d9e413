"""Two replicas behind deploy/nginx.conf: a rolling restart and a new generation under load lose no request."""

import asyncio
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Awaitable, Callable
from contextlib import contextmanager, suppress
from pathlib import Path

import httpx
import pytest

from models.artifacts import ArtifactStore
from pipelines import registry
from pipelines.build import build

ROOT = Path(__file__).resolve().parents[2]
NGINX = shutil.which("nginx", path=f"{os.environ.get('PATH', '')}:/usr/sbin:/usr/local/sbin")
NORMALIZE = "/v1/job-titles/normalize"
NAME = "pipelines/job_titles/twelve"

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(NGINX is None, reason="nginx is not installed (apt-get install nginx)"),
]


READY_S = 300
"""Patience with a busy machine; what is claimed here is that nothing is lost, not that it is fast."""


def reserved() -> socket.socket:
    """A port that is ours for as long as this is open, even while nobody listens on it.

    Nobody connects from it and nobody else binds it by chance; who binds it with SO_REUSEADDR, as the service and nginx
    do, may listen. A port that is merely free may be the near end of somebody's connection when a replica comes back.
    """
    held = socket.socket()
    held.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    held.bind(("127.0.0.1", 0))
    return held


class Replica:
    """`python -m service` on a port of its own, as often as it is started."""

    def __init__(self, artifacts: Path, folder: Path, name: str) -> None:
        self._held = reserved()
        self.port = self._held.getsockname()[1]
        self._log_file = folder / f"{name}.log"
        self._log = self._log_file.open("wb")
        self._env = {
            **os.environ,
            "COGNOMEN_ARTIFACTS": str(artifacts),
            "COGNOMEN_DATA": str(folder / "data"),
            "COGNOMEN_PIPELINES_FILE": str(folder / "none.toml"),
            "COGNOMEN_PORT": str(self.port),
            "COGNOMEN_DRAIN_S": "1",
        }

    def start(self) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-m", "service"], cwd=ROOT, env=self._env, stdout=self._log, stderr=self._log
        )
        deadline = time.monotonic() + READY_S
        while time.monotonic() < deadline:
            assert self._process.poll() is None, f"the replica ended: {self._log_file.read_text()[-2000:]}"
            with suppress(httpx.TransportError):
                if httpx.get(f"http://127.0.0.1:{self.port}/readyz").status_code == 200:
                    return
            time.sleep(0.05)
        raise AssertionError(f"the replica is never ready: {self._log_file.read_text()[-2000:]}")

    def stop(self) -> int:
        self._process.send_signal(signal.SIGTERM)
        return self._process.wait(READY_S)

    def close(self) -> None:
        if self._process.poll() is None:
            self._process.kill()
            self._process.wait()
        self._log.close()
        self._held.close()


@contextmanager
def gateway(folder: Path, ports: list[int]):
    """nginx with the operator's file, its addresses and folders replaced."""
    held = reserved()
    port = held.getsockname()[1]
    written = (ROOT / "deploy" / "nginx.conf").read_text()
    for name, upstream in zip(("cognomen-1:8000", "cognomen-2:8000"), ports, strict=True):
        assert name in written
        written = written.replace(name, f"127.0.0.1:{upstream}")
    for old, new in {
        "listen 8080": f"listen 127.0.0.1:{port}",
        "/tmp/": f"{folder}/",
        "/dev/stdout": f"{folder}/access.log",
        "/dev/stderr": f"{folder}/error.log",
        "worker_processes auto": "worker_processes 1",
    }.items():
        assert old in written
        written = written.replace(old, new)
    (folder / "nginx.conf").write_text(written)
    options = "daemon off; user root;" if os.geteuid() == 0 else "daemon off;"
    command = [NGINX, "-p", str(folder), "-c", str(folder / "nginx.conf"), "-g", options]
    checked = subprocess.run([*command, "-t"], capture_output=True, text=True, check=False)
    assert checked.returncode == 0, checked.stderr
    process = subprocess.Popen(command, stderr=subprocess.DEVNULL)
    base = f"http://127.0.0.1:{port}"
    with httpx.Client(transport=httpx.HTTPTransport(retries=5)) as client:
        client.get(f"{base}/healthz").raise_for_status()
    try:
        yield base
    finally:
        process.terminate()
        process.wait(READY_S)
        held.close()


@pytest.fixture(scope="module")
def replicated_store(built_store, tmp_path_factory) -> ArtifactStore:
    """A copy that both replicas answer from, and that a test may build into."""
    folder = tmp_path_factory.mktemp("replicated") / "artifacts"
    shutil.copytree(built_store.root, folder)
    return ArtifactStore(folder)


@pytest.fixture(scope="module")
def replicas(replicated_store, tmp_path_factory):
    folder = tmp_path_factory.mktemp("replicas")
    made = [Replica(replicated_store.root, folder, name) for name in ("one", "two")]
    try:
        for replica in made:
            replica.start()
        yield made
    finally:
        for replica in made:
            replica.close()


@pytest.fixture(scope="module")
def base(replicas, tmp_path_factory):
    with gateway(tmp_path_factory.mktemp("nginx"), [replica.port for replica in replicas]) as base:
        yield base


async def load(base: str, stop: asyncio.Event, seen: Counter[str]) -> None:
    """One client that asks and asks; counts answers by generation, and whatever is no right answer by what it is."""
    async with httpx.AsyncClient(base_url=base, timeout=READY_S) as client:
        while not stop.is_set():
            response = None
            try:
                response = await client.post(NORMALIZE, json={"items": [{"title": "cook"}]})
                answer = response.json()
                right = answer["results"][0]["decision"]["concept_id"] == "T:5120"
                seen[answer["generation"] if right else "wrong"] += 1
            except (httpx.HTTPError, KeyError) as error:
                seen[f"{type(error).__name__}: {response.status_code if response else 'no answer'}"] += 1
            await asyncio.sleep(0.02)


def under_load(base: str, change: Callable[[Counter[str]], Awaitable[None]]) -> Counter[str]:
    """What eight clients saw before, while and after something was changed."""

    async def ask() -> Counter[str]:
        stop, seen = asyncio.Event(), Counter()
        clients = [asyncio.create_task(load(base, stop, seen)) for _ in range(8)]
        try:
            await answers(seen, 100)
            await change(seen)
            await answers(seen, 100)
        finally:
            stop.set()
            await asyncio.gather(*clients)
        return seen

    return asyncio.run(ask())


async def answers(seen: Counter[str], more: int) -> None:
    """Wait until so many more answers came."""
    before = seen.total()
    async with asyncio.timeout(READY_S):
        while seen.total() < before + more:
            await asyncio.sleep(0.02)


def test_a_rolling_restart_under_load_loses_no_request(replicas, base, replicated_store):
    async def roll(seen: Counter[str]) -> None:
        for replica in replicas:
            # uvicorn ends by the signal it was sent, after everything is answered.
            assert await asyncio.to_thread(replica.stop) in {0, -signal.SIGTERM}
            await asyncio.to_thread(replica.start)

    seen = under_load(base, roll)
    assert set(seen) == {replicated_store.current(NAME)}


def test_a_generation_switch_under_load_loses_no_request(base, replicated_store, encoder, terminology):
    before = replicated_store.current(NAME)

    def make() -> None:
        spec = registry.spec("job_titles")
        config = spec.config(encoder="hashing")
        build(spec, terminology, encoder=encoder, store=replicated_store, config=config).artifact.close()

    async def switch(seen: Counter[str]) -> None:
        await asyncio.to_thread(make)
        after = replicated_store.current(NAME)
        async with asyncio.timeout(READY_S):
            while True:
                old = seen[before]
                await answers(seen, 100)
                if seen[after] and seen[before] == old:
                    return

    seen = under_load(base, switch)
    after = replicated_store.current(NAME)
    assert before != after
    assert set(seen) == {before, after}


def test_what_the_gateway_refuses_is_a_problem_too(base):
    with httpx.Client(base_url=base) as client:
        answers = {
            413: client.post(NORMALIZE, content=b"x" * (9 * 2**20), headers={"content-type": "application/json"}),
            414: client.get("/v1/" + "x" * 30_000),
            404: client.get("/metrics"),
        }
        for status, answer in answers.items():
            assert answer.status_code == status
            assert answer.headers["content-type"] == "application/problem+json"
            assert answer.json()["request_id"] == answer.headers["x-request-id"]


def test_ids_pass_through_the_gateway_and_problems_of_the_service_do_too(base):
    with httpx.Client(base_url=base) as client:
        answer = client.post(NORMALIZE, json={"items": []}, headers={"x-request-id": "mine-1"})
        assert answer.status_code == 422
        assert answer.headers["x-request-id"] == answer.json()["request_id"] == "mine-1"
        assert client.get("/readyz").json() == {"status": "ready"}
        assert client.get("/v1/terminologies/twelve/concepts/T:5120").status_code == 200
        created = client.post("/v1/keys", json={"name": "x", "scopes": ["read"]})
        assert created.status_code == 201
        assert client.get("/creates/v1/keys").status_code == 404


def test_without_replicas_the_gateway_says_503(tmp_path):
    with (
        reserved() as one,
        reserved() as two,
        gateway(tmp_path, [held.getsockname()[1] for held in (one, two)]) as base,
        httpx.Client(base_url=base) as client,
    ):
        answer = client.post(NORMALIZE, json={"items": [{"title": "cook"}]})
        assert answer.status_code == 503
        assert answer.headers["retry-after"]
        assert answer.json()["type"] == "urn:cognomen:problem:unavailable"
