"""Datasheets of parts that do not exist, each made to reproduce one trap, with what a careful reader finds in it.

The gold is written by hand beside the drawing, units included, so that nothing here shares code with what it tests.
"""

import io
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from reportlab.lib.pagesizes import A4, landscape
from reportlab.pdfbase import pdfdoc, pdfmetrics
from reportlab.pdfbase.cidfonts import UnicodeCIDFont
from reportlab.pdfgen.canvas import Canvas

SI = {
    None: (None, 1.0), "V": ("V", 1.0), "mV": ("V", 1e-3), "µV": ("V", 1e-6), "A": ("A", 1.0), "mA": ("A", 1e-3),
    "mAdc": ("A", 1e-3), "Vdc": ("V", 1.0), "µA": ("A", 1e-6), "nA": ("A", 1e-9), "pA": ("A", 1e-12), "W": ("W", 1.0),
    "mW": ("W", 1e-3), "°C": ("°C", 1.0), "K/W": ("K/W", 1.0), "°C/W": ("K/W", 1.0), "mW/°C": ("W/K", 1e-3),
    "pF": ("F", 1e-12), "nF": ("F", 1e-9), "nC": ("C", 1e-9), "ns": ("s", 1e-9), "µs": ("s", 1e-6), "MHz": ("Hz", 1e6),
    "kHz": ("Hz", 1e3), "Ω": ("Ω", 1.0), "mΩ": ("Ω", 1e-3), "kΩ": ("Ω", 1e3), "KΩ": ("Ω", 1e3), "MΩ": ("Ω", 1e6),
    "%": ("%", 1.0), "dB": ("dB", 1.0), "S": ("S", 1.0), "mS": ("S", 1e-3), "V/µs": ("V/s", 1e6),
    "nV/√Hz": ("V/√Hz", 1e-9), "µV/°C": ("V/K", 1e-6), "mV/°C": ("V/K", 1e-3), "ppm/°C": ("ppm/K", 1.0),
    "%/°C": ("%/K", 1.0), "A²s": ("A²s", 1.0), "V/mV": ("V/V", 1e3), "mcd": ("cd", 1e-3), "nm": ("m", 1e-9),
}  # fmt: skip


@dataclass(frozen=True)
class Gold:
    """One row as a careful reader has it; numbers as printed."""

    symbol: str | None
    name: str
    min: float | None
    typ: float | None
    max: float | None
    unit: str | None
    page: int = 1
    variant: str | None = None
    conditions: str = ""

    @property
    def si(self) -> dict[str, float | str | None]:
        """Unit and numbers in SI."""
        unit, factor = SI[self.unit]
        numbers = {s: None if (v := getattr(self, s)) is None else v * factor for s in ("min", "typ", "max")}
        return {"unit": unit, **numbers}


@dataclass(frozen=True)
class Sheet:
    """A synthetic datasheet: what it is a trap for, its bytes, its gold, its device type and its parts."""

    name: str
    pdf: bytes
    gold: tuple[Gold, ...]
    device_type: str | None = None
    parts: tuple[str, ...] = ()


_GREEK = "ΔλθβηΩ≤≥"
"""What Helvetica has not."""


def text(c: Canvas, x: float, y: float, value: str, *, size: float = 9, font: str = "Helvetica") -> float:
    """Draw a text with V{CE} for subscripts and 10^{-9} for superscripts; answers where it ends."""
    at = 0
    while at < len(value):
        raised = value.startswith("^{", at)
        lowered = value[at] == "{"
        if raised or lowered:
            end = value.index("}", at)
            part = value[at + (2 if raised else 1) : end]
            c.setFont(font, size * 0.68)
            c.drawString(x, y + (0.38 if raised else -0.22) * size, part)
            x += c.stringWidth(part, font, size * 0.68)
            at = end + 1
            continue
        greek = value[at] in _GREEK
        stops = [i for i in (value.find("{", at), value.find("^{", at)) if i >= 0]
        stops += [i for i in range(at + 1, len(value)) if (value[i] in _GREEK) or greek]
        part = value[at : min(stops, default=len(value))]
        # What Helvetica has not is drawn in Symbol, and measured in it.
        face = "Symbol" if greek and font != "STSong-Light" else font
        c.setFont(face, size)
        c.drawString(x, y, part)
        x += c.stringWidth(part, face, size)
        at += len(part)
    return x


def width(c: Canvas, value: str, size: float) -> float:
    """How wide `text` will be, near enough for centring."""
    return c.stringWidth(value.replace("{", "").replace("}", "").replace("^", ""), "Helvetica", size)


def table(
    c: Canvas,
    x: float,
    y: float,
    widths: Sequence[float],
    rows: Sequence[Sequence[str | None]],
    *,
    rules: str = "all",
    spans: Sequence[tuple[int, int, int, int]] = (),
    size: float = 9,
    centred: Sequence[int] = (),
    font: str = "Helvetica",
) -> float:
    """Draw a table; None is a cell that another covers; "\\n" stacks lines. Answers the y below it.

    Args:
        rules: "all", "horizontal", "header" or "none".
        spans: (row, column, rows, columns) of merged cells.
        centred: columns whose text is centred.
    """
    lead = size * 1.3
    heights = [max((len(v.split("\n")) for v in row if v), default=1) * lead + 4 for row in rows]
    for row, _, down, _ in spans:
        if down > 1 and (need := max(len((v or "").split("\n")) for v in rows[row]) * lead + 4):
            heights[row : row + down] = [max(need / down, lead + 4)] * down
    tops = [y - sum(heights[:i]) for i in range(len(rows) + 1)]
    lefts = [x + sum(widths[:i]) for i in range(len(widths) + 1)]
    merged = {(r, k): (down, over) for r, k, down, over in spans}
    for r, row in enumerate(rows):
        for k, value in enumerate(row):
            if value is None:
                continue
            down, over = merged.get((r, k), (1, 1))
            left, right, top, bottom = lefts[k], lefts[k + over], tops[r], tops[r + down]
            if rules == "all":
                c.rect(left, bottom, right - left, top - bottom)
            lines = value.split("\n") if value else []
            first = (top + bottom) / 2 + (len(lines) - 1) * lead / 2 - size * 0.35
            for i, line in enumerate(lines):
                at = left + 3
                if k in centred or over > 1:
                    at = (left + right - width(c, line, size)) / 2
                text(c, at, first - i * lead, line, size=size, font=font)
    if rules in ("horizontal", "header"):
        for r, top in enumerate(tops):
            if rules == "horizontal" or r in (0, 1, len(tops) - 1):
                c.line(lefts[0], top, lefts[-1], top)
    return tops[-1]


def canvas(*, size: tuple[float, float] = A4) -> tuple[Canvas, io.BytesIO]:
    """A canvas that always makes the same bytes."""
    out = io.BytesIO()
    return Canvas(out, pagesize=size, invariant=1), out


def title(c: Canvas, part: str, what: str, *, y: float = 800, maker: str = "Example Devices Ltd.") -> None:
    """The head of a first page."""
    text(c, 50, y, part, size=18, font="Helvetica-Bold")
    text(c, 50, y - 20, what, size=12, font="Helvetica-Bold")
    text(c, 400, y, maker, size=10)


