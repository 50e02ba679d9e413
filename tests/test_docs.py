"""What README and docs show works: requests are sent, Python is run, commands exist, JSON and TOML can be read."""

import hashlib
import json
import os
import re
import shlex
import shutil
import subprocess
import sys
import tomllib
from dataclasses import dataclass
from pathlib import Path

import pytest
import typer
from markdown_it import MarkdownIt
from typer.testing import CliRunner

ROOT = Path(__file__).resolve().parents[1]
PAGES = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").rglob("*.md"))]
ADDRESS = re.compile(r"(?:http://)?(?:127\.0\.0\.1|localhost):8000")


@dataclass(frozen=True)
class Block:
    """A code block: `language` is what its fence says, or empty."""

    page: str
    line: int
    language: str
    text: str

    @property
    def id(self) -> str:
        return f"{self.page}:{self.line}"


def blocks() -> list[Block]:
    found = []
    for page in PAGES:
        for token in MarkdownIt().parse(page.read_text(encoding="utf-8")):
            if token.type in {"fence", "code_block"}:
                line = (token.map or [0])[0] + 1
                found.append(Block(str(page.relative_to(ROOT)), line, token.info.strip(), token.content))
    return found


BLOCKS = blocks()
REQUESTS = [b for b in BLOCKS if re.search(r"^(\w+=\$\()?curl ", b.text, re.MULTILINE)]
PYTHON = [b for b in BLOCKS if b.language == "python"]
COMMANDS = [
    pytest.param(block.id, line, id=f"{block.id} {line.partition('#')[0].strip()}")
    for block in BLOCKS
    for line in block.text.splitlines()
    if line.startswith("cognomen ")
]
JSON = [b for b in BLOCKS if b.language == "json" or (b.text[0] in "[{" and not b.language and "…" not in b.text)]


def each(found):
    return pytest.mark.parametrize("block", found, ids=lambda block: block.id)


STAND_INS = {
    "ISCO08:9411": "T:5120",
    "ISCO08:5120": "T:5120",
    "/retrieval/occupations/": "/retrieval/things/",
    "2N3904": "QD4711",
}
"""What the pages speak of that the small service does not host → what it does."""


