"""What a card does in the circuits that the sheet was measured in, beside what the sheet says."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Final

from pipelines.datasheets.spice.bjt import gain_points, gummel
from pipelines.datasheets.spice.facts import Fact, Facts
from pipelines.datasheets.spice.model import Dialect, Model, card
from pipelines.datasheets.spice.simulate import Measurement, measure

_MEGAHERTZ: Final = "ac 1e6"
_OMEGA: Final = "(2*pi*1e6)"


@dataclass(frozen=True, slots=True)
class Check:
    """One quantity, printed and simulated.

    Attributes:
        quantity: canonical name.
        datasheet: what the model was to meet: typical, the mean of a range, or the one bound printed (`slot`).
        simulated: magnitudes, like `datasheet`.
        within: whether the simulated value keeps within what is printed.
        fitted: whether the model was made from this very number.
        conditions: plain symbol → value in SI.
    """

    quantity: str
    datasheet: float
    simulated: float
    unit: str
    slot: str
    within: bool
    fitted: bool
    conditions: Mapping[str, float]
    page: int | None
    quote: str | None

    @property
    def relative_error(self) -> float:
        """(simulated − datasheet) / datasheet."""
        return (self.simulated - self.datasheet) / self.datasheet


@dataclass(frozen=True, slots=True)
class _Bench:
    """A circuit for one fact: `{0}` in its lines is the label."""

    fact: Fact
    datasheet: float
    lines: tuple[str, ...]
    analysis: str
    expression: str
    unit: str

    @property
    def slot(self) -> str:
        """Which slot `datasheet` is: of a range a gain may be fitted to the lower end."""
        lowest = self.fact.min is not None and self.datasheet == abs(self.fact.min)
        return "min" if lowest and self.fact.slot == "mean" else self.fact.slot

    def measurement(self, label: str) -> Measurement:
        """The circuit with its label filled in."""
        lines = tuple(line.replace("{0}", label) for line in self.lines)
        return Measurement(label, lines, self.analysis, self.expression.replace("{0}", label))


def checks(model: Model, facts: Facts, *, dialect: Dialect = "ngspice") -> list[Check]:
    """Every quantity of the sheet that there is a circuit for, simulated with ngspice. Raises: SimulatorFailed.

    A card for LTspice is read as LTspice would read it, as far as ngspice knows how.
    """
    benches = list(_BENCHES[model.kind](model, facts))
    labels = [f"m{i}" for i in range(1, len(benches) + 1)]
    found = measure(
        card(model, dialect=dialect),
        [b.measurement(label) for label, b in zip(labels, benches, strict=True)],
        as_ltspice=dialect == "ltspice",
    )
    sources = {name for p in model.parameters if p.origin != "assumed" for name in p.sources}
    return [
        Check(
            quantity=b.fact.name,
            datasheet=b.datasheet,
            simulated=abs(found[label]),
            unit=b.unit,
            slot=b.slot,
            within=b.fact.within(found[label]),
            fitted=b.fact.name in sources,
            conditions=dict(b.fact.conditions),
            page=b.fact.page,
            quote=b.fact.quote,
        )
        for label, b in zip(labels, benches, strict=True)
        if label in found
    ]


def _bench(
    fact: Fact,
    lines: Iterable[str],
    expression: str,
    unit: str,
    *,
    analysis: str = "op",
    datasheet: float | None = None,
) -> _Bench:
    return _Bench(fact, fact.magnitude if datasheet is None else datasheet, tuple(lines), analysis, expression, unit)


def _diode(model: Model, facts: Facts) -> Iterator[_Bench]:
    place = model.instance("{0}", "a{0}", "0")
    for fact in facts.all("v_f"):
        if current := fact.held("if", "i", "ift"):
            yield _bench(fact, (f"I{{0}} 0 a{{0}} {current:.9g}", place), "v(a{0})", "V")
    for fact in facts.all("v_z", "v_br")[:1]:
        current = fact.held("iz", "izt", "ir", "i") or model.value("IBV")
        yield _bench(fact, (f"I{{0}} a{{0}} 0 {current:.9g}", place), "-v(a{0})", "V")
    for fact in facts.all("c_d", "c_j")[:1]:
        bias = fact.held("vr", "v") or 0.0
        lines = (f"V{{0}} a{{0}} 0 dc {-bias:.9g} ac 1", place)
        yield _bench(fact, lines, f"abs(imag(i(v{{0}})))/{_OMEGA}", "F", analysis=_MEGAHERTZ)


def _bipolar(model: Model, facts: Facts) -> Iterator[_Bench]:
    s = model.polarity
    place = model.instance("{0}", "c{0}", "b{0}", "e{0}")
    for fact, current, gain in gain_points(facts):
        vce = fact.held("vce", "vcb") or 5.0
        # The emitter's current is forced, so that the collector carries what the sheet holds.
        lines = (f"V{{0}} c{{0}} 0 {s * (vce - 0.65):.9g}", "VB{0} b{0} 0 0",
                 f"I{{0}} e{{0}} 0 {s * current * (1 + 1 / gain):.9g}", place)  # fmt: skip
        yield _bench(fact, lines, "abs(i(v{0})/i(vb{0}))", "", datasheet=gain)
    for fact in facts.all("v_be_on"):
        if at := fact.held("ic"):
            lines = (f"V{{0}} c{{0}} 0 {s * ((fact.held('vce') or 5.0) - 0.65):.9g}", "VB{0} b{0} 0 0",
                     f"I{{0}} e{{0}} 0 {s * at:.9g}", place)  # fmt: skip
            yield _bench(fact, lines, "abs(v(e{0}))", "V")
    for name, node in (("v_ce_sat", "c"), ("v_be_sat", "b")):
        for fact in facts.all(name):
            collector, base = fact.held("ic"), fact.held("ib")
            if collector and base:
                lines = (f"I{{0}} 0 c{{0}} {s * collector:.9g}", f"IB{{0}} 0 b{{0}} {s * base:.9g}",
                         "VE{0} e{0} 0 0", place)  # fmt: skip
                yield _bench(fact, lines, f"abs(v({node}{{0}}))", "V")
    for name, driven, open_, bias in (("c_ob", "c", "e", ("vcb", "vc")), ("c_ib", "e", "c", ("veb", "vbe"))):
        for fact in facts.all(name)[:1]:
            volts = s * (fact.held(*bias) or 0.0)
            lines = (
                f"V{{0}} {driven}{{0}} 0 dc {volts:.9g} ac 1",
                f"R{{0}} {open_}{{0}} 0 1e12",
                "VB{0} b{0} 0 0",
                place,
            )
            yield _bench(fact, lines, f"abs(imag(i(vb{{0}})))/{_OMEGA}", "F", analysis=_MEGAHERTZ)
    yield from _transit(model, facts, place)


def _transit(model: Model, facts: Facts, place: str) -> Iterator[_Bench]:
    """fT: the current gain, extrapolated from a frequency at which it falls by 6 dB an octave."""
    fact = facts.first("f_t")
    current = fact.held("ic", "ie") if fact else None
    if fact and current:
        gain, _ = gummel(model).active(current, fact.held("vce") or 5.0)
        at = fact.held("f") or fact.magnitude / 4
        s = model.polarity
        lines = (f"V{{0}} c{{0}} 0 {s * (fact.held('vce') or 5.0):.9g}",
                 f"I{{0}} 0 b{{0}} dc {s * current / gain:.9g} ac 1", "VE{0} e{0} 0 0", place)  # fmt: skip
        yield _bench(fact, lines, f"{at:.9g}*abs(i(v{{0}}))", "Hz", analysis=f"ac {at:.9g}")


def _field_effect(model: Model, facts: Facts) -> Iterator[_Bench]:
    s = model.polarity
    place = model.instance("{0}", "d{0}", "g{0}", "s{0}")
    for fact in facts.all("v_gs_th")[:1]:
        current = fact.held("id", "ids") or 250e-6
        lines = (f"I{{0}} 0 d{{0}} {s * current:.9g}", "V{0} d{0} g{0} 0", "VS{0} s{0} 0 0", place)
        yield _bench(fact, lines, "abs(v(g{0}))", "V")
    for fact in facts.all("r_ds_on"):
        if gate := fact.held("vgs"):
            yield _on(fact, place, s, gate)
    for fact in facts.all("g_fs")[:1]:
        if drain := fact.held("id"):
            yield _slope(fact, place, s, drain)
    for fact in facts.all("v_sd")[:1]:
        if source := fact.held("is", "isd", "if", "i", "idr"):
            lines = (f"I{{0}} d{{0}} 0 {s * source:.9g}", "VG{0} g{0} 0 0", "VS{0} s{0} 0 0", place)
            yield _bench(fact, lines, "abs(v(d{0}))", "V")
    yield from _gate_capacitances(facts, place, s)


def _junction(model: Model, facts: Facts) -> Iterator[_Bench]:
    s = model.polarity
    place = model.instance("{0}", "d{0}", "g{0}", "s{0}")
    for fact in facts.all("v_gs_off")[:1]:
        lines = (f"V{{0}} d{{0}} 0 {s * (fact.held('vds') or 10.0):.9g}", "VG{0} g{0} 0 0",
                 f"I{{0}} s{{0}} 0 {s * (fact.held('id') or 1e-9):.9g}", place)  # fmt: skip
        yield _bench(fact, lines, "abs(v(s{0}))", "V")
    for fact in facts.all("i_dss")[:1]:
        lines = (f"V{{0}} d{{0}} 0 {s * (fact.held('vds') or 10.0):.9g}", "VG{0} g{0} 0 0", "VS{0} s{0} 0 0", place)
        yield _bench(fact, lines, "abs(i(v{0}))", "A")
    for fact in facts.all("r_ds_on")[:1]:
        # "VDS ≤ 0.1 V" holds it small: the slope at the origin is meant.
        yield _on(fact, place, s, 0.0, small=0.02)
    for fact in facts.all("g_fs")[:1]:
        if fact.held("id") is None:
            lines = (f"V{{0}} d{{0}} 0 {s * (fact.held('vds') or 10.0):.9g}", "VG{0} g{0} 0 dc 0 ac 1",
                     "VS{0} s{0} 0 0", place)  # fmt: skip
            yield _bench(fact, lines, "abs(real(i(v{0})))", "S", analysis=_MEGAHERTZ)
    yield from _gate_capacitances(facts, place, s)


def _on(fact: Fact, place: str, s: int, gate: float, *, small: float | None = None) -> _Bench:
    current = fact.held("id", "ids")
    gated = (f"VG{{0}} g{{0}} 0 {s * gate:.9g}", "VS{0} s{0} 0 0", place)
    if current and small is None:
        return _bench(fact, (f"I{{0}} 0 d{{0}} {s * current:.9g}", *gated), f"abs(v(d{{0}}))/{current:.9g}", "Ω")
    volts = small or 0.05
    return _bench(fact, (f"V{{0}} d{{0}} 0 {s * volts:.9g}", *gated), f"{volts:.9g}/abs(i(v{{0}}))", "Ω")


def _slope(fact: Fact, place: str, s: int, current: float) -> _Bench:
    """Gm at a drain current: the source's current is forced, and a capacitor holds the source for small signals."""
    lines = (f"V{{0}} d{{0}} 0 {s * (fact.held('vds') or 10.0):.9g}", "VG{0} g{0} 0 dc 0 ac 1",
             f"I{{0}} s{{0}} 0 {s * current:.9g}", "C{0} s{0} 0 1", place)  # fmt: skip
    return _bench(fact, lines, "abs(real(i(v{0})))", "S", analysis=_MEGAHERTZ)


