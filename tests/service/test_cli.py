"""The command line, on twelve occupations and the built-in encoder."""

import gzip
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from typer.testing import CliRunner

from pipelines.errors import PipelineUnknown
from service.cli import app

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def cli(tmp_path):
    runner = CliRunner()

    def run(*arguments, ok=True):
        done = runner.invoke(
            app, [*map(str, arguments), "--artifacts", str(tmp_path / "artifacts")], catch_exceptions=False
        )
        assert (done.exit_code == 0) == ok, done.output
        return done

    return run


@pytest.fixture
def terms(tmp_path, terminology):
    path = tmp_path / "twelve.jsonl"
    path.write_bytes(b"\n".join(terminology.to_lines()))
    return path


@pytest.fixture
def built(cli, terms):
    cli("import", "jsonl", terms, "--name", "twelve")
    cli("build", "job-titles", "-t", "twelve", "--encoder", "hashing", "--set", "centred=[]")
    return cli


def test_import_says_what_it_read(cli, terms):
    assert "17 concepts" in cli("import", "auto", terms, "--name", "twelve").stdout


def test_a_faulty_source_is_one_line_with_its_line_number(cli, tmp_path):
    path = tmp_path / "bad.jsonl"
    path.write_text('{"id": "a", "name": "a", "terms": ["a"]}\n{"id": "b"')
    done = cli("import", "jsonl", path, "--name", "bad", ok=False)
    assert done.exit_code == 1
    assert "line 2" in done.stderr
    assert len(done.stderr.strip().splitlines()) == 1


def test_build_then_describe(built):
    (row,) = json.loads(built("describe", "twelve", "--json").stdout)[0:1]
    assert {"artifact", "generation", "parents", "details"} <= set(row)
    assert "fusion" in built("describe", "job-titles").stdout


def test_build_retrieval_makes_a_collection_and_describe_says_how_hub_ridden_it_is(cli, tmp_path):
    documents, bank = tmp_path / "things.jsonl", tmp_path / "asked.jsonl"
    documents.write_text("".join(f'{{"id": "{n}", "text": "thing number {n}"}}\n' for n in range(20)))
    bank.write_text("".join(f'{{"text": "number {n}"}}\n' for n in range(9)))
    options = ["--encoder", "hashing", "--hubness", "is"]
    done = cli("build", "retrieval", "things", documents, "--queries", bank, *options)
    assert "things: 20 documents" in done.stdout
    assert json.loads(cli("search", "things", "number 7", "--json").stdout)[0]["hits"][0]["id"] == "7"
    (row,) = json.loads(cli("describe", "things", "--json").stdout)
    hubness = row["details"]["hubness"]
    assert hubness["method"] == "is"
    assert isinstance(hubness["skewness_before"], float)
    assert isinstance(hubness["skewness_after"], float)
    table = cli("describe", "things").stdout
    assert "hubness.skewness_before" in table
    assert "hubness.skewness_after" in table


def test_build_retrieval_over_a_terminology_is_the_pipeline(cli, terms):
    cli("import", "jsonl", terms, "--name", "twelve")
    assert "retrieval over twelve" in cli("build", "retrieval", "-t", "twelve", "--encoder", "hashing").stdout


def test_describe_of_nothing_says_what_there_is(built):
    assert "pipelines/job_titles/twelve" in built("describe", "nowhere", ok=False).stderr.replace("\n", "")


@pytest.mark.parametrize(
    ("option", "said"),
    [("rows=-1", "rows"), ("nonsense=1", "nonsense"), ("rows", "name=value")],
)
def test_an_option_that_does_not_fit_is_named(built, option, said):
    done = built("build", "job-titles", "-t", "twelve", "--encoder", "hashing", "--set", option, ok=False)
    assert said in done.stderr


def test_an_encoder_that_is_not_prepared_says_how_to_prepare_it(cli, terms):
    cli("import", "jsonl", terms, "--name", "twelve")
    done = cli("build", "job-titles", "-t", "twelve", "--encoder", "minilm", ok=False)
    assert "cognomen models prepare minilm" in done.stderr.replace("\n", " ")


