"""Test conditions as printed → symbol, value, unit."""

import pytest

from pipelines.datasheets.conditions import alternatives, exclude_each_other, parse_conditions


@pytest.mark.parametrize(
    ("printed", "found"),
    [
        ("IC = 10 mA, VCE = 1.0 V", [("IC", 10, "mA"), ("VCE", 1, "V")]),
        ("IF = IR = 10 mA, iR = 1 mA", [("IF", 10, "mA"), ("IR", 10, "mA"), ("iR", 1, "mA")]),
        ("RG = 4.7Ω VGS = 4.5V (see Figure 15)", [("RG", 4.7, "Ω"), ("VGS", 4.5, "V")]),
        ("VGS = ± 18V", [("VGS", 18, "V")]),
        ("VDS = VGS, ID = 250µA", [("VDS", None, None), ("ID", 250, "µA")]),
        ("di/dt = 100A/µs", [("di/dt", 100, "A/µs")]),
        ("TA = 25°C unless otherwise noted", [("TA", 25, "°C")]),
        ("VDS ≤ 0.1V, VGS = 0", [("VDS", 0.1, "V"), ("VGS", 0, None)]),
        ("f=10 Hz to 15.7kHz", [("f", None, None)]),
        ("sine half wave", [(None, None, None)]),
        ("", []),
    ],
)  # fmt: skip
def test_conditions_are_read(printed, found):
    assert [(c.symbol, c.value, c.unit) for c in parse_conditions(printed)] == found


def test_a_line_goes_on_after_a_comma_and_figures_are_no_conditions():
    assert alternatives(["VDD = 30V, ID = 1A,", "VGS = 5V", "(see Figure 16)"]) == ["VDD = 30V, ID = 1A, VGS = 5V"]


def test_lines_that_set_the_same_symbol_exclude_each_other():
    assert exclude_each_other(["VGS = 10V, ID = 0.5A", "VGS = 4.5V, ID = 0.5A"])
    assert not exclude_each_other(["VDD = 30V, ID = 0.5A", "RG = 4.7Ω VGS = 4.5V"])
