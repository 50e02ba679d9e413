"""Ten more layouts, after those of real makers, drawn with their gold before the reader was run on any of them.

Their first figures: `benchmarks/results/datasheets_first_run_3.json`. The reader was mended on them after that.
"""

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
Named, text, table, title, heading, canvas, done = (
    getattr(_BASE, name) for name in ("Named", "text", "table", "title", "heading", "canvas", "done")
)


def bridge_columns() -> Any:  # noqa: ANN401
    """A bridge rectifier, a column a part, seven of them, capitals throughout, test conditions before the symbol."""
    c, out = canvas()
    title(c, "QB101S thru QB107S", "Single-Phase Bridge Rectifiers", maker="Example Intertechnology")
    parts = [f"QB10{i}S" for i in range(1, 8)]
    heading(c, 740, "MAXIMUM RATINGS (TA = 25 °C unless otherwise noted)")
    head = ["PARAMETER", "SYMBOL", *parts, "UNIT"]
    widths = [150, 48, *[40] * 7, 32]
    table(c, 30, 725, widths, [
        head,
        ["Maximum repetitive peak reverse voltage", "V{RRM}", "50", "100", "200", "400", "600", "800", "1000", "V"],
        ["Maximum RMS voltage", "V{RMS}", "35", "70", "140", "280", "420", "560", "700", "V"],
        ["Maximum DC blocking voltage", "V{DC}", "50", "100", "200", "400", "600", "800", "1000", "V"],
        ["Maximum average forward output rectified\ncurrent at T{A} = 40 °C", "I{F(AV)}", "1.0", *[None] * 6, "A"],
        ["Peak forward surge current single sine-wave\nsuperimposed on rated load", "I{FSM}", "50", *[None] * 6, "A"],
        ["Rating for fusing (t < 8.3 ms)", "I^{2}t", "10", *[None] * 6, "A²s"],
        ["Operating junction and storage temperature", "T{J}, T{STG}", "-55 to +150", *[None] * 6, "°C"],
    ], spans=[(r, 2, 1, 7) for r in (4, 5, 6, 7)], size=6.5, centred=range(1, 10))  # fmt: skip
    heading(c, 560, "ELECTRICAL CHARACTERISTICS (TA = 25 °C unless otherwise noted)")
    table(c, 30, 545, [105, 70, 45, *[36] * 7, 32], [
        ["PARAMETER", "TEST CONDITIONS", "SYMBOL", *parts, "UNIT"],
        ["Maximum instantaneous\nforward voltage drop per leg", "1.0 A", "V{F}", "1.1", *[None] * 6, "V"],
        ["Maximum DC reverse current\nat rated DC blocking voltage", "T{A} = 25 °C", "I{R}", "5.0", *[None] * 6, "µA"],
        [None, "T{A} = 125 °C", None, "0.5", *[None] * 6, "mA"],
        ["Typical junction capacitance", "4.0 V, 1 MHz", "C{J}", "25", *[None] * 6, "pF"],
    ], spans=[*((r, 3, 1, 7) for r in (1, 2, 3, 4)), (2, 0, 2, 1), (2, 2, 2, 1)], size=6.5, centred=range(1, 11))  # fmt: skip
    gold = []
    for name, values in (
        ("v_rrm", (50, 100, 200, 400, 600, 800, 1000)), ("v_r_rms", (35, 70, 140, 280, 420, 560, 700)),
        ("v_r", (50, 100, 200, 400, 600, 800, 1000)),
    ):  # fmt: skip
        gold += [Named(name, None, None, v, "V", p) for p, v in zip(parts, values, strict=True)]
    gold += [
        Named("i_f_av", None, None, 1.0, "A"), Named("i_fsm", None, None, 50, "A"), Named("i2t", None, None, 10, "A²s"),
        Named("t_j_stg", -55, None, 150, "°C"), Named("v_f", None, None, 1.1, "V"),
        Named("i_r", None, None, 5.0, "µA"), Named("i_r", None, None, 0.5, "mA"), Named("c_j", None, 25, None, "pF"),
    ]  # fmt: skip
    return done("bridge_columns", c, out, gold, "rectifier", *parts)


def tvs_series() -> Any:  # noqa: ANN401
    """Suppressors, a device a row, three storeys of heads, "VC @ IPP" over two columns, a marking between."""
    c, out = canvas()
    title(c, "QSMBJ Series", "600 W Transient Voltage Suppressors, surface mount zener diodes", maker="Example Fuse Inc.")
    heading(c, 745, "Electrical Characteristics", "(TA = 25°C unless otherwise noted)")
    rows = (
        ("QSMBJ5A0", "KE", 5.0, 6.40, 7.00, 10, 9.2, 65.3, 800), ("QSMBJ6A0", "KG", 6.0, 6.67, 7.37, 10, 10.3, 58.3, 800),
        ("QSMBJ7A0", "KM", 7.0, 7.78, 8.60, 10, 12.0, 50.0, 200), ("QSMBJ8A0", "KR", 8.0, 8.89, 9.83, 1, 13.6, 44.2, 50),
        ("QSMBJ10A", "KX", 10.0, 11.1, 12.3, 1, 17.0, 35.3, 5), ("QSMBJ12A", "LE", 12.0, 13.3, 14.7, 1, 19.9, 30.2, 5),
        ("QSMBJ15A", "LM", 15.0, 16.7, 18.5, 1, 24.4, 24.6, 1), ("QSMBJ24A", "LZ", 24.0, 26.7, 29.5, 1, 38.9, 15.5, 1),
        ("QSMBJ33A", "MM", 33.0, 36.7, 40.6, 1, 53.3, 11.3, 1), ("QSMBJ58A", "NG", 58.0, 64.4, 71.2, 1, 93.6, 6.5, 1),
    )  # fmt: skip
    table(c, 40, 730, [70, 48, 56, 45, 45, 45, 58, 58, 70], [
        ["Part", "Marking", "Reverse\nStand-off\nVoltage V{R}", "Breakdown Voltage\nV{BR} (V) @ I{T}", None, "Test\nCurrent\nI{T}",
         "Maximum\nClamping\nVoltage V{C}", "Maximum\nPeak Pulse\nCurrent I{PP}", "Maximum Reverse\nLeakage\nI{R} @ V{R}"],
        ["Number", "Code", "(V)", "MIN", "MAX", "(mA)", "(V)", "(A)", "(µA)"],
        *([p, m, f"{vr:.1f}", f"{lo:.2f}", f"{hi:.2f}", f"{it}", f"{vc}", f"{ipp}", f"{ir}"]
          for p, m, vr, lo, hi, it, vc, ipp, ir in rows),
    ], spans=[(0, 3, 1, 2)], rules="header", size=7.5, centred=range(1, 9))  # fmt: skip
    gold = []
    for p, _, vr, lo, hi, _, vc, ipp, ir in rows:
        gold += [
            Named("v_r", None, None, vr, "V", p), Named("v_br", lo, None, hi, "V", p),
            Named("v_c_clamp", None, None, vc, "V", p), Named("i_pp", None, None, ipp, "A", p),
            Named("i_r", None, None, ir, "µA", p),
        ]  # fmt: skip
    return done("tvs_series", c, out, gold, "zener", *(r[0] for r in rows))


