"""Models from facts: what they say of themselves, and what ngspice makes of them."""

import math

import pytest

from pipelines.datasheets.errors import ModelImpossible
from pipelines.datasheets.spice.diode import fit_forward, forward_voltage
from pipelines.datasheets.spice.facts import Fact, Facts
from pipelines.datasheets.spice.making import make_card, make_model
from pipelines.datasheets.spice.model import spice_name
from pipelines.datasheets.spice.plot import can_plot, curve
from pipelines.datasheets.spice.simulate import simulator

needs_ngspice = pytest.mark.skipif(simulator() is None, reason="ngspice is not installed")

DIODE = [
    Fact("v_f", typ=0.60, conditions={"if": 1e-3}),
    Fact("v_f", typ=0.72, conditions={"if": 1e-2}),
    Fact("v_f", typ=0.95, conditions={"if": 0.1}),
    Fact("v_br", min=100, conditions={"ir": 1e-4}),
    Fact("c_d", max=4e-12, conditions={"vr": 0}),
    Fact("t_rr", max=4e-9, conditions={"if": 1e-2, "ir": 1e-2}),
]
BJT = [
    Fact("h_fe", min=35, conditions={"ic": 1e-4, "vce": 10}),
    Fact("h_fe", min=75, conditions={"ic": 1e-2, "vce": 10}),
    Fact("h_fe", min=100, max=300, conditions={"ic": 0.15, "vce": 10}),
    Fact("h_fe", min=40, conditions={"ic": 0.5, "vce": 10}),
    Fact("v_ce_sat", max=0.3, conditions={"ic": 0.15, "ib": 0.015}),
    Fact("v_be_sat", min=0.6, max=1.2, conditions={"ic": 0.15, "ib": 0.015}),
    Fact("f_t", min=3e8, conditions={"ic": 0.02, "vce": 20, "f": 1e8}),
    Fact("c_ob", max=8e-12, conditions={"vcb": 10}),
    Fact("c_ib", max=25e-12, conditions={"veb": 0.5}),
]
MOSFET = [
    Fact("v_gs_th", min=1, typ=2.1, max=3, conditions={"id": 250e-6}),
    Fact("r_ds_on", typ=1.8, max=5, conditions={"vgs": 10, "id": 0.5}),
    Fact("r_ds_on", typ=2.0, max=5.3, conditions={"vgs": 4.5, "id": 0.5}),
    Fact("g_fs", typ=0.6, conditions={"vds": 10, "id": 0.5}),
    Fact("c_iss", typ=43e-12, conditions={"vds": 25}),
    Fact("c_oss", typ=20e-12, conditions={"vds": 25}),
    Fact("c_rss", typ=6e-12, conditions={"vds": 25}),
    Fact("v_sd", max=1.2, conditions={"isd": 0.35}),
]
JFET = [
    Fact("v_gs_off", min=-0.5, max=-3, conditions={"vds": 5, "id": 1e-6}),
    Fact("i_dss", typ=6e-3, conditions={"vds": 15}),
    Fact("c_iss", typ=7e-12, conditions={"vds": 15}),
    Fact("c_rss", typ=3e-12, conditions={"vds": 15}),
]
OP_AMP = [
    Fact("gbw", typ=1.1e6),
    Fact("a_vol", typ=100, unit="dB"),
    Fact("sr", typ=0.5e6),
    Fact("v_os", typ=2e-3),
    Fact("i_bias", typ=45e-9),
]
DEVICES = {"diode": DIODE, "bjt": BJT, "mosfet": MOSFET, "jfet": JFET, "op_amp": OP_AMP}
MIRRORED = {"bjt": ("npn", "pnp"), "mosfet": ("n", "p"), "jfet": ("n", "p")}
EVERY = [(d, p) for d in DEVICES for p in MIRRORED.get(d, (None,))]


@needs_ngspice
@pytest.mark.parametrize(("device", "polarity"), EVERY)
@pytest.mark.parametrize("dialect", ["ngspice", "ltspice"])
def test_what_a_model_is_fitted_to_is_simulated_within_a_tenth(device, polarity, dialect):
    card = make_card(DEVICES[device], device_type=device, part="Q1", polarity=polarity, dialect=dialect)
    fitted = [c for c in card.checks if c.fitted]
    assert len(fitted) >= 3
    for check in fitted:
        assert abs(check.relative_error) < 0.1, check


@needs_ngspice
@pytest.mark.parametrize(("device", "polarity"), EVERY)
def test_a_card_for_ltspice_read_as_ltspice_reads_it_gives_the_same_numbers(device, polarity):
    one, other = (
        make_card(DEVICES[device], device_type=device, part="Q1", polarity=polarity, dialect=dialect).checks
        for dialect in ("ngspice", "ltspice")
    )
    assert [c.quantity for c in one] == [c.quantity for c in other]
    assert [c.simulated for c in one] == pytest.approx([c.simulated for c in other], rel=1e-3)