def _gate_capacitances(facts: Facts, place: str, s: int) -> Iterator[_Bench]:
    """Ciss, Coss, Crss: one of gate and drain is driven, the other grounded for small signals."""
    for name, gate, drain, seen in (("c_iss", 1, 0, "vg"), ("c_oss", 0, 1, "v"), ("c_rss", 0, 1, "vg"),
                                    ("c_dg_off", 0, 1, "vg")):  # fmt: skip
        for fact in facts.all(name)[:1]:
            volts, held = fact.held("vds", "vd") or 0.0, fact.held("vgs") or 0.0
            lines = (f"V{{0}} d{{0}} 0 dc {s * volts:.9g} ac {drain}", f"VG{{0}} g{{0}} 0 dc {-s * held:.9g} ac {gate}",
                     "VS{0} s{0} 0 0", place)  # fmt: skip
            yield _bench(fact, lines, f"abs(imag(i({seen}{{0}})))/{_OMEGA}", "F", analysis=_MEGAHERTZ)


def _amplifier(model: Model, facts: Facts) -> Iterator[_Bench]:
    supplies = ("VP{0} p{0} 0 15", "VN{0} n{0} 0 -15")
    follower = model.instance("{0}", "i{0}", "o{0}", "p{0}", "n{0}", "o{0}")
    for fact in facts.all("v_os")[:1]:
        yield _bench(fact, (*supplies, "V{0} i{0} 0 0", follower), "abs(v(o{0}))", "V")
    for fact in facts.all("gbw", "f_unity")[:1]:
        # A large inductor closes the loop for the operating point and opens it for the signal.
        at = fact.magnitude / 10
        open_loop = (*supplies, "V{0} i{0} 0 dc 0 ac 1", "L{0} o{0} f{0} 1e6", "C{0} f{0} 0 1e3", "R{0} o{0} 0 1e6",
                 model.instance("{0}", "i{0}", "f{0}", "p{0}", "n{0}", "o{0}"))  # fmt: skip
        yield _bench(fact, open_loop, f"{at:.9g}*abs(v(o{{0}}))", "Hz", analysis=f"ac {at:.9g}")
    for fact in facts.all("sr")[:1]:
        span = 4.0 / fact.magnitude
        lines = (*supplies, "V{0} i{0} 0 pulse(-5 5 0 1e-9 1e-9 1 2)", follower)
        expression = f"(v(o{{0}})[length(v(o{{0}}))-1]-v(o{{0}})[0])/{span:.9g}"
        yield _bench(fact, lines, expression, "V/s", analysis=f"tran {span / 100:.9g} {span:.9g}")


_BENCHES: Final[Mapping[str, Callable[[Model, Facts], Iterator[_Bench]]]] = {
    "D": _diode, "NPN": _bipolar, "PNP": _bipolar, "VDMOS": _field_effect, "NMOS": _field_effect,
    "PMOS": _field_effect, "NJF": _junction, "PJF": _junction, "SUBCKT": _amplifier,
}  # fmt: skip
