"""Layouts that the reader was not made for: drawn, with their gold, before it was run on any of them.

What vendors do and the other synthetic sheets do not: series with a device a row, gain groups, German, French and
bilingual heads, zebra tables, values with their unit in the cell, rotated heads, curves beside tables, package drawings.
The first figures on them are kept (`benchmarks/results/datasheets_first_run.json`); whoever mends the reader on what
they show makes them seen, and the benchmark says so.
"""

import importlib.util
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType

from reportlab.lib.pagesizes import A4, landscape
from reportlab.pdfbase import pdfmetrics
from reportlab.pdfbase.cidfonts import UnicodeCIDFont
from reportlab.pdfgen.canvas import Canvas


def _synthetic() -> ModuleType:
    """The drawing tools beside this file, which is part of no package."""
    spec = importlib.util.spec_from_file_location(
        "datasheets_synthetic", Path(__file__).with_name("datasheets_synthetic.py")
    )
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    sys.modules.setdefault(spec.name, module)
    spec.loader.exec_module(module)
    return module


_TOOLS = _synthetic()
text, table, title, heading, canvas, done = (
    getattr(_TOOLS, name) for name in ("text", "table", "title", "heading", "canvas", "done")
)
SI = _TOOLS.SI | {
    "Vrms": ("V", 1.0), "kV": ("V", 1e3), "%/V": ("%/V", 1.0), "mJ": ("J", 1e-3), "µC": ("C", 1e-6), "W/°C": ("W/K", 1.0),
    "Hz": ("Hz", 1.0), "µW": ("W", 1e-6), "s": ("s", 1.0), "mV/K": ("V/K", 1e-3), "deg": ("°", 1.0),
    "V/µV": ("V/V", 1e6), "µS": ("S", 1e-6),
}  # fmt: skip


@dataclass(frozen=True)
class Named:
    """A printed row and the parameter it is; numbers as printed."""

    canonical: str
    min: float | None
    typ: float | None
    max: float | None
    unit: str | None
    variant: str | None = None
    conditions: str = ""
    page: int = 1

    @property
    def si(self) -> dict[str, float | str | None]:
        """Unit and numbers in SI."""
        unit, factor = SI[self.unit]
        numbers = {s: None if (v := getattr(self, s)) is None else v * factor for s in ("min", "typ", "max")}
        return {"unit": unit, **numbers}


def zebra(
    c: Canvas, x: float, y: float, widths: Sequence[float], rows: Sequence[Sequence[str]], *, size: float = 9
) -> None:
    """Grey behind every other row of what `table` draws next without rules."""
    c.saveState()
    at = y
    for i, row in enumerate(rows):
        height = max(len(v.split("\n")) for v in row) * size * 1.3 + 4
        c.setFillGray(0.9 if i % 2 else 1.0)
        c.rect(x, at - height, sum(widths), height, stroke=0, fill=1)
        at -= height
    c.restoreState()
    table(c, x, y, widths, rows, rules="none", size=size)


def curve(c: Canvas, x: float, y: float, caption: str, across: str, up: str, *, ticks: Sequence[str]) -> None:
    """A picture of a curve: a frame, a grid, numbers along the axes, none of which is a value."""
    c.rect(x, y, 180, 120)
    for i, tick in enumerate(ticks):
        c.line(x + i * 180 / (len(ticks) - 1), y, x + i * 180 / (len(ticks) - 1), y + 120)
        c.line(x, y + i * 120 / (len(ticks) - 1), x + 180, y + i * 120 / (len(ticks) - 1))
        text(c, x + i * 180 / (len(ticks) - 1) - 4, y - 10, tick, size=7)
        text(c, x - 20, y + i * 120 / (len(ticks) - 1), tick, size=7)
    text(c, x + 50, y - 22, across, size=7)
    c.saveState()
    c.translate(x - 24, y + 30)
    c.rotate(90)
    text(c, 0, 0, up, size=7)
    c.restoreState()
    text(c, x, y - 36, caption, size=8, font="Helvetica-Bold")


def bilingual_transistors() -> "_TOOLS.Sheet":
    """German beside English, units in the cells, a column a part, gain groups a row each."""
    c, out = canvas()
    title(c, "QC546 ... QC548", "General Purpose Si-Epitaxial Planar Transistors", maker="Beispiel Halbleiter GmbH")
    text(c, 50, 762, "NPN", size=11)
    heading(c, 735, "Maximum ratings (T{A} = 25 °C)", "Grenzwerte (T{A} = 25 °C)")
    table(c, 50, 720, [200, 60, 70, 70, 70], [
        ["", "", "QC546", "QC547", "QC548"],
        ["Collector-Emitter-volt. – Kollektor-Emitter-Spannung", "V{CEO}", "65 V", "45 V", "30 V"],
        ["Collector-Base-voltage – Kollektor-Basis-Spannung", "V{CBO}", "80 V", "50 V", "30 V"],
        ["Power dissipation – Verlustleistung", "P{tot}", "500 mW ^{1)}", None, None],
        ["Collector current – Kollektorstrom (dc)", "I{C}", "100 mA", None, None],
        ["Peak Collector current – Kollektor-Spitzenstrom", "I{CM}", "200 mA", None, None],
        ["Junction temperature – Sperrschichttemperatur", "T{j}", "-55...+150°C", None, None],
    ], rules="horizontal", size=7.5, centred=(2, 3, 4), spans=[(r, 2, 1, 3) for r in range(3, 7)])  # fmt: skip
    heading(c, 590, "Characteristics (T{j} = 25 °C)", "Kennwerte (T{j} = 25 °C)")
    table(c, 50, 575, [230, 60, 60, 60, 60], [
        ["", "", "Min.", "Typ.", "Max."],
        ["DC current gain – Kollektor-Basis-Stromverhältnis\nV{CE} = 5 V, I{C} = 2 mA      Group A\n"
         "                                           Group B\n                                           Group C",
         "\nh{FE}\nh{FE}\nh{FE}", "\n110\n200\n420", "\n180\n290\n520", "\n220\n450\n800"],
        ["Collector-Emitter saturation voltage\nKollektor-Sättigungsspannung ^{2)}\nI{C} = 100 mA, I{B} = 5 mA",
         "V{CEsat}", "–", "200 mV", "600 mV"],
        ["Gain-Bandwidth Product – Transitfrequenz\nV{CE} = 5 V, I{C} = 10 mA, f = 100 MHz", "f{T}", "–", "300 MHz", "–"],
        ["Collector-Base Capacitance – Kollektor-Basis-Kapazität\nV{CB} = 10 V, f = 1 MHz", "C{CBO}", "–", "3.5 pF", "6 pF"],
    ], rules="horizontal", size=7.5)  # fmt: skip
    text(c, 50, 400, "1 Valid, if leads are kept at ambient temperature at a distance of 2 mm from case", size=6)
    text(c, 50, 390, "2 Tested with pulses t{p} = 300 µs, duty cycle ≤ 2%", size=6)
    parts = ("QC546", "QC547", "QC548")
    gold = [Named("v_ceo", None, None, v, "V", p) for p, v in zip(parts, (65, 45, 30), strict=True)]
    gold += [Named("v_cbo", None, None, v, "V", p) for p, v in zip(parts, (80, 50, 30), strict=True)]
    gold += [
        Named("p_tot", None, None, 500, "mW"),
        Named("i_c", None, None, 100, "mA"),
        Named("i_cm", None, None, 200, "mA"),
        Named("t_j", -55, None, 150, "°C"),
        Named("h_fe", 110, 180, 220, None, "Group A", "VCE = 5 V, IC = 2 mA"),
        Named("h_fe", 200, 290, 450, None, "Group B", "VCE = 5 V, IC = 2 mA"),
        Named("h_fe", 420, 520, 800, None, "Group C", "VCE = 5 V, IC = 2 mA"),
        Named("v_ce_sat", None, 200, 600, "mV", None, "IC = 100 mA, IB = 5 mA"),
        Named("f_t", None, 300, None, "MHz", None, "VCE = 5 V, IC = 10 mA"),
        Named("c_ob", None, 3.5, 6, "pF", None, "VCB = 10 V"),
    ]
    return done("bilingual_transistors", c, out, gold, "bjt", *parts)