def opamp_two_grades() -> Any:  # noqa: ANN401
    """Two grades with Min, Typ and Max each, a column of bullets for the full temperature range, units last."""
    c, out = canvas()
    title(c, "QL1013A / QL1013", "Precision Dual Operational Amplifiers", maker="Example Linear")
    heading(c, 740, "ELECTRICAL CHARACTERISTICS", "VS = ±15V, VCM = 0V, TA = 25°C unless otherwise noted")
    text(c, 330, 728, "QL1013A", size=8)
    text(c, 440, 728, "QL1013", size=8)
    table(c, 40, 722, [50, 135, 95, 12, 36, 36, 36, 36, 36, 36, 45], [
        ["SYMBOL", "PARAMETER", "CONDITIONS", "", "MIN", "TYP", "MAX", "MIN", "TYP", "MAX", "UNITS"],
        ["V{OS}", "Input Offset Voltage", "", "", "", "40", "150", "", "60", "300", "µV"],
        ["", "", "0°C ≤ T{A} ≤ 70°C", "•", "", "55", "240", "", "80", "400", "µV"],
        ["I{OS}", "Input Offset Current", "", "", "", "0.15", "0.8", "", "0.2", "1.5", "nA"],
        ["I{B}", "Input Bias Current", "", "", "", "12", "20", "", "15", "30", "nA"],
        ["A{VOL}", "Large-Signal Voltage Gain", "V{O} = ±10V, R{L} ≥ 2k", "", "1.5", "8.0", "", "1.2", "7.0", "", "V/µV"],
        ["CMRR", "Common Mode Rejection Ratio", "V{CM} = 13.5V, -15V", "", "100", "117", "", "97", "114", "", "dB"],
        ["PSRR", "Power Supply Rejection Ratio", "V{S} = ±2V to ±18V", "", "103", "120", "", "100", "117", "", "dB"],
        ["SR", "Slew Rate", "", "", "0.2", "0.4", "", "0.2", "0.4", "", "V/µs"],
        ["I{S}", "Supply Current", "Per Amplifier", "", "", "0.35", "0.50", "", "0.35", "0.55", "mA"],
    ], rules="horizontal", size=7.5)  # fmt: skip
    gold = []
    for name, unit, a, b in (
        ("v_os", "µV", (None, 40, 150), (None, 60, 300)), ("v_os", "µV", (None, 55, 240), (None, 80, 400)),
        ("i_os", "nA", (None, 0.15, 0.8), (None, 0.2, 1.5)), ("i_bias", "nA", (None, 12, 20), (None, 15, 30)),
        ("a_vol", "V/µV", (1.5, 8.0, None), (1.2, 7.0, None)), ("cmrr", "dB", (100, 117, None), (97, 114, None)),
        ("psrr", "dB", (103, 120, None), (100, 117, None)), ("sr", "V/µs", (0.2, 0.4, None), (0.2, 0.4, None)),
        ("i_s_supply", "mA", (None, 0.35, 0.5), (None, 0.35, 0.55)),
    ):  # fmt: skip
        gold += [Named(name, *a, unit, "QL1013A"), Named(name, *b, unit, "QL1013")]
    return done("opamp_two_grades", c, out, gold, "op_amp", "QL1013A", "QL1013")


