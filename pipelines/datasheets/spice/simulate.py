"""ngspice in a process of its own: circuits in, numbers out. It runs in batch, in an empty folder, with limits."""

import math
import re
import shutil
import subprocess
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Final

from pipelines.datasheets.errors import SimulatorFailed

_SECONDS: Final = 20
_MEMORY_KIB: Final = 1024 * 1024
_FILE_BLOCKS: Final = 4096
_RESULT: Final = re.compile(r"^(m\d+) = (\S+)\s*$", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Measurement:
    """One number that a circuit is built for.

    Attributes:
        label: "m1"; unique in its run.
        lines: the circuit; every node and device has the label in its name.
        analysis: "op", "ac FREQUENCY", "dc SOURCE START STOP STEP" or "tran STEP STOP".
        expression: in ngspice's words.
    """

    label: str
    lines: tuple[str, ...]
    analysis: str
    expression: str


@cache
def simulator() -> str | None:
    """The simulator's name and version, "ngspice-39"; None where there is none."""
    path = shutil.which("ngspice")
    if path is None:
        return None
    try:
        done = subprocess.run([path, "--version"], capture_output=True, text=True, timeout=10, check=False)
    except (OSError, subprocess.TimeoutExpired):
        return None
    match = re.search(r"ngspice-[\w.]+", done.stdout)
    return match[0] if match else "ngspice"


def measure(card: str, measurements: Sequence[Measurement], *, as_ltspice: bool = False) -> dict[str, float]:
    """Label → number, for every measurement that came to one.

    Args:
        card: the model.
        measurements: circuits around it.
        as_ltspice: read the card as LTspice would, as far as ngspice knows how.

    Raises: SimulatorFailed if the simulator is not there, cannot read the card, or takes too long.
    """
    if not measurements:
        return {}
    by_analysis: dict[str, list[Measurement]] = {}
    for measurement in measurements:
        by_analysis.setdefault(measurement.analysis, []).append(measurement)
    control = []
    for analysis, some in by_analysis.items():
        kind, _, rest = analysis.partition(" ")
        control.append(f"ac lin 1 {rest} {rest}" if kind == "ac" else analysis)
        for m in some:
            control += [f"let {m.label} = {m.expression}", f"print {m.label}"]
    found = _numbers(_run(_netlist(card, measurements, control), as_ltspice=as_ltspice))
    if not found:
        raise SimulatorFailed("ngspice came to no number")
    return found


def sweep(card: str, lines: Sequence[str], *, source: str, values: Sequence[float], expression: str) -> list[float]:
    """What a circuit measures while a source takes these values, in their order; NaN where it came to nothing."""
    control = []
    for i, value in enumerate(values):
        control += [f"alter {source} = {value:.9g}", "op", f"let m{i} = {expression}", f"print m{i}"]
    found = _numbers(_run(_netlist(card, [Measurement("m0", tuple(lines), "op", expression)], control)))
    return [found.get(f"m{i}", math.nan) for i in range(len(values))]


def _netlist(card: str, measurements: Sequence[Measurement], control: Sequence[str]) -> str:
    lines = [line for m in measurements for line in m.lines]
    options = ".options tnom=25 temp=25 gmin=1e-15 abstol=1e-14 reltol=1e-4"
    return "\n".join(
        ["checks", card, *lines, options, ".control", "set numdgt=9", *control, "quit", ".endc", ".end", ""]
    )


def _run(netlist: str, *, as_ltspice: bool = False) -> str:
    path = shutil.which("ngspice")
    if path is None:
        raise SimulatorFailed("ngspice is not installed")
    with tempfile.TemporaryDirectory(prefix="spice-") as folder:
        (Path(folder) / "checks.cir").write_text(netlist, encoding="ascii")
        behaviour = "-D ngbehavior=lt " if as_ltspice else ""
        limits = f"ulimit -t {_SECONDS} -v {_MEMORY_KIB} -f {_FILE_BLOCKS}"
        try:
            done = subprocess.run(
                ["/bin/sh", "-c", f'{limits}; exec "$0" {behaviour}-n -b checks.cir', path],
                cwd=folder,
                env={"HOME": folder, "PATH": "/usr/bin:/bin", "LC_ALL": "C", "OMP_NUM_THREADS": "1"},
                stdin=subprocess.DEVNULL,
                capture_output=True,
                text=True,
                errors="replace",
                timeout=_SECONDS,
                check=False,
            )
        except subprocess.TimeoutExpired:
            raise SimulatorFailed("ngspice takes too long") from None
    return done.stdout


def _numbers(output: str) -> dict[str, float]:
    found: dict[str, float] = {}
    for label, text in _RESULT.findall(output):
        try:
            number = float(text)
        except ValueError:
            continue
        if math.isfinite(number):
            found[label] = number
    return found
