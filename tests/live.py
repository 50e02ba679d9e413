"""A real service on a port of its own, over twelve occupations: for tests that look at it from outside."""

import socket
import threading
import time

import httpx
import pytest
import uvicorn

from models.artifacts import ArtifactStore
from models.encoders.hashing import HashingEncoder
from pipelines import registry
from pipelines.build import build
from service.app import create_app
from service.host import PipelineHost
from service.settings import Settings


class HashingHost(PipelineHost):
    """A host whose one encoder needs no files."""

    def encoders(self):
        return ["hashing"]

    def encoder(self, _name):
        return HashingEncoder()


@pytest.fixture(scope="session")
def live(tmp_path_factory, encoder, terminology):
    """The address of a service over twelve occupations."""
    store = ArtifactStore(tmp_path_factory.mktemp("live") / "artifacts")
    spec = registry.spec("job_titles")
    build(spec, terminology, encoder=encoder, store=store, config=spec.config(encoder="hashing"))
    app = create_app(Settings(drain_s=0, data=tmp_path_factory.mktemp("data")), HashingHost(store))
    listener = socket.create_server(("127.0.0.1", 0))
    server = uvicorn.Server(uvicorn.Config(app, http="httptools", ws="none", lifespan="on", log_config=None))
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]}, daemon=True)
    thread.start()
    address = f"http://127.0.0.1:{listener.getsockname()[1]}"
    for _ in range(600):
        try:
            if httpx.get(f"{address}/readyz", timeout=5).status_code == 200:
                break
        except httpx.TransportError:
            pass
        time.sleep(0.05)
    yield address
    server.should_exit = True
    thread.join(20)
    listener.close()