def taiwanese_transistor() -> Any:  # noqa: ANN401
    """Capitals, three hFE rows that the symbol tells apart, ranks A to F by the column, no unit where there is none."""
    c, out = canvas()
    title(c, "Q9014", "PRE-AMPLIFIER, LOW LEVEL & LOW NOISE NPN SILICON TRANSISTOR", maker="EXAMPLE TECHNOLOGIES CO., LTD")
    heading(c, 740, "ABSOLUTE MAXIMUM RATINGS (TA=25°C, unless otherwise specified)")
    table(c, 50, 725, [220, 70, 100, 60], [
        ["PARAMETER", "SYMBOL", "RATINGS", "UNIT"],
        ["Collector-Base Voltage", "V{CBO}", "50", "V"],
        ["Collector-Emitter Voltage", "V{CEO}", "45", "V"],
        ["Emitter-Base Voltage", "V{EBO}", "5", "V"],
        ["Collector Current", "I{C}", "100", "mA"],
        ["Collector Dissipation", "P{C}", "450", "mW"],
        ["Junction Temperature", "T{J}", "+125", "°C"],
        ["Storage Temperature", "T{STG}", "-65 ~ +150", "°C"],
    ], rules="horizontal", size=8, centred=(1, 2, 3))  # fmt: skip
    heading(c, 580, "ELECTRICAL CHARACTERISTICS (TA=25°C, unless otherwise specified)")
    table(c, 50, 565, [165, 60, 130, 35, 35, 35, 40], [
        ["PARAMETER", "SYMBOL", "TEST CONDITIONS", "MIN", "TYP", "MAX", "UNIT"],
        ["Collector-Base Breakdown Voltage", "BV{CBO}", "I{C}=100µA, I{E}=0", "50", "", "", "V"],
        ["Collector Cutoff Current", "I{CBO}", "V{CB}=50V, I{E}=0", "", "", "50", "nA"],
        ["DC Current Gain (note)", "h{FE}", "V{CE}=5V, I{C}=1mA", "60", "280", "1000", ""],
        ["Collector-Emitter Saturation Voltage", "V{CE(SAT)}", "I{C}=100mA, I{B}=5mA", "", "0.14", "0.3", "V"],
        ["Base-Emitter Saturation Voltage", "V{BE(SAT)}", "I{C}=100mA, I{B}=5mA", "", "0.84", "1", "V"],
        ["Current Gain Bandwidth Product", "f{T}", "V{CE}=5V, I{C}=10mA", "150", "270", "", "MHz"],
        ["Output Capacitance", "C{OB}", "V{CB}=10V, I{E}=0, f=1MHz", "", "2.2", "3.5", "pF"],
        ["Noise Figure", "NF", "V{CE}=5V, I{C}=0.2mA", "", "0.9", "10", "dB"],
    ], rules="horizontal", size=8, centred=(1, 3, 4, 5, 6))  # fmt: skip
    heading(c, 410, "CLASSIFICATION OF hFE")
    table(c, 50, 395, [90, 90, 90, 90, 90], [
        ["RANK", "A", "B", "C", "D"], ["RANGE", "60 ~ 150", "100 ~ 300", "200 ~ 600", "400 ~ 1000"],
    ], size=8, centred=range(5))  # fmt: skip
    gold = [
        Named("v_cbo", None, None, 50, "V"), Named("v_ceo", None, None, 45, "V"), Named("v_ebo", None, None, 5, "V"),
        Named("i_c", None, None, 100, "mA"), Named("p_tot", None, None, 450, "mW"), Named("t_j", None, None, 125, "°C"),
        Named("t_stg", -65, None, 150, "°C"), Named("v_br_cbo", 50, None, None, "V", None, "IC = 100 µA"),
        Named("i_cbo", None, None, 50, "nA", None, "VCB = 50 V"),
        Named("h_fe", 60, 280, 1000, None, None, "VCE = 5 V, IC = 1 mA"),
        Named("v_ce_sat", None, 0.14, 0.3, "V", None, "IC = 100 mA, IB = 5 mA"),
        Named("v_be_sat", None, 0.84, 1, "V", None, "IC = 100 mA, IB = 5 mA"),
        Named("f_t", 150, 270, None, "MHz", None, "VCE = 5 V, IC = 10 mA"),
        Named("c_ob", None, 2.2, 3.5, "pF", None, "VCB = 10 V"), Named("nf", None, 0.9, 10, "dB", None, "VCE = 5 V"),
        Named("h_fe", 60, None, 150, None, "A"), Named("h_fe", 100, None, 300, None, "B"),
        Named("h_fe", 200, None, 600, None, "C"), Named("h_fe", 400, None, 1000, None, "D"),
    ]  # fmt: skip
    return done("taiwanese_transistor", c, out, gold, "bjt", "Q9014")