def german_zener_series() -> "_TOOLS.Sheet":
    """A device a row in a zebra table, decimal commas, two columns under one German head."""
    c, out = canvas()
    title(c, "QZX84C Reihe", "Silizium-Z-Dioden 300 mW", maker="Beispiel Halbleiter GmbH")
    heading(c, 740, "Kennwerte", "Tj = 25 °C, wenn nicht anders angegeben")
    rows = [
        ["Typ", "Zenerspannung bei\nI{ZT} = 5 mA\nV{Z} min. [V]", "\n\nV{Z} max. [V]", "Diff. Widerstand\nr{zj} [Ω]\nmax.",
         "Sperrspannung\nbei I{R} = 100 nA\nV{R} [V]", "Zenerstrom\nI{ZM} [mA]\nmax."],
        ["QZX84C4V7", "4,4", "5,0", "80", "1,5", "45"],
        ["QZX84C5V1", "4,8", "5,4", "60", "2,0", "40"],
        ["QZX84C5V6", "5,2", "6,0", "40", "3,0", "36"],
        ["QZX84C6V2", "5,8", "6,6", "10", "4,0", "32"],
    ]  # fmt: skip
    zebra(c, 50, 725, [80, 95, 75, 90, 95, 70], rows, size=8)
    gold = []
    for part, low, high, rz, vr, izm in (
        ("QZX84C4V7", 4.4, 5.0, 80, 1.5, 45), ("QZX84C5V1", 4.8, 5.4, 60, 2.0, 40),
        ("QZX84C5V6", 5.2, 6.0, 40, 3.0, 36), ("QZX84C6V2", 5.8, 6.6, 10, 4.0, 32),
    ):  # fmt: skip
        gold += [
            Named("v_z", low, None, high, "V", part),
            Named("z_zt", None, None, rz, "Ω", part),
            Named("v_r", None, None, vr, "V", part),
            Named("i_zm", None, None, izm, "mA", part),
        ]
    return done("german_zener_series", c, out, gold, "zener", *(r[0] for r in rows[1:]))


def french_jfet() -> "_TOOLS.Sheet":
    """French heads and names, decimal commas, horizontal rules."""
    c, out = canvas()
    title(c, "QF245B", "Transistor JFET canal N", maker="Composants Exemple SA")
    heading(c, 740, "Valeurs limites absolues", "Tamb = 25 °C")
    table(c, 50, 725, [70, 220, 90, 60], [
        ["Symbole", "Paramètre", "Valeur", "Unité"],
        ["V{DS}", "Tension drain-source", "±30", "V"],
        ["I{G}", "Courant de grille", "10", "mA"],
        ["P{tot}", "Puissance totale dissipée", "300", "mW"],
        ["T{stg}", "Température de stockage", "-65 à +150", "°C"],
    ], rules="horizontal")  # fmt: skip
    heading(c, 590, "Caractéristiques électriques", "Tamb = 25 °C sauf indication contraire")
    table(c, 50, 575, [55, 165, 135, 38, 38, 38, 40], [
        ["Symbole", "Paramètre", "Conditions d'essai", "Min", "Typ", "Max", "Unité"],
        ["I{DSS}", "Courant de drain de saturation", "V{DS} = 15 V, V{GS} = 0", "6", "", "15", "mA"],
        ["V{GS(off)}", "Tension de blocage grille-source", "V{DS} = 15 V, I{D} = 10 nA", "-0,5", "", "-8", "V"],
        ["I{GSS}", "Courant inverse de grille", "V{GS} = -20 V, V{DS} = 0", "", "", "-5", "nA"],
        ["g{fs}", "Transconductance directe", "V{DS} = 15 V, f = 1 kHz", "3", "", "6,5", "mS"],
        ["C{iss}", "Capacité d'entrée", "V{DS} = 20 V, f = 1 MHz", "", "4", "", "pF"],
    ], rules="horizontal", size=8)  # fmt: skip
    gold = [
        Named("v_ds_max", -30, None, 30, "V"),
        Named("i_gf", None, None, 10, "mA"),
        Named("p_tot", None, None, 300, "mW"),
        Named("t_stg", -65, None, 150, "°C"),
        Named("i_dss", 6, None, 15, "mA", None, "VDS = 15 V, VGS = 0"),
        Named("v_gs_off", -0.5, None, -8, "V", None, "VDS = 15 V, ID = 10 nA"),
        Named("i_gss", None, None, -5, "nA", None, "VGS = -20 V"),
        Named("g_fs", 3, None, 6.5, "mS", None, "VDS = 15 V"),
        Named("c_iss", None, 4, None, "pF", None, "VDS = 20 V"),
    ]
    return done("french_jfet", c, out, gold, "jfet", "QF245B")


def chinese_mosfet() -> "_TOOLS.Sheet":
    """Chinese over English in heads and names; conditions last but two; units merged."""
    pdfmetrics.registerFont(UnicodeCIDFont("STSong-Light"))
    c, out = canvas()
    title(c, "QMS2302", "N-Channel 20V MOSFET", maker="Example Micro Co., Ltd.")
    text(c, 50, 745, "极限参数 Absolute Maximum Ratings (TA=25℃)", size=11, font="STSong-Light")
    table(c, 50, 732, [200, 70, 90, 60], [
        ["参数 Parameter", "符号 Symbol", "额定值 Rating", "单位 Unit"],
        ["漏源电压 Drain-Source Voltage", "VDS", "20", "V"],
        ["栅源电压 Gate-Source Voltage", "VGS", "±10", "V"],
        ["漏极电流 Drain Current-Continuous", "ID", "3.0", "A"],
        ["耗散功率 Power Dissipation", "PD", "1.25", "W"],
    ], font="STSong-Light", size=8)  # fmt: skip
    text(c, 50, 620, "电特性 Electrical Characteristics (TA=25℃ unless otherwise noted)", size=11, font="STSong-Light")
    table(c, 50, 607, [150, 55, 125, 40, 40, 40, 40], [
        ["参数\nParameter", "符号\nSymbol", "测试条件\nTest Conditions", "最小值\nMin", "典型值\nTyp", "最大值\nMax", "单位\nUnit"],
        ["漏源击穿电压\nDrain-Source Breakdown Voltage", "BVDSS", "VGS=0V, ID=250μA", "20", "", "", "V"],
        ["开启电压\nGate Threshold Voltage", "VGS(th)", "VDS=VGS, ID=250μA", "0.5", "0.75", "1.0", "V"],
        ["零栅压漏极电流", "IDSS", "VDS=20V, VGS=0V", "", "", "1", "μA"],
        ["导通电阻\nDrain-Source On-Resistance", "RDS(on)", "VGS=4.5V, ID=3A", "", "35", "50", "mΩ"],
        [None, None, "VGS=2.5V, ID=2A", "", "45", "70", None],
        ["跨导 Forward Transconductance", "gFS", "VDS=5V, ID=3A", "", "9", "", "S"],
        ["输入电容", "Ciss", "VDS=10V, VGS=0V, f=1MHz", "", "310", "", "pF"],
        ["输出电容", "Coss", None, "", "80", "", None],
        ["反向传输电容", "Crss", None, "", "45", "", None],
        ["二极管正向压降", "VSD", "VGS=0V, IS=1A", "", "0.75", "1.2", "V"],
    ], font="STSong-Light", size=7.5,
        spans=[(4, 0, 2, 1), (4, 1, 2, 1), (4, 6, 2, 1), (7, 2, 3, 1), (7, 6, 3, 1)])  # fmt: skip
    gold = [
        Named("v_dss", None, None, 20, "V"),
        Named("v_gss", -10, None, 10, "V"),
        Named("i_d", None, None, 3.0, "A"),
        Named("p_tot", None, None, 1.25, "W"),
        Named("v_br_dss", 20, None, None, "V", None, "VGS = 0 V, ID = 250 µA"),
        Named("v_gs_th", 0.5, 0.75, 1.0, "V", None, "ID = 250 µA"),
        Named("i_dss", None, None, 1, "µA", None, "VDS = 20 V"),
        Named("r_ds_on", None, 35, 50, "mΩ", None, "VGS = 4.5 V, ID = 3 A"),
        Named("r_ds_on", None, 45, 70, "mΩ", None, "VGS = 2.5 V, ID = 2 A"),
        Named("g_fs", None, 9, None, "S", None, "VDS = 5 V, ID = 3 A"),
        Named("c_iss", None, 310, None, "pF", None, "VDS = 10 V, f = 1 MHz"),
        Named("c_oss", None, 80, None, "pF", None, "VDS = 10 V, f = 1 MHz"),
        Named("c_rss", None, 45, None, "pF", None, "VDS = 10 V, f = 1 MHz"),
        Named("v_sd", None, 0.75, 1.2, "V", None, "IS = 1 A"),
    ]
    return done("chinese_mosfet", c, out, gold, "mosfet", "QMS2302")