def heading(c: Canvas, y: float, what: str, aside: str = "") -> None:
    """A section's heading."""
    text(c, text(c, 50, y, what, size=11, font="Helvetica-Bold") + 6, y, aside, size=8)


def done(name: str, c: Canvas, out: io.BytesIO, gold: Sequence[Gold], device_type: str | None, *parts: str) -> Sheet:
    """The finished sheet."""
    c.save()
    return Sheet(name, out.getvalue(), tuple(gold), device_type, parts)


FIVE = ["Symbol", "Parameter", "Conditions", "Value", "Unit"]
SEVEN = ["Symbol", "Parameter", "Test Conditions", "Min.", "Typ.", "Max.", "Unit"]
W7 = [55, 135, 130, 38, 38, 38, 45]


def ruled_plain() -> Sheet:
    """Rulings everywhere; ±, a range, a thousands separator."""
    c, out = canvas()
    title(c, "QD4711", "Small Signal Switching Diode")
    heading(c, 740, "Absolute Maximum Ratings", "TA = 25 °C unless otherwise specified")
    table(c, 50, 725, [60, 190, 110, 70, 50], [
        FIVE,
        ["V{RRM}", "Repetitive peak reverse voltage", "", "1,200", "V"],
        ["I{F}", "Forward current", "", "250", "mA"],
        ["V{GS}", "Gate-source voltage", "", "±20", "V"],
        ["T{stg}", "Storage temperature", "", "-55 to +150", "°C"],
    ])  # fmt: skip
    heading(c, 560, "Electrical Characteristics", "TA = 25 °C")
    table(c, 50, 545, W7, [
        SEVEN,
        ["V{F}", "Forward voltage", "I{F} = 10 mA", "", "0.72", "1.0", "V"],
        ["I{R}", "Reverse current", "V{R} = 75 V", "", "", "5", "µA"],
        ["C{D}", "Diode capacitance", "V{R} = 0 V, f = 1 MHz", "", "", "4", "pF"],
    ])  # fmt: skip
    gold = [
        Gold("VRRM", "Repetitive peak reverse voltage", None, None, 1200, "V"),
        Gold("IF", "Forward current", None, None, 250, "mA"),
        Gold("VGS", "Gate-source voltage", -20, None, 20, "V"),
        Gold("Tstg", "Storage temperature", -55, None, 150, "°C"),
        Gold("VF", "Forward voltage", None, 0.72, 1.0, "V", conditions="IF = 10 mA"),
        Gold("IR", "Reverse current", None, None, 5, "µA", conditions="VR = 75 V"),
        Gold("CD", "Diode capacitance", None, None, 4, "pF", conditions="VR = 0 V, f = 1 MHz"),
    ]
    return done("ruled_plain", c, out, gold, "diode", "QD4711")


def unruled() -> Sheet:
    """No rulings at all; names and conditions wrap."""
    c, out = canvas()
    title(c, "QT2222A", "NPN General Purpose Transistor")
    heading(c, 740, "Electrical Characteristics", "TA = 25 °C unless otherwise noted")
    table(c, 50, 725, W7, [
        SEVEN,
        ["V{(BR)CEO}", "Collector-emitter breakdown\nvoltage", "I{C} = 10 mA, I{B} = 0", "40", "", "", "V"],
        ["I{CBO}", "Collector cut-off current", "V{CB} = 60 V, I{E} = 0", "", "", "10", "nA"],
        ["h{FE}", "DC current gain", "I{C} = 0.1 mA, V{CE} = 10 V", "35", "", "", ""],
        ["", "", "I{C} = 150 mA, V{CE} = 10 V", "100", "", "300", ""],
        ["V{CE(sat)}", "Collector-emitter saturation\nvoltage", "I{C} = 150 mA,\nI{B} = 15 mA", "", "", "0.3", "V"],
        ["f{T}", "Transition frequency", "I{C} = 20 mA, V{CE} = 20 V,\nf = 100 MHz", "300", "", "", "MHz"],
        ["C{ob}", "Output capacitance", "V{CB} = 10 V, I{E} = 0", "", "", "8.0", "pF"],
    ], rules="none", centred=(3, 4, 5))  # fmt: skip
    gold = [
        Gold("V(BR)CEO", "Collector-emitter breakdown voltage", 40, None, None, "V", conditions="IC = 10 mA, IB = 0"),
        Gold("ICBO", "Collector cut-off current", None, None, 10, "nA"),
        Gold("hFE", "DC current gain", 35, None, None, None, conditions="IC = 0.1 mA, VCE = 10 V"),
        Gold("hFE", "DC current gain", 100, None, 300, None, conditions="IC = 150 mA, VCE = 10 V"),
        Gold("VCE(sat)", "Collector-emitter saturation voltage", None, None, 0.3, "V"),
        Gold("fT", "Transition frequency", 300, None, None, "MHz"),
        Gold("Cob", "Output capacitance", None, None, 8.0, "pF"),
    ]
    return done("unruled", c, out, gold, "bjt", "QT2222A")


def stacked_variants() -> Sheet:
    """Variants stacked in one ruled cell, beside a shared condition."""
    c, out = canvas()
    title(c, "QJ111 / QJ112 / QJ113", "N-Channel Switch JFET")
    below = f"\n{' ' * 47}QJ112\n{' ' * 47}QJ113"
    heading(c, 740, "Electrical Characteristics")
    table(c, 50, 725, [60, 130, 150, 40, 40, 40, 40], [
        SEVEN,
        ["V{GS(off)}", "Gate-source cut-off voltage", f"V{{DS}} = 5.0 V, I{{D}} = 1.0 µA    QJ111{below}",
         "-3.0\n-1.0\n-0.5", "", "-10\n-5.0\n-3.0", "V\nV\nV"],
        ["I{DSS}", "Zero-gate voltage drain\ncurrent", f"V{{DS}} = 15 V, V{{GS}} = 0         QJ111{below}",
         "20\n5.0\n2.0", "", "", "mA"],
    ])  # fmt: skip
    gold = [
        Gold("VGS(off)", "Gate-source cut-off voltage", -3, None, -10, "V", variant="QJ111"),
        Gold("VGS(off)", "Gate-source cut-off voltage", -1, None, -5, "V", variant="QJ112"),
        Gold("VGS(off)", "Gate-source cut-off voltage", -0.5, None, -3, "V", variant="QJ113"),
        Gold("IDSS", "Zero-gate voltage drain current", 20, None, None, "mA", variant="QJ111"),
        Gold("IDSS", "Zero-gate voltage drain current", 5, None, None, "mA", variant="QJ112"),
        Gold("IDSS", "Zero-gate voltage drain current", 2, None, None, "mA", variant="QJ113"),
    ]
    return done("stacked_variants", c, out, gold, "jfet", "QJ111", "QJ112", "QJ113")