def optocoupler_parts() -> Any:  # noqa: ANN401
    """An optocoupler: a column of parts within the table, groups INPUT, OUTPUT, COUPLER, a table of CTR of its own."""
    c, out = canvas()
    title(c, "QCNY171, QCNY172, QCNY173", "Optocoupler, Phototransistor Output", maker="Example Intertechnology")
    heading(c, 740, "ABSOLUTE MAXIMUM RATINGS", "(Tamb = 25 °C, unless otherwise specified)")
    table(c, 40, 725, [170, 120, 70, 70, 50], [
        ["PARAMETER", "TEST CONDITION", "SYMBOL", "VALUE", "UNIT"],
        ["INPUT", None, None, None, None],
        ["Reverse voltage", "", "V{R}", "6", "V"],
        ["Forward current", "", "I{F}", "60", "mA"],
        ["Surge current", "t ≤ 10 µs", "I{FSM}", "2.5", "A"],
        ["OUTPUT", None, None, None, None],
        ["Collector emitter breakdown voltage", "", "BV{CEO}", "70", "V"],
        ["Collector current", "", "I{C}", "50", "mA"],
        ["COUPLER", None, None, None, None],
        ["Isolation test voltage", "t = 1 min", "V{ISO}", "5300", "V{RMS}"],
        ["Storage temperature", "", "T{stg}", "-55 to +150", "°C"],
    ], spans=[(r, 0, 1, 5) for r in (1, 5, 8)], rules="horizontal", size=8)  # fmt: skip
    heading(c, 550, "ELECTRICAL CHARACTERISTICS", "(Tamb = 25 °C, unless otherwise specified)")
    table(c, 40, 535, [135, 120, 60, 55, 35, 35, 35, 35], [
        ["PARAMETER", "TEST CONDITION", "PART", "SYMBOL", "MIN.", "TYP.", "MAX.", "UNIT"],
        ["INPUT", None, None, None, None, None, None, None],
        ["Forward voltage", "I{F} = 60 mA", "", "V{F}", "", "1.39", "1.65", "V"],
        ["Breakdown voltage", "I{R} = 10 µA", "", "V{BR}", "6", "", "", "V"],
        ["Capacitance", "V{R} = 0 V, f = 1 MHz", "", "C{O}", "", "25", "", "pF"],
        ["OUTPUT", None, None, None, None, None, None, None],
        ["Collector emitter leakage current", "V{CE} = 10 V", "QCNY171", "I{CEO}", "", "2", "50", "nA"],
        ["", "V{CE} = 10 V", "QCNY172", "I{CEO}", "", "2", "50", "nA"],
        ["", "V{CE} = 10 V", "QCNY173", "I{CEO}", "", "5", "100", "nA"],
        ["COUPLER", None, None, None, None, None, None, None],
        ["Saturation voltage,\ncollector emitter", "I{F} = 10 mA, I{C} = 2.5 mA", "", "V{CEsat}", "", "0.25", "0.4", "V"],
        ["Coupling capacitance", "", "", "C{C}", "", "0.6", "", "pF"],
    ], spans=[(r, 0, 1, 8) for r in (1, 5, 9)], rules="horizontal", size=7.5)  # fmt: skip
    heading(c, 350, "CURRENT TRANSFER RATIO")
    table(c, 40, 335, [135, 120, 60, 55, 35, 35, 35, 35], [
        ["PARAMETER", "TEST CONDITION", "PART", "SYMBOL", "MIN.", "TYP.", "MAX.", "UNIT"],
        ["I{C}/I{F}", "V{CE} = 5 V, I{F} = 10 mA", "QCNY171", "CTR", "40", "", "80", "%"],
        ["", "V{CE} = 5 V, I{F} = 10 mA", "QCNY172", "CTR", "63", "", "125", "%"],
        ["", "V{CE} = 5 V, I{F} = 10 mA", "QCNY173", "CTR", "100", "", "200", "%"],
        ["", "V{CE} = 5 V, I{F} = 1 mA", "QCNY171", "CTR", "13", "30", "", "%"],
        ["", "V{CE} = 5 V, I{F} = 1 mA", "QCNY172", "CTR", "22", "45", "", "%"],
    ], rules="horizontal", size=7.5)  # fmt: skip
    gold = [
        Named("v_r", None, None, 6, "V"), Named("i_f", None, None, 60, "mA"), Named("i_fsm", None, None, 2.5, "A"),
        Named("v_br_ceo_opto", None, None, 70, "V"), Named("i_c", None, None, 50, "mA"),
        Named("v_iso", None, None, 5300, "Vrms"), Named("t_stg", -55, None, 150, "°C"),
        Named("v_f", None, 1.39, 1.65, "V", None, "IF = 60 mA"), Named("v_br", 6, None, None, "V", None, "IR = 10 µA"),
        Named("c_d", None, 25, None, "pF", None, "VR = 0 V"),
        Named("i_ceo", None, 2, 50, "nA", "QCNY171", "VCE = 10 V"), Named("i_ceo", None, 2, 50, "nA", "QCNY172", "VCE = 10 V"),
        Named("i_ceo", None, 5, 100, "nA", "QCNY173", "VCE = 10 V"),
        Named("v_ce_sat", None, 0.25, 0.4, "V", None, "IF = 10 mA"), Named("c_iso", None, 0.6, None, "pF"),
        Named("ctr", 40, None, 80, "%", "QCNY171", "VCE = 5 V, IF = 10 mA"),
        Named("ctr", 63, None, 125, "%", "QCNY172", "VCE = 5 V, IF = 10 mA"),
        Named("ctr", 100, None, 200, "%", "QCNY173", "VCE = 5 V, IF = 10 mA"),
        Named("ctr", 13, 30, None, "%", "QCNY171", "VCE = 5 V, IF = 1 mA"),
        Named("ctr", 22, 45, None, "%", "QCNY172", "VCE = 5 V, IF = 1 mA"),
    ]  # fmt: skip
    return done("optocoupler_parts", c, out, gold, "optocoupler", "QCNY171", "QCNY172", "QCNY173")


