"""The third reader: single lines, as PDFium orders them, under the last header seen.

It takes only what leaves no choice: as many numbers as the header has slots, or one slot. And only lines on which both
engines agree to the letter, so that glyphs that one of them misreads never become a second opinion.
"""

import re
from collections.abc import Sequence

from pipelines.datasheets.grid import Grid
from pipelines.datasheets.headers import VALUES, Column, Role, is_header, roles_in
from pipelines.datasheets.page import Document, Line, Page, Word
from pipelines.datasheets.quantities import Quantity, parse_quantity, parse_unit
from pipelines.datasheets.sharing import Entry, RawRow
from pipelines.datasheets.symbols import looks_like_symbol, telling


def line_rows(document: Document) -> list[tuple[Grid, RawRow]]:
    """The rows that single lines give, each with a grid that says where."""
    found = []
    for page in document.pages:
        agreed = _agreed(page)
        slots: list[Role] = []
        has_unit = False
        for line, same in zip(page.lines, agreed, strict=True):
            roles = roles_in(line.text.split())
            if len(roles) > 1 and is_header(roles) and len(line.words) < 14:
                slots, has_unit = [r for r in roles if r in VALUES], "unit" in roles
            elif same and slots:
                row = _row(line, slots, has_unit)
                if row:
                    grid = Grid(page.number, line.box, tuple(e.column for e in row.entries), (), "", "lines")
                    found.append((grid, row))
    return found


def _agreed(page: Page) -> list[bool]:
    """Per line whether PDFium has the same letters on one of its own."""
    theirs = {_squeezed(text) for text in page.engine_lines}
    return [_squeezed(line.text) in theirs for line in page.lines]


def _squeezed(text: str) -> str:
    return re.sub(r"\s+", "", text.replace("μ", "µ").replace("\u2126", "Ω"))


def _row(line: Line, slots: Sequence[Role], has_unit: bool) -> RawRow | None:
    words = list(line.words)
    symbol = words[0].text
    if not (looks_like_symbol(symbol) and telling(symbol)) or len(words) < 3:
        return None
    unit = words.pop().text if has_unit and parse_unit(words[-1].text) else None
    numbers = _numbers(words[1:])
    if not numbers or len(numbers) != len(slots):
        return None
    name = words[1 : len(words) - sum(len(ws) for _, ws in numbers)]
    if any(any(c.isdigit() for c in w.text) for w in name) or "=" in "".join(w.text for w in name):
        return None
    entries = [
        Entry(Column(ws[0].x0, ws[-1].x1, slot, slot), quantity, tuple(ws))
        for slot, (quantity, ws) in zip(slots, numbers, strict=True)
    ]
    y = (line.box[1] + line.box[3]) / 2
    return RawRow(entries, y, symbol, " ".join(w.text for w in name), "", unit, words=list(line.words))


def _numbers(words: Sequence[Word]) -> list[tuple[Quantity, Sequence[Word]]]:
    """The quantities at the end of the line, left to right."""
    found: list[tuple[Quantity, Sequence[Word]]] = []
    end = len(words)
    while end:
        for start in range(max(0, end - 4), end):
            quantity = parse_quantity(" ".join(w.text for w in words[start:end]))
            if quantity and (start == end - 1 or quantity.min is not None):
                found.append((quantity, words[start:end]))
                end = start
                break
        else:
            break
    return found[::-1]