def part_columns(*, rules: str = "all", name: str = "part_columns") -> Sheet:
    """A column a part; values that hold for all span them."""
    c, out = canvas()
    parts = ["QR4001", "QR4002", "QR4004", "QR4007"]
    title(c, "QR4001 - QR4007", "General Purpose Rectifiers")
    heading(c, 740, "Maximum Ratings and Electrical Characteristics", "TA = 25 °C")
    widths = [170, 50, 52, 52, 52, 52, 45]
    table(c, 50, 725, widths, [
        ["Parameter", "Symbol", *parts, "Unit"],
        ["Maximum repetitive peak reverse voltage", "V{RRM}", "50", "100", "400", "1000", "V"],
        ["Maximum RMS voltage", "V{RMS}", "35", "70", "280", "700", "V"],
        ["Average forward rectified current", "I{F(AV)}", "1.0", None, None, None, "A"],
        ["Peak forward surge current", "I{FSM}", "30", None, None, None, "A"],
        ["Maximum forward voltage at 1.0 A", "V{F}", "1.1", None, None, None, "V"],
        ["Typical junction capacitance", "C{J}", "15", None, None, None, "pF"],
        ["Operating temperature range", "T{J}", "-50 to +150", None, None, None, "°C"],
    ], spans=[(r, 2, 1, 4) for r in range(3, 8)], centred=(2, 3, 4, 5), size=8, rules=rules)  # fmt: skip
    gold = [Gold("VRRM", "Maximum repetitive peak reverse voltage", None, None, v, "V", variant=p)
            for p, v in zip(parts, (50, 100, 400, 1000), strict=True)]  # fmt: skip
    gold += [Gold("VRMS", "Maximum RMS voltage", None, None, v, "V", variant=p)
             for p, v in zip(parts, (35, 70, 280, 700), strict=True)]  # fmt: skip
    gold += [
        Gold("IF(AV)", "Average forward rectified current", None, None, 1.0, "A"),
        Gold("IFSM", "Peak forward surge current", None, None, 30, "A"),
        Gold("VF", "Maximum forward voltage at 1.0 A", None, None, 1.1, "V"),
        Gold("CJ", "Typical junction capacitance", None, 15, None, "pF"),
        Gold("TJ", "Operating temperature range", -50, None, 150, "°C"),
    ]
    return done(name, c, out, gold, "rectifier", *parts)


def part_columns_unruled() -> Sheet:
    """The same without a single rule: a value in the middle holds for all."""
    return part_columns(rules="none", name="part_columns_unruled")


def device_rows(*, rules: str = "all", name: str = "device_rows") -> Sheet:
    """One device a row; the columns are the parameters."""
    c, out = canvas()
    title(c, "QZ5V1 Series", "Zener Diodes 500 mW")
    heading(c, 740, "Electrical Characteristics", "TA = 25 °C")
    table(c, 50, 725, [70, 60, 60, 70, 70], [
        ["Type", "V{Z}\n(V)", "I{ZT}\n(mA)", "Z{ZT} max\n(Ω)", "I{R} max\n(µA)"],
        ["QZX5101", "5.1", "20", "17", "5"],
        ["QZX5601", "5.6", "20", "11", "2"],
        ["QZX6201", "6.2", "20", "7", "1"],
    ], rules=rules)  # fmt: skip
    gold = []
    for part, vz, zz, ir in (("QZX5101", 5.1, 17, 5), ("QZX5601", 5.6, 11, 2), ("QZX6201", 6.2, 7, 1)):
        gold += [
            Gold("VZ", "", None, None, vz, "V", variant=part),
            Gold("IZT", "", None, None, 20, "mA", variant=part),
            Gold("ZZT", "", None, None, zz, "Ω", variant=part),
            Gold("IR", "", None, None, ir, "µA", variant=part),
        ]
    return done(name, c, out, gold, "zener", "QZX5101", "QZX5601", "QZX6201")


def device_rows_unruled() -> Sheet:
    """One device a row, without rulings."""
    return device_rows(rules="none", name="device_rows_unruled")


def per_part_min_typ_max() -> Sheet:
    """Min, Typ and Max repeated under each part."""
    c, out = canvas(size=landscape(A4))
    title(c, "QA358 / QA2904", "Dual Operational Amplifier", y=550)
    heading(c, 490, "Electrical Characteristics", "VCC = 5 V, TA = 25 °C")
    rows = [
        ["Symbol", "Parameter", "Conditions", "QA358", None, None, "QA2904", None, None, "Unit"],
        ["", "", "", "Min", "Typ", "Max", "Min", "Typ", "Max", ""],
        ["V{IO}", "Input offset voltage", "R{S} = 0", "", "2", "7", "", "3", "10", "mV"],
        ["I{IB}", "Input bias current", "", "", "45", "250", "", "40", "500", "nA"],
        ["CMRR", "Common-mode rejection ratio", "", "65", "80", "", "50", "70", "", "dB"],
    ]
    table(c, 50, 475, [50, 150, 90, 40, 40, 40, 40, 40, 40, 50], rows, spans=[(0, 3, 1, 3), (0, 6, 1, 3)])
    gold = [
        Gold("VIO", "Input offset voltage", None, 2, 7, "mV", variant="QA358"),
        Gold("VIO", "Input offset voltage", None, 3, 10, "mV", variant="QA2904"),
        Gold("IIB", "Input bias current", None, 45, 250, "nA", variant="QA358"),
        Gold("IIB", "Input bias current", None, 40, 500, "nA", variant="QA2904"),
        Gold("CMRR", "Common-mode rejection ratio", 65, 80, None, "dB", variant="QA358"),
        Gold("CMRR", "Common-mode rejection ratio", 50, 70, None, "dB", variant="QA2904"),
    ]
    return done("per_part_min_typ_max", c, out, gold, "op_amp", "QA358", "QA2904")


def merged_cells() -> Sheet:
    """Names, conditions and units merged over several rows come back as None."""
    c, out = canvas()
    title(c, "QM7002", "N-Channel Enhancement Mode MOSFET")
    heading(c, 740, "Static Characteristics")
    table(c, 50, 725, W7, [
        SEVEN,
        ["R{DS(on)}", "Drain-source on-state\nresistance", "V{GS} = 10 V, I{D} = 500 mA", "", "1.8", "5.0", "Ω"],
        [None, None, "V{GS} = 4.5 V, I{D} = 75 mA", "", "2.0", "5.3", None],
        ["I{DSS}", "Zero gate voltage drain current", "V{DS} = 60 V", "", "", "1.0", "µA"],
        [None, None, "V{DS} = 60 V, T{j} = 125 °C", "", "", "500", None],
        ["t{d(on)}", "Turn-on delay time", "V{DD} = 30 V, I{D} = 200 mA,\nR{G} = 10 Ω", "", "", "10", "ns"],
        ["t{d(off)}", "Turn-off delay time", None, "", "", "15", "ns"],
    ], spans=[(r, k, 2, 1) for r, k in ((1, 0), (1, 1), (1, 6), (3, 0), (3, 1), (3, 6), (5, 2))])  # fmt: skip
    gold = [
        Gold("RDS(on)", "Drain-source on-state resistance", None, 1.8, 5.0, "Ω", conditions="VGS = 10 V, ID = 500 mA"),
        Gold("RDS(on)", "Drain-source on-state resistance", None, 2.0, 5.3, "Ω", conditions="VGS = 4.5 V, ID = 75 mA"),
        Gold("IDSS", "Zero gate voltage drain current", None, None, 1.0, "µA", conditions="VDS = 60 V"),
        Gold("IDSS", "Zero gate voltage drain current", None, None, 500, "µA", conditions="VDS = 60 V, Tj = 125 °C"),
        Gold("td(on)", "Turn-on delay time", None, None, 10, "ns"),
        Gold("td(off)", "Turn-off delay time", None, None, 15, "ns"),
    ]
    return done("merged_cells", c, out, gold, "mosfet", "QM7002")


