"""A tour of the service, over HTTP: titles, feedback, a note, a collection, a file run as a job.

python examples/tour.py                         starts a small service; its built-in encoder knows spelling only
python examples/tour.py http://127.0.0.1:8000   walks through one that runs already (`make run`)
"""

import json
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import uvicorn

from cognomen_client import Client
from models.artifacts import ArtifactStore
from models.encoders.hashing import HashingEncoder
from pipelines import registry
from pipelines.build import build
from pipelines.retrieval.collections import build_collection
from pipelines.retrieval.config import CollectionConfig
from pipelines.terminology import Concept, Term, Terminology
from service.app import create_app
from service.host import PipelineHost
from service.server import listening
from service.settings import Settings
from service.telemetry import configure_logging

NOTE = "No fever. The child has had seizures since birth; her father has diabetes."
RECIPES = {"dal": "red lentils with cumin", "pea": "split pea soup", "cake": "a cake with walnuts", "pie": "apple pie"}


def tour(client: Client) -> None:
    """Everything once, printed."""
    hosted = {pipeline["name"]: pipeline for pipeline in client.pipelines()}
    print("hosted:", ", ".join(hosted), "and", len(client.collections()), "collections")
    titles(client)
    if "medical" in hosted:
        note(client)
    for collection in client.collections():
        search(client, collection["name"])
    job(client)


def titles(client: Client) -> None:
    """Job titles, and what feedback does to one."""
    for title in ("Senior Software Engineer (m/w/d)", "Lkw-Fahrer CE", "free parking"):
        (result,) = client.normalize_job_titles([title])
        decision = result["decision"]
        print(f"  {title:34} → {decision['name'] or 'NIL'} ({decision['confidence']:.2f})")
    wanted = client.normalize_job_titles(["nurse"])[0]["candidates"][0]
    client.feedback("job-titles", [{"title": "bedside hero", "concept_id": wanted["concept_id"], "verdict": "accept"}])
    (result,) = client.normalize_job_titles(["bedside hero"])
    print(f"  {'bedside hero, once told':34} → {result['decision']['name']}")


def note(client: Client) -> None:
    """A clinical note."""
    print("a note:", NOTE)
    for mention in client.link([NOTE])[0]["mentions"]:
        said = [word for word in ("negated", "hypothetical") if mention[word]]  # type: ignore[literal-required]
        said += [mention["experiencer"]] if mention["experiencer"] != "patient" else []
        print(f"  {mention['text']:12} → {mention['decision']['name'] or 'NIL'} {' '.join(said)}")


def search(client: Client, collection: str) -> None:
    """A collection, searched."""
    for hit in client.search(collection, ["something with lentils"], top_k=2)[0]["hits"]:
        print(f"  {collection}: {hit['score']:.2f} {hit['text']}")


def job(client: Client) -> None:
    """A file of titles, run."""
    lines = "".join(json.dumps({"title": title}) + "\n" for title in ("truck driver, nights", "staff nurse"))
    stored = client.upload(lines.encode(), purpose="batch", filename="titles.jsonl")
    asked = client.ask_for_job({"kind": "run", "pipeline": "job-titles", "input_file_id": stored["id"]})
    done = client.wait_for_job(asked["id"], progress=True)
    with tempfile.TemporaryDirectory() as folder:
        answers = client.download(str(done["output_file_id"]), Path(folder) / "answers.jsonl").read_text(
            encoding="utf-8"
        )
    print("a job:", done["status"], [json.loads(line)["decision"]["name"] for line in answers.splitlines()])


@contextmanager
def small_service(folder: Path) -> Iterator[str]:
    """The address of a service over three occupations, common findings and four recipes."""
    store, encoder = ArtifactStore(folder / "artifacts"), HashingEncoder()
    names = {"MY:1": ["Software engineer"], "MY:2": ["Nurse", "Staff nurse"], "MY:3": ["Truck driver", "Lkw-Fahrer"]}
    own = [Concept(id, terms[0], [Term(term, None) for term in terms]) for id, terms in names.items()]
    for name, terminology in (("job-titles", Terminology("mine", version="1", concepts=own)), ("medical", None)):
        spec = registry.spec(name)
        config = spec.config(encoder="hashing", blocks={}, centred=[])
        build(spec, terminology or spec.starter(), encoder=encoder, store=store, config=config)
    documents = folder / "recipes.jsonl"
    documents.write_text("".join(json.dumps({"id": id, "text": text}) + "\n" for id, text in RECIPES.items()))
    config = CollectionConfig(encoder="hashing")
    build_collection("recipes", documents, store=store, encoder_of=lambda _name: encoder, config=config)
    settings = Settings(artifacts=store.root, data=folder / "data", drain_s=0)
    app = create_app(settings, PipelineHost(store, data=settings.data))
    configure_logging(level="warning", style="text")
    (bound,) = listening("127.0.0.1", 0)
    server = uvicorn.Server(uvicorn.Config(app, log_config=None, access_log=False))
    thread = threading.Thread(target=server.run, args=([bound],))
    thread.start()
    try:
        yield f"http://127.0.0.1:{bound.getsockname()[1]}"
    finally:
        server.should_exit = True
        thread.join()


def main() -> None:
    """Walk through the service named, or a small one."""
    if len(sys.argv) > 1:
        with Client(sys.argv[1]) as client:
            tour(client)
        return
    with tempfile.TemporaryDirectory() as folder, small_service(Path(folder)) as address, Client(address) as client:
        while not client.ready():
            time.sleep(0.1)
        tour(client)


if __name__ == "__main__":
    main()