def units_in_name() -> "_TOOLS.Sheet":
    """No column of units: they stand in the names; bounds as ≤, <, > and max."""
    c, out = canvas()
    title(c, "QSB340", "Schottky Barrier Rectifier")
    heading(c, 740, "Ratings and Characteristics", "at 25 °C ambient temperature")
    table(c, 50, 725, [300, 80, 90], [
        ["Characteristic", "Symbol", "Rating"],
        ["Peak Repetitive Reverse Voltage (V)", "V{RRM}", "40"],
        ["Average Rectified Forward Current (A)", "I{F(AV)}", "3.0"],
        ["Non-Repetitive Peak Surge Current (A)", "I{FSM}", "80"],
        ["Forward Voltage at I{F} = 3.0 A (V)", "V{F}", "≤ 0.525"],
        ["Reverse Leakage Current at V{R} = 40 V, T{J} = 25 °C (mA)", "I{R}", "< 0.5"],
        ["Junction Capacitance at V{R} = 4 V (pF)", "C{J}", "max. 250"],
        ["Junction Temperature (°C)", "T{J}", "-65 to +125"],
    ], rules="all")  # fmt: skip
    gold = [
        Named("v_rrm", None, None, 40, "V"),
        Named("i_f_av", None, None, 3.0, "A"),
        Named("i_fsm", None, None, 80, "A"),
        Named("v_f", None, None, 0.525, "V", None, "IF = 3.0 A"),
        Named("i_r", None, None, 0.5, "mA", None, "VR = 40 V"),
        Named("c_j", None, None, 250, "pF", None, "VR = 4 V"),
        Named("t_j", -65, None, 125, "°C"),
    ]
    return done("units_in_name", c, out, gold, "schottky", "QSB340")


def glued_footnotes() -> "_TOOLS.Sheet":
    """Footnotes glued to values and units, in four styles."""
    c, out = canvas()
    title(c, "QMJ3055", "NPN Power Transistor")
    heading(c, 740, "Absolute Maximum Ratings")
    table(c, 50, 725, [200, 70, 90, 60], [
        ["Rating", "Symbol", "Value", "Unit"],
        ["Collector-Emitter Voltage", "V{CEO}", "60(1)", "V"],
        ["Collector Current – Continuous", "I{C}", "15^{(2)}", "A"],
        ["Total Device Dissipation\nDerate above 25°C", "P{D}", "115^{2)}\n0.657", "W\nW/°C"],
        ["Thermal Resistance, Junction to Case", "R{θJC}", "1.52*", "°C/W"],
    ], rules="all")  # fmt: skip
    heading(c, 585, "Electrical Characteristics", "(TC = 25°C unless otherwise noted)")
    table(c, 50, 570, [265, 60, 45, 45, 50], [
        ["Characteristic", "Symbol", "Min", "Max", "Unit"],
        ["Collector-Emitter Sustaining Voltage (3)\n(I{C} = 200 mAdc, I{B} = 0)", "V{CEO(sus)}", "60", "–", "Vdc"],
        ["Collector Cutoff Current\n(V{CE} = 30 Vdc, I{B} = 0)", "I{CEO}", "–", "0.7", "mAdc"],
        ["DC Current Gain (3)\n(I{C} = 4.0 Adc, V{CE} = 4.0 Vdc)\n(I{C} = 10 Adc, V{CE} = 4.0 Vdc)", "h{FE}", "\n20\n5.0",
         "\n70\n–", "–"],
        ["Collector-Emitter Saturation Voltage (3)\n(I{C} = 4.0 Adc, I{B} = 400 mAdc)", "V{CE(sat)}", "–", "1.1", "Vdc"],
        ["Base-Emitter On Voltage (3)\n(I{C} = 4.0 Adc, V{CE} = 4.0 Vdc)", "V{BE(on)}", "–", "1.5^{4}", "Vdc"],
    ], rules="horizontal", size=8)  # fmt: skip
    for i, note in enumerate(("(1) Base open.", "(2) Up to 10 s.", "(3) Pulse Test: Pulse Width ≤ 300 µs, Duty Cycle ≤ 2.0%.",
                              "4 Measured 3 mm from the case at 25 W.", "* With 10 in.-lb. of torque.")):  # fmt: skip
        text(c, 50, 390 - 10 * i, note, size=7)
    gold = [
        Named("v_ceo", None, None, 60, "V"),
        Named("i_c", None, None, 15, "A"),
        Named("p_tot", None, None, 115, "W"),
        Named("p_derating", None, None, 0.657, "W/°C"),
        Named("r_th_jc", None, None, 1.52, "°C/W"),
        Named("v_br_ceo", 60, None, None, "V", None, "IC = 200 mA, IB = 0"),
        Named("i_ceo", None, None, 0.7, "mA", None, "VCE = 30 V"),
        Named("h_fe", 20, None, 70, None, None, "IC = 4.0 A, VCE = 4.0 V"),
        Named("h_fe", 5.0, None, None, None, None, "IC = 10 A, VCE = 4.0 V"),
        Named("v_ce_sat", None, None, 1.1, "V", None, "IC = 4.0 A, IB = 400 mA"),
        Named("v_be_on", None, None, 1.5, "V", None, "IC = 4.0 A, VCE = 4.0 V"),
    ]
    return done("glued_footnotes", c, out, gold, "bjt", "QMJ3055")


