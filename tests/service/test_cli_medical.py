import json

import pytest
from typer.testing import CliRunner

from service.cli.main import app

NOTE = "No fever. Headache since Monday."


@pytest.fixture
def run(medical_store):
    def call(*arguments: str, ok: bool = True):
        done = CliRunner().invoke(app, ["medical", *arguments, "--artifacts", str(medical_store.root)])
        assert (done.exit_code == 0) == ok, done.output
        return done

    return call


@pytest.fixture
def notes(tmp_path):
    folder = tmp_path / "notes"
    folder.mkdir()
    (folder / "a.txt").write_text(NOTE, encoding="utf-8")
    return folder


def test_annotated_files_are_measured(run, notes):
    run("annotate", str(notes), "--output", str(notes))
    content = json.loads(run("evaluate", str(notes), "--json").stdout)
    assert content["strict"]["f1"] == [1.0, 1.0, 1.0]
    assert content["errors"]["right"] == 2
    given = json.loads(run("evaluate", str(notes), "--given", "--json").stdout)
    assert given["recall_at"]["1"] == 1.0
    assert "strict" in run("evaluate", str(notes)).stdout


def test_bigbio_is_written(run, notes, tmp_path):
    run("annotate", str(notes), "--output", str(tmp_path / "out"), "--to", "bigbio")
    line = json.loads((tmp_path / "out" / "documents.jsonl").read_text("utf-8"))
    assert [e["normalized"][0]["db_id"] for e in line["entities"]] == ["HP:0001945", "HP:0002315"]


def test_faults_are_one_line(run, notes):
    assert "expected brat or bigbio" in run("annotate", str(notes), "-o", "x", "--to", "xml", ok=False).output
    assert "no annotated document" in run("evaluate", str(notes), ok=False).output


def training(folder, **options):
    """A config over thirty notes in which people mean what the terminology says."""
    lines = [
        json.dumps(
            {"id": f"d{i}", "text": "Fever.", "language": "en",
             "mentions": [{"start": 0, "end": 5, "concept_ids": ["HP:0001945"]}]}
        )
        for i in range(30)
    ]  # fmt: skip
    (folder / "notes.jsonl").write_text("\n".join(lines), encoding="utf-8")
    said = {"terminology": '"findings"', **options}
    data = f'[[data]]\npath = "{folder / "notes.jsonl"}"\nname = "notes"\nlicence = "ours"\n'
    path = folder / "medical.toml"
    path.write_text("".join(f"{k} = {v}\n" for k, v in said.items()) + data + "[evidence]\nsteps = 5\n", "utf-8")
    return path


def train(store, config, *, ok=True):
    done = CliRunner().invoke(app, ["train", "medical", "--config", str(config), "--artifacts", str(store.root)])
    assert (done.exit_code == 0) == ok, done.output
    return done.output


def test_a_reranker_that_does_not_win_is_not_kept(medical_store, tmp_path):
    pytest.importorskip("torch")
    assert "not kept" in train(medical_store, training(tmp_path))


def test_a_training_config_at_fault_is_one_line(medical_store, tmp_path):
    pytest.importorskip("torch")
    assert "folds" in train(medical_store, training(tmp_path, folds=1), ok=False)
