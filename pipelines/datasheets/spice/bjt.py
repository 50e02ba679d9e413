"""Bipolar transistors: Gummel-Poon, `.model NPN` and `.model PNP`, fitted to gain, base and saturation voltages."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from scipy.optimize import brentq, least_squares

from pipelines.datasheets.errors import ModelImpossible
from pipelines.datasheets.spice.diode import capacitance
from pipelines.datasheets.spice.facts import VT, Fact, Facts
from pipelines.datasheets.spice.model import Model, Sheet

_EARLY: Final = 100.0
_NE: Final = 1.6
_HIGHEST: Final = 1.4
"""A junction voltage that no bias reaches; where roots are looked for."""


@dataclass(frozen=True, slots=True)
class Gummel:
    """The static part of Gummel-Poon. All magnitudes: PNP is its mirror."""

    saturation: float
    gain: float
    knee: float
    leakage: float
    reverse_gain: float
    collector_ohms: float
    base_ohms: float
    early: float = _EARLY
    leakage_emission: float = _NE
    knee_exponent: float = 0.5

    def currents(self, vbe: float, vbc: float) -> tuple[float, float]:
        """IC and IB at internal junction voltages."""
        forward, reverse = math.expm1(min(vbe / VT, 80)), math.expm1(min(vbc / VT, 80))
        q1 = 1 / max(1e-3, 1 - vbc / self.early)
        charge = q1 * (1 + (1 + 4 * self.saturation * max(forward, 0) / self.knee) ** self.knee_exponent) / 2
        back = self.saturation / self.reverse_gain * reverse
        base = self.saturation / self.gain * forward
        base += self.leakage * math.expm1(min(vbe / (self.leakage_emission * VT), 80)) + back
        return self.saturation / charge * (forward - reverse) - back, base

    def active(self, collector: float, vce: float) -> tuple[float, float]:
        """HFE and VBE at IC and VCE."""

        def off(vbe: float) -> float:
            return self.currents(vbe, vbe - vce)[0] - collector

        vbe = float(brentq(off, 0.0, _HIGHEST)) if off(_HIGHEST) > 0 else _HIGHEST
        ic, ib = self.currents(vbe, vbe - vce)
        return ic / ib, vbe + ib * self.base_ohms

    def saturated(self, collector: float, base: float) -> tuple[float, float]:
        """VCE and VBE at forced IC and IB."""

        def vbe_at(vbc: float) -> float:
            # IB rises with VBE: one root.
            def off(vbe: float) -> float:
                return self.currents(vbe, vbc)[1] - base

            return float(brentq(off, -0.1, _HIGHEST)) if off(-0.1) < 0 < off(_HIGHEST) else 0.0

        def short(vbc: float) -> float:
            return self.currents(vbe_at(vbc), vbc)[0] - collector

        low, high = -5.0, 1.2
        vbc = float(brentq(short, low, high)) if short(low) > 0 > short(high) else low
        vbe = vbe_at(vbc)
        return vbe - vbc + collector * self.collector_ohms, vbe + base * self.base_ohms


def bjt(facts: Facts, *, polarity: int, name: str) -> Model:
    """The model of a bipolar transistor. Raises: ModelImpossible without a current gain."""
    gains = gain_points(facts)
    if not gains:
        raise ModelImpossible("a bipolar transistor's model needs h_fe")
    sheet = Sheet()
    bases = [f for f in facts.all("v_be_on") if f.held("ic")]
    saturations = [f for f in facts.all("v_ce_sat") if f.held("ic") and f.held("ib")]
    base_saturations = [f for f in facts.all("v_be_sat") if f.held("ic") and f.held("ib")]
    early = _early(sheet, facts)
    found = _fit(gains, bases, saturations, base_saturations, early)
    _static(sheet, found, [f for f, _, _ in gains], bases, saturations, base_saturations)
    _dynamic(sheet, facts, found)
    sheet.note_bounds([*(f for f, _, _ in gains), *bases, *saturations, *base_saturations])
    kind = "NPN" if polarity > 0 else "PNP"
    return Model(name, kind, tuple(sheet.parameters), ("C", "B", "E"), polarity, notes=tuple(sheet.notes))


def gain_points(facts: Facts) -> list[tuple[Fact, float, float]]:
    """(fact, IC, gain) on one curve: typical gains; else means of ranges; else the curve of the lowest gains."""
    found = [f for f in facts.all("h_fe") if f.held("ic")]
    if not found:
        return [(f, 1e-3, f.magnitude) for f in facts.all("h_fe")[:1]]
    if typical := [f for f in found if f.typ is not None]:
        return [(f, f.held("ic") or 0.0, f.magnitude) for f in typical]
    if all(f.slot == "mean" for f in found):
        return [(f, f.held("ic") or 0.0, f.magnitude) for f in found]
    return [(f, f.held("ic") or 0.0, f.min) for f in found if f.min]


def gummel(model: Model) -> Gummel:
    """The static part of a model that was made here."""
    names = ("IS", "BF", "IKF", "ISE", "BR", "RC", "RB", "VAF")
    is_, bf, ikf, ise, br, rc, rb, vaf = (model.value(name) for name in names)
    return Gummel(is_, bf, ikf, ise, br, rc, rb, vaf, model.value("NE"), model.value("NKF"))


def _fit(
    gains: Sequence[tuple[Fact, float, float]],
    bases: Sequence[Fact],
    saturations: Sequence[Fact],
    base_saturations: Sequence[Fact],
    early: float,
) -> Gummel:
    """Least squares over all that is printed; what nothing printed tells stays near where it starts."""
    highest = max(i for _, i, _ in gains)
    top = max(g for _, _, g in gains)
    largest = max([highest, *(f.held("ic") or 0.0 for f in saturations)])
    usual = [1e-14 * max(highest / 0.1, 0.05), 1.1 * top, 3 * highest, 1e-14, 4.0, 0.1 / largest, 0.05 * top / largest]
    start = np.log([*usual, _NE, 0.6])

    def made(x: np.ndarray) -> Gummel:
        *first, emission, exponent = np.exp(np.clip(x, -80, 25)).tolist()
        is_, bf, ikf, ise, br, rc, rb = first
        bounded = float(np.clip(emission, 1.1, 2.5)), float(np.clip(exponent, 0.5, 1.0))
        return Gummel(is_, bf, ikf, ise, br, rc, rb, early, *bounded)

    def residuals(x: np.ndarray) -> np.ndarray:
        g = made(x)
        off = [10 * math.log(g.active(i, f.held("vce") or 5.0)[0] / gain) for f, i, gain in gains]
        off += [10 * (g.active(f.held("ic") or 0.0, f.held("vce") or 5.0)[1] / f.magnitude - 1) for f in bases]
        for facts, which in ((saturations, 0), (base_saturations, 1)):
            for f in facts:
                made_of = g.saturated(f.held("ic") or 0.0, f.held("ib") or 0.0)[which]
                off.append((5 if which == 0 else 10) * math.log(max(made_of, 1e-3) / f.magnitude))
        # Weak ties to usual values settle what is not printed.
        return np.array([*off, *(0.02 * (x - start))])

    fit = least_squares(residuals, start, method="trf", max_nfev=200)
    return made(fit.x)


def _early(sheet: Sheet, facts: Facts) -> float:
    output = facts.first("h_oe")
    current = output.held("ic") if output else None
    if output and current:
        volts = max(10.0, current / output.magnitude - (output.held("vce") or 5.0))
        return sheet.derived("VAF", volts, "V", [output], "IC/hoe - VCE")
    return sheet.assumed("VAF", _EARLY, "V", "usual")


def _static(
    sheet: Sheet,
    found: Gummel,
    gains: Sequence[Fact],
    bases: Sequence[Fact],
    saturations: Sequence[Fact],
    base_saturations: Sequence[Fact],
) -> None:
    how = "least squares of Gummel-Poon through all points printed"
    volts = [*bases, *base_saturations]
    if volts:
        sheet.derived("IS", found.saturation, "A", volts, how)
    else:
        sheet.assumed("IS", found.saturation, "A", "usual for the current: no base voltage is printed")
    sheet.derived("BF", found.gain, "", gains, how)
    if len(gains) > 1:
        sheet.derived("IKF", found.knee, "A", gains, how)
        sheet.derived("ISE", found.leakage, "A", gains, how)
        sheet.derived("NE", found.leakage_emission, "", gains, how)
        sheet.derived("NKF", found.knee_exponent, "", gains, how)
    else:
        sheet.assumed("IKF", found.knee, "A", "three times the current of hFE")
        sheet.assumed("ISE", found.leakage, "A", "usual")
        sheet.assumed("NE", found.leakage_emission, "", "usual")
        sheet.assumed("NKF", found.knee_exponent, "", "usual")
    if saturations:
        sheet.derived("BR", found.reverse_gain, "", saturations, how)
        sheet.derived("RC", found.collector_ohms, "Ω", saturations, how)
    else:
        sheet.assumed("BR", found.reverse_gain, "", "usual")
        sheet.assumed("RC", found.collector_ohms, "Ω", "0.1 V at the largest current")
    if len(volts) > 1:
        sheet.derived("RB", found.base_ohms, "Ω", volts, how)
    else:
        sheet.assumed("RB", found.base_ohms, "Ω", "usual")


def _dynamic(sheet: Sheet, facts: Facts, found: Gummel) -> None:
    output, entry = facts.first("c_ob"), facts.first("c_ib")
    capacitance(sheet, output, "CJC", "VJC", "MJC", vj=0.6, m=0.33, at=("vcb", "vc"), default=4e-12)
    capacitance(sheet, entry, "CJE", "VJE", "MJE", vj=0.75, m=0.35, at=("veb", "vbe"), default=8e-12)
    transit = facts.first("f_t")
    current = transit.held("ic", "ie") if transit else None
    if transit and current:
        values = {p.name: p.value for p in sheet.parameters}
        # Depletion capacitances in forward bias are about twice those at zero bias.
        rest = VT / current * (2 * values["CJE"] + values["CJC"])
        tau = 1 / (2 * math.pi * transit.magnitude)
        sheet.derived(
            "TF", max(tau - rest, 0.2 * tau), "s", [transit], "1/(2*pi*fT) - VT/IC*(2*CJE+CJC), at least a fifth"
        )
    else:
        sheet.assumed("TF", 4e-10, "s", "no fT is printed")
    stored = facts.first("t_s")
    if stored:
        sheet.derived("TR", stored.magnitude, "s", [stored], "of the order of the storage time")
    else:
        sheet.assumed("TR", 5e-8, "s", "no storage time is printed")