def grouped_optocoupler() -> "_TOOLS.Sheet":
    """Input, Output and Coupled stand turned at the left, in one tall cell each; conditions after the unit."""
    c, out = canvas()
    title(c, "QPC817", "4-Pin DIP Phototransistor Photocoupler")
    heading(c, 740, "Absolute Maximum Ratings", "(Ta=25°C)")
    table(c, 50, 725, [40, 210, 60, 80, 50], [
        ["", "Parameter", "Symbol", "Rating", "Unit"],
        ["", "Forward current", "I{F}", "50", "mA"],
        ["", "Reverse voltage", "V{R}", "6", "V"],
        ["", "Collector-Emitter voltage", "V{CEO}", "80", "V"],
        ["", "Collector current", "I{C}", "50", "mA"],
        ["", "Isolation voltage *1", "V{iso}", "5000", "Vrms"],
        ["", "Operating temperature", "T{opr}", "-55~+110", "°C"],
    ], rules="all")  # fmt: skip
    heading(c, 580, "Electro-Optical Characteristics", "(Ta=25°C unless specified otherwise)")
    table(c, 50, 565, [40, 140, 55, 40, 40, 40, 40, 120], [
        ["", "Parameter", "Symbol", "Min", "Typ.", "Max", "Unit", "Condition"],
        ["", "Forward voltage", "V{F}", "-", "1.2", "1.4", "V", "I{F} = 20mA"],
        [None, "Reverse current", "I{R}", "-", "-", "10", "µA", "V{R} = 4V"],
        ["", "Collector-Emitter dark current", "I{CEO}", "-", "-", "100", "nA", "V{CE} = 20V, I{F} = 0mA"],
        [None, "Collector-Emitter breakdown voltage", "BV{CEO}", "80", "-", "-", "V", "I{C} = 0.1mA"],
        ["", "Current Transfer ratio", "CTR", "80", "-", "600", "%", "I{F} = 5mA, V{CE} = 5V"],
        [None, "Collector-Emitter saturation voltage", "V{CE(sat)}", "-", "0.1", "0.2", "V", "I{F} = 20mA, I{C} = 1mA"],
        [None, "Rise time", "t{r}", "-", "4", "18", "µs", "V{CE} = 2V, I{C} = 2mA,\nR{L} = 100Ω"],
        [None, "Fall time", "t{f}", "-", "3", "18", "µs", None],
    ], size=8, spans=[(1, 0, 2, 1), (3, 0, 2, 1), (5, 0, 4, 1), (7, 7, 2, 1)])  # fmt: skip
    for y, word in ((515, "Input"), (485, "Output"), (430, "Coupled")):
        c.saveState()
        c.translate(73, y)
        c.rotate(90)
        text(c, 0, 0, word, size=8)
        c.restoreState()
    text(c, 50, 380, "*1 AC for 1 minute, R.H.= 40 ~ 60% R.H.", size=7)
    gold = [
        Named("i_f", None, None, 50, "mA"),
        Named("v_r", None, None, 6, "V"),
        Named("v_ceo", None, None, 80, "V"),
        Named("i_c", None, None, 50, "mA"),
        Named("v_iso", None, None, 5000, "Vrms"),
        Named("t_a", -55, None, 110, "°C"),
        Named("v_f", None, 1.2, 1.4, "V", None, "IF = 20 mA"),
        Named("i_r", None, None, 10, "µA", None, "VR = 4 V"),
        Named("i_ceo", None, None, 100, "nA", None, "VCE = 20 V"),
        Named("v_br_ceo_opto", 80, None, None, "V", None, "IC = 0.1 mA"),
        Named("ctr", 80, None, 600, "%", None, "IF = 5 mA, VCE = 5 V"),
        Named("v_ce_sat", None, 0.1, 0.2, "V", None, "IF = 20 mA, IC = 1 mA"),
        Named("t_r", None, 4, 18, "µs", None, "VCE = 2 V, IC = 2 mA"),
        Named("t_f", None, 3, 18, "µs", None, "VCE = 2 V, IC = 2 mA"),
    ]
    return done("grouped_optocoupler", c, out, gold, "optocoupler", "QPC817")


def led_with_bins() -> "_TOOLS.Sheet":
    """An LED: its table, bins, an ordering table, the package in millimetres and curves."""
    c, out = canvas()
    title(c, "QL5050RD", "5.0 mm x 5.0 mm Super Red SMD LED")
    heading(c, 745, "Electrical / Optical Characteristics at TA=25°C")
    table(c, 50, 730, [135, 55, 45, 45, 45, 45, 110], [
        ["Parameter", "Symbol", "Min.", "Typ.", "Max.", "Unit(s)", "Test Conditions"],
        ["Luminous Intensity", "Iv", "450", "900", "", "mcd", "I{F} = 20mA"],
        ["Viewing Angle [1]", "2θ1/2", "", "120", "", "deg", ""],
        ["Peak Wavelength", "λp", "", "640", "", "nm", "I{F} = 20mA"],
        ["Dominant Wavelength", "λd", "", "625", "", "nm", "I{F} = 20mA"],
        ["Forward Voltage", "V{F}", "1.7", "2.0", "2.5", "V", "I{F} = 20mA"],
        ["Reverse Current", "I{R}", "", "", "10", "µA", "V{R} = 5V"],
    ], size=8)  # fmt: skip
    text(c, 50, 610, "Luminous Intensity Classification", size=10, font="Helvetica-Bold")
    table(c, 50, 600, [60, 60, 60], [["Bin", "Min. (mcd)", "Max. (mcd)"], ["S", "450", "600"], ["T", "600", "800"],
                                      ["U", "800", "1000"]], size=8)  # fmt: skip
    text(c, 300, 610, "Package Dimensions (mm)", size=10, font="Helvetica-Bold")
    table(c, 300, 600, [50, 50, 50, 50], [["Symbol", "Min", "Nom", "Max"], ["A", "1.40", "1.50", "1.60"],
                                           ["D", "4.90", "5.00", "5.10"], ["E", "4.90", "5.00", "5.10"],
                                           ["IF", "0.45", "0.50", "0.55"]], size=8)  # fmt: skip
    text(c, 50, 515, "Ordering Information", size=10, font="Helvetica-Bold")
    table(c, 50, 505, [110, 80, 80], [["Part No.", "Reel (mm)", "Quantity"], ["QL5050RD", "178", "1000"]], size=8)
    curve(c, 90, 300, "Forward Current vs. Forward Voltage", "Forward Voltage VF (V)", "Forward Current IF (mA)",
          ticks=("1.5", "1.7", "1.9", "2.1", "2.3", "2.5"))  # fmt: skip
    curve(c, 350, 300, "Forward Current Derating", "Ambient temperature TA (°C)", "IF (mA)",
          ticks=("0", "20", "40", "60", "80", "100"))  # fmt: skip
    gold = [
        Named("i_v", 450, 900, None, "mcd", None, "IF = 20 mA"),
        Named("theta_half", None, 120, None, "deg"),
        Named("lambda_p", None, 640, None, "nm", None, "IF = 20 mA"),
        Named("lambda_d", None, 625, None, "nm", None, "IF = 20 mA"),
        Named("v_f", 1.7, 2.0, 2.5, "V", None, "IF = 20 mA"),
        Named("i_r", None, None, 10, "µA", None, "VR = 5 V"),
    ]
    return done("led_with_bins", c, out, gold, "led", "QL5050RD")


