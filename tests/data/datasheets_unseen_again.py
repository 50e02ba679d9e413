"""Layouts drawn, with their gold, after the reader was mended on `datasheets_unseen.py`, and not mended on since."""

import importlib.util
import sys
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any


def _unseen() -> ModuleType:
    path = Path(__file__).with_name("datasheets_unseen.py")
    spec = importlib.util.spec_from_file_location("datasheets_unseen", path)
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    sys.modules.setdefault(spec.name, module)
    spec.loader.exec_module(module)
    return module


_BASE = _unseen()
Named, text, table, title, heading, canvas, done, zebra = (
    getattr(_BASE, name) for name in ("Named", "text", "table", "title", "heading", "canvas", "done", "zebra")
)


def gain_ranks() -> Any:  # noqa: ANN401
    """A BJT whose gains stand in a table of ranks; its own table has the symbol first, conditions as footnotes."""
    c, out = canvas()
    title(c, "QSC1815", "NPN Silicon Transistor", maker="Example Semiconductor Corp.")
    heading(c, 740, "MAXIMUM RATINGS (Ta=25°C)")
    table(c, 50, 725, [60, 200, 80, 50], [
        ["Symbol", "Parameter", "Value", "Units"],
        ["V{CBO}", "Collector-Base Voltage", "60", "V"],
        ["V{CEO}", "Collector-Emitter Voltage", "50", "V"],
        ["V{EBO}", "Emitter-Base Voltage", "5", "V"],
        ["I{C}", "Collector Current -Continuous", "150", "mA"],
        ["P{C}", "Collector Power Dissipation", "400", "mW"],
        ["T{J}", "Junction Temperature", "125", "°C"],
    ], rules="all", size=8)  # fmt: skip
    heading(c, 590, "ELECTRICAL CHARACTERISTICS (Ta=25°C unless otherwise specified)")
    table(c, 50, 575, [150, 60, 140, 35, 35, 35, 40], [
        ["Parameter", "Symbol", "Test conditions", "MIN", "TYP", "MAX", "UNIT"],
        ["Collector-base breakdown voltage", "V(BR)CBO", "I{C} = 100uA, I{E}=0", "60", "", "", "V"],
        ["Collector cut-off current", "I{CBO}", "V{CB}=60V, I{E}=0", "", "", "0.1", "uA"],
        ["DC current gain", "h{FE}", "V{CE}=6V, I{C}=2mA", "70", "", "700", ""],
        ["Collector-emitter saturation voltage", "V{CE}(sat)", "I{C}=100mA, I{B}=10mA", "", "", "0.25", "V"],
        ["Transition frequency", "f{T}", "V{CE}=10V, I{C}=1mA, f=30MHz", "80", "", "", "MHz"],
    ], rules="horizontal", size=7.5)  # fmt: skip
    heading(c, 440, "CLASSIFICATION OF hFE")
    table(c, 50, 425, [80, 70, 70, 70, 70], [
        ["Rank", "O", "Y", "GR", "BL"], ["Range", "70-140", "120-240", "200-400", "350-700"],
    ], size=8)  # fmt: skip
    gold = [
        Named("v_cbo", None, None, 60, "V"), Named("v_ceo", None, None, 50, "V"), Named("v_ebo", None, None, 5, "V"),
        Named("i_c", None, None, 150, "mA"), Named("p_tot", None, None, 400, "mW"), Named("t_j", None, None, 125, "°C"),
        Named("v_br_cbo", 60, None, None, "V", None, "IC = 100 µA"),
        Named("i_cbo", None, None, 0.1, "µA", None, "VCB = 60 V"),
        Named("h_fe", 70, None, 700, None, None, "VCE = 6 V, IC = 2 mA"),
        Named("v_ce_sat", None, None, 0.25, "V", None, "IC = 100 mA, IB = 10 mA"),
        Named("f_t", 80, None, None, "MHz", None, "VCE = 10 V, IC = 1 mA"),
        Named("h_fe", 70, None, 140, None, "O"), Named("h_fe", 120, None, 240, None, "Y"),
        Named("h_fe", 200, None, 400, None, "GR"), Named("h_fe", 350, None, 700, None, "BL"),
    ]  # fmt: skip
    return done("gain_ranks", c, out, gold, "bjt", "QSC1815")