def regulator_two_conditions() -> Any:  # noqa: ANN401
    """A fixed regulator: one name over two conditions with a row each, the temperature in a column of its own."""
    c, out = canvas()
    title(c, "QM7805", "3-Terminal 1 A Positive Voltage Regulator", maker="Example Semiconductor")
    heading(c, 740, "Absolute Maximum Ratings")
    table(c, 50, 725, [60, 260, 90, 60], [
        ["Symbol", "Parameter", "Value", "Unit"],
        ["V{I}", "Input Voltage (for V{O} = 5 V to 18 V)", "35", "V"],
        ["R{θJC}", "Thermal Resistance, Junction-Case (TO-220)", "5", "°C/W"],
        ["R{θJA}", "Thermal Resistance, Junction-Air (TO-220)", "65", "°C/W"],
        ["T{STG}", "Storage Temperature Range", "-65 to +150", "°C"],
    ], size=8)  # fmt: skip
    heading(c, 620, "Electrical Characteristics", "0°C < TJ < 125°C, IO = 500 mA, VI = 10 V, unless otherwise specified")
    table(c, 50, 605, [40, 105, 70, 130, 36, 36, 36, 36], [
        ["Symbol", "Parameter", "Conditions", None, "Min.", "Typ.", "Max.", "Unit"],
        ["V{O}", "Output Voltage", "T{J} = +25°C", "", "4.8", "5.0", "5.2", "V"],
        [None, None, "5 mA ≤ I{O} ≤ 1 A, P{O} ≤ 15 W,\nV{I} = 7 V to 20 V", None, "4.75", "5.00", "5.25", None],
        ["Regline", "Line Regulation", "T{J} = +25°C", "V{I} = 7 V to 25 V", "", "4.0", "100.0", "mV"],
        [None, None, None, "V{I} = 8 V to 12 V", "", "1.6", "50.0", None],
        ["Regload", "Load Regulation", "T{J} = +25°C", "I{O} = 5 mA to 1.5 A", "", "9", "100", "mV"],
        [None, None, None, "I{O} = 250 mA to 750 mA", "", "4", "50", None],
        ["I{Q}", "Quiescent Current", "T{J} = +25°C", "", "", "5", "8", "mA"],
        ["ΔI{Q}", "Quiescent Current\nChange", "I{O} = 5 mA to 1 A", None, "", "0.03", "0.50", "mA"],
        [None, None, "V{I} = 7 V to 25 V", None, "", "0.30", "1.30", None],
        ["V{N}", "Output Noise Voltage", "f = 10 Hz to 100 kHz, T{A} = +25°C", None, "", "42", "", "µV"],
        ["RR", "Ripple Rejection", "f = 120 Hz, V{I} = 8 V to 18 V", None, "62", "73", "", "dB"],
        ["V{DROP}", "Dropout Voltage", "T{J} = +25°C, I{O} = 1 A", None, "", "2", "", "V"],
        ["r{O}", "Output Resistance", "f = 1 kHz", None, "", "15", "", "mΩ"],
    ], spans=[(0, 2, 1, 2), (1, 0, 2, 1), (1, 1, 2, 1), (1, 7, 2, 1), (2, 2, 1, 2), (3, 0, 2, 1), (3, 1, 2, 1), (3, 2, 2, 1),
              (3, 7, 2, 1), (5, 0, 2, 1), (5, 1, 2, 1), (5, 2, 2, 1), (5, 7, 2, 1), (8, 0, 2, 1), (8, 1, 2, 1), (8, 7, 2, 1),
              *((r, 2, 1, 2) for r in (8, 9, 10, 11, 12, 13))], size=7)  # fmt: skip
    gold = [
        Named("v_in_max", None, None, 35, "V"), Named("r_th_jc", None, None, 5, "°C/W"),
        Named("r_th_ja", None, None, 65, "°C/W"), Named("t_stg", -65, None, 150, "°C"),
        Named("v_o", 4.8, 5.0, 5.2, "V"), Named("v_o", 4.75, 5.0, 5.25, "V"),
        Named("reg_line", None, 4.0, 100, "mV"), Named("reg_line", None, 1.6, 50, "mV"),
        Named("reg_load", None, 9, 100, "mV"), Named("reg_load", None, 4, 50, "mV"), Named("i_q", None, 5, 8, "mA"),
        Named("delta_i_q", None, 0.03, 0.5, "mA"), Named("delta_i_q", None, 0.3, 1.3, "mA"),
        Named("v_n", None, 42, None, "µV"), Named("rr", 62, 73, None, "dB", None, "f = 120 Hz"),
        Named("v_drop", None, 2, None, "V", None, "IO = 1 A"), Named("r_o", None, 15, None, "mΩ"),
    ]  # fmt: skip
    return done("regulator_two_conditions", c, out, gold, "regulator", "QM7805")


def jfet_pairs() -> Any:  # noqa: ANN401
    """Three JFETs with Min and Max each, conditions in the last column, kinds of rows turned upright at the left."""
    c, out = canvas()
    title(c, "QN5457 QN5458 QN5459", "N-Channel JFET general purpose amplifiers", maker="Example FET Inc.")
    heading(c, 740, "ABSOLUTE MAXIMUM RATINGS @ 25°C")
    for i, (what, value) in enumerate((("Gate-Drain or Gate-Source Voltage", "-25V"), ("Gate Current", "10mA"))):
        text(c, 50, 724 - 13 * i, f"{what} {'.' * (60 - len(what))}", size=8)
        text(c, 330, 724 - 13 * i, value, size=8)
    heading(c, 680, "ELECTRICAL CHARACTERISTICS", "(25°C unless otherwise noted)")
    text(c, 232, 667, "QN5457", size=8)
    text(c, 296, 667, "QN5458", size=8)
    text(c, 360, 667, "QN5459", size=8)
    table(c, 50, 662, [50, 125, 32, 32, 32, 32, 32, 32, 45, 100], [
        ["SYMBOL", "CHARACTERISTICS", "MIN", "MAX", "MIN", "MAX", "MIN", "MAX", "UNITS", "CONDITIONS"],
        ["I{GSS}", "Gate Reverse Current", "", "-1.0", "", "-1.0", "", "-1.0", "nA", "V{GS} = -15V, V{DS} = 0"],
        ["BV{GSS}", "Gate-Source Breakdown Voltage", "-25", "", "-25", "", "-25", "", "V", "I{G} = -10µA, V{DS} = 0"],
        ["V{GS(off)}", "Gate-Source Cutoff Voltage", "-0.5", "-6.0", "-1.0", "-7.0", "-2.0", "-8.0", "V", "V{DS} = 15V, I{D} = 10nA"],
        ["I{DSS}", "Saturation Drain Current", "1.0", "5.0", "2.0", "9.0", "4.0", "16", "mA", "V{DS} = 15V, V{GS} = 0"],
        ["g{fs}", "Forward Transconductance", "1000", "5000", "1500", "5500", "2000", "6000", "µS", "V{DS} = 15V, V{GS} = 0"],
        ["C{iss}", "Input Capacitance", "", "7.0", "", "7.0", "", "7.0", "pF", "V{DS} = 15V, f = 1MHz"],
        ["C{rss}", "Reverse Transfer Capacitance", "", "3.0", "", "3.0", "", "3.0", "pF", "V{DS} = 15V, f = 1MHz"],
    ], rules="horizontal", size=7)  # fmt: skip
    parts = ("QN5457", "QN5458", "QN5459")
    gold = [Named("v_gd_max", -25, None, None, "V"), Named("i_gf", None, None, 10, "mA")]
    for name, unit, values, held in (
        ("i_gss", "nA", ((None, -1.0),) * 3, "VGS = -15 V"), ("v_br_gss", "V", ((-25, None),) * 3, "IG = -10 µA"),
        ("v_gs_off", "V", ((-0.5, -6.0), (-1.0, -7.0), (-2.0, -8.0)), "VDS = 15 V, ID = 10 nA"),
        ("i_dss", "mA", ((1.0, 5.0), (2.0, 9.0), (4.0, 16)), "VDS = 15 V"),
        ("g_fs", "µS", ((1000, 5000), (1500, 5500), (2000, 6000)), "VDS = 15 V"),
        ("c_iss", "pF", ((None, 7.0),) * 3, "VDS = 15 V"), ("c_rss", "pF", ((None, 3.0),) * 3, "VDS = 15 V"),
    ):  # fmt: skip
        gold += [Named(name, lo, None, hi, unit, p, held) for p, (lo, hi) in zip(parts, values, strict=True)]
    return done("jfet_pairs", c, out, gold, "jfet", *parts)