def conditions_in_name() -> Sheet:
    """Conditions printed inside the name cell."""
    c, out = canvas()
    title(c, "QS54", "Schottky Barrier Diode")
    heading(c, 740, "Electrical Characteristics")
    table(c, 50, 725, [230, 60, 45, 45, 45, 45], [
        ["Characteristic", "Symbol", "Min", "Typ", "Max", "Unit"],
        ["Forward voltage (I{F} = 0.1 mAdc)", "V{F}", "-", "0.22", "0.24", "Vdc"],
        ["Forward voltage (I{F} = 30 mAdc)", "V{F}", "-", "0.41", "0.50", "Vdc"],
        ["Reverse leakage (V{R} = 25 V)", "I{R}", "-", "0.5", "2.0", "µA"],
        ["Total capacitance (V{R} = 1.0 V, f = 1.0 MHz)", "C{T}", "-", "7.6", "10", "pF"],
    ])  # fmt: skip
    gold = [
        Gold("VF", "Forward voltage (IF = 0.1 mAdc)", None, 0.22, 0.24, "Vdc", conditions="IF = 0.1 mAdc"),
        Gold("VF", "Forward voltage (IF = 30 mAdc)", None, 0.41, 0.50, "Vdc", conditions="IF = 30 mAdc"),
        Gold("IR", "Reverse leakage (VR = 25 V)", None, 0.5, 2.0, "µA", conditions="VR = 25 V"),
        Gold("CT", "Total capacitance (VR = 1.0 V, f = 1.0 MHz)", None, 7.6, 10, "pF"),
    ]
    return done("conditions_in_name", c, out, gold, "schottky", "QS54")


def stacked_units() -> Sheet:
    """One ruled row that holds three parameters, or two units."""
    c, out = canvas()
    title(c, "QM4401", "P-Channel MOSFET")
    heading(c, 740, "Dynamic Characteristics")
    table(c, 50, 725, W7, [
        SEVEN,
        ["C{iss}\nC{oss}\nC{rss}", "Input capacitance\nOutput capacitance\nReverse transfer\ncapacitance",
         "V{DS} = 25 V, f = 1 MHz,\nV{GS} = 0", "", "43\n20\n6", "", "pF\npF\npF"],
        ["I{GSS}", "Gate leakage current", "V{GS} = 20 V\nV{GS} = 20 V, T{j} = 150 °C", "", "", "100\n1.0", "nA\nµA"],
        ["P{D}", "Total power dissipation\nDerate above 25 °C", "", "", "", "350\n2.8", "mW\nmW/°C"],
    ])  # fmt: skip
    gold = [
        Gold("Ciss", "Input capacitance", None, 43, None, "pF"),
        Gold("Coss", "Output capacitance", None, 20, None, "pF"),
        Gold("Crss", "Reverse transfer capacitance", None, 6, None, "pF"),
        Gold("IGSS", "Gate leakage current", None, None, 100, "nA"),
        Gold("IGSS", "Gate leakage current", None, None, 1.0, "µA"),
        Gold("PD", "Total power dissipation", None, None, 350, "mW"),
        Gold(None, "Derate above 25 °C", None, None, 2.8, "mW/°C"),
    ]
    return done("stacked_units", c, out, gold, "mosfet", "QM4401")


def multi_page() -> Sheet:
    """A table over three pages: its header repeated on the second, missing on the third."""
    c, out = canvas()
    title(c, "QL7805", "Positive Voltage Regulator")
    heading(c, 140, "Electrical Characteristics", "VI = 10 V, IO = 500 mA")
    table(c, 50, 125, W7, [SEVEN, ["V{O}", "Output voltage", "I{O} = 5 mA to 1 A", "4.8", "5.0", "5.2", "V"]])
    c.showPage()
    text(c, 50, 800, "QL7805", size=9)
    table(c, 50, 780, W7, [SEVEN, ["ΔV{O}", "Line regulation", "V{I} = 7 V to 25 V", "", "4.0", "100", "mV"],
                           ["I{Q}", "Quiescent current", "T{J} = 25 °C", "", "5.0", "8.0", "mA"]])  # fmt: skip
    c.showPage()
    text(c, 50, 800, "QL7805", size=9)
    table(c, 50, 780, W7, [["RR", "Ripple rejection", "f = 120 Hz", "62", "73", "", "dB"],
                           ["R{O}", "Output resistance", "f = 1 kHz", "", "15", "", "mΩ"]])  # fmt: skip
    gold = [
        Gold("VO", "Output voltage", 4.8, 5.0, 5.2, "V"),
        Gold("ΔVO", "Line regulation", None, 4.0, 100, "mV", page=2),
        Gold("IQ", "Quiescent current", None, 5.0, 8.0, "mA", page=2),
        Gold("RR", "Ripple rejection", 62, 73, None, "dB", page=3),
        Gold("RO", "Output resistance", None, 15, None, "mΩ", page=3),
    ]
    return done("multi_page", c, out, gold, "regulator", "QL7805")


def _raw_font(c: Canvas, base: str, extra: dict[str, object]) -> str:
    """A font object written by hand; answers its resource name."""
    fonts = c._doc.idToObject["BasicFonts"].dict
    name = f"X{len(fonts)}"
    entries = {"Type": pdfdoc.PDFName("Font"), "Subtype": pdfdoc.PDFName("Type1"), "BaseFont": pdfdoc.PDFName(base),
               "FirstChar": 32, "LastChar": 126, "Widths": pdfdoc.PDFArray([576] * 95), **extra}  # fmt: skip
    fonts[name] = c._doc.Reference(pdfdoc.PDFDictionary(entries), name)
    return name


def _raw_text(c: Canvas, font: str, x: float, y: float, letters: str, size: float = 9) -> None:
    c._code.append(f"BT /{font} {size} Tf 1 0 0 1 {x} {y} Tm ({letters}) Tj ET")


def _damaged(name: str, part: str, make_font: Callable[[Canvas], str]) -> Sheet:
    """A sheet whose µ and Ω come from a font that says m and W."""
    c, out = canvas()
    title(c, part, "NPN Transistor")
    heading(c, 740, "Electrical Characteristics")
    table(c, 50, 725, W7, [
        SEVEN,
        ["I{CEO}", "Collector cut-off current", "V{CE} = 30 V", "", "", "75", " "],
        ["I{EBO}", "Emitter cut-off current", "V{EB} = 5 V", "", "", "2", "mA"],
        ["h{ie}", "Input impedance", "f = 1 kHz", "1.5", "", "9.0", " "],
    ])  # fmt: skip
    font = make_font(c)
    step = 9 * 1.3 + 4
    for row, letters, rest in ((1, "m", "A"), (3, "W", "")):
        y = 725 - step * row - step / 2 - 9 * 0.35
        x = 50 + sum(W7[:6]) + 3
        if row == 3:
            x = text(c, x, y, "k")
        _raw_text(c, font, x, y, letters)
        text(c, x + 0.576 * 9, y, rest)
    gold = [
        Gold("ICEO", "Collector cut-off current", None, None, 75, "µA"),
        Gold("IEBO", "Emitter cut-off current", None, None, 2, "mA"),
        Gold("hie", "Input impedance", 1.5, None, 9.0, "kΩ"),
    ]
    return done(name, c, out, gold, "bjt", part)


