"""Tables with one device a row: the columns are the parameters, and the first column says whose they are."""

import itertools
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Literal

from pipelines.datasheets.grid import Band, Cell, CellLine, Grid, box_of, cell_lines
from pipelines.datasheets.headers import Column, role_of
from pipelines.datasheets.page import Document, Page, Word
from pipelines.datasheets.parts import looks_like_part
from pipelines.datasheets.quantities import parse_quantity, parse_unit
from pipelines.datasheets.ruled import Frame, frames
from pipelines.datasheets.sharing import Entry, RawRow
from pipelines.datasheets.symbols import looks_like_symbol, telling

_BLANK: Final = 0.8
_SPACED: Final = re.compile(r"^([1-9]\d?) ([05]00)$")
"""1 000, 1 500."""
_CONDITION: Final = re.compile(
    r"[A-Za-zΔθ][\w()/]{0,10} ?[=≤≥<>] ?[+-]?[\d.,]+ ?(?:[pnuµμmkMG]?(?:A|V|Hz|W|s)\b|°C|K\b|%)?"
)
"""What a header says its column was measured at."""


@dataclass(frozen=True, slots=True)
class DeviceTable:
    """A table with one device a row, as rows of parameters.

    Attributes:
        grid: page, box and columns, for what is common to all tables.
        rows: one per device and parameter.
    """

    grid: Grid
    rows: tuple[RawRow, ...]


@dataclass(frozen=True, slots=True)
class _Head:
    """A column: x0 and x1, its symbol, unit and slot."""

    x0: float
    x1: float
    text: str
    symbol: str
    unit: str | None
    slot: Literal["min", "typ", "max", "value"]
    conditions: str = ""


def device_tables(document: Document) -> list[DeviceTable]:
    """The tables with one device a row, ruled or not."""
    found: list[DeviceTable] = []
    for page in document.pages:
        ruled = [t for frame in frames(page) if (t := _ruled(frame))]
        found += ruled
        found += [t for t in _unruled(page) if not any(_same(t, r) for r in ruled)]
    return found


def _same(one: DeviceTable, other: DeviceTable) -> bool:
    return one.grid.box[1] < other.grid.box[3] and one.grid.box[3] > other.grid.box[1]


def _ruled(frame: Frame) -> DeviceTable | None:
    first = next((b for b, band in enumerate(frame.bands) if _device_lines(band.cells[1])), None)
    if not first:
        return None
    heads = []
    for i, (x0, x1) in enumerate(frame.spans):
        cells = {id(c): c for b in frame.bands[:first] if (c := b.cells[i])}
        heads.append(_head(x0, x1, " ".join(c.text for c in cells.values())))
    return _table(frame.page, heads, frame.bands[first:], 1)


def _device_lines(cell: Cell | None) -> list[CellLine]:
    return [line for line in cell.lines if looks_like_part(line.text)] if cell else []


def _unruled(page: Page) -> list[DeviceTable]:
    """Lines that start with a part and go on with numbers, below a line of symbols."""
    found = []
    lines = [line.words for line in page.lines]
    at = 1
    while at < len(lines):
        if not _is_device(lines[at]):
            at += 1
            continue
        end = at
        while end < len(lines) and _is_device(lines[end]):
            end += 1
        table = _below(page, lines, at, end)
        if table:
            found.append(table)
        at = end
    return found


def _is_device(words: Sequence[Word]) -> bool:
    return looks_like_part(words[0].text) and sum(parse_quantity(w.text) is not None for w in words[1:]) > 1


def _below(page: Page, lines: Sequence[Sequence[Word]], start: int, end: int) -> DeviceTable | None:
    heads_of = lines[max(0, start - 3) : start]
    above = [w for line in heads_of for w in line]
    anchors = [
        word
        for line in heads_of
        for word, behind in zip(line, [*(w.text for w in line[1:]), ""], strict=True)
        if _names_column(word.text, behind) and word.start not in _in_conditions(line)
    ]
    anchors = sorted(anchors, key=lambda w: w.x0)
    if len(anchors) < 2 or any(b.x0 < a.x1 for a, b in itertools.pairwise(anchors)):
        return None
    middles = [
        lines[start][0].x1 + 2,
        *((a.x1 + b.x0) / 2 for a, b in itertools.pairwise(anchors)),
        page.width,
    ]
    heads = [_Head(0, middles[0], "", "", None, "value")]
    for x0, x1 in itertools.pairwise(middles):
        words = [w for w in above if x0 <= w.centre < x1]
        heads.append(_head(x0, x1, " ".join(w.text for w in words)))
    bands = [_line_band(line, heads) for line in lines[start:end]]
    return _table(page, heads, bands, 0)


