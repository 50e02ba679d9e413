"""`cognomen doctor`: what is missing is said with the command that mends it."""

import json

import pytest
from packaging.requirements import Requirement
from typer.testing import CliRunner

from pipelines import registry
from pipelines.build import artifact_name
from service.cli.doctor import _packages
from service.cli.main import app
from service.keys import KeyStore, Scope

RUN = CliRunner()


@pytest.fixture
def doctor(tmp_path):
    """What the doctor finds, by what it is about; and the exit code."""

    def ask(artifacts, *options, data=None, **environment):
        environment = {
            "COGNOMEN_DATA": str(data or tmp_path / "data"),
            "COGNOMEN_PIPELINES_FILE": str(tmp_path / "pipelines.toml"),
            **environment,
        }
        done = RUN.invoke(app, ["doctor", "--json", "--artifacts", str(artifacts), *options], env=environment)
        # Other tests of this process leave a handler behind that logs to stdout.
        rows = json.loads(done.stdout[done.stdout.index("[\n") :])
        return {row["about"]: row for row in rows}, done.exit_code

    return ask


def test_a_fresh_machine_is_told_to_set_up(doctor, tmp_path):
    found, code = doctor(tmp_path / "artifacts")
    assert code == 1
    assert (found["builds"]["state"], found["builds"]["mend"]) == ("bad", "cognomen setup")
    assert found["job-titles: encoder"]["mend"].startswith("cognomen models prepare ")
    assert found["python"]["state"] == "ok"
    assert not (tmp_path / "artifacts").exists()
    assert not (tmp_path / "data").exists()


def test_whatever_is_missing_comes_with_what_mends_it(doctor, tmp_path):
    found, _ = doctor(tmp_path / "artifacts")
    assert [one["about"] for one in found.values() if one["state"] != "ok" and not one["mend"]] == []


def test_what_is_built_is_listed(doctor, built_store):
    found, code = doctor(built_store.root)
    assert code == 0
    assert found["job-titles: twelve"]["state"] == "ok"
    assert (
        built_store.current(artifact_name(registry.spec("job-titles"), "twelve")) in found["job-titles: twelve"]["says"]
    )


def test_a_damaged_artifact_is_found_when_asked_for(doctor, store, encoder, terminology):
    from pipelines.build import build

    spec = registry.spec("job-titles")
    build(spec, terminology, encoder=encoder, store=store, config=spec.config(encoder="hashing"))
    name = artifact_name(spec, "twelve")
    (store.root / name / store.current(name) / "concepts.jsonl").write_bytes(b"")
    assert doctor(store.root)[1] == 0
    found, code = doctor(store.root, "--verify")
    assert code == 1
    assert found[name]["state"] == "bad"


def test_what_the_operator_asks_for_and_is_not_built_is_bad(doctor, built_store, tmp_path):
    (tmp_path / "pipelines.toml").write_text('[job-titles]\nterminology = "gamma"\n')
    found, code = doctor(built_store.root)
    assert code == 1
    assert "cognomen build job-titles --terminology gamma" in found["job-titles: gamma"]["mend"]
    (tmp_path / "pipelines.toml").write_text("[job-titles\n")
    assert doctor(built_store.root)[0]["hosting"]["state"] == "bad"


def test_keys_that_are_needed_and_missing_are_bad(doctor, built_store, tmp_path):
    found, code = doctor(built_store.root, COGNOMEN_HOST="0.0.0.0")
    assert (code, found["keys"]["state"]) == (1, "bad")
    assert found["keys"]["mend"].startswith("cognomen keys create ")
    KeyStore(tmp_path / "data").create(name="x", scopes=[Scope.READ])
    found, code = doctor(built_store.root, COGNOMEN_HOST="0.0.0.0")
    assert (code, found["keys"]["says"]) == (0, "1 live")
    (tmp_path / "data" / "keys.secret").chmod(0o644)
    assert doctor(built_store.root)[0]["keys"]["mend"].startswith("chmod 600")


def test_a_wrong_setting_is_said_and_ends_the_examination(doctor, tmp_path):
    found, code = doctor(tmp_path, COGNOMEN_PROT="1")
    assert code == 1
    assert "COGNOMEN_PORT" in found["settings"]["says"]
    assert "builds" not in found


def test_a_device_that_is_not_there_is_bad(doctor, built_store):
    found, code = doctor(built_store.root, COGNOMEN_DEVICE="mps")
    assert (code, found["device"]["state"]) == (1, "bad")


def test_packages_that_lack_or_are_too_old_are_named():
    found = _packages("x", [Requirement("numpy>=1"), Requirement("numpy>=999"), Requirement("no-such-thing")])
    assert found.state == "note"
    assert found.says.startswith("1 of 3 packages; lacks numpy>=999 (has ")
    assert found.says.endswith("no-such-thing")
    assert found.mend == "pip install 'cognomen[x]'"
    assert _packages("", [Requirement("no-such-thing")]).state == "bad"


def test_the_table_is_drawn(built_store, tmp_path):
    done = RUN.invoke(
        app, ["doctor", "--artifacts", str(built_store.root)], env={"COGNOMEN_DATA": str(tmp_path), "COLUMNS": "160"}
    )
    assert done.exit_code == 0
    assert "job-titles: twelve" in done.stdout