def adjustable_regulator() -> "_TOOLS.Sheet":
    """A formula for VOUT, conditions as inequalities, two temperatures a parameter, no symbols."""
    c, out = canvas()
    title(c, "QLM317", "3-Terminal Adjustable Positive Voltage Regulator")
    text(
        c,
        50,
        755,
        "V{OUT} = 1.25 V (1 + R2 / R1) + I{ADJ} × R2.  Output adjustable from 1.25 V to 37 V, 1.5 A.",
        size=8,
    )
    heading(c, 735, "Electrical Characteristics", "VIN – VOUT = 5 V, IOUT = 10 mA, TJ = 25°C unless otherwise noted")
    table(c, 50, 720, [140, 190, 40, 40, 40, 45], [
        ["PARAMETER", "CONDITIONS", "MIN", "TYP", "MAX", "UNITS"],
        ["Reference Voltage", "3 V ≤ (V{IN} – V{OUT}) ≤ 40 V,\n10 mA ≤ I{OUT} ≤ 1.5 A", "1.20", "1.25", "1.30", "V"],
        ["Line Regulation", "T{J} = 25°C\nOver temperature", "", "0.01\n0.02", "0.04\n0.07", "%/V\n%/V"],
        ["Load Regulation", "10 mA ≤ I{OUT} ≤ 1.5 A", "", "0.1", "0.5", "%"],
        ["Adjustment Pin Current", "", "", "50", "100", "µA"],
        ["Minimum Load Current", "(V{IN} – V{OUT}) = 40 V", "", "3.5", "10", "mA"],
        ["Current Limit", "(V{IN} – V{OUT}) ≤ 15 V", "1.5", "2.2", "3.4", "A"],
        ["Ripple Rejection Ratio", "V{OUT} = 10 V, f = 120 Hz, C{ADJ} = 10 µF", "66", "80", "", "dB"],
        ["RMS Output Noise, % of V{OUT}", "10 Hz ≤ f ≤ 10 kHz", "", "0.003", "", "%"],
        ["Thermal Resistance, Junction-to-Case", "", "", "4", "", "°C/W"],
    ], rules="horizontal", size=7.5)  # fmt: skip
    gold = [
        Named("v_ref", 1.20, 1.25, 1.30, "V"),
        Named("reg_line", None, 0.01, 0.04, "%/V", None, "TJ = 25 °C"),
        Named("reg_line", None, 0.02, 0.07, "%/V"),
        Named("reg_load", None, 0.1, 0.5, "%"),
        Named("i_adj", None, 50, 100, "µA"),
        Named("i_o_min", None, 3.5, 10, "mA"),
        Named("i_limit", 1.5, 2.2, 3.4, "A"),
        Named("rr", 66, 80, None, "dB", None, "f = 120 Hz"),
        Named("v_n", None, 0.003, None, "%"),
        Named("r_th_jc", None, 4, None, "°C/W"),
    ]
    return done("adjustable_regulator", c, out, gold, "regulator", "QLM317")


def op_amp_two_supplies() -> "_TOOLS.Sheet":
    """Two tables that differ in the supply their caption names; group rows; zebra; "1.2k" and k in values."""
    c, out = canvas()
    title(c, "QPA2277", "Dual Precision Operational Amplifier")
    widths = [55, 165, 140, 40, 40, 40, 45]
    heads = ["", "PARAMETER", "TEST CONDITIONS", "MIN", "TYP", "MAX", "UNIT"]
    text(c, 50, 745, "Electrical Characteristics: VS = ±15 V", size=11, font="Helvetica-Bold")
    text(c, 50, 733, "At TA = 25°C, RL = 2 kΩ, unless otherwise noted", size=8)
    zebra(c, 50, 725, widths, [
        heads,
        ["OFFSET VOLTAGE", "", "", "", "", "", ""],
        ["V{OS}", "Input offset voltage", "", "", "10", "25", "µV"],
        ["dV{OS}/dT", "Input offset voltage drift", "T{A} = –40°C to 85°C", "", "0.1", "0.25", "µV/°C"],
        ["INPUT BIAS CURRENT", "", "", "", "", "", ""],
        ["I{B}", "Input bias current", "", "", "±0.5", "±2.8", "nA"],
        ["OPEN-LOOP GAIN", "", "", "", "", "", ""],
        ["A{OL}", "Open-loop voltage gain", "V{O} = –14.5 V to 14.5 V, R{L} = 10 kΩ", "126", "134", "", "dB"],
        ["FREQUENCY RESPONSE", "", "", "", "", "", ""],
        ["GBW", "Gain-bandwidth product", "", "", "1", "", "MHz"],
        ["SR", "Slew rate", "", "", "0.8", "", "V/µs"],
        ["POWER SUPPLY", "", "", "", "", "", ""],
        ["I{Q}", "Quiescent current per amplifier", "I{O} = 0", "", "790", "825", "µA"],
    ], size=7.5)  # fmt: skip
    text(c, 50, 510, "Electrical Characteristics: VS = 5 V", size=11, font="Helvetica-Bold")
    text(c, 50, 498, "At TA = 25°C, RL = 2 kΩ, unless otherwise noted", size=8)
    zebra(c, 50, 490, widths, [
        heads,
        ["V{OS}", "Input offset voltage", "", "", "20", "50", "µV"],
        ["I{B}", "Input bias current", "", "", "±1", "±4", "nA"],
        ["CMRR", "Common-mode rejection ratio", "V{CM} = 2 V to 3 V", "110", "120", "", "dB"],
        ["I{Q}", "Quiescent current per amplifier", "I{O} = 0", "", "0.65", "0.75", "mA"],
    ], size=7.5)  # fmt: skip
    gold = [
        Named("v_os", None, 10, 25, "µV", None, "VS = ±15 V"),
        Named("tc_v_os", None, 0.1, 0.25, "µV/°C"),
        Named("i_bias", -2.8, 0.5, 2.8, "nA", None, "VS = ±15 V"),
        Named("a_vol", 126, 134, None, "dB"),
        Named("gbw", None, 1, None, "MHz"),
        Named("sr", None, 0.8, None, "V/µs"),
        Named("i_s_supply", None, 790, 825, "µA", None, "IO = 0"),
        Named("v_os", None, 20, 50, "µV", None, "VS = 5 V"),
        Named("i_bias", -4, 1, 4, "nA", None, "VS = 5 V"),
        Named("cmrr", 110, 120, None, "dB"),
        Named("i_s_supply", None, 0.65, 0.75, "mA", None, "IO = 0"),
    ]
    return done("op_amp_two_supplies", c, out, gold, "op_amp", "QPA2277")


