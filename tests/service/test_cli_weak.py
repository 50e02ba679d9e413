import json

import pytest
from typer.testing import CliRunner

from models.artifacts import ArtifactStore
from pipelines.library import import_terminology
from pipelines.medical.corpora import read_documents
from pipelines.medical.starter import starter
from service.cli.main import app
from tests.chat_stub import ChatStub

CANARY = "kanarienvogel4711"
LINE = {"text": f"{CANARY} has fever.", "mentions": [{"start": 22, "end": 27, "concept_ids": ["HP:0001945"]}]}


@pytest.fixture
def documents(tmp_path):
    path = tmp_path / "annotated.jsonl"
    path.write_text(json.dumps(LINE), encoding="utf-8")
    return path


@pytest.fixture
def run(tmp_path):
    store = ArtifactStore(tmp_path / "artifacts")
    import_terminology(starter(), store=store)

    def call(*said: str, ok: bool = True):
        done = CliRunner().invoke(app, ["weak", *said])
        assert (done.exit_code == 0) == ok, done.output
        assert CANARY not in done.output
        return done.output

    call.artifacts = str(store.root)
    return call


@pytest.mark.parametrize("to", ["jsonl", "bigbio"])
def test_documents_are_substituted(run, documents, tmp_path, to):
    out = tmp_path / "out" / "de.jsonl"
    said = ["substitute", str(documents), "-l", "de", "-o", str(out), "-t", "findings", "--to", to]
    assert "1 substituted" in run(*said, "--artifacts", run.artifacts)
    (made,) = read_documents(out, format=to)
    (annotation,) = made.annotations
    assert made.text[annotation.start : annotation.end] in {"Fieber", "Temperatur", "erhöhte Temperatur"}
    assert annotation.concept_ids == {"HP:0001945"}


def test_documents_are_translated(run, documents, tmp_path, monkeypatch):
    stub = ChatStub(json.dumps({"translation": "hat <m1>Fieber</m1>."}))
    monkeypatch.setenv("COGNOMEN_LLM_BASE_URL", stub.url)
    out = tmp_path / "de.jsonl"
    assert "1 of 1 documents" in run("translate", str(documents), "-l", "de", "-o", str(out))
    stub.close()
    (made,) = read_documents(out, format="jsonl")
    assert (made.text, made.language) == ("hat Fieber.", "de")


def test_no_endpoint_and_no_answer_are_one_line(run, documents, tmp_path, monkeypatch):
    monkeypatch.delenv("COGNOMEN_LLM_BASE_URL", raising=False)
    out = tmp_path / "de.jsonl"
    assert "COGNOMEN_LLM_BASE_URL" in run("translate", str(documents), "-l", "de", "-o", str(out), ok=False)
    monkeypatch.setenv("COGNOMEN_LLM_BASE_URL", "http://127.0.0.1:9/v1")
    assert "cannot be reached" in run("translate", str(documents), "-l", "de", "-o", str(out), ok=False)


def test_a_bad_option_is_one_line(run, documents, tmp_path):
    said = ["substitute", str(documents), "-l", "de", "-o", str(tmp_path / "x"), "-t", "findings", "--to", "xml"]
    assert "expected jsonl or bigbio" in run(*said, "--artifacts", run.artifacts, ok=False)
