"""Six layouts, drawn with their gold after the reader was mended on all the others; nothing was mended on them."""

import importlib.util
import sys
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

from reportlab.pdfbase import pdfmetrics
from reportlab.pdfbase.cidfonts import UnicodeCIDFont


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


def shunt_regulator() -> Any:  # noqa: ANN401
    """A shunt regulator: symbol and name in one cell, temperature ranges in a column, conditions wrapped, no ratings' heads."""
    c, out = canvas()
    title(c, "QL431A", "Adjustable Precision Shunt Regulator", maker="Example Instruments")
    heading(c, 740, "Absolute Maximum Ratings", "over operating free-air temperature range")
    table(c, 50, 725, [60, 220, 50, 50, 40], [
        ["", "", "MIN", "MAX", "UNIT"],
        ["V{KA}", "Cathode voltage", "", "37", "V"],
        ["I{KA}", "Continuous cathode current", "-100", "150", "mA"],
        ["T{J}", "Operating virtual junction temperature", "", "150", "°C"],
        ["T{stg}", "Storage temperature", "-65", "150", "°C"],
    ], rules="horizontal", size=8)  # fmt: skip
    heading(c, 620, "Electrical Characteristics", "TA = 25°C (unless otherwise noted)")
    table(c, 50, 605, [190, 150, 40, 40, 40, 40], [
        ["PARAMETER", "TEST CONDITIONS", "MIN", "TYP", "MAX", "UNIT"],
        ["V{ref}    Reference voltage", "V{KA} = V{ref}, I{KA} = 10 mA", "2470", "2495", "2520", "mV"],
        ["I{ref}    Reference input current", "I{KA} = 10 mA, R1 = 10 kΩ, R2 = ∞", "", "2", "4", "µA"],
        ["I{min}    Minimum cathode current for\nregulation", "V{KA} = V{ref}", "", "0.4", "0.7", "mA"],
        ["I{off}    Off-state cathode current", "V{KA} = 36 V, V{ref} = 0", "", "0.1", "0.5", "µA"],
        ["|z{KA}|   Dynamic impedance", "V{KA} = V{ref}, f ≤ 1 kHz,\nI{KA} = 1 mA to 100 mA", "", "0.2", "0.5", "Ω"],
    ], rules="all", size=8)  # fmt: skip
    gold = [
        Named("v_ka", None, None, 37, "V"), Named("i_k", -100, None, 150, "mA"), Named("t_j", None, None, 150, "°C"),
        Named("t_stg", -65, None, 150, "°C"), Named("v_ref", 2470, 2495, 2520, "mV", None, "IKA = 10 mA"),
        Named("i_ref", None, 2, 4, "µA", None, "IKA = 10 mA"), Named("i_k_min", None, 0.4, 0.7, "mA"),
        Named("i_k_off", None, 0.1, 0.5, "µA", None, "VKA = 36 V"), Named("z_ka", None, 0.2, 0.5, "Ω"),
    ]  # fmt: skip
    return done("shunt_regulator", c, out, gold, "regulator", "QL431A")


def chinese_rectifiers() -> Any:  # noqa: ANN401
    """Fast rectifiers, a device a row, heads in Chinese over symbols, units in a storey of their own, IF beside VF."""
    pdfmetrics.registerFont(UnicodeCIDFont("STSong-Light"))
    c, out = canvas()
    title(c, "QES1A - QES1J", "Superfast Recovery Rectifiers", maker="Example Electronics (Shandong)")
    text(c, 50, 745, "电参数  Electrical Characteristics (Ta=25°C)", size=10, font="STSong-Light")
    rows = (
        ("QES10A1", 50, 1.0, 30, 0.95, 1.0, 5, 35), ("QES10B1", 100, 1.0, 30, 0.95, 1.0, 5, 35),
        ("QES10D1", 200, 1.0, 30, 0.95, 1.0, 5, 35), ("QES10G1", 400, 1.0, 30, 1.25, 1.0, 5, 35),
        ("QES10J1", 600, 1.0, 30, 1.70, 1.0, 5, 50),
    )  # fmt: skip
    table(c, 50, 730, [80, 60, 60, 60, 55, 55, 60, 60], [
        ["型号\nTYPE", "V{RRM}", "I{F(AV)}", "I{FSM}", "V{F} @ I{F}", None, "I{R}", "t{rr}"],
        [None, "V", "A", "A", "V", "A", "µA", "ns"],
        *([p, f"{v}", f"{i:.1f}", f"{s}", f"{vf:.2f}", f"{at:.1f}", f"{ir}", f"{t}"] for p, v, i, s, vf, at, ir, t in rows),
    ], spans=[(0, 0, 2, 1), (0, 4, 1, 2)], size=8, centred=range(8), font="STSong-Light")  # fmt: skip
    gold = []
    for p, v, i, s, vf, _, ir, t in rows:
        gold += [
            Named("v_rrm", None, None, v, "V", p), Named("i_f_av", None, None, i, "A", p), Named("i_fsm", None, None, s, "A", p),
            Named("v_f", None, None, vf, "V", p), Named("i_r", None, None, ir, "µA", p), Named("t_rr", None, None, t, "ns", p),
        ]  # fmt: skip
    return done("chinese_rectifiers", c, out, gold, "rectifier", *(r[0] for r in rows))


