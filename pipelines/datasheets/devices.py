"""Tables with one device a row: the columns are the parameters, and the first column says whose they are."""

import itertools
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final, Literal

from pipelines.datasheets.grid import Band, Cell, CellLine, Grid, box_of, cell_lines
from pipelines.datasheets.headers import Column, role_of
from pipelines.datasheets.implied import phrases
from pipelines.datasheets.page import Document, Page, Word
from pipelines.datasheets.parts import looks_like_part
from pipelines.datasheets.quantities import parse_quantity, parse_unit
from pipelines.datasheets.ruled import Frame, frames
from pipelines.datasheets.sections import kind_of, split_heading
from pipelines.datasheets.sharing import Entry, RawRow
from pipelines.datasheets.symbols import looks_like_symbol, telling

_BRACKETS: Final = re.compile(r"[(\[]([^()\[\]]{1,8})[)\]]")
_SLOTS: Final = frozenset({"min", "typ", "max"})
_STOREYS: Final = 7
_LONGEST_HEAD: Final = 7
"""Words; more are prose. A guess."""
_CLOSE: Final = 1.8
"""Sizes that the storeys of a header may stand apart. A guess."""
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
    spans = _data_columns(lines[start:end], page.width)
    if len(spans) < 2:
        return None
    heads = [_Head(0, spans[0][0], "", "", None, "value")]
    texts = _column_texts(_storeys(lines, start), spans)
    heads += [_head(x0, x1, text) for (x0, x1), text in zip(spans, texts, strict=True)]
    bands = [_line_band(line, heads) for line in lines[start:end]]
    return _table(page, heads, bands, 0)


def _storeys(lines: Sequence[Sequence[Word]], start: int) -> list[Sequence[Word]]:
    """The lines of a header, top to bottom: those above the devices that follow each other closely."""
    found: list[Sequence[Word]] = []
    below = lines[start]
    for line in reversed(lines[max(0, start - _STOREYS) : start]):
        title, _ = split_heading(" ".join(w.text for w in line))
        if min(w.top for w in below) - max(w.bottom for w in line) > _CLOSE * line[0].size or (
            kind_of(title) != "other" or max(map(len, phrases(line))) > _LONGEST_HEAD
        ):
            break
        found.append(line)
        below = line
    return found[::-1]


def _data_columns(rows: Sequence[Sequence[Word]], width: float) -> list[tuple[float, float]]:
    """The columns of numbers: where the phrases of all rows leave white between them."""
    spans: list[list[float]] = []
    for x0, x1 in sorted((p[0].x0, p[-1].x1) for row in rows for p in phrases(row[1:])):
        if spans and x0 < spans[-1][1]:
            spans[-1][1] = max(spans[-1][1], x1)
        else:
            spans.append([x0, x1])
    left = max(row[0].x1 for row in rows) + 1
    inner = ((a[1] + b[0]) / 2 for a, b in itertools.pairwise(spans))
    return list(itertools.pairwise([left, *inner, width])) if spans else []


def _column_texts(storeys: Sequence[Sequence[Word]], spans: Sequence[tuple[float, float]]) -> list[str]:
    """What stands over each column; a head over Min, Nom and Max, or "ZZT @ IZT" over two, is given to each of them."""
    texts = ["" for _ in spans]
    symbols: dict[int, str] = {}
    for storey in storeys:
        for phrase in _head_phrases(storey):
            middle = (phrase[0].x0 + phrase[-1].x1) / 2
            column = next((i for i, (x0, x1) in enumerate(spans) if x0 <= middle < x1), None)
            if column is None:
                continue
            text = " ".join(w.text for w in phrase)
            texts[column] = f"{texts[column]} {text}".strip()
            if _symbol_of(text):
                symbols.setdefault(column, text)
    for column, text in symbols.items():
        own = texts[column].replace(text, "", 1)
        if role_of(own) in _SLOTS:
            _spread(texts, column, text, symbols)
        elif "@" in text:
            _parted(texts, column, text, own, symbols)
    return texts


