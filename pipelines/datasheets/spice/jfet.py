"""Junction FETs: `.model NJF` and `.model PJF`. ID = BETA·(VGS − VTO)²·(1 + LAMBDA·VDS)."""

import math

from pipelines.datasheets.errors import ModelImpossible
from pipelines.datasheets.spice.facts import Fact, Facts
from pipelines.datasheets.spice.model import Model, Sheet

_LAMBDA = 0.01
_PB = 0.8


def jfet(facts: Facts, *, polarity: int, name: str) -> Model:
    """The model of a JFET.

    Two of cut-off voltage, saturation current and on-resistance make it: those that are typical or ranges before those
    of which only a bound is printed.

    Raises: ModelImpossible without a cut-off voltage, or with neither of the other two.
    """
    cutoff = facts.first("v_gs_off")
    saturation, on, slope = facts.first("i_dss"), facts.first("r_ds_on"), facts.first("g_fs")
    if cutoff is None or not (saturation or on or slope):
        raise ModelImpossible("a JFET's model needs v_gs_off, and i_dss, r_ds_on or g_fs")
    sheet = Sheet()
    pinch = cutoff.magnitude
    at = cutoff.held("id") or 1e-9
    chosen = _chosen(saturation, on, slope)
    beta = _beta(chosen, pinch)
    # At the current it is measured at a trifle is left of the channel.
    pinch += math.sqrt(at / beta)
    beta = _beta(chosen, pinch)
    sheet.derived("VTO", -pinch, "V", [cutoff, chosen], "-(|VGS(off)| + sqrt(ID/BETA))")
    sheet.derived("BETA", beta, "A/V²", [chosen, cutoff], _FORMULAS[chosen.name])
    sheet.assumed("LAMBDA", _LAMBDA, "1/V", "usual")
    sheet.assumed("RD", 0.0, "Ω", "in BETA")
    sheet.assumed("RS", 0.0, "Ω", "in BETA")
    _gate(sheet, facts)
    sheet.note_bounds([cutoff, chosen])
    kind = "NJF" if polarity > 0 else "PJF"
    return Model(name, kind, tuple(sheet.parameters), ("D", "G", "S"), polarity, notes=tuple(sheet.notes))


_FORMULAS = {
    "i_dss": "IDSS/VTO^2/(1+LAMBDA*VDS)",
    "r_ds_on": "1/(2*RDS(on)*|VTO|)",
    "g_fs": "gfs/(2*|VTO|)/(1+LAMBDA*VDS)",
}


def _chosen(saturation: Fact | None, on: Fact | None, slope: Fact | None) -> Fact:
    """What BETA is made of: a typical value, else a mean, else RDS(on), since a least IDSS says little."""
    given = [f for f in (saturation, on, slope) if f is not None]
    ranks = {"typ": 0, "mean": 1, "max": 2, "min": 3}
    return min(given, key=lambda f: ranks[f.slot])


def _beta(fact: Fact, pinch: float) -> float:
    if fact.name == "r_ds_on":
        return 1 / (2 * fact.magnitude * pinch)
    rise = 1 + _LAMBDA * (fact.held("vds") or 10.0)
    if fact.name == "g_fs":
        return fact.magnitude / (2 * pinch * rise)
    return fact.magnitude / (pinch**2 * rise)


def _gate(sheet: Sheet, facts: Facts) -> None:
    sheet.assumed("IS", 1e-14, "A", "usual")
    back, entry = facts.first("c_rss", "c_dg_off"), facts.first("c_iss")
    side = facts.first("c_sg_off")
    if back:
        bias = _reverse(back)
        sheet.derived("CGD", back.magnitude * math.sqrt(1 + bias / _PB), "F", [back], f"C*sqrt(1+V/PB) at {bias:g} V")
    else:
        sheet.assumed("CGD", 4e-12, "F", "no Crss is printed")
    if side:
        bias = side.held("vgs") or 0.0
        sheet.derived("CGS", side.magnitude * math.sqrt(1 + bias / _PB), "F", [side], f"C*sqrt(1+V/PB) at {bias:g} V")
    elif entry and back:
        bias = entry.held("vgs") or 0.0
        rest = max(entry.magnitude - back.magnitude, 1e-15)
        sheet.derived(
            "CGS", rest * math.sqrt(1 + bias / _PB), "F", [entry, back], f"(Ciss-Crss)*sqrt(1+V/PB) at {bias:g} V"
        )
    else:
        sheet.assumed("CGS", 4e-12, "F", "no Ciss is printed")
    sheet.assumed("PB", _PB, "V", "usual")


def _reverse(fact: Fact) -> float:
    """The reverse voltage between gate and drain."""
    return (fact.held("vgs") or 0.0) + (fact.held("vds") or 0.0)
