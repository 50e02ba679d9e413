"""Every trap, by the gold of its sheet; and what holds of every row of every sheet."""

import itertools
import random

import pytest

from pipelines.datasheets.focus import focus
from pipelines.datasheets.page import Document
from pipelines.datasheets.quantities import parse_unit
from pipelines.datasheets.rows import read_rows
from pipelines.datasheets.words import page_of

SLOTS = ("min", "typ", "max")


def facts(rows):
    return sorted(
        (
            (r.symbol or "").replace(" ", ""),
            slot,
            float(f"{r.si[slot]:.6g}"),
            r.si["unit"] or "",
            r.page,
            r.variant or "",
        )
        for r in rows
        for slot in r.slots
        if r.si[slot] is not None
    )


def gold_facts(gold):
    return sorted(
        (g.symbol or "", slot, float(f"{g.si[slot]:.6g}"), g.si["unit"] or "", g.page, g.variant or "")
        for g in gold
        for slot in SLOTS
        if g.si[slot] is not None
    )


def test_a_synthetic_sheet_gives_its_gold_and_nothing_else(read):
    assert facts(read.rows) == gold_facts(read.sheet.gold)


def test_names_and_conditions_are_the_gold_s(read):
    held = {(g.symbol, g.variant, g.min, g.typ, g.max): g for g in read.sheet.gold if g.conditions}
    for row in read.rows:
        gold = held.get((row.symbol, row.variant, row.min, row.typ, row.max))
        if gold:
            texts = " ".join(c.text for c in row.conditions)
            assert [t for t in gold.conditions.replace(" ", "").split(",") if t not in texts.replace(" ", "")] == []
    names = {g.name for g in read.sheet.gold if g.name}
    assert {r.raw_name for r in read.rows if r.raw_name and not r.notes} <= names


def _every(read):
    pages = {p.number: p for p in read.document.pages}
    for row in read.rows:
        yield row, pages[row.page]


def test_every_row_has_a_quote_on_its_page_that_holds_its_numbers(read):
    for row, page in _every(read):
        assert row.quote in page.text
        assert all(any(page.text.startswith(n, at) for n in page.text[at:].split()[:1]) for at in row.at)
        assert all(
            page.text.index(row.quote) <= at <= page.text.index(row.quote) + len(row.quote) for at in row.at
        ) or (page.text.count(row.quote) > 1)


def test_every_row_has_a_box_on_its_page(read):
    for row, page in _every(read):
        width, height = (page.height, page.width) if page.turn in (90, 270) else (page.width, page.height)
        x0, top, x1, bottom = row.box
        assert 0 <= x0 < x1 <= width + 1
        assert 0 <= top < bottom <= height + 1


def test_no_number_is_given_without_a_known_unit_where_one_is_printed(read):
    for row in read.rows:
        if row.unit and parse_unit(row.unit) is None:
            assert row.notes
            assert all(row.si[slot] is None for slot in SLOTS)


def test_reading_twice_gives_the_same(named):
    from pipelines.datasheets.document import read_document
    from pipelines.datasheets.rows import read_rows

    once = named("merged_cells")
    assert read_rows(read_document(once.sheet.pdf)) == once.rows


@pytest.mark.parametrize("name", ["glyph_symbol_font", "glyph_code_names", "glyph_private_use"])
def test_75_microamperes_never_read_as_75_milliamperes(named, name):
    row = next(r for r in named(name).rows if r.symbol == "ICEO")
    assert row.si["max"] == 75e-6
    assert "µA" in row.quote


def test_a_unit_that_may_be_mega_or_milli_gives_no_si_value_and_a_note(named):
    rows = named("ambiguous_units").rows
    row = next(r for r in rows if r.symbol == "IC")
    assert row.max == 500
    assert row.si["max"] is None
    assert row.notes
    assert not any(r.symbol == "VIN" for r in rows)


def test_a_value_over_the_columns_of_all_parts_is_for_all(named):
    for name in ("part_columns", "part_columns_unruled"):
        rows = named(name).rows
        assert {r.variant for r in rows if r.symbol == "IFSM"} == {None}
        assert len({r.variant for r in rows if r.symbol == "VRRM"}) == 4


def test_a_table_goes_on_overleaf_without_its_header(named):
    assert {r.page for r in named("multi_page").rows} == {1, 2, 3}


def test_a_footnote_mark_never_becomes_a_digit(named):
    rows = named("raised_marks").rows
    assert next(r for r in rows if r.symbol == "VF").max == 1.4
    assert next(r for r in rows if r.symbol == "Viso").min == 5.0


