"""README says what the results say."""

import subprocess
import sys
from pathlib import Path

import typer

ROOT = Path(__file__).resolve().parents[1]


def test_the_figures_are_those_of_the_committed_results():
    done = subprocess.run(
        [sys.executable, "-m", "benchmarks.report", "--check"], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, "README.md differs from benchmarks/results: python -m benchmarks.report"


def test_the_figures_of_hubness_are_those_of_the_committed_results():
    done = subprocess.run(
        [sys.executable, "-m", "benchmarks.hubness_report", "--check"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, "docs/hubness.md differs from benchmarks/results: python -m benchmarks.hubness_report"


def test_its_commands_are_commands():
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    from service.cli.main import app

    known = set(typer.main.get_command(app).commands)
    for line in text.splitlines():
        if line.startswith("    cognomen "):
            assert line.split()[1] in known, line
