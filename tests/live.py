"""A real service on a port of its own that hosts everything, small: for tests that look at it from outside."""

import json
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import uvicorn

from models.artifacts import ArtifactStore
from models.encoders.hashing import HashingEncoder
from pipelines import registry
from pipelines.build import build
from pipelines.retrieval.collections import build_collection
from pipelines.retrieval.config import CollectionConfig
from pipelines.terminology import Terminology
from service.app import create_app
from service.host import PipelineHost
from service.server import listening
from service.settings import Settings

COLOURS, THINGS = ("red", "green", "old", "blue"), ("car", "boat", "hat", "house")


def build_everything(folder: Path, terminology: Terminology) -> ArtifactStore:
    """Job titles over twelve occupations, common findings, datasheets, two collections."""
    store = ArtifactStore(folder / "artifacts")
    _build_all(store, terminology, folder)
    return store


@contextmanager
def serve_everything(store: ArtifactStore, data: Path, **options: object) -> Iterator[str]:
    """The address of a service over all of it, with files, jobs and keys."""
    settings = Settings(**{"drain_s": 0, "data": data, "artifacts": store.root, "job_nice": 0, **options})
    app = create_app(settings, PipelineHost(store, data=settings.data))
    (bound,) = listening("127.0.0.1", 0)
    server = uvicorn.Server(uvicorn.Config(app, http="httptools", ws="none", log_config=None, access_log=False))
    thread = threading.Thread(target=server.run, args=([bound],), daemon=True)
    thread.start()
    address = f"http://127.0.0.1:{bound.getsockname()[1]}"
    with httpx.Client(transport=httpx.HTTPTransport(retries=5), timeout=120) as client:
        while client.get(f"{address}/readyz").status_code != httpx.codes.OK:
            time.sleep(0.02)
    yield address
    server.should_exit = True
    thread.join(20)


def _build_all(store, terminology, folder: Path) -> None:
    encoder = HashingEncoder()
    titles, medical, sheets = (registry.spec(name) for name in ("job_titles", "medical", "datasheets"))
    build(titles, terminology, encoder=encoder, store=store, config=titles.config(encoder="hashing"))
    build(medical, medical.starter(), encoder=encoder, store=store, config=medical.config(encoder="hashing"))
    parameters = sheets.starter()
    few = sheets.calibration(parameters, 400, 0)
    build(sheets, parameters, encoder=encoder, store=store, config=sheets.config(), labelled=few)
    documents, bank = folder / "things.jsonl", folder / "bank.jsonl"
    documents.write_text(
        _lines({"id": f"{c}-{t}", "text": f"{c} {t}", "metadata": {}} for c in COLOURS for t in THINGS)
    )
    bank.write_text(_lines({"text": f"a {t}, {c}"} for c in COLOURS for t in THINGS))
    config = CollectionConfig(encoder="hashing")
    for name in ("things", "occupations"):  # the latter as `cognomen setup` calls its own
        build_collection(name, documents, store=store, encoder_of=lambda _name: encoder, config=config, queries=bank)


def _lines(contents) -> str:
    return "".join(json.dumps(content) + "\n" for content in contents)