@needs_ngspice
@pytest.mark.parametrize("polarity", ["n", "p"])
def test_level_1_agrees_with_resistance_and_not_with_transconductance(polarity):
    card = make_card(MOSFET, device_type="mosfet", polarity=polarity, level="1")
    by_name = {c.quantity: c for c in card.checks}
    assert abs(by_name["r_ds_on"].relative_error) < 0.1
    assert abs(by_name["c_iss"].relative_error) < 0.1
    assert not by_name["g_fs"].fitted
    assert card.model.body


@pytest.mark.parametrize(("device", "polarity"), EVERY)
def test_every_number_says_where_it_comes_from(device, polarity):
    card = make_card(DEVICES[device], device_type=device, polarity=polarity, simulate=False)
    known = {f.name for f in DEVICES[device]}
    for parameter in card.model.parameters:
        assert parameter.formula
        assert bool(parameter.sources) == (parameter.origin != "assumed")
        assert set(parameter.sources) <= known
        assert f"{parameter.name} " in card.text
    assert card.text.isascii()
    assert card.simulator is None
    assert card.checks == ()


def test_pnp_and_p_channel_are_mirrors():
    facts = Facts(MOSFET)
    n, p = (make_model(facts, device_type="mosfet", part="Q", polarity=s) for s in "np")
    assert n.value("VTO") == -p.value("VTO")
    assert "pchan" in make_card(MOSFET, device_type="mosfet", polarity="p", simulate=False).text
    negative = [Fact(f.name, *(None if v is None else -v for v in (f.min, f.typ, f.max)),
                     conditions={k: -v for k, v in f.conditions.items()}) for f in MOSFET]  # fmt: skip
    assert make_model(Facts(negative), device_type="mosfet", part="Q", polarity="p") == p


@pytest.mark.parametrize(
    ("points", "emission"),
    [([(1e-2, 0.72)], 1.75), ([(1e-3, 0.6), (1e-1, 0.95)], 1.75), ([(1e-4, 0.5), (1e-3, 0.6), (1e-2, 0.72)], 1.75)],
)
def test_a_forward_curve_goes_through_its_points(points, emission):
    saturation, n, ohms = fit_forward(points, emission)
    assert ohms >= 0
    for current, volts in points:
        assert forward_voltage(current, saturation, n, ohms) == pytest.approx(volts, rel=0.02)


def test_what_is_measured_hot_makes_no_model():
    hot = Fact("v_f", typ=0.3, conditions={"if": 1e-2, "tj": 150})
    with pytest.raises(ModelImpossible, match="v_f"):
        make_model(Facts([hot]), device_type="diode", part=None, polarity=None)


@pytest.mark.parametrize(("device", "missing"), [("diode", "v_f"), ("bjt", "h_fe"), ("mosfet", "v_gs_th"),
                                                 ("jfet", "v_gs_off"), ("op_amp", "gbw")])  # fmt: skip
def test_too_little_for_a_model_says_what_is_missing(device, missing):
    with pytest.raises(ModelImpossible, match=missing):
        make_model(Facts([]), device_type=device, part=None, polarity=None)


@pytest.mark.parametrize(
    ("fact", "value", "slot"),
    [
        (Fact("x", min=1, typ=2, max=3), 2, "typ"),
        (Fact("x", min=100, max=300), math.sqrt(30_000), "mean"),
        (Fact("x", min=-0.5, max=-3), -math.sqrt(1.5), "mean"),
        (Fact("x", max=5), 5, "max"),
        (Fact("x", min=5), 5, "min"),
    ],
)
def test_a_fact_is_fitted_to_what_is_typical_of_it(fact, value, slot):
    assert fact.value == pytest.approx(value)
    assert fact.slot == slot
    assert fact.within(fact.value)


@pytest.mark.parametrize(
    ("part", "name"), [("2N3904", "D2N3904"), ("BC547B", "BC547B"), ("x\n.include /etc/passwd", "x_include_etc_passwd"),
                       ("", "BJT"), (None, "BJT"), ("µ", "BJT")]
)  # fmt: skip
def test_a_part_number_cannot_write_spice(part, name):
    assert spice_name(part, "BJT") == name


@pytest.mark.skipif(not can_plot(), reason="needs ngspice and matplotlib")
@pytest.mark.parametrize("device", ["diode", "bjt", "mosfet", "jfet"])
def test_the_curve_passes_the_points(device):
    facts = Facts(DEVICES[device])
    drawn = curve(make_model(facts, device_type=device, part="Q", polarity="n"), facts)
    assert drawn is not None
    assert len(drawn.x) == len(drawn.y)
    assert all(math.isfinite(v) for v in drawn.y)
    assert drawn.points