def _names_column(text: str, behind: str) -> bool:
    """Whether a word of a header is a symbol: it looks like none but that, or a unit in brackets follows."""
    if not looks_like_symbol(text) or role_of(text) != "none":
        return False
    return telling(text) or (
        len(text) < 5 and behind[:1] in ("(", "[") and parse_unit(behind.strip("()[]")) is not None
    )


def _in_conditions(line: Sequence[Word]) -> set[int]:
    """The words of a line, by their place in the text, that set a condition: "IZT = 5 mA"."""
    text = " ".join(w.text for w in line)
    spans = [match.span() for match in _CONDITION.finditer(text)]
    start = line[0].start
    return {w.start for w in line if any(a <= w.start - start < b for a, b in spans)}


def _line_band(words: Sequence[Word], heads: Sequence[_Head]) -> Band:
    cells: list[list[Word]] = [[] for _ in heads]
    for word in words:
        cells[next((i for i, h in enumerate(heads) if h.x0 <= word.centre < h.x1), 0)].append(word)
    row = tuple(Cell(tuple(c), (i,)) if c else None for i, c in enumerate(cells))
    return Band(min(w.top for w in words), max(w.bottom for w in words), row)


def _head(x0: float, x1: float, text: str) -> _Head:
    """The parameter that a column header names: "VRRM (V)", "VF max @ IF", "RDS(on) mΩ"."""
    held = [m[0] for m in _CONDITION.finditer(text)]
    plain = _CONDITION.sub(" ", text)
    plain = re.split(r"@| at ", plain)[0]
    tokens = plain.split()
    behind = [*tokens[1:], ""]
    symbol = next((t for t, then in zip(tokens, behind, strict=False) if _names_column(t, then)), "")
    brackets = [m[1] for m in re.finditer(r"[(\[]([^()\[\]]{1,8})[)\]]", plain) if parse_unit(m[1])]
    rest = tokens[tokens.index(symbol) + 1 :] if symbol else []
    unit = brackets[-1] if brackets else next((t for t in rest if parse_unit(t)), None)
    role = role_of(plain)
    return _Head(x0, x1, text, symbol, unit, role if role in ("min", "typ", "max") else "value", ", ".join(held))


def _table(page: Page, heads: Sequence[_Head], bands: Sequence[Band], part: int) -> DeviceTable | None:
    named = [h for h in heads if h.symbol]
    if len(named) < 2:
        return None
    rows = [row for band in bands for row in _rows(heads, band, part)]
    if not rows:
        return None
    columns = tuple(Column(h.x0, h.x1, h.text, h.slot, None, h.unit) for h in heads)
    box = box_of([w for row in rows for w in row.words])
    return DeviceTable(Grid(page.number, box, columns, (), "", "devices"), tuple(rows))


def _rows(heads: Sequence[_Head], band: Band, part: int) -> list[RawRow]:
    found = []
    devices = _device_lines(band.cells[part])
    for i, head in enumerate(heads):
        cell = band.cells[i]
        if not head.symbol or cell is None or i == part:
            continue
        for line in cell_lines(cell.words):
            # Two numbers are no value of one device, so that this is one number here, and only here.
            quantity = parse_quantity(_SPACED.sub(r"\1\2", line.text))
            near = [d for d in devices if abs(d.y - line.y) < 0.6 * line.words[0].size]
            owner = near[0] if near else devices[0] if len(devices) == 1 else None
            if quantity is None or (owner is None and devices and len(cell.lines) > 1):
                continue
            if not (head.unit or quantity.unit or head.symbol.lower().startswith("h")):
                continue  # a number without a unit, and only a gain has none
            column = Column(head.x0, head.x1, head.text, head.slot, owner.text if owner else None, head.unit)
            words = [*(owner.words if owner else ()), *line.words]
            entry = Entry(column, quantity, line.words)
            found.append(RawRow([entry], line.y, head.symbol, "", head.conditions, head.unit, words=words))
    return found