def _head_phrases(storey: Sequence[Word]) -> list[Sequence[Word]]:
    """The phrases of a line of a header; one that names several columns is cut before each."""
    found: list[Sequence[Word]] = []
    for phrase in phrases(storey):
        held = _in_conditions(phrase)
        cut = 0
        for i in range(1, len(phrase)):
            behind = phrase[i + 1].text if i + 1 < len(phrase) else ""
            tied = phrase[i - 1].text.endswith(("@", "at", "/", "=")) or phrase[i].start in held
            named = any(
                _names_column(w.text, v.text) for w, v in zip(phrase[cut:i], phrase[cut + 1 : i + 1], strict=True)
            )
            if named and not tied and _names_column(phrase[i].text, behind):
                found.append(phrase[cut:i])
                cut = i
        found.append(phrase[cut:])
    return found


def _spread(texts: list[str], column: int, text: str, symbols: Mapping[int, str]) -> None:
    """The symbol and unit of a head to the columns of Min, Nom and Max on both sides of its own."""
    seen = {role_of(texts[column].replace(text, "", 1))}
    for step in (-1, 1):
        i = column + step
        while 0 <= i < len(texts) and i not in symbols and (slot := role_of(texts[i])) in _SLOTS - seen:
            seen.add(slot)
            texts[i] = f"{text} {texts[i]}"
            i += step


def _parted(texts: list[str], column: int, text: str, own: str, symbols: Mapping[int, str]) -> None:
    """Two columns under one "IR @ VR", each with its unit: the first is what is measured, the second at what."""
    first, _, second = (piece.strip() for piece in text.partition("@"))
    for left, right in ((column, column + 1), (column - 1, column)):
        other = right if left == column else left
        if not 0 <= other < len(texts) or other in symbols or not _unit_of(texts[other]) or not _symbol_of(second):
            continue
        units = {column: own, other: texts[other]}
        texts[left], texts[right] = f"{first} {units[left]}", f"{second} {units[right]}"
        return


def _symbol_of(text: str) -> str:
    tokens = text.split()
    return next((t for t, then in zip(tokens, [*tokens[1:], ""], strict=False) if _names_column(t, then)), "")


def _unit_of(text: str) -> str | None:
    """The unit of a head: in brackets, or as a word."""
    return _bracketed(text) or next((t for t in text.split() if parse_unit(t)), None)


def _bracketed(text: str) -> str | None:
    """The last unit that stands in brackets."""
    return next((m[1] for m in reversed([*_BRACKETS.finditer(text)]) if parse_unit(m[1])), None)


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
    plain, *at = re.split(r"@| at ", plain)
    symbol = _symbol_of(plain)
    behind = " ".join(plain.split()[plain.split().index(symbol) + 1 :]) if symbol else plain
    # "ZZT @ IZT (Ω)": the unit below is of what is measured.
    unit = _unit_of(behind) or _bracketed(" ".join(at))
    role = role_of(plain) if role_of(plain) in _SLOTS else role_of(" ".join(at))
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
    found: list[RawRow] = []
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
            row = RawRow([entry], line.y, head.symbol, "", head.conditions, head.unit, words=words)
            if not (same := next((r for r in found if _one_parameter(r, row)), None)):
                found.append(row)
                continue
            same.entries += row.entries
            same.words += line.words
    return found


def _one_parameter(row: RawRow, other: RawRow) -> bool:
    """Whether two numbers are the Min, Typ or Max of one parameter of one device."""
    slots = [e.column.role for e in (*row.entries, *other.entries)]
    one, two = row.entries[0].column.variant, other.entries[0].column.variant
    same = (row.symbol, row.unit, one) == (other.symbol, other.unit, two)
    level = abs(row.y - other.y) < 0.6 * row.words[0].size
    return same and level and set(slots) <= _SLOTS and len(set(slots)) == len(slots)
