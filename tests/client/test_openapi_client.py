"""/openapi.json is clean enough that a public generator makes a working client of it."""

import json
import subprocess
import sys
from pathlib import Path

import httpx
import pytest

pytestmark = pytest.mark.slow

GENERATOR = Path(sys.executable).with_name("openapi-python-client")

CALLS = """
import sys
from names import Client
from names.api.pipelines import {normalize} as normalize, {list} as list_pipelines
from names.models import JobTitle, JobTitlesRequest, Problem

with Client(base_url=sys.argv[1]) as client:
    hosted = list_pipelines.sync(client=client)
    answer = normalize.sync(client=client, body=JobTitlesRequest(items=[JobTitle(title="staff nurse")], top_k=2))
    result = answer.results[0]
    print("job-titles" in {{p.name for p in hosted.pipelines}}, result.decision.concept_id, len(result.candidates))
    refused = normalize.sync(client=client, body=JobTitlesRequest(items=[JobTitle(title="x")], terminology="nowhere"))
    print(type(refused).__name__, refused.status)
"""


@pytest.fixture(scope="module")
def generated(live, tmp_path_factory):
    """The folder of a client made from the document, without a single warning."""
    if not GENERATOR.exists():
        pytest.skip("openapi-python-client is not installed")
    folder = tmp_path_factory.mktemp("generated")
    document = folder / "openapi.json"
    document.write_text(json.dumps(httpx.get(f"{live}/openapi.json").json()))
    config = folder / "config.json"
    config.write_text('{"post_hooks": []}')
    done = subprocess.run(
        [GENERATOR, "generate", "--path", document, "--meta", "none", "--output-path", folder / "names",
         "--config", config, "--fail-on-warning"],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    return folder


def test_the_generated_client_names_a_title_and_understands_a_refusal(generated, live):
    modules = {path.stem for path in (generated / "names" / "api" / "pipelines").glob("*.py")}
    script = CALLS.format(
        normalize=next(name for name in modules if name.startswith("normalize_job_titles")),
        list=next(name for name in modules if name.startswith("list_pipelines")),
    )
    done = subprocess.run(
        [sys.executable, "-c", script, live], cwd=generated, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.split() == ["True", "T:2221", "2", "Problem", "404"]


def test_every_operation_has_a_function(generated, live):
    paths = httpx.get(f"{live}/openapi.json").json()["paths"]
    operations = sum(len(path) for path in paths.values())
    made = [path for path in (generated / "names" / "api").rglob("*.py") if path.stem != "__init__"]
    assert len(made) == operations