def columns_with_curves() -> "_TOOLS.Sheet":
    """A page in two columns: prose and a pin table left, a table and a curve right."""
    c, out = canvas()
    title(c, "QN4448", "Fast Switching Diode")
    for i, line in enumerate((
        "Features", "• Fast switching: trr < 4 ns", "• High surge capability, 4 A for 1 µs", "• Leads solderable per",
        "  MIL-STD-202, Method 208", "• Weight: 0.13 g (approx.)", "Pinning", "Pin 1  Cathode", "Pin 2  Anode",
        "Marking: 4448", "Mounting position: any", "Minimum order: 5000 pieces.",
    )):  # fmt: skip
        text(c, 45, 735 - 13 * i, line, size=8)
    text(c, 280, 735, "Maximum Ratings (TA = 25°C)", size=9, font="Helvetica-Bold")
    table(c, 280, 725, [130, 45, 50, 35], [
        ["Parameter", "Symbol", "Limit", "Unit"],
        ["Reverse voltage", "V{R}", "75", "V"],
        ["Forward current", "I{F}", "150", "mA"],
        ["Surge forward current\nt < 1 s", "I{FSM}", "500", "mA"],
        ["Power dissipation", "P{tot}", "500", "mW"],
    ], rules="none", size=8)  # fmt: skip
    text(c, 280, 630, "Characteristics (TJ = 25°C)", size=9, font="Helvetica-Bold")
    table(c, 280, 620, [150, 40, 30, 30, 30], [
        ["Parameter", "Symbol", "Typ", "Max", "Unit"],
        ["Forward voltage at I{F} = 5 mA", "V{F}", "0.65", "0.72", "V"],
        ["Forward voltage at I{F} = 100 mA", "V{F}", "0.9", "1.0", "V"],
        ["Leakage current at V{R} = 20 V", "I{R}", "-", "25", "nA"],
        ["Capacitance at V{R} = 0 V, f = 1 MHz", "C{tot}", "2", "4", "pF"],
        ["Reverse recovery time", "t{rr}", "-", "4", "ns"],
    ], rules="none", size=8)  # fmt: skip
    curve(c, 330, 320, "Fig. 1 Forward characteristics", "Forward Voltage VF (V)", "Forward current IF (mA)",
          ticks=("0.2", "0.4", "0.6", "0.8", "1.0", "1.2"))  # fmt: skip
    curve(c, 80, 320, "Fig. 2 Reverse current", "Reverse voltage VR (V)", "Leakage current IR (nA)",
          ticks=("0", "20", "40", "60", "80", "100"))  # fmt: skip
    gold = [
        Named("v_r", None, None, 75, "V"),
        Named("i_f", None, None, 150, "mA"),
        Named("i_fsm", None, None, 500, "mA"),
        Named("p_tot", None, None, 500, "mW"),
        Named("v_f", None, 0.65, 0.72, "V", None, "IF = 5 mA"),
        Named("v_f", None, 0.9, 1.0, "V", None, "IF = 100 mA"),
        Named("i_r", None, None, 25, "nA", None, "VR = 20 V"),
        Named("c_d", None, 2, 4, "pF", None, "VR = 0 V"),
        Named("t_rr", None, None, 4, "ns"),
    ]
    return done("columns_with_curves", c, out, gold, "diode", "QN4448")


def continued_overleaf() -> "_TOOLS.Sheet":
    """Tables that go on overleaf, between running heads and feet with numbers in them."""
    c, out = canvas()
    for page in (1, 2):
        text(c, 50, 825, "QP6405", size=8, font="Helvetica-Bold")
        text(c, 430, 825, "P-Channel Power MOSFET", size=8)
        text(c, 50, 25, "Document Number: 65405   S14-1024 Rev. C, 12-May-2014", size=7)
        text(c, 500, 25, f"Page {page} of 2", size=7)
        if page == 1:
            text(c, 50, 790, "QP6405", size=18, font="Helvetica-Bold")
            text(c, 50, 770, "P-Channel 30 V (D-S) MOSFET", size=12, font="Helvetica-Bold")
            heading(c, 300, "SPECIFICATIONS", "(TJ = 25 °C, unless otherwise noted)")
            table(c, 50, 285, [140, 60, 150, 40, 40, 40, 40], [
                ["PARAMETER", "SYMBOL", "TEST CONDITIONS", "MIN.", "TYP.", "MAX.", "UNIT"],
                ["Static", None, None, None, None, None, None],
                ["Drain-source breakdown voltage", "V{DS}", "V{GS} = 0 V, I{D} = -250 µA", "-30", "-", "-", "V"],
                ["Gate-source threshold voltage", "V{GS(th)}", "V{DS} = V{GS}, I{D} = -250 µA", "-1", "-", "-2.5", "V"],
                ["Gate-source leakage", "I{GSS}", "V{DS} = 0 V, V{GS} = ± 20 V", "-", "-", "± 100", "nA"],
                ["Drain-source on-state resistance ^{a}", "R{DS(on)}", "V{GS} = -10 V, I{D} = -5 A", "-", "0.038", "0.050", "Ω"],
                [None, None, "V{GS} = -4.5 V, I{D} = -4 A", "-", "0.060", "0.080", None],
            ], size=7.5, spans=[(1, 0, 1, 7), (5, 0, 2, 1), (5, 1, 2, 1), (5, 6, 2, 1)])  # fmt: skip
            c.showPage()
    heading(c, 790, "SPECIFICATIONS (continued)", "(TJ = 25 °C, unless otherwise noted)")
    table(c, 50, 775, [140, 60, 150, 40, 40, 40, 40], [
        ["PARAMETER", "SYMBOL", "TEST CONDITIONS", "MIN.", "TYP.", "MAX.", "UNIT"],
        ["Dynamic ^{b}", None, None, None, None, None, None],
        ["Input capacitance", "C{iss}", "V{DS} = -15 V, V{GS} = 0 V, f = 1 MHz", "-", "560", "-", "pF"],
        ["Output capacitance", "C{oss}", None, "-", "120", "-", None],
        ["Reverse transfer capacitance", "C{rss}", None, "-", "90", "-", None],
        ["Total gate charge", "Q{g}", "V{DS} = -15 V, V{GS} = -10 V,\nI{D} = -5 A", "-", "12.4", "19", "nC"],
        ["Gate resistance", "R{g}", "f = 1 MHz", "1.2", "5.8", "11.6", "Ω"],
        ["Turn-on delay time", "t{d(on)}", "V{DD} = -15 V, R{L} = 3.75 Ω", "-", "8", "16", "ns"],
    ], size=7.5, spans=[(1, 0, 1, 7), (2, 2, 3, 1), (2, 6, 3, 1)])  # fmt: skip
    text(c, 50, 600, "Notes", size=7)
    text(c, 50, 590, "a. Pulse test: pulse width ≤ 300 µs, duty cycle ≤ 2 %.   b. Guaranteed by design.", size=7)
    gold = [
        Named("v_br_dss", -30, None, None, "V", None, "VGS = 0 V, ID = -250 µA"),
        Named("v_gs_th", -1, None, -2.5, "V", None, "ID = -250 µA"),
        Named("i_gss", -100, None, 100, "nA", None, "VDS = 0 V"),
        Named("r_ds_on", None, 0.038, 0.050, "Ω", None, "VGS = -10 V, ID = -5 A"),
        Named("r_ds_on", None, 0.060, 0.080, "Ω", None, "VGS = -4.5 V, ID = -4 A"),
        Named("c_iss", None, 560, None, "pF", None, "VDS = -15 V", 2),
        Named("c_oss", None, 120, None, "pF", None, "VDS = -15 V", 2),
        Named("c_rss", None, 90, None, "pF", None, "VDS = -15 V", 2),
        Named("q_g", None, 12.4, 19, "nC", None, "VGS = -10 V, ID = -5 A", 2),
        Named("r_g", 1.2, 5.8, 11.6, "Ω", None, "f = 1 MHz", 2),
        Named("t_d_on", None, 8, 16, "ns", None, "VDD = -15 V", 2),
    ]
    return done("continued_overleaf", c, out, gold, "mosfet", "QP6405")