def mosfet_steady_state() -> Any:  # noqa: ANN401
    """A MOSFET whose ratings have a cell of conditions between name and symbol, temperatures stacked in another."""
    c, out = canvas()
    title(c, "QMN3024", "30V N-CHANNEL ENHANCEMENT MODE MOSFET", maker="EXAMPLE INCORPORATED")
    heading(c, 740, "Maximum Ratings", "(@TA = +25°C, unless otherwise specified.)")
    table(c, 50, 725, [190, 60, 80, 50, 60, 50], [
        ["Characteristic", None, None, "Symbol", "Value", "Unit"],
        ["Drain-Source Voltage", None, None, "V{DSS}", "30", "V"],
        ["Gate-Source Voltage", None, None, "V{GSS}", "±20", "V"],
        ["Continuous Drain Current (Note 6) V{GS} = 10V", "Steady\nState", "T{A} = +25°C\nT{A} = +70°C", "I{D}", "7.2\n5.8", "A"],
        ["Pulsed Drain Current (10µs Pulse, Duty Cycle = 1%)", None, None, "I{DM}", "40", "A"],
        ["Maximum Continuous Body Diode Forward Current", None, None, "I{S}", "2.5", "A"],
    ], spans=[(0, 0, 1, 3), (1, 0, 1, 3), (2, 0, 1, 3), (4, 0, 1, 3), (5, 0, 1, 3)], size=7.5, centred=(3, 4, 5))  # fmt: skip
    heading(c, 600, "Thermal Characteristics")
    table(c, 50, 585, [190, 140, 50, 60, 50], [
        ["Characteristic", None, "Symbol", "Value", "Unit"],
        ["Total Power Dissipation (Note 5)", "T{A} = +25°C", "P{D}", "0.9", "W"],
        ["Thermal Resistance, Junction to Ambient (Note 5)", "Steady State", "R{θJA}", "137", "°C/W"],
        ["Operating and Storage Temperature Range", None, "T{J}, T{STG}", "-55 to +150", "°C"],
    ], spans=[(0, 0, 1, 2), (3, 0, 1, 2)], size=7.5, centred=(2, 3, 4))  # fmt: skip
    heading(c, 490, "Electrical Characteristics", "(@TA = +25°C, unless otherwise specified.)")
    table(c, 50, 475, [165, 60, 35, 35, 35, 35, 135], [
        ["Characteristic", "Symbol", "Min", "Typ", "Max", "Unit", "Test Condition"],
        ["OFF CHARACTERISTICS (Note 7)", None, None, None, None, None, None],
        ["Drain-Source Breakdown Voltage", "BV{DSS}", "30", "—", "—", "V", "V{GS} = 0V, I{D} = 250µA"],
        ["Zero Gate Voltage Drain Current", "I{DSS}", "—", "—", "1", "µA", "V{DS} = 24V, V{GS} = 0V"],
        ["Gate-Source Leakage", "I{GSS}", "—", "—", "±100", "nA", "V{GS} = ±20V, V{DS} = 0V"],
        ["ON CHARACTERISTICS (Note 7)", None, None, None, None, None, None],
        ["Gate Threshold Voltage", "V{GS(TH)}", "1", "—", "2.2", "V", "V{DS} = V{GS}, I{D} = 250µA"],
        ["Static Drain-Source On-Resistance", "R{DS(ON)}", "—\n—", "20\n26", "24\n33", "mΩ", "V{GS} = 10V, I{D} = 7A\nV{GS} = 4.5V, I{D} = 6A"],
        ["Diode Forward Voltage", "V{SD}", "—", "0.75", "1.0", "V", "V{GS} = 0V, I{S} = 1A"],
        ["DYNAMIC CHARACTERISTICS (Note 8)", None, None, None, None, None, None],
        ["Input Capacitance", "C{iss}", "—", "386", "—", "pF", "V{DS} = 15V, V{GS} = 0V,\nf = 1.0MHz"],
        ["Output Capacitance", "C{oss}", "—", "63", "—", "pF", None],
        ["Reverse Transfer Capacitance", "C{rss}", "—", "50", "—", "pF", None],
        ["Total Gate Charge (V{GS} = 4.5V)", "Q{g}", "—", "4.3", "—", "nC", "V{DS} = 15V, I{D} = 10A"],
        ["Total Gate Charge (V{GS} = 10V)", "Q{g}", "—", "9.2", "—", "nC", None],
        ["Turn-On Delay Time", "t{D(ON)}", "—", "2.8", "—", "ns", "V{DD} = 15V, V{GS} = 10V,\nR{G} = 3Ω, R{L} = 1.7Ω"],
        ["Turn-Off Delay Time", "t{D(OFF)}", "—", "13", "—", "ns", None],
    ], spans=[(1, 0, 1, 7), (5, 0, 1, 7), (9, 0, 1, 7), (10, 6, 3, 1), (13, 6, 2, 1), (15, 6, 2, 1)],
        size=7.5, centred=(1, 2, 3, 4, 5, 6))  # fmt: skip
    gold = [
        Named("v_dss", None, None, 30, "V"), Named("v_gss", -20, None, 20, "V"),
        Named("i_d", None, None, 7.2, "A"), Named("i_d", None, None, 5.8, "A"), Named("i_dm", None, None, 40, "A"),
        Named("i_s", None, None, 2.5, "A"), Named("p_tot", None, None, 0.9, "W"), Named("r_th_ja", None, None, 137, "°C/W"),
        Named("t_j_stg", -55, None, 150, "°C"), Named("v_br_dss", 30, None, None, "V", None, "ID = 250 µA"),
        Named("i_dss", None, None, 1, "µA", None, "VDS = 24 V"), Named("i_gss", -100, None, 100, "nA"),
        Named("v_gs_th", 1, None, 2.2, "V", None, "ID = 250 µA"),
        Named("r_ds_on", None, 20, 24, "mΩ", None, "VGS = 10 V, ID = 7 A"),
        Named("r_ds_on", None, 26, 33, "mΩ", None, "VGS = 4.5 V, ID = 6 A"),
        Named("v_sd", None, 0.75, 1.0, "V", None, "IS = 1 A"), Named("c_iss", None, 386, None, "pF", None, "VDS = 15 V"),
        Named("c_oss", None, 63, None, "pF", None, "VDS = 15 V"), Named("c_rss", None, 50, None, "pF", None, "VDS = 15 V"),
        Named("q_g", None, 4.3, None, "nC", None, "VGS = 4.5 V"), Named("q_g", None, 9.2, None, "nC", None, "VGS = 10 V"),
        Named("t_d_on", None, 2.8, None, "ns", None, "VDD = 15 V"), Named("t_d_off", None, 13, None, "ns", None, "VDD = 15 V"),
    ]  # fmt: skip
    return done("mosfet_steady_state", c, out, gold, "mosfet", "QMN3024")