def p_channel() -> Any:  # noqa: ANN401
    """A P-channel MOSFET: negative ratings, two temperatures in one row, kinds of rows in bands, no units but in the last column."""
    c, out = canvas()
    title(c, "QO3401A", "30V P-Channel MOSFET", maker="Example & Omega")
    heading(c, 740, "Absolute Maximum Ratings TA=25°C unless otherwise noted")
    table(c, 50, 725, [170, 80, 60, 90, 60], [
        ["Parameter", None, "Symbol", "Maximum", "Units"],
        ["Drain-Source Voltage", None, "V{DS}", "-30", "V"],
        ["Gate-Source Voltage", None, "V{GS}", "±12", "V"],
        ["Continuous Drain\nCurrent", "T{A}=25°C", "I{D}", "-4", "A"],
        [None, "T{A}=70°C", None, "-3.2", None],
        ["Pulsed Drain Current ^{C}", None, "I{DM}", "-27", "A"],
        ["Power Dissipation ^{B}", "T{A}=25°C", "P{D}", "1.4", "W"],
        [None, "T{A}=70°C", None, "0.9", None],
        ["Junction and Storage Temperature Range", None, "T{J}, T{STG}", "-55 to 150", "°C"],
    ], spans=[(0, 0, 1, 2), (1, 0, 1, 2), (2, 0, 1, 2), (3, 0, 2, 1), (3, 2, 2, 1), (3, 4, 2, 1), (5, 0, 1, 2), (6, 0, 2, 1),
              (6, 2, 2, 1), (6, 4, 2, 1), (8, 0, 1, 2)], size=8)  # fmt: skip
    heading(c, 550, "Electrical Characteristics (TJ=25°C unless otherwise noted)")
    table(c, 50, 535, [60, 150, 150, 35, 35, 35, 35], [
        ["Symbol", "Parameter", "Conditions", "Min", "Typ", "Max", "Units"],
        ["STATIC PARAMETERS", None, None, None, None, None, None],
        ["BV{DSS}", "Drain-Source Breakdown Voltage", "I{D}=-250µA, V{GS}=0V", "-30", "", "", "V"],
        ["I{DSS}", "Zero Gate Voltage Drain Current", "V{DS}=-30V, V{GS}=0V", "", "", "-1", "µA"],
        [None, None, "T{J}=55°C", "", "", "-5", None],
        ["V{GS(th)}", "Gate Threshold Voltage", "V{DS}=V{GS}, I{D}=-250µA", "-0.5", "-0.9", "-1.3", "V"],
        ["R{DS(ON)}", "Static Drain-Source On-Resistance", "V{GS}=-10V, I{D}=-4.0A", "", "36", "50", "mΩ"],
        [None, None, "V{GS}=-4.5V, I{D}=-3.5A", "", "42", "60", "mΩ"],
        [None, None, "V{GS}=-2.5V, I{D}=-2.5A", "", "54", "85", "mΩ"],
        ["g{FS}", "Forward Transconductance", "V{DS}=-5V, I{D}=-4.0A", "", "17", "", "S"],
        ["V{SD}", "Diode Forward Voltage", "I{S}=-1A, V{GS}=0V", "", "-0.7", "-1", "V"],
        ["DYNAMIC PARAMETERS", None, None, None, None, None, None],
        ["C{iss}", "Input Capacitance", "V{GS}=0V, V{DS}=-15V,\nf=1MHz", "", "645", "", "pF"],
        ["C{oss}", "Output Capacitance", None, "", "80", "", "pF"],
        ["C{rss}", "Reverse Transfer Capacitance", None, "", "55", "", "pF"],
    ], spans=[(1, 0, 1, 7), (3, 0, 2, 1), (3, 1, 2, 1), (3, 6, 2, 1), (6, 0, 3, 1), (6, 1, 3, 1), (11, 0, 1, 7), (12, 2, 3, 1)],
        size=7.5)  # fmt: skip
    gold = [
        Named("v_dss", None, None, -30, "V"), Named("v_gss", -12, None, 12, "V"), Named("i_d", None, None, -4, "A"),
        Named("i_d", None, None, -3.2, "A"), Named("i_dm", None, None, -27, "A"), Named("p_tot", None, None, 1.4, "W"),
        Named("p_tot", None, None, 0.9, "W"), Named("t_j_stg", -55, None, 150, "°C"),
        Named("v_br_dss", -30, None, None, "V", None, "ID = -250 µA"), Named("i_dss", None, None, -1, "µA", None, "VDS = -30 V"),
        Named("i_dss", None, None, -5, "µA"), Named("v_gs_th", -0.5, -0.9, -1.3, "V", None, "ID = -250 µA"),
        Named("r_ds_on", None, 36, 50, "mΩ", None, "VGS = -10 V, ID = -4 A"), Named("r_ds_on", None, 42, 60, "mΩ", None, "VGS = -4.5 V"),
        Named("r_ds_on", None, 54, 85, "mΩ", None, "VGS = -2.5 V"), Named("g_fs", None, 17, None, "S", None, "VDS = -5 V"),
        Named("v_sd", None, -0.7, -1, "V", None, "IS = -1 A"), Named("c_iss", None, 645, None, "pF", None, "VDS = -15 V"),
        Named("c_oss", None, 80, None, "pF"), Named("c_rss", None, 55, None, "pF"),
    ]  # fmt: skip
    return done("p_channel", c, out, gold, "mosfet", "QO3401A")


