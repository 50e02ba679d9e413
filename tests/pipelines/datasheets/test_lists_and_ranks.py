"""Readers of what is no table with a header: lists with dots or white, ranks, and what goes on overleaf."""

import pytest

from pipelines.datasheets.document import read_document
from pipelines.datasheets.micro import with_micro
from pipelines.datasheets.page import Word
from pipelines.datasheets.rows import read_rows


def _rows(c, out, reader: str):
    c.save()
    return [r for r in read_rows(read_document(out.getvalue())) if r.reader == reader]


def _slots(rows):
    return [(r.symbol, r.variant, r.min, r.typ, r.max, r.unit) for r in rows]


def test_a_list_with_dots_is_read_and_prose_with_dots_is_not(synthetic):
    c, out = synthetic.canvas()
    synthetic.title(c, "QL4711", "Operational Amplifier")
    synthetic.text(c, 50, 700, "Supply Voltage ............................ ±22V")
    synthetic.text(c, 50, 685, "Operating Temperature Range ....... -40°C to 85°C")
    synthetic.text(c, 50, 670, "Applications ..................................... 12")
    synthetic.text(c, 50, 655, "Contents of this document .............. see below")
    rows = _rows(c, out, "listed")
    assert [r.raw_name for r in rows] == ["Supply Voltage", "Operating Temperature Range"]
    assert _slots(rows) == [(None, None, -22, None, 22, "V"), (None, None, -40, None, 85, "°C")]


def test_white_makes_a_list_only_among_ratings(synthetic):
    c, out = synthetic.canvas()
    synthetic.title(c, "QT4711", "NPN transistor")
    lines = (("Collector-Base Voltage", "V{CBO}", "80", "V"), ("Collector Current", "I{C}", "100", "mA"))
    for y, what in ((700, "Absolute Maximum Ratings"), (600, "Application")):
        synthetic.heading(c, y, what)
        for i, words in enumerate(lines):
            for x, word in zip((50, 250, 330, 400), words, strict=True):
                synthetic.text(c, x, y - 16 - 14 * i, word)
    assert _slots(_rows(c, out, "listed")) == [
        ("VCBO", None, None, None, 80, "V"),
        ("IC", None, None, None, 100, "mA"),
    ]


def test_ranks_by_the_column_by_the_row_and_in_prose(synthetic):
    c, out = synthetic.canvas()
    synthetic.title(c, "QT4711", "NPN transistor")
    synthetic.heading(c, 740, "CLASSIFICATION OF hFE")
    synthetic.table(c, 50, 725, [80, 80, 80], [["RANK", "O", "Y"], ["RANGE", "70 ~ 140", "120 ~ 240"]])
    synthetic.heading(c, 660, "Bin Range of I{V}")
    rows = [["Bin", "Min", "Max", "Unit"], ["P", "45", "90", "mcd"], ["Q", "71", "140", "mcd"]]
    synthetic.table(c, 50, 645, [60, 60, 60, 60], rows, rules="none")
    synthetic.text(c, 50, 560, "Note: h{FE (1)} classification R: 55 to 110, O: 80 to 160")
    assert _slots(_rows(c, out, "ranks")) == [
        ("hFE", "O", 70, None, 140, None),
        ("hFE", "Y", 120, None, 240, None),
        ("IV", "P", 45, None, 90, "mcd"),
        ("IV", "Q", 71, None, 140, "mcd"),
        ("hFE", "R", 55, None, 110, None),
        ("hFE", "O", 80, None, 160, None),
    ]


def test_an_unruled_table_goes_on_overleaf_without_its_header(synthetic):
    c, out = synthetic.canvas()
    synthetic.title(c, "QD4711", "Diode")
    synthetic.heading(c, 200, "Electrical Characteristics")
    widths = [60, 150, 120, 40, 40, 40, 40]
    head = ["Symbol", "Parameter", "Conditions", "Min", "Typ", "Max", "Unit"]
    first = [["V{F}", f"Forward voltage {i}", f"I{{F}} = {i} mA", "", f"0.{i}", f"1.{i}", "V"] for i in range(1, 8)]
    synthetic.table(c, 50, 185, widths, [head, *first], rules="none")
    c.showPage()
    synthetic.text(c, 50, 810, "QD4711")
    synthetic.text(c, 50, 770, "Electrical Characteristics (continued)")
    rest = [
        ["I{R}", "Reverse current", "V{R} = 50 V", "", "2", "10", "nA"],
        ["C{D}", "Capacitance", "", "", "2", "3", "pF"],
    ]
    synthetic.table(c, 50, 755, widths, rest, rules="none")
    over = [r for r in _rows(c, out, "clustered") if r.page == 2]
    assert _slots(over) == [("IR", None, None, 2, 10, "nA"), ("CD", None, None, 2, 3, "pF")]


@pytest.mark.parametrize(
    ("ours", "theirs", "mended"),
    [
        (["TYPE V A A ns"], ["V A µA ns"], ["TYPE V A µA ns"]),
        (["5 V 10 A"], ["5 V 10 μA"], ["5 V 10 µA"]),
        (["5 V 10 A", "5 V 10 A"], ["5 V 10 µA"], ["5 V 10 A", "5 V 10 A"]),
        (["5 V 10 µA"], ["5 V 10 µA"], ["5 V 10 µA"]),
        (["I 5 A"], ["µA"], ["I 5 A"]),
    ],
)
def test_a_lost_micro_comes_back_only_where_its_place_is_certain(ours, theirs, mended):
    lines = [[Word(t, i, 0, i + 1, 1, 1) for i, t in enumerate(line.split())] for line in ours]
    assert [" ".join(w.text for w in words) for words in with_micro(lines, theirs)] == mended
