"""A real service on a port of its own, and a browser that looks at it. Skips where no Chromium is installed."""

import json
import shutil
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


@pytest.fixture(scope="session")
def browser():
    playwright = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
    chromium = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    if chromium is None:
        pytest.skip("no Chromium is installed")
    with playwright.sync_playwright() as started:
        browser = started.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        yield browser
        browser.close()


@pytest.fixture
def open_page(browser, live):
    """Opens a view: open_page("#/job-titles", width=360). What a test ends with must be free of script errors."""
    contexts, faults = [], []

    def opened(view="", *, width=1280, scheme="light", answers=None, **options):
        context = browser.new_context(viewport={"width": width, "height": 900}, color_scheme=scheme, **options)
        context.grant_permissions(["clipboard-read", "clipboard-write"], origin=live)
        contexts.append(context)
        page = context.new_page()
        page.set_default_timeout(10_000)
        page.on("pageerror", lambda error: faults.append(str(error)))
        page.on("console", lambda said: "Content Security" in said.text and faults.append(said.text))
        for path, answer in (answers or {}).items():
            page.route(f"{live}{path}", _answering(answer))
        page.goto(f"{live}/console{view}")
        return page

    yield opened
    for context in contexts:
        context.close()
    assert not faults


def _answering(answer):
    """A route that answers as the contract says, for what the service over twelve occupations does not host."""

    def handle(route):
        said = answer(route.request) if callable(answer) else answer
        status, content = said if isinstance(said, tuple) else (200, said)
        text = content if isinstance(content, str) else json.dumps(content)
        kind = "text/event-stream" if isinstance(content, str) else "application/json"
        route.fulfill(status=status, content_type=kind, body=text)

    return handle
