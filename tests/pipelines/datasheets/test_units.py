"""Our unit grammar against pint, and against what vendors print."""

import pint
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipelines.datasheets.units import dimension_of, explain_unit, parse_unit, to_si

UREG = pint.UnitRegistry()
PREFIX = {"p": "pico", "n": "nano", "µ": "micro", "m": "milli", "": "", "k": "kilo", "M": "mega", "G": "giga"}
BASE = {"V": "volt", "A": "ampere", "W": "watt", "Ω": "ohm", "F": "farad", "H": "henry", "Hz": "hertz", "s": "second",
        "C": "coulomb", "J": "joule", "S": "siemens"}  # fmt: skip
AMBIGUOUS = {"MV", "MA", "MW", "MF", "MH", "Ms", "MC", "MJ", "MS", "mHz"}
units = st.tuples(st.sampled_from(sorted(PREFIX)), st.sampled_from(sorted(BASE))).filter(
    lambda unit: "".join(unit) not in AMBIGUOUS
)
numbers = st.floats(min_value=1e-3, max_value=1e4).map(lambda v: float(f"{v:.4g}"))


@given(units, numbers)
def test_regular_units_measure_what_pint_measures(unit, value):
    ours = parse_unit("".join(unit))
    theirs = UREG.Quantity(value, PREFIX[unit[0]] + BASE[unit[1]])
    assert to_si(value, ours) == pytest.approx(theirs.to(BASE[unit[1]]).magnitude, rel=1e-12)
    assert ours.si == unit[1]
    assert {k: float(v) for k, v in ours.dimension} == pytest.approx(dict(theirs.dimensionality))


@given(units, units, numbers)
def test_quotients_measure_what_pint_measures(over, under, value):
    ours = parse_unit(f"{''.join(over)}/{''.join(under)}")
    theirs = UREG.Quantity(value, f"{PREFIX[over[0]]}{BASE[over[1]]} / {PREFIX[under[0]]}{BASE[under[1]]}")
    base = theirs.to(f"{BASE[over[1]]} / {BASE[under[1]]}").magnitude
    assert to_si(value, ours) == pytest.approx(base, rel=1e-9)


@given(units)
def test_a_parsed_unit_reads_back_as_itself(unit):
    once = parse_unit("".join(unit))
    again = parse_unit(once.symbol)
    assert (again.symbol, again.scale, again.dimension) == (once.symbol, once.scale, once.dimension)


@given(st.text(max_size=45))
def test_any_text_is_a_unit_or_none_never_an_error(text):
    unit, note = explain_unit(text)
    assert unit is None or note is None


@given(units, st.sampled_from(["\uf06d", "\ufffd", "\ue06d"]))
def test_a_glyph_that_nobody_can_read_is_never_a_unit(unit, glyph):
    assert parse_unit(glyph + unit[1]) is None
    assert parse_unit(unit[1] + glyph) is None


@pytest.mark.parametrize("printed", ["µA", "μA", "uA", "µAdc", "UA", "µ A", "micro amps"])
def test_micro_in_every_spelling_is_a_millionth(printed):
    assert to_si(75.0, parse_unit(printed)) == 75e-6


@pytest.mark.parametrize(
    ("printed", "si", "scale"),
    [
        ("mAdc", "A", 1e-3), ("Vdc", "V", 1), ("VDC", "V", 1), ("°C/W", "K/W", 1), ("ºC/W", "K/W", 1),
        ("℃/W", "K/W", 1),
        ("mV/°C", "V/K", 1e-3), ("mV/oC", "V/K", 1e-3), ("KΩ", "Ω", 1e3), ("kohms", "Ω", 1e3), ("MΩ", "Ω", 1e6),
        ("mΩ", "Ω", 1e-3), ("A²s", "A²s", 1), ("A2s", "A²s", 1), ("kA²s", "A²s", 1e6), ("dB", "dB", 1), ("%", "%", 1),
        ("ppm/°C", "ppm/K", 1), ("%/°C", "%/K", 1), ("V/µs", "V/s", 1e6), ("V/us", "V/s", 1e6),
        ("nV/√Hz", "V/√Hz", 1e-9),
        ("nV/rtHz", "V/√Hz", 1e-9), ("pF", "F", 1e-12), ("PF", "F", 1e-12), ("nC", "C", 1e-9), ("mW", "W", 1e-3),
        ("KHz", "Hz", 1e3), ("MHZ", "Hz", 1e6), ("µmhos", "S", 1e-6), ("V/mV", "V/V", 1e3), ("Deg. C", "°C", 1),
        ("mVp-p", "V", 1e-3), ("µV rms", "V", 1e-6), ("hrs", "s", 3600), ("mcd", "cd", 1e-3), ("Nm", "N·m", 1),
        ("W/°C", "W/K", 1), ("1/°C", "1/K", 1), ("in", "m", 0.0254),
    ],
)  # fmt: skip
def test_what_vendors_print_is_understood(printed, si, scale):
    unit = parse_unit(printed)
    assert unit.si == si
    assert to_si(1.0, unit) == pytest.approx(scale, rel=1e-12)


@pytest.mark.parametrize("printed", ["MA", "MV", "MW", "mHz", "mhz", "MS", "MV/°C"])
def test_what_may_be_mega_or_milli_is_refused_with_a_note(printed):
    unit, note = explain_unit(printed)
    assert unit is None
    assert "mega or milli" in note


@pytest.mark.parametrize("printed", ["VCC", "VDD", "N4148", "x", "k", "M", "Note", "foo/bar", "mAx", "V_", "%RH"])
def test_what_is_no_unit_is_none_with_a_note(printed):
    unit, note = explain_unit(printed)
    assert unit is None
    assert note


@pytest.mark.parametrize("printed", ["", "-", "—", None])
def test_nothing_printed_is_no_unit_and_no_note(printed):
    assert explain_unit(printed) == (None, None)


def test_nanosiemens_may_be_nanoseconds_at_the_same_scale():
    unit = parse_unit("nS")
    seconds = unit.reading(dimension_of("s"))
    assert unit.si == "S"
    assert seconds.si == "s"
    assert seconds.scale == unit.scale


def test_si_values_are_exact_to_the_last_digit_printed():
    assert to_si(25.0, parse_unit("nA")) == 25e-9
    assert to_si(0.65, parse_unit("mV")) == 0.00065
    assert to_si(1.4, parse_unit("nC")) == 1.4e-9


def test_dimensions_gate_alike_units_and_part_unlike_ones():
    assert dimension_of("mV") == dimension_of("V")
    assert dimension_of("K/W") == dimension_of("°C/W")
    assert dimension_of("dB") != dimension_of("%")
    assert len({dimension_of(u) for u in ("V", "A", "Ω", "S", "F", "s", "Hz", "°C", "%", "dB")}) == 10
    with pytest.raises(ValueError, match="not a unit"):
        dimension_of("VCC")