def glyph_symbol_font() -> Sheet:
    """A Symbol font without an encoding: the text layer says m for µ."""
    return _damaged("glyph_symbol_font", "QT5551", lambda c: _raw_font(c, "Symbol", {}))


def glyph_code_names() -> Sheet:
    """Glyphs named by their code alone: /C0109 for µ, in a font whose name says nothing."""

    def make(c: Canvas) -> str:
        differences = pdfdoc.PDFArray([87, pdfdoc.PDFName("C0087"), 109, pdfdoc.PDFName("C0109")])
        encoding = pdfdoc.PDFDictionary({"Type": pdfdoc.PDFName("Encoding"), "Differences": differences})
        return _raw_font(c, "ABCDEF+T3Font7", {"Encoding": encoding})

    return _damaged("glyph_code_names", "QT5552", make)


def glyph_private_use() -> Sheet:
    """A /ToUnicode that answers with U+F06D and U+F057."""

    def make(c: Canvas) -> str:
        cmap = (
            "/CIDInit /ProcSet findresource begin 12 dict begin begincmap /CMapName /X def /CMapType 2 def "
            "1 begincodespacerange <00> <FF> endcodespacerange 2 beginbfchar <57> <F057> <6D> <F06D> endbfchar "
            "endcmap CMapName currentdict /CMap defineresource pop end end"
        )
        stream = pdfdoc.PDFStream(content=cmap)
        return _raw_font(c, "ABCDEF+SymbolMT", {"ToUnicode": c._doc.Reference(stream, "cmapX")})

    return _damaged("glyph_private_use", "QT5553", make)


def raised_marks() -> Sheet:
    """Raised digits: footnote marks that must not join a number, exponents that must."""
    c, out = canvas()
    title(c, "QK817", "Phototransistor Optocoupler")
    heading(c, 740, "Electro-optical Characteristics")
    table(c, 50, 725, W7, [
        SEVEN,
        ["V{F}", "Forward voltage", "I{F} = 20 mA", "", "1.2", "1.4^{1}", "V"],
        ["I{CEO}", "Collector dark current", "V{CE} = 20 V", "", "", "1×10^{-7}", "A"],
        ["CTR", "Current transfer ratio^{2}", "I{F} = 5 mA, V{CE} = 5 V", "50", "", "600", "%"],
        ["V{iso}", "Isolation voltage", "t = 1 min", "5.0^{(3)}", "", "", "kV"],
    ])  # fmt: skip
    text(c, 50, 600, "1. Measured with a pulse of 300 µs, duty cycle 2 %.", size=7)
    text(c, 50, 590, "2. CTR = I{C} / I{F} × 100 %.", size=7)
    gold = [
        Gold("VF", "Forward voltage", None, 1.2, 1.4, "V"),
        Gold("ICEO", "Collector dark current", None, None, 1e-7, "A"),
        Gold("CTR", "Current transfer ratio", 50, None, 600, "%"),
        Gold("Viso", "Isolation voltage", 5.0, None, None, "kV"),
    ]
    return done("raised_marks", c, out, gold, "optocoupler", "QK817")


SI["kV"] = ("V", 1e3)


def two_columns() -> Sheet:
    """Two tables side by side on the same lines."""
    c, out = canvas()
    title(c, "QE5050", "High Brightness LED")
    heading(c, 740, "Absolute Maximum Ratings")
    left = [["Parameter", "Symbol", "Rating", "Unit"], ["Forward current", "I{F}", "30", "mA"],
            ["Reverse voltage", "V{R}", "5", "V"], ["Power dissipation", "P{D}", "105", "mW"]]  # fmt: skip
    right = [["Parameter", "Symbol", "Typ", "Max", "Unit"], ["Forward voltage", "V{F}", "3.2", "3.6", "V"],
             ["Luminous intensity", "I{V}", "1800", "", "mcd"],
             ["Dominant wavelength", "λ{D}", "525", "", "nm"]]  # fmt: skip
    table(c, 50, 720, [95, 45, 45, 35], left, rules="none")
    table(c, 305, 720, [95, 45, 40, 40, 35], right, rules="none")
    gold = [
        Gold("IF", "Forward current", None, None, 30, "mA"),
        Gold("VR", "Reverse voltage", None, None, 5, "V"),
        Gold("PD", "Power dissipation", None, None, 105, "mW"),
        Gold("VF", "Forward voltage", None, 3.2, 3.6, "V"),
        Gold("IV", "Luminous intensity", None, 1800, None, "mcd"),
        Gold("λD", "Dominant wavelength", None, 525, None, "nm"),
    ]
    return done("two_columns", c, out, gold, "led", "QE5050")


def rotated() -> Sheet:
    """A table set sideways on an upright page."""
    c, out = canvas()
    c.saveState()
    c.translate(A4[0], 0)
    c.rotate(90)
    title(c, "QR1010", "Fast Recovery Rectifier", y=540)
    heading(c, 480, "Electrical Characteristics")
    table(c, 50, 465, W7, [
        SEVEN,
        ["V{F}", "Forward voltage", "I{F} = 1 A", "", "", "1.3", "V"],
        ["t{rr}", "Reverse recovery time", "I{F} = 0.5 A, I{R} = 1 A", "", "", "150", "ns"],
        ["R{thJA}", "Thermal resistance", "", "", "50", "", "K/W"],
    ])  # fmt: skip
    c.restoreState()
    gold = [
        Gold("VF", "Forward voltage", None, None, 1.3, "V"),
        Gold("trr", "Reverse recovery time", None, None, 150, "ns"),
        Gold("RthJA", "Thermal resistance", None, 50, None, "K/W"),
    ]
    return done("rotated", c, out, gold, "rectifier", "QR1010")


def decimal_comma() -> Sheet:
    """A German sheet: decimal commas, German heads, three decimals that are no thousands."""
    c, out = canvas()
    title(c, "QBC547", "NPN-Silizium-Transistor", maker="Beispiel Halbleiter GmbH")
    heading(c, 740, "Kennwerte", "TA = 25 °C")
    table(c, 50, 725, W7, [
        ["Kurzzeichen", "Bezeichnung", "Bedingungen", "Min.", "Typ.", "Max.", "Einheit"],
        ["U{BE}", "Basis-Emitter-Spannung", "I{C} = 2 mA", "0,58", "0,66", "0,70", "V"],
        ["U{CEsat}", "Sättigungsspannung", "I{C} = 10 mA", "", "0,09", "0,25", "V"],
        ["C{CB0}", "Kollektor-Basis-Kapazität", "U{CB} = 10 V", "", "3,5", "", "pF"],
        ["F", "Rauschmaß", "f = 1 kHz", "", "2,0", "10,0", "dB"],
        ["I{CB0}", "Reststrom", "U{CB} = 30 V", "", "", "1,125", "nA"],
    ])  # fmt: skip
    gold = [
        Gold("UBE", "Basis-Emitter-Spannung", 0.58, 0.66, 0.70, "V"),
        Gold("UCEsat", "Sättigungsspannung", None, 0.09, 0.25, "V"),
        Gold("CCB0", "Kollektor-Basis-Kapazität", None, 3.5, None, "pF"),
        Gold("F", "Rauschmaß", None, 2.0, 10.0, "dB"),
        Gold("ICB0", "Reststrom", None, None, 1.125, "nA"),
    ]
    return done("decimal_comma", c, out, gold, "bjt", "QBC547")