def motorola_darlingtons() -> Any:  # noqa: ANN401
    """Three Darlingtons: conditions in brackets under the name, parts under the conditions, dashes, Vdc and mAdc."""
    c, out = canvas()
    title(c, "QIP120, QIP121, QIP122", "Plastic Medium-Power NPN Silicon Darlington Transistors", maker="Example Products Inc.")
    heading(c, 740, "MAXIMUM RATINGS")
    table(c, 50, 725, [200, 70, 55, 55, 55, 50], [
        ["Rating", "Symbol", "QIP120", "QIP121", "QIP122", "Unit"],
        ["Collector-Emitter Voltage", "V{CEO}", "60", "80", "100", "Vdc"],
        ["Collector-Base Voltage", "V{CB}", "60", "80", "100", "Vdc"],
        ["Emitter-Base Voltage", "V{EB}", "5.0", None, None, "Vdc"],
        ["Collector Current - Continuous\n- Peak", "I{C}", "5.0\n8.0", None, None, "Adc"],
        ["Base Current", "I{B}", "120", None, None, "mAdc"],
    ], spans=[(3, 2, 1, 3), (4, 2, 1, 3), (5, 2, 1, 3)], size=8, centred=(1, 2, 3, 4, 5))  # fmt: skip
    heading(c, 590, "ELECTRICAL CHARACTERISTICS", "(TC = 25°C unless otherwise noted)")
    table(c, 50, 575, [270, 80, 45, 45, 50], [
        ["Characteristic", "Symbol", "Min", "Max", "Unit"],
        ["OFF CHARACTERISTICS", None, None, None, None],
        ["Collector-Emitter Sustaining Voltage (1)\n(I{C} = 100 mAdc, I{B} = 0)                    QIP120\n"
         + " " * 62 + "QIP121\n" + " " * 62 + "QIP122", "V{CEO(sus)}", "\n60\n80\n100", "\n-\n-\n-", "Vdc"],
        ["Emitter Cutoff Current\n(V{BE} = 5.0 Vdc, I{C} = 0)", "I{EBO}", "-", "2.0", "mAdc"],
        ["ON CHARACTERISTICS (1)", None, None, None, None],
        ["DC Current Gain\n(I{C} = 0.5 Adc, V{CE} = 3.0 Vdc)\n(I{C} = 3.0 Adc, V{CE} = 3.0 Vdc)", "h{FE}", "\n1000\n1000", "\n-\n-", "-"],
        ["Collector-Emitter Saturation Voltage\n(I{C} = 3.0 Adc, I{B} = 12 mAdc)\n(I{C} = 5.0 Adc, I{B} = 20 mAdc)",
         "V{CE(sat)}", "\n-\n-", "\n2.0\n4.0", "Vdc"],
        ["Base-Emitter On Voltage\n(I{C} = 3.0 Adc, V{CE} = 3.0 Vdc)", "V{BE(on)}", "-", "2.5", "Vdc"],
        ["DYNAMIC CHARACTERISTICS", None, None, None, None],
        ["Output Capacitance\n(V{CB} = 10 Vdc, I{E} = 0, f = 0.1 MHz)", "C{ob}", "-", "200", "pF"],
    ], spans=[(1, 0, 1, 5), (4, 0, 1, 5), (8, 0, 1, 5)], size=8)  # fmt: skip
    parts = ("QIP120", "QIP121", "QIP122")
    gold = []
    for name, values in (("v_ceo", (60, 80, 100)), ("v_cbo", (60, 80, 100))):
        gold += [Named(name, None, None, v, "Vdc", p) for p, v in zip(parts, values, strict=True)]
    gold += [Named("v_br_ceo", v, None, None, "Vdc", p, "IC = 100 mA") for p, v in zip(parts, (60, 80, 100), strict=True)]
    gold += [
        Named("v_ebo", None, None, 5.0, "Vdc"), Named("i_c", None, None, 5.0, "A"), Named("i_cm", None, None, 8.0, "A"),
        Named("i_b", None, None, 120, "mAdc"), Named("i_ebo", None, None, 2.0, "mAdc"),
        Named("h_fe", 1000, None, None, None, None, "IC = 0.5 A, VCE = 3 V"), Named("h_fe", 1000, None, None, None, None, "IC = 3 A, VCE = 3 V"),
        Named("v_ce_sat", None, None, 2.0, "Vdc", None, "IC = 3 A"), Named("v_ce_sat", None, None, 4.0, "Vdc", None, "IC = 5 A"),
        Named("v_be_on", None, None, 2.5, "Vdc", None, "IC = 3 A"), Named("c_ob", None, None, 200, "pF", None, "VCB = 10 V"),
    ]  # fmt: skip
    return done("motorola_darlingtons", c, out, gold, "bjt", *parts)


