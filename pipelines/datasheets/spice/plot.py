"""A picture of what a card does, with the points that its sheet prints. Needs the extra `plot` (matplotlib)."""

import io
from collections.abc import Sequence
from dataclasses import dataclass
from importlib.util import find_spec
from typing import Any, Final, Literal

import numpy as np

from pipelines.datasheets.spice.bjt import gain_points
from pipelines.datasheets.spice.facts import Fact, Facts
from pipelines.datasheets.spice.model import Model, card
from pipelines.datasheets.spice.simulate import simulator, sweep

Format = Literal["svg", "png"]
_POINTS: Final = 41


@dataclass(frozen=True, slots=True)
class Curve:
    """A simulated curve and the points printed.

    Attributes:
        x, y: what is drawn, in the units of the labels.
        points: (x, y) as printed.
        log_x, log_y: which axes are logarithmic.
    """

    title: str
    x_label: str
    y_label: str
    x: Sequence[float]
    y: Sequence[float]
    points: Sequence[tuple[float, float]]
    log_x: bool = False
    log_y: bool = False


def can_plot() -> bool:
    """Whether there are a simulator and matplotlib."""
    return simulator() is not None and find_spec("matplotlib") is not None


def plot(model: Model, facts: Facts, *, form: Format = "svg") -> bytes | None:
    """The picture; None for a model without a curve or a sheet without points. Raises: SimulatorFailed."""
    drawn = curve(model, facts)
    return _drawn(drawn, form) if drawn else None


def curve(model: Model, facts: Facts) -> Curve | None:
    """The curve of a model that its sheet has the most points of. Raises: SimulatorFailed."""
    if model.kind == "D":
        return _forward(model, facts.all("v_f"))
    if model.kind in ("NPN", "PNP"):
        return _gain(model, gain_points(facts))
    if model.kind in ("NJF", "PJF"):
        return _transfer(model, facts)
    if model.kind in ("VDMOS", "NMOS", "PMOS"):
        return _on_resistance(model, [f for f in facts.all("r_ds_on") if f.held("vgs")])
    return None


def _forward(model: Model, facts: Sequence[Fact]) -> Curve | None:
    points = [(f.magnitude, f.held("if", "i", "ift") or 0.0) for f in facts if f.held("if", "i", "ift")]
    if not points:
        return None
    currents = _around([i for _, i in points])
    lines = ("I1 0 a 1e-3", model.instance("1", "a", "0"))
    volts = sweep(card(model, dialect="ngspice"), lines, source="I1", values=currents, expression="v(a)")
    return Curve(model.name, "forward voltage (V)", "forward current (A)", volts, currents, points, log_y=True)


def _gain(model: Model, facts: Sequence[tuple[Fact, float, float]]) -> Curve | None:
    points = [(current, gain) for _, current, gain in facts]
    if not points:
        return None
    s = model.polarity
    vce = facts[0][0].held("vce") or 5.0
    currents = _around([i for i, _ in points])
    lines = (f"V1 c 0 {s * (vce - 0.65):.9g}", "VB b 0 0", "I1 e 0 1e-3", model.instance("1", "c", "b", "e"))
    gains = sweep(
        card(model, dialect="ngspice"),
        lines,
        source="I1",
        values=[s * i for i in currents],
        expression="abs(i(v1)/i(vb))",
    )
    return Curve(
        model.name, "collector current (A)", f"DC current gain at {vce:g} V", currents, gains, points, log_x=True
    )


def _transfer(model: Model, facts: Facts) -> Curve | None:
    cutoff, saturation = facts.first("v_gs_off"), facts.first("i_dss")
    if cutoff is None:
        return None
    s = model.polarity
    volts = np.linspace(model.value("VTO"), 0.0, _POINTS).tolist()
    vds = (saturation.held("vds") if saturation else None) or cutoff.held("vds") or 10.0
    lines = (f"V1 d 0 {s * vds:.9g}", "VG g 0 0", "VS s 0 0", model.instance("1", "d", "g", "s"))
    currents = sweep(
        card(model, dialect="ngspice"), lines, source="VG", values=[s * v for v in volts], expression="abs(i(v1))"
    )
    points = [(-cutoff.magnitude, cutoff.held("id") or 0.0)]
    points += [(0.0, saturation.magnitude)] if saturation else []
    return Curve(model.name, "gate-source voltage (V)", f"drain current (A) at {vds:g} V", volts, currents, points)


def _on_resistance(model: Model, facts: Sequence[Fact]) -> Curve | None:
    if not facts:
        return None
    s = model.polarity
    points = [(f.held("vgs") or 0.0, f.magnitude) for f in facts]
    current = facts[0].held("id") or 0.1
    volts = np.linspace(0.8 * min(v for v, _ in points), 1.2 * max(v for v, _ in points), _POINTS).tolist()
    lines = (f"I1 0 d {s * current:.9g}", "VG g 0 10", "VS s 0 0", model.instance("1", "d", "g", "s"))
    ohms = sweep(
        card(model, dialect="ngspice"),
        lines,
        source="VG",
        values=[s * v for v in volts],
        expression=f"abs(v(d))/{current:.9g}",
    )
    return Curve(
        model.name, "gate-source voltage (V)", f"RDS(on) (Ω) at {current:g} A", volts, ohms, points, log_y=True
    )


def _around(values: Sequence[float]) -> list[float]:
    """Values from a third of the least to three times the largest."""
    return [float(v) for v in np.geomspace(min(values) / 3, 3 * max(values), _POINTS)]


def _drawn(drawn: Curve, form: Format) -> bytes:
    import matplotlib as mpl
    from matplotlib.figure import Figure

    # A figure of its own: pyplot keeps state that threads would share.
    with mpl.rc_context({"svg.hashsalt": "cognomen", "svg.fonttype": "none"}):
        figure: Any = Figure(figsize=(6.4, 4.2), layout="constrained")
        axes = figure.add_subplot()
        axes.plot(drawn.x, drawn.y, label="simulated")
        axes.plot([x for x, _ in drawn.points], [y for _, y in drawn.points], "o", label="datasheet")
        axes.set(title=drawn.title, xlabel=drawn.x_label, ylabel=drawn.y_label)
        axes.set_xscale("log" if drawn.log_x else "linear")
        axes.set_yscale("log" if drawn.log_y else "linear")
        axes.grid(visible=True, which="both", alpha=0.3)
        axes.legend()
        out = io.BytesIO()
        figure.savefig(out, format=form, metadata={"Date": None} if form == "svg" else None)
    return out.getvalue()