def units_zoo() -> Sheet:
    """Units that generic parsers misread."""
    c, out = canvas()
    title(c, "QA1177", "Precision Operational Amplifier")
    heading(c, 740, "Electrical Characteristics", "VS = ±15 V")
    table(c, 50, 725, W7, [
        SEVEN,
        ["TCV{OS}", "Offset voltage drift", "", "", "0.3", "0.7", "µV/°C"],
        ["SR", "Slew rate", "R{L} = 2 kΩ", "0.5", "0.7", "", "V/µs"],
        ["A{VO}", "Large signal voltage gain", "", "1000", "2000", "", "V/mV"],
        ["R{IN}", "Input resistance", "", "", "500", "", "KΩ"],
        ["I{SC}", "Short-circuit current", "", "", "30", "", "mAdc"],
        ["PSRR", "Supply rejection ratio", "", "115", "125", "", "dB"],
        ["TC", "Reference drift", "", "", "10", "25", "ppm/°C"],
        ["I^{2}t", "Fusing integral", "t = 8.3 ms", "", "", "3.7", "A^{2}s"],
    ])  # fmt: skip
    gold = [
        Gold("TCVOS", "Offset voltage drift", None, 0.3, 0.7, "µV/°C"),
        Gold("SR", "Slew rate", 0.5, 0.7, None, "V/µs"),
        Gold("AVO", "Large signal voltage gain", 1000, 2000, None, "V/mV"),
        Gold("RIN", "Input resistance", None, 500, None, "KΩ"),
        Gold("ISC", "Short-circuit current", None, 30, None, "mAdc"),
        Gold("PSRR", "Supply rejection ratio", 115, 125, None, "dB"),
        Gold("TC", "Reference drift", None, 10, 25, "ppm/°C"),
        Gold("I²t", "Fusing integral", None, None, 3.7, "A²s"),
    ]
    return done("units_zoo", c, out, gold, "op_amp", "QA1177")


def horizontal_rules() -> Sheet:
    """Horizontal rules only; the symbol stands in the column of the parameter."""
    c, out = canvas()
    title(c, "QV317", "Adjustable Voltage Regulator")
    heading(c, 740, "6.5 Electrical Characteristics")
    text(c, 50, 727, "over operating junction temperature range (unless otherwise noted)", size=8)
    table(c, 50, 718, [55, 135, 150, 40, 40, 40, 45], [
        ["PARAMETER", "", "TEST CONDITIONS", "MIN", "TYP", "MAX", "UNIT"],
        ["V{REF}", "Reference voltage", "I{O} = 10 mA to 1.5 A", "1.2", "1.25", "1.3", "V"],
        ["I{ADJ}", "Adjustment pin current", "", "", "50", "100", "µA"],
        ["I{O(MIN)}", "Minimum load current", "V{I} - V{O} = 40 V", "", "3.5", "10", "mA"],
        ["", "RMS output noise", "f = 10 Hz to 10 kHz", "", "0.003", "", "%"],
    ], rules="horizontal")  # fmt: skip
    gold = [
        Gold("VREF", "Reference voltage", 1.2, 1.25, 1.3, "V"),
        Gold("IADJ", "Adjustment pin current", None, 50, 100, "µA"),
        Gold("IO(MIN)", "Minimum load current", None, 3.5, 10, "mA"),
        Gold(None, "RMS output noise", None, 0.003, None, "%"),
    ]
    return done("horizontal_rules", c, out, gold, "regulator", "QV317")


def negative_ratings() -> Sheet:
    """A PNP transistor: every rating is negative, so each is a maximum."""
    c, out = canvas()
    title(c, "QT3906", "PNP General Purpose Transistor")
    heading(c, 740, "Absolute Maximum Ratings")
    table(c, 50, 725, [60, 190, 70, 50], [
        ["Symbol", "Parameter", "Value", "Unit"],
        ["V{CEO}", "Collector-emitter voltage", "-40", "V"],
        ["V{EBO}", "Emitter-base voltage", "\u22125.0", "V"],
        ["I{C}", "Collector current", "-200", "mA"],
        ["P{tot}", "Typical power dissipation", "625", "mW"],
    ])  # fmt: skip
    gold = [
        Gold("VCEO", "Collector-emitter voltage", None, None, -40, "V"),
        Gold("VEBO", "Emitter-base voltage", None, None, -5, "V"),
        Gold("IC", "Collector current", None, None, -200, "mA"),
        Gold("Ptot", "Typical power dissipation", None, 625, None, "mW"),
    ]
    return done("negative_ratings", c, out, gold, "bjt", "QT3906")


def chinese_headers() -> Sheet:
    """Chinese heads and names."""
    pdfmetrics.registerFont(UnicodeCIDFont("STSong-Light"))
    c, out = canvas()
    title(c, "QC8050", "NPN Transistor")
    text(c, 50, 740, "电特性", size=11, font="STSong-Light")
    table(c, 50, 725, [130, 60, 130, 40, 40, 40, 40], [
        ["参数", "符号", "测试条件", "最小值", "典型值", "最大值", "单位"],
        ["集电极-基极击穿电压", "V(BR)CBO", "IC=100uA", "40", "", "", "V"],
        ["直流电流增益", "hFE", "VCE=1V, IC=50mA", "120", "", "400", ""],
        ["集电极截止电流", "ICBO", "VCB=40V", "", "", "0.1", "uA"],
    ], font="STSong-Light", rules="all")  # fmt: skip
    gold = [
        Gold("V(BR)CBO", "集电极-基极击穿电压", 40, None, None, "V"),
        Gold("hFE", "直流电流增益", 120, None, 400, None),
        Gold("ICBO", "集电极截止电流", None, None, 0.1, "µA"),
    ]
    return done("chinese_headers", c, out, gold, "bjt", "QC8050")


def ambiguous_units() -> Sheet:
    """Units that nobody can know and numbers that are none: nothing of them may be guessed."""
    c, out = canvas()
    title(c, "QX9000", "Bipolar Transistor")
    heading(c, 740, "Absolute Maximum Ratings")
    table(c, 50, 725, [60, 190, 90, 50], [
        ["Symbol", "Parameter", "Value", "Unit"],
        ["I{C}", "Collector current", "500", "MA"],
        ["V{IN}", "Input voltage", "0.7 VDD", "V"],
        ["V{CEO}", "Collector-emitter voltage", "45", "V"],
    ])  # fmt: skip
    return done(
        "ambiguous_units", c, out, [Gold("VCEO", "Collector-emitter voltage", None, None, 45, "V")], "bjt", "QX9000"
    )


