"""MOSFETs: `.model VDMOS`, or a LEVEL=1 transistor with its body diode in a subcircuit."""

import math
from collections.abc import Sequence
from typing import Final

from pipelines.datasheets.errors import ModelImpossible
from pipelines.datasheets.spice.diode import fit_forward, recovery
from pipelines.datasheets.spice.facts import Fact, Facts
from pipelines.datasheets.spice.model import Model, Sheet, number

_CHANNEL: Final = 0.5
"""The channel's share of RDS(on) where nothing tells. A guess; small in high-voltage parts."""
_WIDTH: Final = 100e-6


def mosfet(facts: Facts, *, polarity: int, name: str, level: str = "vdmos") -> Model:
    """The model of a MOSFET.

    Args:
        level: "vdmos", or "1": what every SPICE knows; it has no way to agree with RDS(on) and gfs at once.

    Raises: ModelImpossible without a threshold voltage or an on-resistance at a stated VGS.
    """
    threshold = facts.first("v_gs_th")
    resistances = [f for f in facts.all("r_ds_on") if f.held("vgs")]
    if threshold is None or not resistances:
        raise ModelImpossible("a MOSFET's model needs v_gs_th, and r_ds_on with its condition VGS")
    sheet = Sheet()
    _channel(sheet, facts, threshold, resistances, polarity, triode=level == "vdmos")
    sheet.note_bounds([threshold, *resistances])
    if level == "vdmos":
        _vdmos(sheet, facts)
        return Model(name, "VDMOS", tuple(sheet.parameters), ("D", "G", "S"), polarity, notes=tuple(sheet.notes))
    return _level1(sheet, facts, name, polarity)


def _channel(
    sheet: Sheet, facts: Facts, threshold: Fact, resistances: Sequence[Fact], polarity: int, *, triode: bool
) -> None:
    """VTO, KP, RD and, for VDMOS, mtriode: saturation from gfs, the triode region from RDS(on)."""
    transconductance = facts.first("g_fs")
    current = transconductance.held("id") if transconductance else None
    at = threshold.held("id", "ids") or 250e-6
    points = sorted((f.held("vgs") or 0.0, f.magnitude) for f in resistances)
    if transconductance and current and triode:
        kp = transconductance.magnitude**2 / (2 * current)
        vto = threshold.magnitude - math.sqrt(2 * at / kp)
        beta, rd = _triode(points, vto, kp)
        mtriode = beta / kp
        sheet.derived("VTO", polarity * vto, "V", [threshold, transconductance], "VGS(th) - sqrt(2*ID/KP)")
        sheet.derived("KP", kp, "A/V²", [transconductance], "gfs^2/(2*ID)")
        sheet.derived(
            "mtriode", mtriode, "", [*resistances, transconductance], _told(points, "1/(RDS(on)-RD)/(VGS-VTO)/KP")
        )
    else:
        vto = threshold.magnitude
        for _ in range(20):
            beta, rd = _triode(points, vto, None)
            vto = threshold.magnitude - math.sqrt(2 * at / beta)
        sheet.derived("VTO", polarity * vto, "V", [threshold, *resistances], "VGS(th) - sqrt(2*ID/KP)")
        sheet.derived("KP", beta, "A/V²", resistances, _told(points, "1/(RDS(on)-RD)/(VGS-VTO)"))
        if triode:
            sheet.assumed("mtriode", 1.0, "", "no gfs is printed")
    sheet.derived("RD", rd, "Ω", resistances, "what RDS(on) has beyond the channel")


def _told(points: Sequence[tuple[float, float]], formula: str) -> str:
    share = "two gate voltages" if _two(points) else f"one gate voltage, the channel taken for {_CHANNEL:.0%}"
    return f"{formula} from {share}"


def _two(points: Sequence[tuple[float, float]]) -> bool:
    """Whether resistance falls between two gate voltages, as it must."""
    return len({v for v, _ in points}) > 1 and points[0][1] > points[-1][1]