def ordering_and_dimensions() -> "_TOOLS.Sheet":
    """Tables that hold no parameter: ordering codes, marking, solder profile, the package; with symbols that could be."""
    c, out = canvas()
    title(c, "QMT5401", "PNP High Voltage Transistor")
    heading(c, 740, "Absolute Maximum Ratings", "TA = 25°C")
    table(c, 50, 725, [200, 70, 90, 60], [
        ["Characteristic", "Symbol", "Value", "Unit"],
        ["Collector-Base Voltage", "V{CBO}", "-160", "V"],
        ["Collector-Emitter Voltage", "V{CEO}", "-150", "V"],
        ["Collector Current", "I{C}", "-600", "mA"],
    ], rules="horizontal")  # fmt: skip
    heading(c, 640, "Ordering Information")
    table(c, 50, 628, [110, 80, 80, 80, 80], [
        ["Part Number", "Case", "Marking", "Reel size (inches)", "Tape width (mm)"],
        ["QMT5401-7-F", "SOT23", "K4M", "7", "8"],
        ["QMT5401-13", "SOT23", "K4M", "13", "8"],
    ], size=7.5)  # fmt: skip
    heading(c, 560, "Package Outline Dimensions", "SOT23 (All dimensions in mm)")
    table(c, 50, 548, [60, 60, 60, 60], [
        ["Dim", "Min", "Max", "Typ"], ["A", "0.37", "0.51", "0.40"], ["B", "1.20", "1.40", "1.30"],
        ["C", "2.30", "2.50", "2.40"], ["D", "0.89", "1.03", "0.915"], ["L", "0.45", "0.61", "0.55"],
        ["M", "0.085", "0.150", "0.110"], ["α", "0°", "8°", "-"],
    ], size=7.5)  # fmt: skip
    heading(c, 400, "Suggested Pad Layout")
    table(c, 50, 388, [80, 100], [["Dimensions", "Value (in mm)"], ["C", "2.0"], ["X", "0.8"], ["Y", "0.9"]], size=7.5)
    heading(c, 300, "Reflow Profile")
    table(c, 50, 288, [220, 100], [
        ["Profile feature", "Pb-free assembly"],
        ["Preheat temperature min. (T{smin})", "150 °C"],
        ["Time (t{s}) from 150 °C to 200 °C", "60 to 120 s"],
        ["Peak temperature (T{p})", "260 °C"],
        ["Time 25 °C to peak temperature", "8 minutes max."],
    ], size=7.5)  # fmt: skip
    gold = [
        Named("v_cbo", None, None, -160, "V"),
        Named("v_ceo", None, None, -150, "V"),
        Named("i_c", None, None, -600, "mA"),
    ]
    return done("ordering_and_dimensions", c, out, gold, "bjt", "QMT5401")


def rotated_heads() -> "_TOOLS.Sheet":
    """Column heads that run upwards; values broken on two lines; a thousands separator; a resistance in k."""
    c, out = canvas(size=landscape(A4))
    title(c, "QTC114", "NPN Digital Transistor", y=560)
    heading(c, 500, "Ratings and Characteristics", "Ta = 25°C")
    table(c, 60, 490, [200, 80, 160, 50, 50, 50, 50], [
        ["", "", "", "", "", "", ""],
        ["", "", "", "", "", "", ""],
        ["", "", "", "", "", "", ""],
    ], rules="none")  # fmt: skip
    for x, word in ((160, "Parameter"), (300, "Symbol"), (420, "Conditions"), (530, "Min."), (580, "Typ."), (630, "Max."),
                    (680, "Unit")):  # fmt: skip
        c.saveState()
        c.translate(x, 445)
        c.rotate(90)
        text(c, 0, 0, word, size=8, font="Helvetica-Bold")
        c.restoreState()
    c.line(60, 440, 700, 440)
    table(c, 60, 438, [200, 80, 160, 50, 50, 50, 50], [
        ["Collector-base breakdown voltage", "BV{CBO}", "I{C} = 50 µA", "50", "-", "-", "V"],
        ["Collector cutoff current", "I{CBO}", "V{CB} = 50 V", "-", "-", "0.5", "µA"],
        ["DC current gain", "h{FE}", "V{CE} = 5 V, I{C} = 5 mA", "30", "-", "-", "-"],
        ["Input resistance", "R{1}", "-", "7", "10", "13", "kΩ"],
        ["Resistance ratio", "R{2}/R{1}", "-", "0.8", "1.0", "1.2", "-"],
        ["Transition frequency", "f{T}", "V{CE} = 10 V, I{E} = -5 mA", "-", "250", "-", "MHz"],
        ["Storage temperature", "T{stg}", "", "-55", "", "+150", "°C"],
    ], rules="horizontal")  # fmt: skip
    gold = [
        Named("v_br_cbo", 50, None, None, "V", None, "IC = 50 µA"),
        Named("i_cbo", None, None, 0.5, "µA", None, "VCB = 50 V"),
        Named("h_fe", 30, None, None, None, None, "VCE = 5 V, IC = 5 mA"),
        Named("r_1", 7, 10, 13, "kΩ"),
        Named("r_2_r_1", 0.8, 1.0, 1.2, None),
        Named("f_t", None, 250, None, "MHz", None, "VCE = 10 V"),
        Named("t_stg", -55, None, 150, "°C"),
    ]
    return done("rotated_heads", c, out, gold, "bjt", "QTC114")


def rectifier_rows_with_units() -> "_TOOLS.Sheet":
    """A device a row; symbols, conditions and units in three lines of the head, all ruled."""
    c, out = canvas()
    title(c, "QUF54xx Series", "Ultrafast Rectifiers 3 A")
    heading(c, 740, "Ratings and Characteristics", "TA = 25 °C")
    table(c, 50, 725, [80, 70, 80, 80, 80, 80], [
        ["Type", "V{RRM}", "I{F(AV)}", "I{FSM}", "V{F}", "t{rr}"],
        ["", "", "T{A} = 55 °C", "10 ms", "I{F} = 3 A", "I{F} = 0.5 A"],
        ["", "[V]", "[A]", "[A]", "[V]", "[ns]"],
        ["QUF5401", "100", "3", "150", "< 1.0", "< 50"],
        ["QUF5404", "400", "3", "150", "< 1.0", "< 50"],
        ["QUF5408", "1 000", "3", "150", "< 1.7", "< 75"],
    ], centred=(1, 2, 3, 4, 5))  # fmt: skip
    gold = []
    for part, vrrm, vf, trr in (("QUF5401", 100, 1.0, 50), ("QUF5404", 400, 1.0, 50), ("QUF5408", 1000, 1.7, 75)):
        gold += [
            Named("v_rrm", None, None, vrrm, "V", part),
            Named("i_f_av", None, None, 3, "A", part),
            Named("i_fsm", None, None, 150, "A", part),
            Named("v_f", None, None, vf, "V", part, "IF = 3 A"),
            Named("t_rr", None, None, trr, "ns", part),
        ]
    return done("rectifier_rows_with_units", c, out, gold, "rectifier", "QUF5401", "QUF5404", "QUF5408")