def stacked_in_name() -> Sheet:
    """Conditions and part numbers stacked in the name cell, a number for each line."""
    c, out = canvas()
    title(c, "QT3903, QT3904", "General Purpose Transistors NPN")
    heading(c, 740, "ELECTRICAL CHARACTERISTICS", "(TA = 25°C unless otherwise noted)")
    gap = " " * 4
    table(c, 50, 725, [270, 60, 45, 45, 45], [
        ["Characteristic", "Symbol", "Min", "Max", "Unit"],
        ["ON CHARACTERISTICS", None, None, None, None],
        ["DC Current Gain\n(I{C} = 0.1 mAdc, V{CE} = 1.0 Vdc)" + gap + "QT3903\n" + " " * 66 + "QT3904\n"
         "(I{C} = 10 mAdc, V{CE} = 1.0 Vdc)" + gap + "QT3903\n" + " " * 66 + "QT3904",
         "h{FE}", "\n20\n40\n50\n100", "\n-\n-\n150\n300", "-"],
        ["Collector-Emitter Saturation Voltage\n(I{C} = 10 mAdc, I{B} = 1.0 mAdc)\n(I{C} = 50 mAdc, I{B} = 5.0 mAdc)",
         "V{CE(sat)}", "\n-\n-", "\n0.2\n0.3", "Vdc"],
    ], spans=[(1, 0, 1, 5)])  # fmt: skip
    gold = []
    for ic, part, low, high in (("0.1", "QT3903", 20, None), ("0.1", "QT3904", 40, None), ("10", "QT3903", 50, 150),
                                ("10", "QT3904", 100, 300)):  # fmt: skip
        held = f"IC = {ic} mAdc, VCE = 1.0 Vdc"
        gold.append(Gold("hFE", "DC Current Gain", low, None, high, None, variant=part, conditions=held))
    name = "Collector-Emitter Saturation Voltage"
    gold += [
        Gold("VCE(sat)", name, None, None, 0.2, "Vdc", conditions="IC = 10 mAdc, IB = 1.0 mAdc"),
        Gold("VCE(sat)", name, None, None, 0.3, "Vdc", conditions="IC = 50 mAdc, IB = 5.0 mAdc"),
    ]
    return done("stacked_in_name", c, out, gold, "bjt", "QT3903", "QT3904")


def no_header() -> Sheet:
    """A ruled table whose header is missing: its cells must tell."""
    c, out = canvas()
    title(c, "QB140", "Power MOSFET")
    heading(c, 740, "Absolute Maximum Ratings")
    table(c, 50, 725, [60, 220, 70, 50], [
        ["V{DSS}", "Drain to source voltage", "100", "V"],
        ["I{D}", "Continuous drain current", "33", "A"],
        ["P{D}", "Power dissipation", "130", "W"],
        ["T{J}", "Junction temperature range", "-55 to 175", "°C"],
    ])  # fmt: skip
    gold = [
        Gold("VDSS", "Drain to source voltage", None, None, 100, "V"),
        Gold("ID", "Continuous drain current", None, None, 33, "A"),
        Gold("PD", "Power dissipation", None, None, 130, "W"),
        Gold("TJ", "Junction temperature range", -55, None, 175, "°C"),
    ]
    return done("no_header", c, out, gold, "mosfet", "QB140")


def units_in_cells() -> Sheet:
    """No column of units: they stand behind the numbers."""
    c, out = canvas()
    title(c, "QS5819", "Schottky Rectifier")
    heading(c, 740, "Maximum Ratings")
    table(c, 50, 725, [60, 220, 100], [
        ["Symbol", "Parameter", "Value"],
        ["V{RRM}", "Repetitive peak reverse voltage", "40 V"],
        ["I{F(AV)}", "Average forward current", "1 A"],
        ["I{R}", "Reverse current", "< 50 µA"],
        ["R{thJA}", "Thermal resistance", "80 °C/W"],
    ])  # fmt: skip
    gold = [
        Gold("VRRM", "Repetitive peak reverse voltage", None, None, 40, "V"),
        Gold("IF(AV)", "Average forward current", None, None, 1, "A"),
        Gold("IR", "Reverse current", None, None, 50, "µA"),
        Gold("RthJA", "Thermal resistance", None, None, 80, "°C/W"),
    ]
    return done("units_in_cells", c, out, gold, "schottky", "QS5819")


def per_part_unruled() -> Sheet:
    """Min, Typ and Max under each part, horizontal rules only."""
    c, out = canvas(size=landscape(A4))
    title(c, "QA741 / QA741A", "Operational Amplifier", y=550)
    heading(c, 490, "Electrical Characteristics", "VS = ±15 V")
    y = 470
    text(c, 365, y, "QA741A", font="Helvetica-Bold")
    text(c, 500, y, "QA741", font="Helvetica-Bold")
    xs = [330, 370, 410, 465, 505, 545, 590]
    rows = [
        ("Parameter", "Conditions", ["Min", "Typ", "Max", "Min", "Typ", "Max", "Units"]),
        ("Input Offset Voltage", "TA = 25°C", ["", "0.8", "3.0", "", "1.0", "5.0", "mV"]),
        ("Input Bias Current", "TA = 25°C", ["", "30", "80", "", "80", "500", "nA"]),
        ("Slew Rate", "Unity gain", ["0.3", "0.7", "", "", "0.5", "", "V/µs"]),
    ]
    for name, held, cells in rows:
        y -= 15
        c.line(50, y + 11, 640, y + 11)
        text(c, 50, y, name)
        text(c, 200, y, held)
        for x, cell in zip(xs, cells, strict=True):
            text(c, x, y, cell)
    gold = [
        Gold(None, "Input Offset Voltage", None, 0.8, 3.0, "mV", variant="QA741A"),
        Gold(None, "Input Offset Voltage", None, 1.0, 5.0, "mV", variant="QA741"),
        Gold(None, "Input Bias Current", None, 30, 80, "nA", variant="QA741A"),
        Gold(None, "Input Bias Current", None, 80, 500, "nA", variant="QA741"),
        Gold(None, "Slew Rate", 0.3, 0.7, None, "V/µs", variant="QA741A"),
        Gold(None, "Slew Rate", None, 0.5, None, "V/µs", variant="QA741"),
    ]
    return done("per_part_unruled", c, out, gold, "op_amp", "QA741", "QA741A")


def beside_prose() -> Sheet:
    """A table in the right column of the page, prose on the same lines in the left one."""
    c, out = canvas()
    title(c, "QW2003", "Dual Schottky Diode")
    heading(c, 740, "Description")
    prose = ["This device is meant for high", "speed switching and has a low", "forward voltage of 0.3 V at",
             "10 mA. It comes in a small", "plastic package with 3 pins", "and a weight of 8 mg."]  # fmt: skip
    for i, line in enumerate(prose):
        text(c, 50, 716 - 15.7 * i, line)
    text(c, 260, 740, "Limiting Values", size=11, font="Helvetica-Bold")
    table(c, 257, 730, [45, 130, 45, 45, 35], [
        ["Symbol", "Parameter", "Min", "Max", "Unit"],
        ["V{R}", "reverse voltage", "-", "30", "V"],
        ["I{F}", "forward current", "-", "200", "mA"],
        ["T{j}", "junction temperature", "-65", "125", "°C"],
    ], rules="none")  # fmt: skip
    gold = [
        Gold("VR", "reverse voltage", None, None, 30, "V"),
        Gold("IF", "forward current", None, None, 200, "mA"),
        Gold("Tj", "junction temperature", -65, None, 125, "°C"),
    ]
    return done("beside_prose", c, out, gold, "schottky", "QW2003")