def _triode(points: Sequence[tuple[float, float]], vto: float, kp: float | None) -> tuple[float, float]:
    """The triode region's conductance factor and the resistance in series: R = RD + 1/(beta·(VGS − VTO))."""
    drives = [max(v - vto, 0.1) for v, _ in points]
    if _two(points):
        first, last = 1 / drives[0], 1 / drives[-1]
        inverse = (points[0][1] - points[-1][1]) / (first - last)
        # No more than 95 % of the lowest resistance is the channel's.
        inverse = min(inverse, 0.95 * points[-1][1] / last)
        return 1 / inverse, points[-1][1] - inverse * last
    resistance = points[-1][1]
    channel = 1 / (kp * drives[-1]) if kp else math.inf
    channel = channel if channel < 0.95 * resistance else _CHANNEL * resistance
    return 1 / (channel * drives[-1]), resistance - channel


def _vdmos(sheet: Sheet, facts: Facts) -> None:
    sheet.assumed("LAMBDA", 0.005, "1/V", "usual")
    rg = facts.first("r_g")
    if rg:
        sheet.copied("RG", rg, "Ω")
    else:
        sheet.assumed("RG", 3.0, "Ω", "no gate resistance is printed")
    sheet.assumed("RS", 1e-4, "Ω", "in RD")
    # ngspice's own 0.1 lets a MOSFET conduct tenths of a volt below its threshold.
    sheet.assumed("ksubthres", 0.02, "V", "a tenth of a volt a decade or less")
    _capacitances(sheet, facts)
    _body(sheet, facts, prefix="")


def _capacitances(sheet: Sheet, facts: Facts) -> None:
    """Cgs = Ciss − Crss; Cgd falls from Cgdmax to Crss; the body's junction is Coss − Crss."""
    entry, output, back = facts.first("c_iss"), facts.first("c_oss"), facts.first("c_rss")
    reverse = back.magnitude if back else 0.1 * entry.magnitude if entry else 10e-12
    bias = (back or entry or output).held("vds", "vd") if back or entry or output else None  # type: ignore[union-attr]
    bias = bias or 25.0
    if entry:
        sheet.derived(
            "Cgs", max(entry.magnitude - reverse, 1e-15), "F", [entry, *([back] if back else [])], "Ciss - Crss"
        )
    else:
        sheet.assumed("Cgs", 100e-12, "F", "no Ciss is printed")
    low, high = _gate_drain(reverse, bias)
    if back:
        sheet.derived("Cgdmin", low, "F", [back], f"so that Cgd is Crss at {bias:g} V")
        sheet.derived("Cgdmax", high, "F", [back], "ten times Crss, as in most parts")
    else:
        sheet.assumed("Cgdmin", low, "F", "a tenth of Ciss")
        sheet.assumed("Cgdmax", high, "F", "as much as Ciss")
    sheet.assumed("A", 1.0, "", "usual")
    vj, m = 0.75, 0.45
    if output:
        at = output.held("vds", "vd") or bias
        junction = max(output.magnitude - reverse, 0.05 * output.magnitude) * (1 + at / vj) ** m
        sheet.derived(
            "Cjo", junction, "F", [output, *([back] if back else [])], f"(Coss-Crss)*(1+VDS/Vj)^M at {at:g} V"
        )
    else:
        sheet.assumed("Cjo", 100e-12, "F", "no Coss is printed")
    sheet.assumed("Vj", vj, "V", "usual")
    sheet.assumed("M", m, "", "usual")


def _gate_drain(reverse: float, bias: float) -> tuple[float, float]:
    """Cgdmin and Cgdmax of VDMOS with Cgdmax = 10·Crss, so that Cgd(−bias) = Crss.

    Below zero Cgd = max − s + s·atan(A·VGD) with s = (max − min)/(1 + π/2): it falls towards min as atan does.
    """
    high = 10 * reverse
    left = (math.pi / 2 - math.atan(bias)) / (1 + math.pi / 2)
    low = max((reverse - left * high) / (1 - left), 0.05 * reverse)
    return low, high