def led_bins() -> Any:  # noqa: ANN401
    """An LED with bins: of the intensity, of the forward voltage, of the wavelength, a small table each; zebra ratings."""
    c, out = canvas()
    title(c, "Q19-217", "SMD LED, pure green", maker="Example Light Co.")
    heading(c, 745, "Absolute Maximum Ratings (Ta=25°C)")
    rows = [
        ["Parameter", "Symbol", "Rating", "Unit"], ["Reverse Voltage", "V{R}", "5", "V"], ["Forward Current", "I{F}", "25", "mA"],
        ["Peak Forward Current (Duty 1/10 @1KHz)", "I{FP}", "60", "mA"], ["Power Dissipation", "P{d}", "95", "mW"],
        ["Operating Temperature", "T{opr}", "-40 ~ +85", "°C"], ["Storage Temperature", "T{stg}", "-40 ~ +90", "°C"],
    ]  # fmt: skip
    zebra(c, 50, 730, [220, 70, 90, 60], rows, size=8)
    heading(c, 600, "Electro-Optical Characteristics (Ta=25°C)")
    table(c, 50, 585, [120, 60, 45, 45, 45, 45, 90], [
        ["Parameter", "Symbol", "Min.", "Typ.", "Max.", "Unit", "Condition"],
        ["Luminous Intensity", "I{V}", "90.0", "-----", "225", "mcd", "I{F}=5mA"],
        ["Viewing Angle", "2θ{1/2}", "-----", "120", "-----", "deg", "I{F}=5mA"],
        ["Peak Wavelength", "λ{p}", "-----", "518", "-----", "nm", "I{F}=5mA"],
        ["Dominant Wavelength", "λ{d}", "520", "-----", "535", "nm", "I{F}=5mA"],
        ["Forward Voltage", "V{F}", "2.60", "-----", "3.10", "V", "I{F}=5mA"],
        ["Reverse Current", "I{R}", "-----", "-----", "50", "µA", "V{R}=5V"],
    ], size=8, centred=range(1, 7))  # fmt: skip
    heading(c, 450, "Bin Range of Luminous Intensity")
    table(c, 50, 435, [80, 70, 70, 70, 80], [
        ["Bin Code", "Min.", "Max.", "Unit", "Condition"],
        ["Q2", "90.0", "112", "mcd", "I{F}=5mA"], ["R1", "112", "140", "mcd", "I{F}=5mA"], ["R2", "140", "180", "mcd", "I{F}=5mA"],
    ], size=8)  # fmt: skip
    heading(c, 360, "Bin Range of Forward Voltage")
    table(c, 50, 345, [80, 70, 70, 70, 80], [
        ["Bin Code", "Min.", "Max.", "Unit", "Condition"],
        ["7", "2.60", "2.70", "V", "I{F}=5mA"], ["8", "2.70", "2.80", "V", "I{F}=5mA"], ["9", "2.80", "2.90", "V", "I{F}=5mA"],
    ], size=8)  # fmt: skip
    gold = [
        Named("v_r", None, None, 5, "V"), Named("i_f", None, None, 25, "mA"), Named("i_frm", None, None, 60, "mA"),
        Named("p_tot", None, None, 95, "mW"), Named("t_a", -40, None, 85, "°C"), Named("t_stg", -40, None, 90, "°C"),
        Named("i_v", 90, None, 225, "mcd", None, "IF = 5 mA"), Named("theta_half", None, 120, None, "deg", None, "IF = 5 mA"),
        Named("lambda_p", None, 518, None, "nm", None, "IF = 5 mA"), Named("lambda_d", 520, None, 535, "nm", None, "IF = 5 mA"),
        Named("v_f", 2.6, None, 3.1, "V", None, "IF = 5 mA"), Named("i_r", None, None, 50, "µA", None, "VR = 5 V"),
        Named("i_v", 90, None, 112, "mcd", "Q2"), Named("i_v", 112, None, 140, "mcd", "R1"), Named("i_v", 140, None, 180, "mcd", "R2"),
        Named("v_f", 2.6, None, 2.7, "V", "7"), Named("v_f", 2.7, None, 2.8, "V", "8"), Named("v_f", 2.8, None, 2.9, "V", "9"),
    ]  # fmt: skip
    return done("led_bins", c, out, gold, "led", "Q19-217")