def test_a_sideways_table_has_its_box_upright(named):
    read = named("rotated")
    assert read.document.pages[0].turn == 90
    x0, top, x1, bottom = read.rows[0].box
    assert bottom - top > x1 - x0


def test_a_letter_is_no_datasheet(named):
    assert named("prose").rows == []


def test_the_default_conditions_are_those_of_the_section(named):
    row = named("ruled_plain").rows[0]
    assert [(c.symbol, c.value, c.unit) for c in row.default_conditions] == [("TA", 25.0, "°C")]
    assert row.section == "ratings"


def test_nanoseconds_printed_as_ns_with_a_capital_are_seconds(synthetic):
    from pipelines.datasheets.document import read_document
    from pipelines.datasheets.rows import read_rows

    c, out = synthetic.canvas()
    synthetic.title(c, "QD900", "Diode")
    synthetic.table(c, 50, 700, [60, 190, 70, 50], [
        ["Symbol", "Parameter", "Max", "Unit"],
        ["t{rr}", "Reverse recovery time", "4", "nS"],
        ["g{fs}", "Forward transconductance", "2", "mS"],
    ])  # fmt: skip
    c.save()
    rows = read_rows(read_document(out.getvalue()))
    assert [(r.symbol, r.si["unit"], r.si["max"]) for r in rows] == [("trr", "s", 4e-9), ("gfs", "S", 2e-3)]


# The four open sheets.


def open_facts(gold):
    return {
        (
            p["symbol"].replace(" ", "").replace("-", ""),
            slot,
            float(f"{p['si'][slot]:.6g}"),
            p["si"]["unit"] or "",
            p["page"],
        )
        for p in gold["parameters"]
        for slot in SLOTS
        if p["si"][slot] is not None
    }


def test_an_open_sheet_gives_all_that_its_reader_found(opened):
    found = {(s.replace("-", ""), slot, v, u, page) for s, slot, v, u, page, _ in facts(opened.rows)}
    assert open_facts(opened.sheet) - found == set()


def test_an_open_sheet_has_no_silent_unit_error(opened):
    gold = open_facts(opened.sheet)
    for (symbol, slot, value, _, page, _), other in itertools.product(facts(opened.rows), gold):
        if (symbol, slot, page) == (other[0], other[1], other[4]) and value and other[2]:
            assert not any(abs(abs(value / other[2]) / 10.0**e - 1) < 1e-6 for e in (-9, -6, -3, 3, 6, 9))


def test_an_open_sheet_s_quotes_stand_on_their_pages(opened):
    for row, page in _every(opened):
        assert row.quote in page.text


VOCABULARY = ["Symbol", "Parameter", "Conditions", "Min", "Typ", "Max", "Unit", "Value", "VF", "IR", "hFE", "RDS(on)",
              "1.0", "-55 to +150", "±20", "20", "0.3", "µA", "V", "Ω", "IF", "=", "10", "mA,", "QT100", "TO-92", "(1)",
              "*", "-", "Electrical", "Characteristics", "voltage", "(continued)", "<", "5", "≤", "Test",
              "Type"]  # fmt: skip


@pytest.mark.parametrize("seed", range(40))
def test_any_page_of_words_and_rules_gives_rows_or_none_never_an_error(seed):
    rng = random.Random(seed)
    runs = []
    for _ in range(rng.randint(0, 150)):
        text, x, y = (
            rng.choice(VOCABULARY),
            rng.choice([50, 120, 250, 330, 400, 450]) + rng.random() * 9,
            rng.randint(2, 60) * 12,
        )
        size = rng.choice([6, 9, 9, 9, 12])
        runs.append(
            [text, x, x + 0.5 * size * len(text), y - size, y, y - 0.2 * size, size, rng.randint(0, 1), 0, True]
        )
    xs, ys = sorted(rng.sample(range(40, 560), 5)), sorted(rng.sample(range(20, 700), 6))
    cells = [[x0, y0, x1, y1] for x0, x1 in itertools.pairwise(xs) for y0, y1 in itertools.pairwise(ys)]
    page = {"number": 1, "width": 600.0, "height": 800.0, "rotation": 0, "notes": [], "runs": runs, "lines": [],
            "edges": [[40, y, 560, y] for y in ys], "tables": [[c for c in cells if rng.random() < 0.9]],
            "fonts": ["Helvetica", "Helvetica-Bold"], "needs_ocr": False, "ocr": False}  # fmt: skip
    document = Document("x", (page_of(page, frozenset()),), 1)
    for row in read_rows(document):
        assert row.quote in document.pages[0].text
        assert row.slots
    assert focus(document, read_rows(document)).title is not None
