"""SIGKILL, flipped bits, full disks and lost machines: every fault test run to its end, and what was lost by them.

    nice python -m benchmarks.faults [--only kill]

Runs tests/faults with those marked slow (50 random kills of a run, 25 of an index, a kill at each write and rename of an
artifact and of an upload, a bit flipped in every file of a build, a disk that is full, two services over one PostgreSQL
of which one is killed, two raylets of which one is killed) and keeps what the tests say: how often was killed, and how
many lines or generations were lost, there twice, or visible half. A test that fails is kept as such. Needs the extras
`ray` and `dev`; about ten CPU-minutes. Writes benchmarks/results/faults.json.
"""

import argparse
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any, Final
from xml.etree import ElementTree

from rich.console import Console

from benchmarks.common import ROOT, save

COUNTED: Final = ("kills", "lost", "twice", "half_visible")
console = Console()


def outcomes(only: str | None) -> list[dict[str, Any]]:
    """Each test with how it ended and what it counted."""
    with tempfile.TemporaryDirectory() as folder:
        report = Path(folder) / "report.xml"
        command = [
            sys.executable,
            "-m",
            "pytest",
            "-q",
            "-m",
            "slow or not slow",
            "-o",
            "junit_family=xunit1",
            f"--junitxml={report}",
        ]
        subprocess.run([*command, "tests/faults", *(["-k", only] if only else [])], cwd=ROOT, check=False)
        # Written by pytest, just now.
        cases = ElementTree.parse(report).iter("testcase")
        return [_outcome(case) for case in cases]


def _outcome(case: ElementTree.Element) -> dict[str, Any]:
    ended = next((kind for kind in ("failure", "error", "skipped") if case.find(kind) is not None), "passed")
    said = {p.attrib["name"]: int(p.attrib["value"]) for p in case.iter("property")}
    room = case.get("classname", "").rpartition(".")[2]
    return {"test": f"{room}::{case.attrib['name']}", "outcome": ended, **said}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", help="Tests whose names hold this; then nothing is written.")
    only = parser.parse_args().only
    tests = outcomes(only)
    totals = {name: sum(test.get(name, 0) for test in tests) for name in COUNTED}
    totals |= {ended: sum(t["outcome"] == ended for t in tests) for ended in ("passed", "failure", "error", "skipped")}
    console.print(totals)
    if not only:
        console.print(save("faults", {"totals": totals, "tests": tests}))


if __name__ == "__main__":
    main()