def digital_transistor() -> Any:  # noqa: ANN401
    """A transistor with resistors: unruled, brackets for conditions, ratings of two packages, units in brackets in the heads."""
    c, out = canvas()
    title(c, "QTC114EKA", "NPN digital transistor, built-in bias resistors", maker="Example Semicon, Kyoto")
    heading(c, 740, "Absolute maximum ratings (Ta = 25°C)")
    table(c, 50, 725, [180, 70, 80, 60], [
        ["Parameter", "Symbol", "Limits", "Unit"],
        ["Supply voltage", "V{CC}", "50", "V"],
        ["Collector current (max)", "I{C(MAX)}", "100", "mA"],
        ["Power dissipation", "P{D}", "200", "mW"],
        ["Junction temperature", "T{j}", "150", "°C"],
        ["Range of storage temperature", "T{stg}", "-55 to +150", "°C"],
    ], rules="none", size=8)  # fmt: skip
    heading(c, 600, "Electrical characteristics (Ta = 25°C)")
    table(c, 50, 585, [110, 55, 40, 40, 40, 40, 170], [
        ["Parameter", "Symbol", "Min.", "Typ.", "Max.", "Unit", "Conditions"],
        ["Input voltage", "V{I(off)}", "-", "-", "0.5", "V", "V{CC} = 5V, I{O} = 100µA"],
        ["", "V{I(on)}", "3.0", "-", "-", "V", "V{O} = 0.3V, I{O} = 10mA"],
        ["DC current gain", "G{I}", "30", "-", "-", "-", "V{O} = 5V, I{O} = 5mA"],
        ["Input resistance", "R{1}", "7", "10", "13", "kΩ", "-"],
        ["Resistance ratio", "R{2}/R{1}", "0.8", "1.0", "1.2", "-", "-"],
        ["Transition frequency", "f{T}", "-", "250", "-", "MHz", "V{CE} = 10V, I{E} = -5mA, f = 100MHz"],
    ], rules="none", size=8)  # fmt: skip
    gold = [
        Named("i_c", None, None, 100, "mA"), Named("p_tot", None, None, 200, "mW"), Named("t_j", None, None, 150, "°C"),
        Named("t_stg", -55, None, 150, "°C"), Named("v_i_off", None, None, 0.5, "V", None, "VCC = 5 V"),
        Named("v_i_on", 3.0, None, None, "V", None, "VO = 0.3 V"), Named("h_fe", 30, None, None, None, None, "VO = 5 V"),
        Named("r_1", 7, 10, 13, "kΩ"), Named("r_2_r_1", 0.8, 1.0, 1.2, None), Named("f_t", None, 250, None, "MHz", None, "VCE = 10 V"),
    ]  # fmt: skip
    return done("digital_transistor", c, out, gold, "bjt", "QTC114EKA")


MAKERS: tuple[Callable[[], Any], ...] = (
    shunt_regulator, chinese_rectifiers, p_channel, motorola_darlingtons, led_bins, digital_transistor,
)  # fmt: skip


def sheets() -> list[Any]:
    """All of them."""
    return [make() for make in MAKERS]