def led_selection() -> Any:  # noqa: ANN401
    """An LED: a selection guide with the test current in the head, then values for the colour, conditions in brackets."""
    c, out = canvas()
    title(c, "QWP7113", "T-1 3/4 (5mm) Solid State Lamp LED", maker="Example Bright")
    heading(c, 740, "SELECTION GUIDE")
    table(c, 50, 725, [80, 120, 100, 55, 55, 60], [
        ["Part Number", "Emitting Color\n(Material)", "Lens Type", "Iv (mcd) @ 20mA", None, "Viewing Angle"],
        [None, None, None, "Min.", "Typ.", "2θ1/2"],
        ["QWP7113", "Hyper Red (AlGaInP)", "Water Clear", "1200", "2400", "20°"],
    ], spans=[(0, 0, 2, 1), (0, 1, 2, 1), (0, 2, 2, 1), (0, 3, 1, 2)], size=8)  # fmt: skip
    heading(c, 650, "ELECTRICAL / OPTICAL CHARACTERISTICS at TA=25°C")
    table(c, 50, 635, [210, 70, 110, 40, 40, 50], [
        ["Parameter", "Symbol", "Emitting Color", "Value", None, "Unit"],
        [None, None, None, "Typ.", "Max.", None],
        ["Wavelength at Peak Emission I{F} = 20mA", "λ{peak}", "Hyper Red", "645", "-", "nm"],
        ["Dominant Wavelength I{F} = 20mA", "λ{dom}", "Hyper Red", "630", "-", "nm"],
        ["Spectral Bandwidth at 50% Φ REL MAX\nI{F} = 20mA", "Δλ", "Hyper Red", "28", "-", "nm"],
        ["Capacitance", "C", "Hyper Red", "35", "-", "pF"],
        ["Forward Voltage I{F} = 20mA", "V{F} [2]", "Hyper Red", "1.95", "2.5", "V"],
        ["Reverse Current (V{R} = 5V)", "I{R}", "Hyper Red", "-", "10", "µA"],
    ], spans=[(0, 0, 2, 1), (0, 1, 2, 1), (0, 2, 2, 1), (0, 3, 1, 2), (0, 5, 2, 1)], size=8)  # fmt: skip
    heading(c, 470, "ABSOLUTE MAXIMUM RATINGS at TA=25°C")
    table(c, 50, 455, [210, 90, 110, 70], [
        ["Parameter", "Symbol", "Value", "Unit"],
        ["Power Dissipation", "P{D}", "75", "mW"],
        ["Reverse Voltage", "V{R}", "5", "V"],
        ["Junction Temperature", "T{j}", "115", "°C"],
        ["Operating Temperature", "T{op}", "-40 to +85", "°C"],
        ["Storage Temperature", "T{stg}", "-40 to +85", "°C"],
        ["DC Forward Current", "I{F}", "30", "mA"],
        ["Peak Forward Current", "I{FM} [1]", "150", "mA"],
        ["Thermal Resistance (Junction / Ambient)", "R{th JA} [2]", "530", "°C/W"],
    ], size=8)  # fmt: skip
    gold = [
        Named("i_v", 1200, 2400, None, "mcd"), Named("theta_half", None, None, 20, "deg"),
        Named("lambda_p", None, 645, None, "nm", None, "IF = 20 mA"), Named("lambda_d", None, 630, None, "nm", None, "IF = 20 mA"),
        Named("delta_lambda", None, 28, None, "nm", None, "IF = 20 mA"), Named("c_d", None, 35, None, "pF"),
        Named("v_f", None, 1.95, 2.5, "V", None, "IF = 20 mA"), Named("i_r", None, None, 10, "µA", None, "VR = 5 V"),
        Named("p_tot", None, None, 75, "mW"), Named("v_r", None, None, 5, "V"), Named("t_j", None, None, 115, "°C"),
        Named("t_a", -40, None, 85, "°C"), Named("t_stg", -40, None, 85, "°C"), Named("i_f", None, None, 30, "mA"),
        Named("i_frm", None, None, 150, "mA"), Named("r_th_ja", None, None, 530, "°C/W"),
    ]  # fmt: skip
    return done("led_selection", c, out, gold, "led", "QWP7113")