def _body(sheet: Sheet, facts: Facts, *, prefix: str) -> None:
    """The body diode: IS, N and Rb from VSD at ISD."""
    forward = facts.first("v_sd")
    current = forward.held("is", "isd", "if", "i", "idr") if forward else None
    resistance = "Rb" if not prefix else f"{prefix}RS"
    if forward and current:
        saturation, n, ohms = fit_forward([(current, forward.magnitude)], 1.3)
        sheet.derived(f"{prefix}Is", saturation, "A", [forward], "ISD/(exp((VSD-ISD*Rb)/(N*VT))-1)")
        sheet.assumed(f"{prefix}N", n, "", "usual")
        sheet.assumed(resistance, ohms, "Ω", "5 % of VSD")
        sheet.note_bounds([forward])
    else:
        sheet.assumed(f"{prefix}Is", 1e-12, "A", "no VSD at a stated current is printed")
        sheet.assumed(f"{prefix}N", 1.2, "", "usual")
        sheet.assumed(resistance, 0.01, "Ω", "usual")
    recovery_sheet = Sheet()
    recovery(recovery_sheet, facts.first("t_rr"), "rectifier")
    (time,) = recovery_sheet.parameters
    if time.origin == "derived":
        sheet.derived(f"{prefix}{'tt' if not prefix else 'TT'}", time.value, "s", facts.all("t_rr")[:1], time.formula)
    else:
        sheet.assumed(f"{prefix}{'tt' if not prefix else 'TT'}", 20e-9, "s", "no recovery time is printed")


def _level1(sheet: Sheet, facts: Facts, name: str, polarity: int) -> Model:
    """A subcircuit: W = L, so that KP is the whole; CGSO and CGDO are per metre of W."""
    entry, output, back = facts.first("c_iss"), facts.first("c_oss"), facts.first("c_rss")
    if entry and back:
        sheet.derived("CGSO", (entry.magnitude - back.magnitude) / _WIDTH, "F/m", [entry, back], "(Ciss-Crss)/W")
    else:
        sheet.assumed("CGSO", 100e-12 / _WIDTH, "F/m", "no Ciss and Crss are printed")
    if back:
        sheet.derived("CGDO", back.magnitude / _WIDTH, "F/m", [back], "Crss/W")
    else:
        sheet.assumed("CGDO", 10e-12 / _WIDTH, "F/m", "no Crss is printed")
    _body(sheet, facts, prefix="D")
    if output and back:
        # The diode's junction carries what Coss has beyond Crss.
        at = output.held("vds", "vd") or 25.0
        beyond = max(output.magnitude - back.magnitude, 0.05 * output.magnitude)
        sheet.derived("DCJO", beyond * (1 + at / 0.75) ** 0.45, "F", [output, back], "(Coss-Crss)*(1+VDS/VJ)^M")
    else:
        sheet.assumed("DCJO", 100e-12, "F", "no Coss is printed")
    value = {p.name: p.value for p in sheet.parameters}
    kind = "NMOS" if polarity > 0 else "PMOS"
    anode, cathode = ("S", "D") if polarity > 0 else ("D", "S")
    body = (
        f"M1 D G S S MOS W={number(_WIDTH)} L={number(_WIDTH)}",
        f"D1 {anode} {cathode} BODY",
        f".model MOS {kind}(LEVEL=1 VTO={number(value['VTO'])} KP={number(value['KP'])} RD={number(value['RD'])} "
        f"LAMBDA=0 IS=1e-20 CGSO={number(value['CGSO'])} CGDO={number(value['CGDO'])})",
        f".model BODY D(IS={number(value['DIs'])} N={number(value['DN'])} RS={number(value['DRS'])} "
        f"TT={number(value['DTT'])} CJO={number(value['DCJO'])} VJ=0.75 M=0.45)",
    )
    return Model(name, kind, tuple(sheet.parameters), ("D", "G", "S"), polarity, body, tuple(sheet.notes))
