"""The printed parameter rows of a document: three readers, one list, the best evidence kept."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final

from pipelines.datasheets.bands import band_rows
from pipelines.datasheets.clustered import clustered_grids
from pipelines.datasheets.conditions import Condition, parse_conditions
from pipelines.datasheets.devices import device_tables
from pipelines.datasheets.grid import Grid, box_of
from pipelines.datasheets.lines import line_rows
from pipelines.datasheets.listed import listed_rows
from pipelines.datasheets.page import Document, Page, Word
from pipelines.datasheets.parameter import ParameterRow
from pipelines.datasheets.parts import parts_in
from pipelines.datasheets.quantities import Quantity, Unit, explain_unit, parse_unit
from pipelines.datasheets.ranks import rank_rows
from pipelines.datasheets.ruled import ruled_grids
from pipelines.datasheets.sections import Section, section_at, sections
from pipelines.datasheets.sharing import Context, Entry, RawRow
from pipelines.datasheets.symbols import looks_like_symbol, telling

_SCORES: Final[Mapping[str, float]] = {
    "ruled": 1.0,
    "clustered": 0.8,
    "ranks": 0.75,
    "devices": 0.7,
    "lines": 0.5,
    "listed": 0.45,
}
_SCANNED: Final = "read from a scan: check the prefix of its unit"
"""No reader of scans is sure of a µ."""
_UNIT_BEHIND: Final = re.compile(r"(?:[(\[]([^()\[\]\d=]{1,10})[)\]]| in ([^\s\d]{1,8}))$")
_GRADE: Final = re.compile(r"(?:^|\s)(?:group|gruppe|groupe|rank|class|klasse|grade)\s+-?[A-Z0-9]{1,3}$", re.IGNORECASE)
_BARE: Final = re.compile(r"(?<![\w(])[A-Z][A-Za-z()]{0,8} ?[=≤≥] ?[-+]?\d.*$")
"""Conditions that follow a name without a bracket or a word."""
_BRACKETED_MARK: Final = re.compile(r"\s*\[\d{1,2}\]$")
_SECONDS: Final = re.compile(
    r"time|delay|width|duration|period|recovery|zeit|temps|^t[A-Zdrfspowt]|时间", re.IGNORECASE
)


__all__ = ["ParameterRow", "Reading", "read_rows", "reading_of", "rows_of"]


@dataclass(frozen=True, slots=True)
class Reading:
    """What a reader needs to know of the document to make rows of its grids."""

    document: Document
    sections: Sequence[Section]
    context: Context

    def page(self, number: int) -> Page:
        """A page by its number."""
        return next(p for p in self.document.pages if p.number == number)


def reading_of(document: Document, *, parts: Sequence[str] = ()) -> Reading:
    """The reading of a document.

    Args:
        document: as read.
        parts: part numbers known to be in it; those of the first page are added.
    """
    first = document.pages[0].text if document.pages else ""
    known = list(dict.fromkeys([*parts, *parts_in(first)]))
    labels = set(known)
    for part in known:
        labels |= {m[0] for m in re.finditer(r"\d{3,}[A-Z]?", part)}
    comma = decimal_comma(document)
    return Reading(document, sections(document), Context(frozenset(labels), comma))


def decimal_comma(document: Document) -> bool:
    """Whether the document writes 0,35 for 0.35: it does so more often than it writes a decimal point."""
    text = "\n".join(page.text for page in document.pages)[:200_000]
    commas = len(re.findall(r"(?<![\d.,])\d{1,3},\d{1,2}(?![\d,])", text))
    points = len(re.findall(r"(?<![\d.,])\d{1,4}\.\d{1,3}(?![\d.])", text))
    return commas > 3 and commas > 2 * points


def read_rows(document: Document, *, parts: Sequence[str] = ()) -> list[ParameterRow]:
    """The printed parameter rows, in reading order, each number once.

    Args:
        document: as read.
        parts: part numbers known to be in it; they tell labels of variants from other words.
    """
    reading = reading_of(document, parts=parts)
    grids = [*ruled_grids(document), *clustered_grids(document)]
    found = [row for grid in grids for row in rows_of(grid, reading)]
    for table in device_tables(document):
        found += [row for raw in table.rows for row in _finished(raw, table.grid, reading, negative=False)]
    for grid, raw in (*rank_rows(document), *line_rows(document), *listed_rows(document, reading.sections)):
        found += _finished(raw, grid, reading, negative=False)
    return _merged([row for row in found if _plausible(row)])


def _merged(rows: Sequence[ParameterRow]) -> list[ParameterRow]:
    """Of rows of several readers that read the same number on the page, those of the better one."""
    owner: dict[tuple[int, int], str] = {}
    kept: list[tuple[int, ParameterRow]] = []
    for order, row in sorted(enumerate(rows), key=lambda r: -r[1].score):
        places = [(row.page, at) for at in row.at]
        if all(owner.get(place, row.reader) == row.reader for place in places):
            owner.update((place, row.reader) for place in places)
            kept.append((order, row))
    unique = {(r.page, r.at, r.symbol, r.variant, r.raw_name): r for _, r in sorted(kept, key=lambda k: k[0])}
    return sorted(unique.values(), key=lambda r: (r.page, min(r.at), r.box[1]))


def _plausible(row: ParameterRow) -> bool:
    """Whether a row is a parameter, not the scale of a plot or a dimension of the package."""
    if row.section in ("package", "legal", "ordering", "pinout") and row.reader != "ranks":
        return False
    named = bool(row.symbol) or len(re.findall(r"[^\W\d]{3,}", row.raw_name)) > 0
    return named and not (row.section == "typical" and row.reader != "ruled" and not row.unit)


def rows_of(grid: Grid, reading: Reading) -> list[ParameterRow]:
    """The parameter rows of a grid."""
    raws = _filled([raw for band in grid.bands for raw in band_rows(grid, band, reading.context)])
    negative = _mostly_negative(grid)
    return [row for raw in raws for row in _finished(raw, grid, reading, negative)]


def _filled(raws: Sequence[RawRow]) -> list[RawRow]:
    """Rows without a name take it from the row above, and with the same symbol from the one below."""
    found: list[RawRow] = []
    for raw in map(_graded, raws):
        above = found[-1] if found else None
        if above and raw.variant and not raw.name and not raw.conditions and raw.symbol == above.symbol:
            raw = replace(raw, conditions=above.conditions)
        if above and not raw.name and (not raw.symbol or raw.symbol == above.symbol):
            raw = replace(raw, symbol=above.symbol, name=above.name, unit=raw.unit or above.unit)
        found.append(raw)
    for i in range(len(found) - 2, -1, -1):
        if not found[i].name and found[i].symbol and found[i].symbol == found[i + 1].symbol:
            found[i] = replace(found[i], name=found[i + 1].name)
    return found


def _graded(raw: RawRow) -> RawRow:
    """A row whose name ends in a group of gain, "Group B", as a row of that variant."""
    match = None if raw.variant else _GRADE.search(raw.name)
    return replace(raw, name=raw.name[: match.start()], variant=match[0].strip()) if match else raw


def _mostly_negative(grid: Grid) -> bool:
    """Whether negative numbers are the rule here, as in the sheet of a PNP transistor."""
    texts = [c.text for b in grid.bands for i in grid.having("value") if (c := b.cells[i])]
    return 2 * sum(t.strip()[:1] in "-–−" for t in texts if t.strip()) > len([t for t in texts if t.strip()])


def _finished(raw: RawRow, grid: Grid, reading: Reading, negative: bool) -> list[ParameterRow]:
    """One row per variant that the raw row has numbers of."""
    by_variant: dict[str | None, list[Entry]] = {}
    for entry in raw.entries:
        by_variant.setdefault(entry.column.variant or raw.variant, []).append(entry)
    rows = (_row(raw, variant, entries, grid, reading, negative) for variant, entries in by_variant.items())
    return [row for row in rows if row]


def _row(
    raw: RawRow, variant: str | None, entries: Sequence[Entry], grid: Grid, reading: Reading, negative: bool
) -> ParameterRow | None:
    symbol, name = _symbol_and_name(raw)
    if not symbol and len(name) < 3:
        return None
    if not raw.unit and not grid.having("unit"):
        name, own = _without_unit(name)
        raw = replace(raw, unit=own)
    slots, notes = _slots(entries, name, symbol, raw.unit, negative)
    if not slots:
        return None
    printed, measured, note = _unit(entries, raw, symbol, name)
    page = reading.page(grid.page)
    words = _evidence(entries, raw, page)
    section = section_at(reading.sections, grid.page, min(w.top for w in words), box_of(words))
    comma = reading.context.decimal_comma
    conditions = parse_conditions(raw.conditions, decimal_comma=comma) + _in_name(name, comma)
    return ParameterRow(
        symbol=symbol,
        raw_name=name,
        conditions=tuple(conditions),
        min=slots.get("min"),
        typ=slots.get("typ"),
        max=slots.get("max"),
        unit=printed,
        measured=measured,
        variant=variant.strip("* ") if variant else None,
        page=grid.page,
        box=page.place(box_of(raw.words)),
        quote=page.quote(words),
        section=section.kind if section else "other",
        section_title=section.title if section else "",
        table_title=grid.title,
        group=grid.group_at(raw.y),
        default_conditions=tuple(parse_conditions(section.aside)) if section and "=" in section.aside else (),
        reader=grid.reader,
        score=_score(grid.reader, symbol, printed, doubts=bool(note) + page.ocr),
        notes=tuple(n for n in (*notes, note, _SCANNED if page.ocr else None) if n),
        at=tuple(sorted(w.start for e in entries for w in e.words)),
    )


def _score(reader: str, symbol: str | None, unit: str | None, *, doubts: int) -> float:
    return round(_SCORES[reader] - 0.15 * (symbol is None) - 0.15 * (unit is None) - 0.2 * doubts, 2)


def _symbol_and_name(raw: RawRow) -> tuple[str | None, str]:
    """The symbol, cut from the name where it stands there; what cannot be a symbol is taken for the name."""
    symbol, name = _BRACKETED_MARK.sub("", raw.symbol or "").strip(" *†"), re.sub(r"\s+", " ", raw.name).strip(" *†")
    symbol = re.sub(r"(?<=[A-Za-zΔθη]) (?=[a-z(])", "", symbol) if len(symbol) < 12 else symbol
    if symbol and not looks_like_symbol(symbol):
        name, symbol = (name or symbol), "" if not name else symbol if len(symbol.split()) == 1 else ""
    if not symbol and name:
        first, _, rest = name.partition(" ")
        if looks_like_symbol(first) and len(rest) > 3 and telling(first, before=rest):
            symbol, name = first, rest
    if name.lower().startswith("derat"):
        symbol = ""
    return symbol or None, name


def _without_unit(name: str) -> tuple[str, str | None]:
    """A name that ends in its unit, "Forward current (A)", as both; only where a table has no column of units."""
    match = _UNIT_BEHIND.search(name)
    unit = match and (match[1] or match[2])
    if match and unit and parse_unit(unit):
        return name[: match.start()].rstrip(" ,"), str(unit)
    return name, None


def _in_name(name: str, comma: bool) -> list[Condition]:
    """Conditions that stand in the name: "Drain current at TC = 25°C", "(VGS = 0)"."""
    found = re.findall(r"\(([^()]*[=≤≥][^()]*)(?:\)|$)|(?:\bat|@) ([^()]*[=≤≥].*)$", name)
    if not found and (bare := _BARE.search(name)):
        found = [(bare[0], "")]
    return [c for a, b in found for c in parse_conditions(a or b, decimal_comma=comma) if c.symbol]


def _slots(
    entries: Sequence[Entry], name: str, symbol: str | None, unit: str | None, negative: bool
) -> tuple[dict[str, float], list[str]]:
    """Slot → number, and notes on numbers that cannot be used."""
    slots: dict[str, float] = {}
    notes: list[str] = []
    for entry in entries:
        quantity = entry.quantity
        if quantity.note and not _prefix_of(quantity, unit):
            notes.append(quantity.note)
            continue
        if entry.column.role == "typ" and "±" in quantity.text and quantity.typ is None and len(entries) > 1:
            # Of either sign, and not the bounds that stand beside it.
            slots["typ"] = quantity.numbers[-1]
            continue
        for slot in ("min", "typ", "max"):
            number = getattr(quantity, slot)
            if number is not None:
                slots.setdefault(slot, number)
        if quantity.value is not None:
            slot = entry.column.role
            if slot == "value":
                slot = _unlabelled(quantity.value, f"{symbol} {name} {entry.column.header}", unit, negative)
            slots.setdefault(slot, quantity.value)
    return slots, notes


def _unlabelled(value: float, said: str, unit: str | None, negative: bool) -> str:
    """The slot of a number in a column that names none: max, unless the name says otherwise."""
    for slot, pattern in (("typ", r"\btyp(?:ical|\.|\b)"), ("min", r"\bmin(?:imum|\.|\b)")):
        if re.search(pattern, said, re.IGNORECASE):
            return slot
    # A reverse voltage among positive ratings: -35 V is as far down as it may go.
    return "min" if value < 0 and not negative else "max"


def _prefix_of(quantity: Quantity, unit: str | None) -> bool:
    """10k in a column of ohms."""
    return quantity.unit_text in {"k", "K", "M"} and (unit or "").strip() in {"Ω", "ohm", "Ohm", "ohms"}


def _unit(
    entries: Sequence[Entry], raw: RawRow, symbol: str | None, name: str
) -> tuple[str | None, Unit | None, str | None]:
    """The unit as printed, as understood, and why it is not: the cell's own before the column's before the header's."""
    inner = next((e.quantity for e in entries if e.quantity.unit_text), None)
    header = next((e.column.unit for e in entries if e.column.unit), None)
    printed = (raw.unit or header or "").strip() or None
    if inner and _prefix_of(inner, printed):
        printed = f"{inner.unit_text}{printed}"
    elif inner and inner.unit:
        own = explain_unit(printed)[0]
        if own and own.dimension == inner.unit.dimension and own.scale != inner.unit.scale:
            return inner.unit_text, None, f"{inner.text!r} in a column of {printed}"
        printed = inner.unit_text
    measured, note = explain_unit(printed)
    if printed and measured is None and note is None:
        printed = None
    if measured and measured.alternatives and measured.si == "S" and _is_time(f"{symbol or ''} {name}"):
        measured = measured.alternatives[0]
    return printed, measured, note


def _is_time(said: str) -> bool:
    """Whether what is printed in S is a time after all: many a vendor writes nS for nanoseconds."""
    return bool(_SECONDS.search(said)) and not re.search(r"conduct|admitt|gfs|gm|yfs", said, re.IGNORECASE)


def _evidence(entries: Sequence[Entry], raw: RawRow, page: Page) -> list[Word]:
    """The words to quote: of the row's own, those on the lines of its numbers."""
    numbers = [w for e in entries for w in e.words]
    lines = [(line.words[0].start, line.words[-1].end) for line in page.lines]
    held = [(start, end) for start, end in lines if any(start <= w.start < end for w in numbers)]
    near = [w for w in raw.words if any(start <= w.start < end for start, end in held)]
    return [*numbers, *near]