@pytest.fixture
def desk(tmp_path, synthetic_sheets):
    """A folder with the files that the pages speak of."""
    for name in ("datasheet.pdf", "sheet.pdf"):
        (tmp_path / name).write_bytes(synthetic_sheets.ruled_plain().pdf)
    lines = [{"title": "plumber"}, {"title": "staff nurse"}]
    (tmp_path / "titles.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))
    return tmp_path


@each(REQUESTS)
def test_requests_are_answered(block, live, desk):
    if " jq " in block.text and shutil.which("jq") is None:
        pytest.skip("jq is not installed")
    # A refusal is a failure.
    script = 'set -euo pipefail\ncurl() { command curl --fail-with-body --max-time 120 "$@"; }\n'
    sheet = hashlib.sha256((desk / "sheet.pdf").read_bytes()).hexdigest()
    text = ADDRESS.sub(live, block.text).replace("<document.id>", sheet)
    for said, meant in STAND_INS.items():
        text = text.replace(said, meant)
    script += text
    done = subprocess.run(["bash", "-c", script], cwd=desk, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


@each(PYTHON)
def test_python_runs(block, live, desk):
    for module in re.findall(r"^import (\w+)", block.text, re.MULTILINE):
        pytest.importorskip(module)
    script = desk / "block.py"
    # Where the package is installed spaCy finds the component by itself; here it is a checkout.
    found = "import cognomen_client.spacy_linker\n" if "cognomen_linker" in block.text else ""
    script.write_text(found + ADDRESS.sub(live, block.text), encoding="utf-8")
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    done = subprocess.run(
        [sys.executable, script], cwd=desk, env=environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize(("where", "line"), COMMANDS)
def test_commands_and_their_options_exist(where, line):
    from service.cli.main import app

    words = shlex.split(line, comments=True)[1:]
    if words[:2] == ["build", "retrieval"]:
        words = ["build-collection", *words[2:]]
    command = typer.main.get_command(app)
    while words and hasattr(command, "commands"):
        assert words[0] in command.commands, f"{where}: {words[0]} is no command of {command.name}"
        command = command.commands[words.pop(0)]
    known = {name for parameter in command.params for name in (*parameter.opts, *parameter.secondary_opts)}
    for word in words:
        if word.startswith("-") and not word.lstrip("-").replace(".", "").isdigit():
            assert word.partition("=")[0] in known, f"{where}: {command.name} has no {word}"


NOT_RUN = {
    "adapt": "takes a column of traffic; tests/service/test_cli_learning.py",
    "build": "needs prepared encoders; examples and tests/service/test_cli.py build",
    "build-collection": "the same; examples/retrieval.py",
    "evaluate": "labelled sets; tests/service/test_cli.py",
    "import": "published files that cannot be shipped; tests/pipelines/sources read small ones",
    "index": "the same; tests/service/test_jobs.py",
    "medical": "corpora; tests/service/test_cli_medical.py",
    "models": "weights",
    "train": "weights and minutes; tests/pipelines/job_titles/test_train.py",
    "weak": "corpora and a model; tests/service/test_cli_weak.py",
}
"""Commands whose options alone are looked at here, and why; every other one is run as it stands."""
SAID = {
    "-t hpo -t icd10cm": "-t findings",
    "-t esco": "-t twelve",
    "confirmed.csv": "confirmed.csv -t twelve",
    "/esco": "/twelve",
    "search recipes": "search things",
    "minutes": "weight",
}


@pytest.mark.parametrize(("where", "line"), [c for c in COMMANDS if c.values[1].split()[1] not in NOT_RUN])
def test_commands_run(where, line, everything, synthetic_sheets, tmp_path, monkeypatch):
    from service.cli.main import app
    from service.keys import KeyStore, Scope

    shutil.copytree(everything.root, tmp_path / "artifacts")
    (tmp_path / "vacancies.csv").write_text("id,title\n1,plumber\n2,staff nurse\n")
    (tmp_path / "titles.jsonl").write_text('{"title": "plumber"}\n')
    (tmp_path / "confirmed.csv").write_text("text,concept_id\nladle hero,T:5120\n")
    (tmp_path / "sheets").mkdir()
    for name in ("sheets/one.pdf", "one.pdf"):
        (tmp_path / name).write_bytes(synthetic_sheets.ruled_plain().pdf)
    key, _ = KeyStore(tmp_path / "data").create(name="x", scopes=[Scope.READ])
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COGNOMEN_ARTIFACTS", str(tmp_path / "artifacts"))
    monkeypatch.setenv("COGNOMEN_DATA", str(tmp_path / "data"))
    for said, meant in {**SAID, "0123456789ab": key.id}.items():
        line = line.replace(said, meant)
    if "rollback" in line:
        pytest.skip("there is one generation; tests/service/test_generations.py goes back")
    if "--ray" in line:
        pytest.skip("there is no cluster; tests/faults/test_ray.py has one")
    if "--filter" in line:
        line = line.partition(" --filter")[0]  # The small collection has no fields.
    words = shlex.split(line, comments=True)[1:]
    said = [found for word in words for found in (sorted(map(str, Path().glob(word))) if "*" in word else [word])]
    done = CliRunner().invoke(app, said)
    assert done.exit_code == 0, (where, line, done.output, done.exception)


SHELL = [
    pytest.param(block.id, line.partition("#")[0].strip(), id=f"{block.id} {line.partition('#')[0].strip()}")
    for block in BLOCKS
    for line in block.text.splitlines()
    if re.match(r"(make |pip |docker |python -m |\.ci/|scripts/)", line)
]


@pytest.mark.parametrize(("where", "line"), SHELL)
def test_what_else_is_typed_is_there(where, line):
    first, *rest = shlex.split(line)
    if first == "make":
        done = subprocess.run(["make", "--dry-run", *rest], cwd=ROOT, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
    elif first == "pip":
        folder, _, extras = rest[-1].partition("[")
        project = tomllib.loads((ROOT / folder / "pyproject.toml").read_text())["project"]
        assert set(filter(None, extras.rstrip("]").split(","))) <= set(project.get("optional-dependencies", {}))
    elif first == "python":
        assert (ROOT / rest[1].replace(".", "/")).with_suffix(".py").exists()
    else:
        assert os.access(ROOT / first, os.X_OK), where


def test_every_block_is_looked_at():
    seen = {b.id for b in (*REQUESTS, *PYTHON, *JSON)} | {b.id for b in BLOCKS if b.language == "toml"}
    seen |= {p.values[0] for p in (*COMMANDS, *SHELL)}
    rest = [b for b in BLOCKS if b.id not in seen]
    # Drawings: arrows between steps, and trees of files.
    assert [b.id for b in rest if " ─ " not in b.text and "__init__.py" not in b.text] == []


@each(JSON)
def test_json_is_json(block):
    json.loads(block.text)


@each([b for b in BLOCKS if b.language == "toml"])
def test_toml_is_toml(block):
    tomllib.loads(block.text)


def test_every_fence_says_what_it_is():
    unknown = [b.id for b in BLOCKS if b.language and b.language not in {"python", "json", "toml", "text", "mermaid"}]
    assert not unknown, "blocks in languages that no test here looks at"


@pytest.mark.slow
def test_the_book_is_built_without_a_warning(tmp_path):
    pytest.importorskip("material")
    pytest.importorskip("matplotlib")
    done = subprocess.run(
        [sys.executable, "-m", "mkdocs", "build", "--strict", "--quiet", "--site-dir", tmp_path / "book"],
        cwd=ROOT, capture_output=True, text=True, check=False, env={**os.environ, "NO_MKDOCS_2_WARNING": "1"},
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    page = (tmp_path / "book" / "index.html").read_text(encoding="utf-8")
    assert "Naming a title" in page
    assert (tmp_path / "book" / "figures" / "job-titles.svg").stat().st_size > 10_000
    loaded = re.findall(r'<(?:script|link|img)[^>]+(?:src|href)="(https?://[^"]+)"', page)
    assert not [address for address in loaded if "canonical" not in address], "the book loads from outside"


def test_figures_are_drawn_the_same_each_time():
    pytest.importorskip("matplotlib")
    from benchmarks.draw import FIGURES, drawn

    for name in FIGURES:
        assert drawn(name) == drawn(name)