def part_columns_with_conditions() -> Any:  # noqa: ANN401
    """Three Schottky rectifiers as columns, the condition beside the name, part-wide values centred, kelvins."""
    c, out = canvas()
    title(c, "QN5817 thru QN5819", "Schottky Barrier Rectifiers 1.0 A", maker="Example Power GmbH")
    heading(c, 740, "Maximum Ratings & Thermal Characteristics", "Ratings at 25°C ambient temperature unless otherwise specified")
    table(c, 50, 722, [215, 55, 60, 60, 60, 50], [
        ["Parameter", "Symbols", "QN5817", "QN5818", "QN5819", "Units"],
        ["Maximum repetitive peak reverse voltage", "V{RRM}", "20", "30", "40", "Volts"],
        ["Maximum RMS voltage", "V{RMS}", "14", "21", "28", "Volts"],
        ["Maximum average forward rectified current\n0.375” lead length at T{L} = 90°C", "I{F(AV)}", "1.0", None, None, "Amp"],
        ["Peak forward surge current 8.3 ms single\nhalf sine-wave superimposed on rated load", "I{FSM}", "25", None, None, "Amps"],
        ["Typical thermal resistance (Note 2)", "R{θJA}", "50", None, None, "°C/W"],
    ], spans=[(r, 2, 1, 3) for r in (3, 4, 5)], size=7.5, centred=(2, 3, 4))  # fmt: skip
    heading(c, 580, "Electrical Characteristics")
    table(c, 50, 565, [215, 55, 60, 60, 60, 50], [
        ["Parameter", "Symbols", "QN5817", "QN5818", "QN5819", "Units"],
        ["Maximum instantaneous forward voltage at 1.0 A", "V{F}", "0.450", "0.550", "0.600", "Volts"],
        ["Maximum average reverse current T{A} = 25°C\nat rated reverse voltage T{A} = 100°C", "I{R}", "1.0\n10.0", None, None, "mA"],
        ["Typical junction capacitance at 4.0 V, 1 MHz", "C{J}", "110", None, None, "pF"],
    ], spans=[(r, 2, 1, 3) for r in (2, 3)], size=7.5, centred=(2, 3, 4))  # fmt: skip
    parts = ("QN5817", "QN5818", "QN5819")
    gold = []
    for name, values in (("v_rrm", (20, 30, 40)), ("v_r_rms", (14, 21, 28)), ("v_f", (0.45, 0.55, 0.6))):
        gold += [Named(name, None, None, v, "V", p) for p, v in zip(parts, values, strict=True)]
    gold += [
        Named("i_f_av", None, None, 1.0, "A"), Named("i_fsm", None, None, 25, "A"), Named("r_th_ja", None, 50, None, "°C/W"),
        Named("i_r", None, None, 1.0, "mA"), Named("i_r", None, None, 10.0, "mA"), Named("c_j", None, 110, None, "pF"),
    ]  # fmt: skip
    return done("part_columns_with_conditions", c, out, gold, "schottky", *parts)


def german_regulator() -> Any:  # noqa: ANN401
    """German throughout, decimal commas, conditions under the name, no symbols for half of the rows."""
    c, out = canvas()
    title(c, "QL7812", "Positiver Spannungsregler 12 V", maker="Beispiel GmbH")
    heading(c, 740, "Grenzwerte")
    table(c, 50, 725, [200, 70, 80, 60], [
        ["Kenngröße", "Symbol", "Wert", "Einheit"],
        ["Eingangsspannung", "U{I}", "35", "V"],
        ["Sperrschichttemperatur", "T{j}", "-40 bis +125", "°C"],
    ], rules="horizontal")  # fmt: skip
    heading(c, 630, "Elektrische Kennwerte", "UI = 19 V, IO = 500 mA, Tj = 25 °C")
    table(c, 50, 615, [200, 60, 50, 50, 50, 50], [
        ["Kenngröße", "Symbol", "min.", "typ.", "max.", "Einheit"],
        ["Ausgangsspannung", "U{O}", "11,5", "12,0", "12,5", "V"],
        ["Ruhestrom", "I{Q}", "-", "4,3", "8,0", "mA"],
        ["Ausgangswiderstand", "R{O}", "-", "18", "-", "mΩ"],
        ["Kurzschlussstrom", "I{SC}", "-", "350", "-", "mA"],
    ], rules="horizontal")  # fmt: skip
    gold = [
        Named("v_in_max", None, None, 35, "V"), Named("t_j", -40, None, 125, "°C"),
        Named("v_o", 11.5, 12.0, 12.5, "V"), Named("i_q", None, 4.3, 8.0, "mA"),
        Named("r_o", None, 18, None, "mΩ"), Named("i_sc", None, 350, None, "mA"),
    ]  # fmt: skip
    return done("german_regulator", c, out, gold, "regulator", "QL7812")


