"""Teaching from the command line: demand from traffic, verdicts from files, a build that learns from them."""

import json

import pytest
from typer.testing import CliRunner

from service.cli import app


@pytest.fixture
def cli(tmp_path, terminology, monkeypatch):
    monkeypatch.setenv("COGNOMEN_DATA", str(tmp_path / "data"))
    monkeypatch.setenv("COGNOMEN_ARTIFACTS", str(tmp_path / "artifacts"))
    runner = CliRunner()

    def run(*arguments, ok=True):
        done = runner.invoke(app, [*map(str, arguments)], catch_exceptions=False)
        assert (done.exit_code == 0) == ok, done.output
        return done

    path = tmp_path / "twelve.jsonl"
    path.write_bytes(b"\n".join(terminology.to_lines()))
    run("import", "jsonl", path, "--name", "twelve")
    run("build", "job-titles", "-t", "twelve", "--encoder", "hashing", "--set", "centred=[]")
    return run


def some_concept(terminology):
    return next(concept for concept in terminology.concepts if not concept.abstract)


def test_adapt_learns_shows_and_forgets(cli, tmp_path, terminology):
    concept = some_concept(terminology)
    path = tmp_path / "traffic.csv"
    path.write_text("title,n\n" + f"{concept.name},1\n" * 40 + ",2\n", encoding="utf-8")
    done = cli("adapt", "job-titles", "-t", "twelve", "--titles", path, "--language", "en", "--json")
    learned = json.loads(done.stdout)
    assert learned["texts"] == 40
    assert learned["asked_for_most"][0]["concept_id"] == concept.id
    assert learned["asked_for_most"][0]["bonus"] > 0
    assert "1 rows without a text" in done.stderr
    assert concept.name in cli("adapt", "job-titles", "-t", "twelve").stdout
    assert "forgotten" in cli("adapt", "job-titles", "-t", "twelve", "--forget").stdout
    assert "no demand was learned" in cli("adapt", "job-titles", "-t", "twelve").stdout
    assert "no demand" in cli("adapt", "job-titles", "-t", "twelve", "--forget").stdout


def test_adapt_needs_a_column_with_texts(cli, tmp_path):
    path = tmp_path / "traffic.csv"
    path.write_text("name\ncook\n", encoding="utf-8")
    assert "--column" in cli("adapt", "job-titles", "-t", "twelve", "--titles", path, ok=False).stderr
    cli("adapt", "job-titles", "-t", "twelve", "--titles", path, "--column", "name")


def test_verdicts_go_in_and_out_and_the_next_build_learns_them(cli, tmp_path, terminology):
    concept = some_concept(terminology)
    path = tmp_path / "said.jsonl"
    lines = [
        {"title": "flurble operative", "concept_id": concept.id, "language": "en"},
        {"title": "flurble operative night", "concept_id": concept.id, "verdict": "reject"},
    ]
    path.write_text("\n".join(map(json.dumps, lines)), encoding="utf-8")
    assert "2 verdicts read, 2 kept" in cli("feedback", "import", "job-titles", path, "-t", "twelve").stdout
    assert "2 kept" in cli("feedback", "import", "job-titles", path, "-t", "twelve").stdout
    exported = cli("feedback", "export", "job-titles", "-t", "twelve").stdout.splitlines()
    assert [json.loads(line)["verdict"] for line in exported] == ["accept", "reject"]
    options = ("-t", "twelve", "--encoder", "hashing", "--set", "centred=[]")
    assert "1 confirmed texts are terms now; too few" in cli("build", "job-titles", *options).stdout
    (row,) = json.loads(cli("describe", "twelve", "--json").stdout)[0:1]
    assert row["details"]["confirmations"] == {"given": 1, "taken": 1}
    assert "confirmed" not in cli("build", "job-titles", *options, "--no-feedback").stdout


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ({"title": "cook", "concept_id": "nowhere:1"}, "no such concept"),
        ({"title": "cook", "concept_id": ""}, "expected a concept"),
        ({"title": " ", "concept_id": "x"}, "expected a text"),
        ({"title": "cook", "concept_id": "x", "verdict": "perhaps"}, "accept or reject"),
    ],
)
def test_a_verdict_that_cannot_be_kept_keeps_none(cli, tmp_path, terminology, line, said):
    path = tmp_path / "said.jsonl"
    good = {"title": "cook", "concept_id": some_concept(terminology).id}
    path.write_text(json.dumps(good) + "\n" + json.dumps(line), encoding="utf-8")
    done = cli("feedback", "import", "job-titles", path, "-t", "twelve", ok=False)
    assert said in done.stderr.replace("\n", " ")
    assert not cli("feedback", "export", "job-titles", "-t", "twelve").stdout
