"""Diodes: `.model D`. V(I) = N·VT·ln(I/IS + 1) + I·RS, fitted to every forward voltage that is printed."""

import math
from collections.abc import Sequence
from typing import Final

import numpy as np
from scipy.optimize import least_squares

from pipelines.datasheets.errors import ModelImpossible
from pipelines.datasheets.spice.facts import VT, Fact, Facts
from pipelines.datasheets.spice.model import Model, Sheet

EMISSION: Final = {"schottky": 1.05, "led": 2.2, "rectifier": 1.7, "zener": 1.4}
"""N where the sheet does not tell, by kind; 1.75 for others. Usual values."""
JUNCTION: Final = {"schottky": (0.5, 0.45), "rectifier": (0.6, 0.4)}
"""VJ and M where the sheet does not tell, by kind; 0.7 V and 0.4 for others. Usual values."""


def diode(facts: Facts, *, kind: str, name: str) -> Model:
    """The model of a diode. Raises: ModelImpossible with neither a forward voltage at a current nor a Zener voltage."""
    sheet = Sheet()
    points = [f for f in facts.all("v_f") if f.held("if", "i", "ift")]
    if not points and not facts.first("v_z"):
        raise ModelImpossible("a diode's model needs v_f with its condition IF")
    _forward(sheet, points, EMISSION.get(kind, 1.75))
    _breakdown(sheet, facts)
    vj, m = JUNCTION.get(kind, (0.7, 0.4))
    capacitance(sheet, facts.first("c_d", "c_j"), "CJO", "VJ", "M", vj=vj, m=m, at=("vr", "v"))
    recovery(sheet, facts.first("t_rr"), kind)
    sheet.note_bounds(points)
    return Model(name, "D", tuple(sheet.parameters), ("A", "K"), notes=tuple(sheet.notes))


def forward_voltage(current: float, saturation: float, emission: float, resistance: float) -> float:
    """V at a current."""
    return emission * VT * math.log1p(current / saturation) + current * resistance


def fit_forward(points: Sequence[tuple[float, float]], emission: float) -> tuple[float, float, float]:
    """IS, N and RS that go through the points (A, V) as well as they can.

    One point gives IS, two give IS and RS or N, three and more all of them.
    """
    currents = np.array([i for i, _ in points])
    volts = np.array([v for _, v in points])
    # Where RS takes a tenth of the last volt at the most: a usual share.
    start = 0.05 * volts.max() / currents.max()
    distinct = len(set(currents.tolist()))
    if distinct == 1:
        rest = float(volts.mean()) - float(currents[0]) * start
        return _saturation(float(currents[0]), rest, emission), emission, start

    def residuals(x: np.ndarray) -> np.ndarray:
        n = x[1] if distinct > 2 else emission
        off = [forward_voltage(i, math.exp(x[0]), n, x[2] / currents.max()) / v - 1 for i, v in points]
        return np.array(off)

    first = math.log(_saturation(float(currents[0]), float(volts[0]), emission))
    fit = least_squares(
        residuals, [first, emission, 0.02], bounds=([-120, 0.9, 0.0], [0, 8.0, 2.0]), x_scale=[5, 0.5, 0.05]
    )
    if distinct == 2 and float(np.abs(fit.fun).max()) > 0.01:
        n = max(0.9, float((volts[-1] - volts[0]) / VT / math.log(currents[-1] / currents[0])))
        return _saturation(float(currents[0]), float(volts[0]), n), n, 0.0
    n = float(fit.x[1]) if distinct > 2 else emission
    return math.exp(float(fit.x[0])), n, float(fit.x[2] / currents.max())


def capacitance(
    sheet: Sheet,
    fact: Fact | None,
    at_zero: str,
    potential: str,
    grading: str,
    *,
    vj: float,
    m: float,
    at: Sequence[str],
    default: float = 1e-12,
) -> None:
    """A junction's capacitance: C0 = C·(1 + V/VJ)^M from one printed C at V."""
    if fact is None:
        sheet.assumed(at_zero, default, "F", "no capacitance is printed")
    else:
        bias = fact.held(*at) or 0.0
        sheet.derived(
            at_zero, fact.magnitude * (1 + bias / vj) ** m, "F", [fact], f"C*(1+V/{potential})^{grading} at {bias:g} V"
        )
    sheet.assumed(potential, vj, "V", "usual")
    sheet.assumed(grading, m, "", "usual")


def recovery(sheet: Sheet, fact: Fact | None, kind: str) -> None:
    """TT from the reverse recovery time: trr = TT·ln(1 + IF/IR)."""
    if kind == "schottky":
        sheet.assumed("TT", 0.0, "s", "a Schottky diode stores no charge")
    elif fact is None:
        sheet.assumed("TT", 5e-9, "s", "no recovery time is printed")
    else:
        forward, reverse = fact.held("if"), fact.held("ir")
        ratio = forward / reverse if forward and reverse else 1.0
        sheet.derived(
            "TT", fact.magnitude / math.log1p(ratio), "s", [fact], f"trr/ln(1+IF/IR) with IF/IR = {ratio:.3g}"
        )


def _forward(sheet: Sheet, points: Sequence[Fact], emission: float) -> None:
    if not points:
        for name, value, unit in (("IS", 1e-14, "A"), ("N", emission, ""), ("RS", 1.0, "Ω")):
            sheet.assumed(name, value, unit, "no forward voltage is printed")
        return
    pairs = sorted({(f.held("if", "i", "ift") or 0.0, f.magnitude) for f in points})
    saturation, n, resistance = fit_forward(pairs, emission)
    how = f"least squares of N*VT*ln(I/IS+1)+I*RS through {len(pairs)} points"
    sheet.derived("IS", saturation, "A", points, how)
    if len({i for i, _ in pairs}) > 2:
        sheet.derived("N", n, "", points, how)
    elif n != emission:
        sheet.derived("N", n, "", points, "slope between two points, RS = 0")
    else:
        sheet.assumed("N", n, "", "usual for the kind of diode")
    if len({i for i, _ in pairs}) > 1:
        sheet.derived("RS", resistance, "Ω", points, how)
    else:
        sheet.assumed("RS", resistance, "Ω", "5 % of VF at the one point")


def _breakdown(sheet: Sheet, facts: Facts) -> None:
    zener = facts.first("v_z")
    fact = zener or facts.first("v_br")
    if fact is not None:
        at = fact.held("iz", "izt", "ir", "i") or _of(facts.first("i_zt"))
        sheet.copied("BV", fact, "V")
        if at:
            sheet.derived("IBV", at, "A", [fact], "the current that BV is measured at")
        else:
            sheet.assumed("IBV", 5e-3 if zener else 1e-4, "A", "no test current is printed")
        return
    rating = facts.first("v_rrm", "v_r", "v_rwm")
    if rating is not None:
        sheet.derived("BV", 1.1 * rating.magnitude, "V", [rating], "1.1 times the rating: no breakdown is printed")
        sheet.assumed("IBV", 1e-4, "A", "no test current is printed")


def _of(fact: Fact | None) -> float | None:
    return fact.magnitude if fact else None


def _saturation(current: float, volts: float, emission: float) -> float:
    return current / math.expm1(min(volts / (emission * VT), 250.0))