def quick_reference() -> Any:  # noqa: ANN401
    """A quick reference with symbol, parameter, conditions and all three slots, then one figure and no more."""
    c, out = canvas()
    title(c, "QSMN30", "N-channel 30 V 8 mΩ logic level MOSFET")
    heading(c, 740, "1. Quick reference data")
    table(c, 50, 725, [60, 150, 170, 35, 35, 35, 35], [
        ["Symbol", "Parameter", "Conditions", "Min", "Typ", "Max", "Unit"],
        ["V{DS}", "drain-source voltage", "25 °C ≤ T{j} ≤ 175 °C", "-", "-", "30", "V"],
        ["I{D}", "drain current", "V{GS} = 10 V; T{mb} = 25 °C; Fig. 2", "[1]", "-", "-", "60", "A"][:4] + ["-", "60", "A"],
        ["P{tot}", "total power dissipation", "T{mb} = 25 °C; Fig. 1", "-", "-", "45", "W"],
        ["T{j}", "junction temperature", "", "-55", "-", "175", "°C"],
        ["Static characteristics", None, None, None, None, None, None],
        ["R{DSon}", "drain-source on-state\nresistance", "V{GS} = 4.5 V; I{D} = 15 A; T{j} = 25 °C;\nFig. 10", "-", "9.3", "11.5", "mΩ"],
        [None, None, "V{GS} = 10 V; I{D} = 15 A; T{j} = 25 °C; Fig. 10", "-", "6.9", "8.1", "mΩ"],
        ["Dynamic characteristics", None, None, None, None, None, None],
        ["Q{GD}", "gate-drain charge", "I{D} = 15 A; V{DS} = 15 V; V{GS} = 4.5 V;\nFig. 12; Fig. 13", "-", "1.7", "-", "nC"],
        ["Q{G(tot)}", "total gate charge", None, "-", "6.3", "-", "nC"],
    ], size=7.5, spans=[(5, 0, 1, 7), (6, 0, 2, 1), (6, 1, 2, 1), (8, 0, 1, 7), (9, 2, 2, 1)])  # fmt: skip
    gold = [
        Named("v_dss", None, None, 30, "V"), Named("i_d", None, None, 60, "A", None, "VGS = 10 V"),
        Named("p_tot", None, None, 45, "W"), Named("t_j", -55, None, 175, "°C"),
        Named("r_ds_on", None, 9.3, 11.5, "mΩ", None, "VGS = 4.5 V, ID = 15 A"),
        Named("r_ds_on", None, 6.9, 8.1, "mΩ", None, "VGS = 10 V, ID = 15 A"),
        Named("q_gd", None, 1.7, None, "nC", None, "ID = 15 A, VGS = 4.5 V"),
        Named("q_g", None, 6.3, None, "nC", None, "ID = 15 A, VGS = 4.5 V"),
    ]  # fmt: skip
    return done("quick_reference", c, out, gold, "mosfet", "QSMN30")


def zener_rows_three_storeys() -> Any:  # noqa: ANN401
    """Zeners, a device a row, unruled: Min, Nom and Max under one head, impedances at two currents, leakage with its voltage."""
    c, out = canvas()
    title(c, "QMMSZ52xx", "500 mW Zener Diodes")
    heading(c, 745, "Electrical Characteristics", "(TA = 25°C unless otherwise noted, VF = 0.95 V max @ IF = 10 mA)")
    table(c, 50, 730, [80, 45, 45, 45, 60, 60, 60, 60], [
        ["Device", "V{Z} (V)", None, None, "I{ZT}", "Z{ZT} @ I{ZT}", "I{R}", "V{R}"],
        ["", "Min", "Nom", "Max", "(mA)", "(Ω)", "(µA)", "(V)"],
        ["QMMSZ5226", "3.14", "3.3", "3.47", "20", "28", "25", "1.0"],
        ["QMMSZ5231", "4.85", "5.1", "5.36", "20", "17", "5", "2.0"],
        ["QMMSZ5242", "11.40", "12", "12.60", "20", "30", "1", "9.1"],
    ], rules="header", spans=[(0, 1, 1, 3)], size=8)  # fmt: skip
    gold = []
    for part, low, typical, high, zz, ir, vr in (
        ("QMMSZ5226", 3.14, 3.3, 3.47, 28, 25, 1.0), ("QMMSZ5231", 4.85, 5.1, 5.36, 17, 5, 2.0),
        ("QMMSZ5242", 11.4, 12, 12.6, 30, 1, 9.1),
    ):  # fmt: skip
        gold += [
            Named("v_z", low, typical, high, "V", part), Named("i_zt", None, None, 20, "mA", part),
            Named("z_zt", None, None, zz, "Ω", part), Named("i_r", None, None, ir, "µA", part),
            Named("v_r", None, None, vr, "V", part),
        ]  # fmt: skip
    return done("zener_rows_three_storeys", c, out, gold, "zener", "QMMSZ5226", "QMMSZ5231", "QMMSZ5242")


MAKERS: tuple[Callable[[], Any], ...] = (
    gain_ranks, part_columns_with_conditions, german_regulator, quick_reference, zener_rows_three_storeys,
)  # fmt: skip


def sheets() -> list[Any]:
    """All of them."""
    return [make() for make in MAKERS]
