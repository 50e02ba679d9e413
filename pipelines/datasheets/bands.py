"""A band of a table → its rows: what is stacked in its cells taken apart.

A row is one line of numbers. Symbols, names, conditions and units are given to it by count where the counts agree, by
height on the page where they do not, and to all where there is one (`sharing.py`).
"""

from collections.abc import Sequence
from dataclasses import replace

from pipelines.datasheets.grid import Band, Cell, CellLine, Grid
from pipelines.datasheets.headers import Column
from pipelines.datasheets.quantities import parse_quantity
from pipelines.datasheets.sharing import (
    ALIGNED,
    Context,
    Entry,
    RawRow,
    assigned,
    give_conditions,
    give_names,
    give_variants,
    one_a_band,
    text_lines,
    without_marks,
)


def band_rows(grid: Grid, band: Band, context: Context) -> list[RawRow]:
    """The rows of a band, top to bottom; none where it has no numbers."""
    rows = _value_rows(grid, band, context)
    if not rows:
        return []
    give_variants(grid, band, rows, context)
    _give_units(grid, band, rows)
    symbols = _symbols(grid, band)
    shared = len(symbols) > len(rows) == 1
    if shared:
        rows = [replace(rows[0], words=list(rows[0].words)) for _ in symbols]
    owners = _give_symbols(symbols, rows)
    give_names(grid, band, rows, [] if shared else symbols, owners, context)
    give_conditions(grid, band, rows)
    return rows


def _value_rows(grid: Grid, band: Band, context: Context) -> list[RawRow]:
    entries: list[tuple[float, Entry]] = []
    seen: set[int] = set()
    for i in grid.having("min", "typ", "max", "value"):
        cell = band.cells[i]
        if cell is None or id(cell) in seen:
            continue
        seen.add(id(cell))
        for line in _band_lines(cell, band):
            quantity = parse_quantity(line.text, decimal_comma=context.decimal_comma)
            if quantity:
                column, whole = _column(grid, cell, i)
                entries.append((line.y, Entry(column, quantity, line.words, whole)))
    rows: list[RawRow] = []
    for y, entry in sorted(entries, key=lambda e: e[0]):
        if rows and abs(rows[-1].y - y) <= ALIGNED * entry.words[0].size and not _clash(rows[-1], entry):
            rows[-1].entries.append(entry)
        else:
            rows.append(RawRow([entry], y))
        rows[-1].words += entry.words
    return rows


def _clash(row: RawRow, entry: Entry) -> bool:
    return any(e.column is entry.column for e in row.entries)


def _column(grid: Grid, cell: Cell, first: int) -> tuple[Column, bool]:
    """The column a cell's numbers belong to, and whether it spans several."""
    over = [grid.columns[i] for i in cell.columns if grid.columns[i].holds_values]
    if len(over) < 2:
        return grid.columns[first], False
    slots = {c.role for c in over}
    role = over[0].role if len(slots) == 1 else "value"
    variants = {c.variant for c in over}
    same = over[0].variant if len(variants) == 1 else None
    return replace(over[0], role=role, variant=same), len(variants) > 1


def _band_lines(cell: Cell, band: Band) -> list[CellLine]:
    """The lines of a cell that stand in this band; all of them where the cell spans bands with a single line."""
    lines = cell.lines
    if len(cell.bands) == 1 or len(lines) <= 1:
        return lines
    here = [line for line in lines if band.top <= line.y <= band.bottom]
    return here if len(here) < len(lines) and one_a_band(cell) else lines


def _symbols(grid: Grid, band: Band) -> list[CellLine]:
    """One line per symbol: a wrapped list ("TJ," / "Tstg") is one."""
    cells = {id(c): c for i in grid.having("symbol") if (c := band.cells[i])}
    found = (without_marks(line) for c in cells.values() for line in _band_lines(c, band))
    lines = sorted((line for line in found if line.words), key=lambda line: line.y)
    joined: list[CellLine] = []
    for line in lines:
        if joined and (joined[-1].text.rstrip().endswith((",", "/", "-")) or line.text.startswith(("(", "/"))):
            joined[-1] = CellLine((*joined[-1].words, *line.words))
        else:
            joined.append(line)
    return joined


def _give_units(grid: Grid, band: Band, rows: Sequence[RawRow]) -> None:
    lines = text_lines(grid, band, "unit")
    cells = {id(c): c for i in grid.having("unit") if (c := band.cells[i])}
    if any(len(c.bands) > 1 for c in cells.values()) and len(lines) > 1:
        lines = [line for c in cells.values() for line in _band_lines(c, band)]
    if lines:
        for row, line in zip(rows, assigned(lines, rows), strict=True):
            row.unit = lines[line].text
            row.words += lines[line].words


def _give_symbols(symbols: Sequence[CellLine], rows: Sequence[RawRow]) -> list[int]:
    """Sets the symbols; answers which of them each row got."""
    if not symbols:
        return [0] * len(rows)
    own = assigned(symbols, rows)
    for row, i in zip(rows, own, strict=True):
        row.symbol = symbols[i].text
        row.words += symbols[i].words
    return own