def symbol_font_everywhere() -> "_TOOLS.Sheet":
    """µ, Ω, θ, °, ± and ≤ are glyphs of a Symbol font whose text layer says m, W, q and worse; no rulings."""
    c, out = canvas()
    title(c, "QJ309", "N-Channel RF JFET")
    raw = _TOOLS._raw_font(c, "ABCDEF+SymbolMT", {})

    def greek(x: float, y: float, before: str, code: int, after: str = "") -> None:
        end = text(c, x, y, before)
        _TOOLS._raw_text(c, raw, end, y, f"\\{code:03o}")
        text(c, end + (3.6 if code == 0xB0 else 6.9 if code == 0x57 else 5.2), y, after)

    heading(c, 740, "Electrical Characteristics")
    for x, word in ((50, "Symbol"), (110, "Parameter"), (280, "Test Conditions"), (410, "Min"), (450, "Typ"), (490, "Max"),
                    (530, "Unit")):  # fmt: skip
        text(c, x, 722, word, font="Helvetica-Bold")
    rows = (
        ("I{GSS}", "Gate reverse current", ("V{GS} = -15 V", None, ""), "", "", "-1.0", ("", None, "nA")),
        ("I{D(off)}", "Drain cutoff current", ("V{DS} = 10 V, I{D} = 5 ", 0x6D, "A"), "", "", "20", ("", 0x6D, "A")),
        ("r{DS(on)}", "Drain-source on resistance", ("V{GS} = 0 V, I{D} = 1 mA", None, ""), "", "50", "80", ("", 0x57, "")),
        ("t{r}", "Rise time", ("V{DD} = 10 V", None, ""), "", "1.5", "", ("", 0x6D, "s")),
        ("T{stg}", "Storage temperature", ("", None, ""), "-55", "", "150", ("", 0xB0, "C")),
        ("I{DSS}", "Saturation drain current", ("V{DS} = 10 V, V{GS} = 0", None, ""), "12", "", "30", ("", None, "mA")),
        ("V{GS(off)}", "Gate-source cutoff voltage", ("V{DS} = 10 V, I{D} = 1 nA", None, ""), "-1.0", "", "-4.0", ("", None, "V")),
    )  # fmt: skip
    for i, (symbol, name, held, low, typical, high, unit) in enumerate(rows):
        y = 702 - 16 * i
        text(c, 50, y, symbol)
        text(c, 110, y, name)
        for x, (before, code, after) in ((280, held), (530, unit)):
            if code is None:
                text(c, x, y, before + after)
            else:
                greek(x, y, before, code, after)
        for x, value in ((410, low), (450, typical), (490, high)):
            text(c, x, y, value)
    gold = [
        Named("i_gss", None, None, -1.0, "nA", None, "VGS = -15 V"),
        Named("i_d_off", None, None, 20, "µA", None, "VDS = 10 V, ID = 5 µA"),
        Named("r_ds_on", None, 50, 80, "Ω", None, "VGS = 0 V, ID = 1 mA"),
        Named("t_r", None, 1.5, None, "µs", None, "VDD = 10 V"),
        Named("t_stg", -55, None, 150, "°C"),
        Named("i_dss", 12, None, 30, "mA", None, "VDS = 10 V, VGS = 0"),
        Named("v_gs_off", -1.0, None, -4.0, "V", None, "VDS = 10 V, ID = 1 nA"),
    ]
    return done("symbol_font_everywhere", c, out, gold, "jfet", "QJ309")


def values_in_prose_cells() -> "_TOOLS.Sheet":
    """Ranges as "10 – 20" and "-55 ... 150", bounds in words, units glued to values, no column of units."""
    c, out = canvas()
    title(c, "QBAT41", "Schottky Diode", maker="Example Electronics Inc.")
    heading(c, 740, "Limiting Values")
    table(c, 50, 725, [90, 240, 140], [
        ["Symbol", "Characteristic", "Value"],
        ["V{RRM}", "Repetitive peak reverse voltage", "100V"],
        ["I{F}", "Continuous forward current", "100mA max."],
        ["I{FSM}", "Surge forward current (t = 10 ms)", "750 mA"],
        ["T{stg}", "Storage temperature range", "-55 ... 150 °C"],
        ["R{thJA}", "Thermal resistance junction to ambient", "300K/W"],
    ])  # fmt: skip
    heading(c, 600, "Characteristics", "Tj = 25 °C")
    table(c, 50, 585, [90, 240, 140], [
        ["Symbol", "Characteristic", "Value"],
        ["V{F}", "Forward voltage at I{F} = 1 mA", "0.40 – 0.45 V"],
        ["V{F}", "Forward voltage at I{F} = 200 mA", "max. 1.0 V"],
        ["I{R}", "Reverse current at V{R} = 50 V", "< 100nA"],
        ["C{d}", "Diode capacitance at V{R} = 1 V", "typ. 2pF"],
    ])  # fmt: skip
    gold = [
        Named("v_rrm", None, None, 100, "V"),
        Named("i_f", None, None, 100, "mA"),
        Named("i_fsm", None, None, 750, "mA"),
        Named("t_stg", -55, None, 150, "°C"),
        Named("r_th_ja", None, None, 300, "°C/W"),
        Named("v_f", 0.40, None, 0.45, "V", None, "IF = 1 mA"),
        Named("v_f", None, None, 1.0, "V", None, "IF = 200 mA"),
        Named("i_r", None, None, 100, "nA", None, "VR = 50 V"),
        Named("c_d", None, 2, None, "pF", None, "VR = 1 V"),
    ]
    return done("values_in_prose_cells", c, out, gold, "schottky", "QBAT41")


def invoice() -> "_TOOLS.Sheet":
    """No datasheet: an invoice for parts, with a table of numbers and currency."""
    c, out = canvas()
    text(c, 50, 800, "INVOICE 2024-10233", size=16, font="Helvetica-Bold")
    table(c, 50, 740, [40, 120, 160, 50, 60, 70], [
        ["Pos", "Part No.", "Description", "Qty", "Unit price", "Amount"],
        ["1", "1N4148", "Switching diode, 100 V, 200 mA", "500", "0.02 EUR", "10.00 EUR"],
        ["2", "BC547B", "Transistor NPN 45 V", "250", "0.04 EUR", "10.00 EUR"],
        ["3", "2N7000", "MOSFET 60 V, max. 200 mA", "100", "0.11 EUR", "11.00 EUR"],
        ["", "", "Total (VAT 19 %)", "", "", "36.89 EUR"],
    ], size=8)  # fmt: skip
    text(c, 50, 600, "Payable within 14 days. Minimum order value 25 EUR, maximum credit 5000 EUR.", size=9)
    return done("invoice", c, out, [], None)


def paper() -> "_TOOLS.Sheet":
    """No datasheet: a page of a paper, with a table of results."""
    c, out = canvas()
    text(
        c,
        80,
        800,
        "Temperature Dependence of Trap-Assisted Tunnelling in Silicon Diodes",
        size=14,
        font="Helvetica-Bold",
    )
    text(c, 180, 780, "A. Author, B. Author – Institute of Examples", size=10)
    for i in range(12):
        text(
            c,
            50,
            750 - 12 * i,
            "We measured the samples at 77 K and 300 K and found that the typical current rose by 2.3 % (n = 14).",
            size=8,
        )
    text(c, 50, 580, "Table 1: Results of the fit.", size=8, font="Helvetica-Bold")
    table(c, 50, 570, [100, 80, 80, 80], [
        ["Sample", "min", "mean", "max"], ["A1", "0.12", "0.15", "0.19"], ["A2", "0.22", "0.25", "0.31"],
        ["B1", "1.02", "1.11", "1.24"],
    ], rules="horizontal", size=8)  # fmt: skip
    return done("paper", c, out, [], None)


MAKERS: tuple[Callable[[], "_TOOLS.Sheet"], ...] = (
    bilingual_transistors, german_zener_series, french_jfet, chinese_mosfet, units_in_name, glued_footnotes,
    grouped_optocoupler, led_with_bins, adjustable_regulator, op_amp_two_supplies, columns_with_curves,
    continued_overleaf, ordering_and_dimensions, rotated_heads, rectifier_rows_with_units, symbol_font_everywhere,
    values_in_prose_cells, invoice, paper,
)  # fmt: skip


def sheets() -> list["_TOOLS.Sheet"]:
    """All of them."""
    return [make() for make in MAKERS]
