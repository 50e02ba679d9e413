"""What the rows of one band share, and what is each one's own: names, conditions and variants."""

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final

from pipelines.datasheets.conditions import alternatives, exclude_each_other, symbols_of
from pipelines.datasheets.grid import Band, Cell, CellLine, Grid
from pipelines.datasheets.headers import Column
from pipelines.datasheets.page import Word
from pipelines.datasheets.parts import looks_like_variant
from pipelines.datasheets.quantities import Quantity, parse_unit

ALIGNED: Final = 0.6
"""Share of the size by which lines of one row may differ in height. A guess."""
_MARK: Final = re.compile(r"\(?\d\)|[*†‡]+|\([a-f]\)")
_CONDITION_LINE: Final = re.compile(r"\(?[A-Za-zΔθ][\w()/Δθ]{0,12} ?[=≤≥<>≈].*|\(.*[=≤≥].*\)?|.*[=≤≥].*\)")


@dataclass(frozen=True, slots=True)
class Entry:
    """A number in its column."""

    column: Column
    quantity: Quantity
    words: tuple[Word, ...]
    whole: bool = False
    """Whether it spans the columns of several variants."""


@dataclass(slots=True)
class RawRow:
    """A row as it stands on the page.

    Attributes:
        entries: its numbers.
        words: everything it was read from.
    """

    entries: list[Entry]
    y: float
    symbol: str | None = None
    name: str = ""
    conditions: str = ""
    unit: str | None = None
    variant: str | None = None
    words: list[Word] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Context:
    """What a document tells its bands.

    Attributes:
        labels: part numbers and the suffixes vendors shorten them to.
    """

    labels: frozenset[str] = frozenset()
    decimal_comma: bool = False


def give_names(
    grid: Grid, band: Band, rows: Sequence[RawRow], symbols: Sequence[CellLine], owners: Sequence[int], context: Context
) -> None:
    """Sets the names; conditions and labels that stand in the name cell, a line for each row, are taken out of it.

    Args:
        symbols: one line each.
        owners: per row the symbol it got.
    """
    lines = [line for x in text_lines(grid, band, "name") if (line := without_marks(x)).words]
    lines = [kept for line in lines if (kept := _without_label(line, rows)).words]
    spanning = any(c and len(c.bands) > 1 and one_a_band(c) for i in grid.having("symbol") if (c := band.cells[i]))
    if spanning:
        lines = [line for line in lines if band.top - 1 <= line.y <= band.bottom + 1] or lines
    if len(symbols) < 2 and len(rows) > 1:
        lines = _taken_out(lines, rows, context)
    if not lines:
        return
    if len(symbols) > 1:
        groups = _partition(lines, [s.y for s in symbols])
        own = [groups[i] for i in owners]
    elif len(lines) == len(rows) > 1 and _each_its_own(lines, rows, bool(symbols)):
        own = [[line] for line in lines]
    else:
        own = [lines for _ in rows]
    for row, group in zip(rows, own, strict=True):
        row.name = " ".join(line.text for line in group)
        row.words += [w for line in group for w in line.words]


def _taken_out(lines: Sequence[CellLine], rows: Sequence[RawRow], context: Context) -> list[CellLine]:
    """The lines of a name cell without those that tell the rows apart, which are set as conditions and variants."""
    named = [line for line in lines[1:] if _CONDITION_LINE.fullmatch(line.text) and symbols_of(line.text)]
    conditions = [line for line in named if line.text.startswith("(") or not re.search(r"[a-z]{4,}", line.text)]
    if len(conditions) > 1 and exclude_each_other([line.text for line in conditions]):
        for row, i in zip(rows, assigned(conditions, rows), strict=True):
            row.conditions = conditions[i].text.strip("()")
            row.words += conditions[i].words
    else:
        conditions = []
    labels = [line for line in lines[1:] if all(is_label(w.text, context) for w in line.words)]
    if len(labels) > 1 and not any(row.variant for row in rows):
        for row, i in zip(rows, assigned(labels, rows), strict=True):
            row.variant = labels[i].text
            row.words += labels[i].words
    else:
        labels = []
    return [line for line in lines if line not in conditions and line not in labels]


def _each_its_own(lines: Sequence[CellLine], rows: Sequence[RawRow], has_symbol: bool) -> bool:
    """Whether names and numbers go in pairs: they stand on the same lines, and units or capitals tell them apart."""
    size = lines[0].words[0].size
    if any(abs(line.y - row.y) > ALIGNED * size for line, row in zip(lines, rows, strict=True)):
        return False
    units = {u.dimension if (u := parse_unit(r.unit)) else None for r in rows}
    capitals = all(line.text[:1].isupper() for line in lines)
    return capitals and (len(units) > 1 or not has_symbol)


def _partition(lines: Sequence[CellLine], ys: Sequence[float]) -> list[list[CellLine]]:
    """The lines in contiguous groups, one per height, so that the middles of the groups come closest to the heights.

    A line in small letters or brackets never starts a group. Where lines are too few, each height takes the nearest.
    """
    n, m = len(lines), len(ys)
    if n < m:
        return [[lines[_nearest(lines, y)]] for y in ys]
    best: dict[tuple[int, int], tuple[float, int]] = {(0, 0): (0.0, 0)}
    for group in range(1, m + 1):
        for end in range(group, n + 1):
            options = [
                (best[group - 1, start][0] + _misfit(lines[start:end], ys[group - 1]), start)
                for start in range(group - 1, end)
                if (group - 1, start) in best
            ]
            best[group, end] = min(options) if options else (float("inf"), group - 1)
    groups, end = [], n
    for group in range(m, 0, -1):
        start = best[group, end][1]
        groups.append(list(lines[start:end]))
        end = start
    return groups[::-1]


