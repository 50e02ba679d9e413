"""Cells of datasheets → numbers and bounds."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipelines.datasheets.quantities import parse_number, parse_quantity

numbers = st.integers(-99999, 99999).flatmap(lambda n: st.integers(-9, 0).map(lambda e: float(f"{n}e{e}")))


@pytest.mark.parametrize(
    ("printed", "low", "high"),
    [
        ("±20", -20, 20), ("± 18", -18, 18), ("+/-5 V", -5, 5), ("-55 to +150", -55, 150), ("- 55 to 150", -55, 150),
        ("−65…+150 °C", -65, 150), ("-55~150℃", -55, 150), ("–55 – 150", -55, 150), ("0.3 to 0.7", 0.3, 0.7),
        ("0.3 - 0.7 V", 0.3, 0.7), ("0.3-0.7", 0.3, 0.7), ("4.5–5.5", 4.5, 5.5), ("-65/+150", -65, 150),
        ("-40 to −20", -40, -20), ("-5V to 5V", -5, 5),
    ],
)  # fmt: skip
def test_ranges_have_both_ends(printed, low, high):
    quantity = parse_quantity(printed)
    assert (quantity.min, quantity.max, quantity.value) == (low, high, None)


@pytest.mark.parametrize(
    ("printed", "slot", "number"),
    [("< 5", "max", 5), ("≤5 nA", "max", 5), ("> 10", "min", 10), ("5 max", "max", 5), ("max. 5", "max", 5),
     ("1.1 (typ)", "typ", 1.1), ("<5Ω (@10V)", "max", 5)],
)  # fmt: skip
def test_bounds_go_to_the_slot_they_name(printed, slot, number):
    assert getattr(parse_quantity(printed), slot) == number


@pytest.mark.parametrize(
    ("printed", "number"),
    [("1,000", 1000), ("1,234,567", 1234567), ("0,35", 0.35), ("1,5", 1.5), ("0,350", 0.35), ("1.0 E-9", 1e-9),
     ("1.0E-9", 1e-9), ("1 x 10-9", 1e-9), ("2 × 10⁻⁶", 2e-6), ("1'000", 1000), ("−1.0", -1), ("- 1.0", -1),
     (".5", 0.5), ("+25", 25), ("1×10^-7", 1e-7), ("10\u00a0000", 10000)],
)  # fmt: skip
def test_numbers_are_read_as_printed(printed, number):
    assert parse_number(printed) == number


@pytest.mark.parametrize(
    "printed", ["10 000", "100 300", "0.35 3", "-10 -5", "5 x 105", "1/4", "VCC-1.5", "N/A", "-", "", "5 to"]
)
def test_what_is_no_one_number_is_none(printed):
    found = parse_quantity(printed)
    assert found is None or found.note


@pytest.mark.parametrize("printed", ["0.7 VDD", "1k", "1N4148", "75 \uf06dA", "5e"])
def test_a_number_with_an_unknown_unit_has_no_si_value(printed):
    quantity = parse_quantity(printed)
    assert quantity.note
    assert quantity.si("value") is None


@pytest.mark.parametrize("printed", ["357.1 (1)", "357.1*", "357.1 (Note 2)", "357.1†"])
def test_footnote_marks_do_not_join_the_number(printed):
    assert parse_quantity(printed).value == 357.1


def test_a_tolerance_is_a_typical_value_with_both_ends():
    quantity = parse_quantity("5.0 V ± 10 %")
    assert (quantity.min, quantity.typ, quantity.max, quantity.unit.si) == (4.5, 5.0, 5.5, "V")


def test_a_range_over_two_scales_says_so_instead_of_guessing():
    quantity = parse_quantity("10 Hz to 15.7 kHz")
    assert quantity.note
    assert quantity.si("max") is None


def test_a_comma_before_three_digits_is_what_the_document_says():
    assert parse_number("1,125") == 1125
    assert parse_number("1,125", decimal_comma=True) == 1.125


@given(numbers, st.sampled_from(["V", "mA", "µA", "kΩ", "pF", "°C/W"]))
def test_what_is_printed_plainly_comes_back(value, unit):
    quantity = parse_quantity(f"{value} {unit}")
    assert quantity.value == value
    assert quantity.unit.symbol == unit
    assert quantity.note is None


@given(numbers, numbers)
def test_ranges_are_ordered(one, other):
    quantity = parse_quantity(f"{one} to {other}")
    assert quantity.min <= quantity.max
    assert {quantity.min, quantity.max} == {one, other}


@given(st.text(alphabet="0123456789.,+-±eE xkµmVAΩ°C/()<>≤ to\u00a0−–", max_size=30))
def test_any_cell_is_a_quantity_or_none_never_an_error(text):
    quantity = parse_quantity(text)
    assert quantity is None or quantity.numbers