def conditions_last() -> Sheet:
    """The conditions stand behind the unit, as one maker has it."""
    c, out = canvas()
    title(c, "QD1100", "N-Channel MOSFET")
    heading(c, 740, "Electrical Characteristics", "@TA = 25°C unless otherwise specified")
    table(c, 50, 725, [150, 55, 38, 38, 38, 40, 150], [
        ["Characteristic", "Symbol", "Min", "Typ", "Max", "Unit", "Test Condition"],
        ["Gate Threshold Voltage", "V{GS(th)}", "0.8", "1.2", "2.0", "V", "V{DS} = V{GS}, I{D} = 250µA"],
        ["Static Drain-Source On-Resistance", "R{DS(ON)}", "—", "60\n85", "75\n100", "mΩ",
         "V{GS} = 10V, I{D} = 3A\nV{GS} = 4.5V, I{D} = 2A"],
        ["Total Gate Charge", "Q{g}", "—", "5.4", "—", "nC", "V{GS} = 4.5V, V{DS} = 15V,\nI{D} = 3A"],
    ], size=8)  # fmt: skip
    gold = [
        Gold("VGS(th)", "Gate Threshold Voltage", 0.8, 1.2, 2.0, "V", conditions="VDS = VGS, ID = 250µA"),
        Gold("RDS(ON)", "Static Drain-Source On-Resistance", None, 60, 75, "mΩ", conditions="VGS = 10V, ID = 3A"),
        Gold("RDS(ON)", "Static Drain-Source On-Resistance", None, 85, 100, "mΩ", conditions="VGS = 4.5V, ID = 2A"),
        Gold("Qg", "Total Gate Charge", None, 5.4, None, "nC"),
    ]
    return done("conditions_last", c, out, gold, "mosfet", "QD1100")


def unruled_stacked() -> Sheet:
    """No rulings, symbols in the middle of several lines of conditions and numbers."""
    c, out = canvas()
    title(c, "QS2835", "Silicon Switching Diode")
    heading(c, 740, "Electrical Characteristics")
    heads = [
        (50, "Parameter"),
        (190, "Symbol"),
        (240, "Conditions"),
        (380, "min."),
        (420, "typ."),
        (460, "max."),
        (500, "Unit"),
    ]
    for x, head in heads:
        text(c, x, 720, head, font="Helvetica-Bold")
    y = 700
    for held, value in (("I{F} = 1 mA", "0.7"), ("I{F} = 10 mA", "0.85"), ("I{F} = 100 mA", "1.2")):
        text(c, 240, y, held)
        text(c, 460, y, value)
        if held == "I{F} = 10 mA":
            text(c, 50, y, "Forward voltage")
            text(c, 190, y, "V{F}")
            text(c, 500, y, "V")
        y -= 12
    y -= 8
    text(c, 50, y, "Reverse current")
    text(c, 190, y, "I{R}")
    text(c, 240, y, "V{R} = 30 V")
    text(c, 460, y, "100")
    text(c, 500, y, "nA")
    gold = [
        Gold("VF", "Forward voltage", None, None, 0.7, "V", conditions="IF = 1 mA"),
        Gold("VF", "Forward voltage", None, None, 0.85, "V", conditions="IF = 10 mA"),
        Gold("VF", "Forward voltage", None, None, 1.2, "V", conditions="IF = 100 mA"),
        Gold("IR", "Reverse current", None, None, 100, "nA", conditions="VR = 30 V"),
    ]
    return done("unruled_stacked", c, out, gold, "diode", "QS2835")


def variants_in_name() -> Sheet:
    """Temperatures and variants a line each under the name, numbers beside them."""
    c, out = canvas()
    title(c, "QM258, QM358", "Low power dual operational amplifiers")
    heading(c, 740, "Electrical characteristics")
    table(c, 50, 725, [60, 230, 45, 45, 45, 45], [
        ["Symbol", "Parameter", "Min.", "Typ.", "Max.", "Unit"],
        ["V{io}", "Input offset voltage\nQM258\nQM358", "", "\n1\n2", "\n3\n7", "mV"],
        ["I{io}", "Input offset current\nT{amb} = 25 °C\nT{min} ≤ T{amb} ≤ T{max}", "", "\n2\n", "\n30\n100", "nA"],
    ])  # fmt: skip
    gold = [
        Gold("Vio", "Input offset voltage", None, 1, 3, "mV", variant="QM258"),
        Gold("Vio", "Input offset voltage", None, 2, 7, "mV", variant="QM358"),
        Gold("Iio", "Input offset current", None, 2, 30, "nA", conditions="Tamb = 25 °C"),
        Gold("Iio", "Input offset current", None, None, 100, "nA"),
    ]
    return done("variants_in_name", c, out, gold, "op_amp", "QM258", "QM358")


def prose() -> Sheet:
    """Not a datasheet: a letter with numbers in it."""
    c, out = canvas()
    for i, line in enumerate((
        "Dear Sir or Madam,", "we confirm your order of 12 March 2024 for 500 boxes at 12.50 EUR each.",
        "Delivery takes 3 to 5 days. The minimum order is 100, the maximum 1,000 boxes.",
        "Typical customers pay within 14 days. Kind regards",
    )):  # fmt: skip
        text(c, 50, 780 - 16 * i, line, size=11)
    return done("prose", c, out, [], None)


def scan() -> Sheet:
    """A page that is a picture."""
    from PIL import Image, ImageDraw
    from reportlab.lib.utils import ImageReader

    picture = Image.new("L", (600, 850), 255)
    ImageDraw.Draw(picture).text((40, 40), "QS1000  VF 1.1 V", fill=0)
    c, out = canvas()
    c.drawImage(ImageReader(picture), 0, 0, A4[0], A4[1])
    return done("scan", c, out, [], None)


MAKERS: tuple[Callable[[], Sheet], ...] = (
    ruled_plain, unruled, stacked_variants, part_columns, part_columns_unruled, device_rows, device_rows_unruled,
    per_part_min_typ_max, merged_cells, conditions_in_name, stacked_units, multi_page, glyph_symbol_font,
    glyph_code_names, glyph_private_use, raised_marks, two_columns, rotated, decimal_comma, units_zoo, horizontal_rules,
    negative_ratings, chinese_headers, ambiguous_units, stacked_in_name, no_header, units_in_cells, per_part_unruled,
    beside_prose, conditions_last, unruled_stacked, variants_in_name, prose, scan,
)  # fmt: skip


def sheets() -> list[Sheet]:
    """All of them."""
    return [make() for make in MAKERS]
