"""Lists without rulings or header: a name, dots or white, and a number with its unit.

    Supply Voltage ........................ ±22 V
    Operating Temperature Range ....... -40 °C to 85 °C

Dots leave no doubt. White alone is taken for a list only among ratings, where several such lines follow each other.
"""

import re
from collections.abc import Sequence
from typing import Final

from pipelines.datasheets.grid import Grid
from pipelines.datasheets.headers import Column
from pipelines.datasheets.implied import phrases
from pipelines.datasheets.page import Document, Line, Word
from pipelines.datasheets.quantities import Quantity, parse_quantity, parse_unit
from pipelines.datasheets.sections import Section, section_at
from pipelines.datasheets.sharing import Entry, RawRow
from pipelines.datasheets.symbols import looks_like_symbol, telling

_DOTS: Final = re.compile(r"[.·…_]{3,}")
_NAME: Final = re.compile(r"[^\W\d]{3,}")
_LISTS: Final = frozenset({"ratings", "thermal", "recommended"})
_LONGEST: Final = 14
"""Words of a line; more are prose. A guess."""


def listed_rows(document: Document, sections: Sequence[Section]) -> list[tuple[Grid, RawRow]]:
    """The rows that lists give, each with a grid that says where."""
    found = []
    for page in document.pages:
        plain: list[tuple[Grid, RawRow]] = []
        for line in page.lines:
            dotted = _DOTS.search(line.text) is not None
            row = _dotted(line) if dotted else _spaced(line)
            if row is None:
                continue
            grid = Grid(page.number, line.box, tuple(e.column for e in row.entries), (), "", "listed")
            section = section_at(sections, page.number, line.box[1], line.box)
            if dotted:
                found.append((grid, row))
            elif section and section.kind in _LISTS:
                plain.append((grid, row))
        found += plain if len(plain) > 1 else []
    return found


def _dotted(line: Line) -> RawRow | None:
    dots = [i for i, w in enumerate(line.words) if _DOTS.search(w.text)]
    first, last = dots[0], dots[-1]
    # Dots may touch the name: "Current......".
    head, tail = _DOTS.split(line.words[first].text)[0], _DOTS.split(line.words[last].text)[-1]
    if tail:
        return None
    words = [w.text for w in line.words[:first]] + ([head] if head else [])
    return _row(line, words, list(line.words[last + 1 :]))


def _spaced(line: Line) -> RawRow | None:
    parts = phrases(line.words)
    if not 2 <= len(parts) <= 4 or len(line.words) > _LONGEST:
        return None
    numbers = [i for i, p in enumerate(parts) if parse_quantity(_text(p))]
    if len(numbers) != 1 or numbers[0] < max(1, len(parts) - 2):
        return None
    start = numbers[0]
    described = [p for i, p in enumerate(parts[:start]) if not _is_symbol(_text(p), alone=i > 0)]
    if len(described) != 1 or (start + 1 < len(parts) and not parse_unit(_text(parts[-1]))):
        return None
    return _row(line, [w.text for p in parts[:start] for w in p], [w for p in parts[start:] for w in p])


def _row(line: Line, name: Sequence[str], value: Sequence[Word]) -> RawRow | None:
    """The row of a line: its number must have a unit that measures something."""
    quantity: Quantity | None = parse_quantity(" ".join(w.text for w in value if not w.raised)) if value else None
    if quantity is None or quantity.unit is None or not _NAME.search(" ".join(name)) or "=" in " ".join(name):
        return None
    symbol = next((t for t in (name[0], name[-1].strip("()")) if _is_symbol(t, alone=t != name[0])), None)
    rest = [t for t in name if t.strip("()") != symbol]
    column = Column(value[0].x0, value[-1].x1, "", "value")
    entry = Entry(column, quantity, tuple(value))
    y = (line.box[1] + line.box[3]) / 2
    return RawRow([entry], y, symbol, " ".join(rest), "", None, words=list(line.words))


def _is_symbol(text: str, *, alone: bool = False) -> bool:
    """Whether a word is a symbol: for certain, or because it stands alone where only a symbol would."""
    return looks_like_symbol(text) and (telling(text) or (alone and len(text) < 6 and text[0].isupper()))


def _text(words: Sequence[Word]) -> str:
    return " ".join(w.text for w in words)