def japanese_transistor() -> Any:  # noqa: ANN401
    """A Japanese power transistor: unruled, ratings in a narrow column beside the drawing, ranks in a note's prose."""
    c, out = canvas()
    title(c, "Q2SC5200", "Silicon NPN Triple Diffused Type, power amplifier applications", maker="EXAMPLE DENKI")
    c.rect(400, 600, 140, 110)
    text(c, 430, 690, "Unit: mm", size=7)
    text(c, 420, 650, "20.5 MAX.", size=7)
    text(c, 480, 620, "2.0", size=7)
    heading(c, 740, "Absolute Maximum Ratings (Tc = 25°C)")
    table(c, 50, 725, [150, 55, 60, 40], [
        ["Characteristics", "Symbol", "Rating", "Unit"],
        ["Collector-base voltage", "V{CBO}", "230", "V"],
        ["Collector-emitter voltage", "V{CEO}", "230", "V"],
        ["Emitter-base voltage", "V{EBO}", "5", "V"],
        ["Collector current", "I{C}", "15", "A"],
        ["Base current", "I{B}", "1.5", "A"],
        ["Collector power dissipation\n(Tc = 25°C)", "P{C}", "150", "W"],
        ["Junction temperature", "T{j}", "150", "°C"],
        ["Storage temperature range", "T{stg}", "−55 to 150", "°C"],
    ], rules="none", size=8, centred=(1, 2, 3))  # fmt: skip
    heading(c, 560, "Electrical Characteristics (Tc = 25°C)")
    table(c, 50, 545, [130, 65, 140, 36, 36, 36, 40], [
        ["Characteristics", "Symbol", "Test Condition", "Min", "Typ.", "Max", "Unit"],
        ["Collector cut-off current", "I{CBO}", "V{CB} = 230 V, I{E} = 0", "―", "―", "5.0", "μA"],
        ["Emitter cut-off current", "I{EBO}", "V{EB} = 5 V, I{C} = 0", "―", "―", "5.0", "μA"],
        ["Collector-emitter\nbreakdown voltage", "V{(BR) CEO}", "I{C} = 50 mA, I{B} = 0", "230", "―", "―", "V"],
        ["DC current gain", "h{FE (1)}\n(Note)", "V{CE} = 5 V, I{C} = 1 A", "55", "―", "160", ""],
        ["", "h{FE (2)}", "V{CE} = 5 V, I{C} = 7 A", "35", "60", "―", ""],
        ["Collector-emitter\nsaturation voltage", "V{CE (sat)}", "I{C} = 8 A, I{B} = 0.8 A", "―", "0.4", "3.0", "V"],
        ["Base-emitter voltage", "V{BE}", "V{CE} = 5 V, I{C} = 7 A", "―", "1.0", "1.5", "V"],
        ["Transition frequency", "f{T}", "V{CE} = 5 V, I{C} = 1 A", "―", "30", "―", "MHz"],
        ["Collector output capacitance", "C{ob}", "V{CB} = 10 V, I{E} = 0, f = 1 MHz", "―", "200", "―", "pF"],
    ], rules="none", size=8, centred=(1, 3, 4, 5, 6))  # fmt: skip
    text(c, 50, 350, "Note: h{FE (1)} classification R: 55 to 110, O: 80 to 160", size=8)
    gold = [
        Named("v_cbo", None, None, 230, "V"), Named("v_ceo", None, None, 230, "V"), Named("v_ebo", None, None, 5, "V"),
        Named("i_c", None, None, 15, "A"), Named("i_b", None, None, 1.5, "A"), Named("p_tot", None, None, 150, "W"),
        Named("t_j", None, None, 150, "°C"), Named("t_stg", -55, None, 150, "°C"),
        Named("i_cbo", None, None, 5.0, "µA", None, "VCB = 230 V"), Named("i_ebo", None, None, 5.0, "µA", None, "VEB = 5 V"),
        Named("v_br_ceo", 230, None, None, "V", None, "IC = 50 mA"),
        Named("h_fe", 55, None, 160, None, None, "VCE = 5 V, IC = 1 A"), Named("h_fe", 35, 60, None, None, None, "VCE = 5 V, IC = 7 A"),
        Named("v_ce_sat", None, 0.4, 3.0, "V", None, "IC = 8 A, IB = 0.8 A"), Named("v_be_on", None, 1.0, 1.5, "V", None, "VCE = 5 V, IC = 7 A"),
        Named("f_t", None, 30, None, "MHz", None, "VCE = 5 V, IC = 1 A"), Named("c_ob", None, 200, None, "pF", None, "VCB = 10 V"),
        Named("h_fe", 55, None, 110, None, "R"), Named("h_fe", 80, None, 160, None, "O"),
    ]  # fmt: skip
    return done("japanese_transistor", c, out, gold, "bjt", "Q2SC5200")


MAKERS: tuple[Callable[[], Any], ...] = (
    bridge_columns, tvs_series, opamp_two_grades, taiwanese_transistor, optocoupler_parts, regulator_two_conditions,
    jfet_pairs, mosfet_steady_state, led_selection, japanese_transistor,
)  # fmt: skip


def sheets() -> list[Any]:
    """All of them."""
    return [make() for make in MAKERS]