def _misfit(group: Sequence[CellLine], y: float) -> float:
    middle = (group[0].y + group[-1].y) / 2
    broken = not group[0].text[:1].isupper() and not group[0].text[:1].isdigit()
    return abs(middle - y) + (1e3 if broken else 0.0)


def give_variants(grid: Grid, band: Band, rows: Sequence[RawRow], context: Context) -> None:
    """Labels of variants: in a column of their own, or standing behind the conditions or the name, a line each."""
    own = text_lines(grid, band, "part")
    if own:
        for row, i in zip(rows, assigned(own, rows), strict=True):
            row.variant = own[i].text
            row.words += own[i].words
        return
    if len(rows) < 2:
        return
    for role in ("conditions", "name"):
        lines = [line for line in text_lines(grid, band, role) if is_label(line.words[-1].text, context)]
        if len(lines) == len(rows) or (len(lines) > 1 and all(_on_a_line(r, lines) for r in rows)):
            for row, i in zip(rows, assigned(lines, rows), strict=True):
                row.variant = lines[i].words[-1].text
                row.words.append(lines[i].words[-1])
            return


def is_label(text: str, context: Context) -> bool:
    """Whether a word in a cell names a variant of the document."""
    plain = text.strip("*†(),:")
    return plain in context.labels or (looks_like_variant(plain) and "=" not in plain and len(plain) > 3)


def _on_a_line(row: RawRow, lines: Sequence[CellLine]) -> bool:
    return any(abs(line.y - row.y) < ALIGNED * line.words[0].size for line in lines)


def give_conditions(grid: Grid, band: Band, rows: Sequence[RawRow]) -> None:
    """Sets the conditions: one for each row where they exclude each other, else all for all."""
    lines = [_without_label(line, rows) for line in text_lines(grid, band, "conditions")]
    lines = [line for line in lines if line.words and line.text.strip()]
    if not lines:
        return
    words = [w for line in lines for w in line.words]
    entries = alternatives([line.text for line in lines])
    if len(rows) > 1 and len(entries) > 1 and exclude_each_other(entries):
        starts = _starts(entries, lines)
        for row, i in zip(rows, assigned(starts, rows) if starts else range(len(rows)), strict=True):
            row.conditions = entries[min(i, len(entries) - 1)]
            row.words += words
    else:
        for row in rows:
            row.conditions = " ".join(e if e.endswith((",", ";")) else e + "," for e in entries).rstrip(",; ")
            row.words += words


def _without_label(line: CellLine, rows: Sequence[RawRow]) -> CellLine:
    labels = {r.variant for r in rows if r.variant}
    kept = line.words[:-1] if line.words[-1].text in labels else line.words
    return CellLine(kept) if kept else CellLine(line.words[:0] or ())


def _starts(entries: Sequence[str], lines: Sequence[CellLine]) -> list[CellLine]:
    """The line that each entry stands on, in the middle of its lines; [] if they cannot be found again."""
    found: list[CellLine] = []
    rest = list(lines)
    for entry in entries:
        taken: list[CellLine] = []
        while rest and rest[0].text.split()[0] in entry and (not taken or rest[0].text[:12] in entry):
            taken.append(rest.pop(0))
        if not taken:
            return []
        found.append(taken[0] if len(taken) == 1 else CellLine(tuple(w for line in taken for w in line.words)))
    return found


def text_lines(grid: Grid, band: Band, role: str) -> list[CellLine]:
    """The lines of all cells of a role, top to bottom; of cells that span several bands, all."""
    cells = {id(c): c for i in grid.having(role) if (c := band.cells[i])}
    return sorted((line for c in cells.values() for line in c.lines), key=lambda line: line.y)


def _nearest(lines: Sequence[CellLine], y: float) -> int:
    return min(range(len(lines)), key=lambda i: abs(lines[i].y - y))


def _above(lines: Sequence[CellLine], y: float) -> int:
    """The last line that starts at this height or above; the first if none does."""
    slack = 0.35 * lines[0].words[0].size
    return max((i for i, line in enumerate(lines) if line.y <= y + slack), default=0)


def assigned(lines: Sequence[CellLine], rows: Sequence[RawRow]) -> list[int]:
    """Per row the line that is its own."""
    if len(lines) == 1:
        return [0] * len(rows)
    if len(lines) == len(rows):
        return list(range(len(rows)))
    aligned = all(abs(lines[_nearest(lines, r.y)].y - r.y) < ALIGNED * lines[0].words[0].size for r in rows)
    return [_nearest(lines, r.y) if aligned else _above(lines, r.y) for r in rows]


def without_marks(line: CellLine) -> CellLine:
    """The line without footnote marks that were set as words of their own."""
    before = (None, *line.words)
    kept = (w for w, left in zip(line.words, before, strict=False) if not _MARK.fullmatch(w.text) or _is_set(left))
    return CellLine(tuple(kept))


def _is_set(left: Word | None) -> bool:
    """Whether what follows a word is a value, no mark: "(IC = 200 mA, IB = 0)"."""
    return left is not None and left.text[-1:] in set("=≤≥<>≈")


def one_a_band(cell: Cell) -> bool:
    """Whether a cell over several bands has a line or more for each."""
    return len(cell.lines) >= len(cell.bands)