def test_normalize_keeps_rows_and_order_and_adds_columns(built, tmp_path):
    path = tmp_path / "jobs.csv"
    path.write_text("id,title\n1,Senior line cook (m/w/d)\n2,HGV driver\n3,zzzz\n", encoding="utf-8")
    done = built("normalize", path, "--column", "title", "-t", "twelve", "--min-confidence", "0.2")
    lines = (tmp_path / "jobs.normalized.csv").read_text(encoding="utf-8").splitlines()
    assert [line.split(",")[0] for line in lines] == ["id", "1", "2", "3"]
    assert lines[0].startswith("id,title,concept_id,name,confidence,cleaned_title,seniority")
    assert "T:5120" in lines[1]
    assert "senior" in lines[1]
    assert "T:8332" in lines[2]
    assert "0 failed" in done.stdout


def test_evaluate_measures_a_labelled_file(built, tmp_path):
    path = tmp_path / "gold.csv"
    path.write_text("title,concept_id\nline cook,T:5120\nnurse,T:2221\nblue sky,\n", encoding="utf-8")
    measured = json.loads(built("evaluate", "job-titles", path, "-t", "twelve", "--json").stdout)
    assert "accuracy@1" in json.dumps(measured)


def test_models_list_of_nothing_says_how_to_begin(cli):
    assert "cognomen setup" in cli("models", "list").stdout


def test_serve_refuses_to_listen_beyond_loopback(cli):
    done = cli("serve", "--host", "0.0.0.0", "--port", "0", ok=False)
    assert "API keys" in done.stderr


def test_curl_examples_name_the_port():
    done = CliRunner().invoke(app, ["curl-examples", "--port", "8123"])
    assert done.stdout.count("http://127.0.0.1:8123/") == 5


def test_it_runs_as_a_program():
    done = subprocess.run(
        [sys.executable, "-c", "from service.cli import main; main()", "--help"],
        cwd=ROOT, capture_output=True, text=True, check=False, env={**os.environ, "COLUMNS": "120"},
    )  # fmt: skip
    assert done.returncode == 0
    assert "normalize" in done.stdout


def test_a_misspelt_setting_is_one_clear_line():
    done = subprocess.run(
        [sys.executable, "-c", "from service.cli import main; main()", "models", "list"],
        cwd=ROOT, capture_output=True, text=True, check=False, env={**os.environ, "COGNOMEN_ARTEFACTS": "x"},
    )  # fmt: skip
    assert done.returncode == 1
    assert "COGNOMEN_ARTIFACTS" in done.stderr
    assert len(done.stderr.strip().splitlines()) == 1


def test_debug_shows_where_an_error_came_from():
    with pytest.raises(PipelineUnknown):
        CliRunner().invoke(app, ["--debug", "build", "nothing"], catch_exceptions=False)


def test_square_brackets_in_names_are_no_markup(built, tmp_path):
    folder = tmp_path / "jobs[/old]"
    folder.mkdir(parents=True)
    path = folder / "[a].csv"
    path.write_text("title,concept_id\nnurse,T:2221\n", encoding="utf-8")
    done = built("normalize", path, "-t", "twelve")
    assert done.stdout.strip() == f"{folder / '[a].normalized.csv'}: 1 named, 0 NIL, 0 failed"
    assert "[a].csv" in built("evaluate", "job-titles", path, "-t", "twelve").stdout
    done = built("build", "job-titles", "-t", "twelve", "--set", "[/red]", ok=False)
    assert "--set [/red]: expected name=value" in done.stderr


def test_evaluate_says_when_labels_are_of_another_terminology(built, tmp_path):
    path = tmp_path / "gold.csv"
    path.write_text("title,concept_id\nnurse,ESCO:1\ncook,T:5120\n", encoding="utf-8")
    assert "1 labels are no concepts of twelve" in built("evaluate", "job-titles", path, "-t", "twelve").stderr


@pytest.mark.parametrize("name", ["jobs.csv.gz", "jobs.csv.GZ", "jobs.v2.jsonl"])
def test_the_output_lies_beside_the_input_in_its_format(built, tmp_path, name):
    path = tmp_path / name
    content = b'{"title": "nurse"}\n' if "jsonl" in name else b"title\nnurse\n"
    path.write_bytes(gzip.compress(content) if name.lower().endswith("gz") else content)
    built("normalize", path, "-t", "twelve")
    stem = name.split(".csv")[0].removesuffix(".jsonl")
    assert (tmp_path / f"{stem}.normalized{name.removeprefix(stem)}").exists()


def test_curl_examples_bracket_an_ipv6_address(monkeypatch):
    monkeypatch.setenv("COGNOMEN_HOST", "::1")
    assert "http://[::1]:8123/" in CliRunner().invoke(app, ["curl-examples", "--port", "8123"]).stdout


@pytest.fixture
def data(tmp_path, monkeypatch):
    monkeypatch.setenv("COGNOMEN_DATA", str(tmp_path / "data"))
    return tmp_path / "data"


def test_run_answers_lines_and_goes_on_where_it_was_killed(built, data, tmp_path, monkeypatch):
    from pipelines import lines

    path = tmp_path / "titles.jsonl"
    path.write_text("".join(f'{{"title": "line cook {n % 7}", "id": {n}}}\n' for n in range(50)) + "nonsense\n")
    done = built("run", "job-titles", path, "-t", "twelve", "--set", "top_k=1")
    whole = (tmp_path / "titles.answers.jsonl").read_bytes()
    assert done.stdout.strip().endswith("50 answered, 1 errors in place")
    assert [json.loads(line).get("id") for line in whole.splitlines()] == [*range(50), None]
    assert not list(tmp_path.glob(".titles*"))
    original, left = lines._write, [2]

    def dying(path, content):
        left[0] -= 1
        if left[0] < 0:
            raise KeyboardInterrupt
        original(path, content)

    monkeypatch.setattr(lines, "CHUNK_BYTES", 500)
    monkeypatch.setattr(lines, "_write", dying)
    (tmp_path / "titles.answers.jsonl").unlink()
    with pytest.raises(BaseException, match=r"^$|1"):
        built("run", "job-titles", path, "-t", "twelve", "--set", "top_k=1")
    assert not (tmp_path / "titles.answers.jsonl").exists()
    monkeypatch.setattr(lines, "_write", original)
    assert "going on after 2 parts" in built("run", "job-titles", path, "-t", "twelve", "--set", "top_k=1").stdout
    assert (tmp_path / "titles.answers.jsonl").read_bytes() == whole


def test_run_refuses_options_that_the_pipeline_does_not_take(built, data, tmp_path):
    path = tmp_path / "titles.jsonl"
    path.write_text('{"title": "cook"}\n')
    done = built("run", "job-titles", path, "-t", "twelve", "--set", "top_k=0", ok=False)
    assert "/options/top_k" in done.stderr


def test_index_encodes_only_what_is_new_and_generations_go_back(cli, data, terms, tmp_path):
    done = cli("index", "jsonl", terms, "--name", "twelve", "--encoder", "hashing")
    assert "17 concepts added" in done.stdout
    first = json.loads(cli("generations", "list", "pipelines/job_titles/twelve", "--json").stdout)
    assert [row["answers"] for row in first] == [True]
    terms.write_bytes(terms.read_bytes() + b'\n{"id": "T:9", "name": "Falconers", "terms": ["falconer"]}\n')
    done = cli("index", "jsonl", terms, "--name", "twelve")
    assert "1 concepts added, 0 changed, 0 deleted, 17 unchanged" in done.stdout
    rows = json.loads(cli("generations", "list", "pipelines/job_titles/twelve", "--json").stdout)
    assert [row["answers"] for row in rows] == [True, False]
    assert "answers" in cli("generations", "rollback", "pipelines/job_titles/twelve").stdout
    rows = json.loads(cli("generations", "list", "pipelines/job_titles/twelve", "--json").stdout)
    assert [row["answers"] for row in rows] == [False, True]
    assert "no generation before" in cli(
        "generations", "rollback", "pipelines/job_titles/twelve", ok=False
    ).stderr.replace("\n", " ")
    assert "Generations" in cli("generations", "list").stdout
