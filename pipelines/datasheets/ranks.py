"""Rank tables: one parameter, mostly a gain, and its bounds by the group a part was sorted into.

A column a rank, "Rank | O | Y" over "Range | 70-140 | 120-240", or a row: "Bin | Min | Max" over "P | 45 | 90".
"""

import re
from collections.abc import Sequence
from typing import Final

from pipelines.datasheets.grid import Grid
from pipelines.datasheets.headers import VALUES, Column, Role, role_of
from pipelines.datasheets.implied import phrases
from pipelines.datasheets.page import Document, Line, Page, Word
from pipelines.datasheets.quantities import Quantity, parse_quantity, parse_unit
from pipelines.datasheets.sharing import Entry, RawRow
from pipelines.datasheets.symbols import looks_like_symbol, telling

_RANK: Final = re.compile(
    r"(?:(?P<symbol>[A-Za-z]{1,3}\(?[A-Z]{1,3}\)?\d?) )?(?:rank(?:ing)?|classification|class|group|grade|bin|selection)"
    r"(?: (?:code|name|mark|symbol|group))?|klasse|gruppe|groupe|classe|等级|分档|档位",
    re.IGNORECASE,
)
_LABEL: Final = re.compile(r"-?[A-Z]{1,3}\d{0,2}|-?\d{1,3}[A-Z]?|[IVX]{1,4}", re.IGNORECASE)
_IN_PROSE: Final = re.compile(r"(?<!\S)(?P<label>[A-Z]{1,3}\d?) ?[:=] ?(?P<range>\d[\d.]* ?(?:to|[-~–]) ?\d[\d.]*)")
_INDEX: Final = re.compile(r"(?<=FE)\(?\d\)?$")
"""hFE(1), one gain of several."""
_RANGE: Final = re.compile(r"range|limits?|values?|bereich|werte?|gamme|valeurs?|范围|数值", re.IGNORECASE)
_UNIT: Final = re.compile(r"[(\[]([^()\[\]]{1,8})[)\]]")
_CLOSE: Final = 2.6
"""Sizes that two rows of one table may stand apart, its rules included. A guess."""
_HEADING_LINES: Final = 4
_FEWEST: Final = 2

Phrase = Sequence[Word]


def rank_rows(document: Document) -> list[tuple[Grid, RawRow]]:
    """The rows that rank tables give, each with a grid that says where."""
    found = []
    for page in document.pages:
        for at, line in enumerate(page.lines):
            heads = phrases(line.words)
            for row in _in_prose(line):
                columns = tuple(e.column for e in row.entries)
                found.append((Grid(page.number, line.box, columns, (), _title(page, at), "ranks"), row))
            if len(heads) > 1 and _RANK.fullmatch(_text(heads[0]).strip(" :.")):
                for row in _across(page, at, heads) or _down(page, at, heads):
                    columns = tuple(e.column for e in row.entries)
                    found.append((Grid(page.number, line.box, columns, (), _title(page, at), "ranks"), row))
    return found


def heads_ranks(line: Line) -> bool:
    """Whether a line is the first of a rank table, or the heading over one."""
    first = _text(phrases(line.words)[0]).strip(" :.")
    words = [w.text.strip(" :.,()") for w in line.words]
    return _RANK.fullmatch(first) is not None or (
        len(words) < 6 and _RANK.search(line.text) is not None and any(map(_is_symbol, words)) and "=" not in line.text
    )


def _across(page: Page, at: int, heads: Sequence[Phrase]) -> list[RawRow]:
    """A column a rank: labels on one line, as many ranges on the next."""
    labels = [w for phrase in heads[1:] for w in phrase]
    if len(labels) < _FEWEST or not all(_LABEL.fullmatch(w.text) for w in labels) or not _follows(page, at):
        return []
    below = phrases(page.lines[at + 1].words)
    values = [(p, q) for p in below[1:] if (q := parse_quantity(_text(p)))]
    if len(values) != len(labels) or len(values) != len(below) - 1 or not all(_bounds(q) for _, q in values):
        return []
    symbol = _symbol(page, at, [_text(heads[0]), _text(below[0])])
    unit = _unit(_text(below[0])) or _unit(_text(heads[0]))
    rows = []
    for label, (words, quantity) in zip(labels, values, strict=True):
        column = Column(words[0].x0, words[-1].x1, label.text, "value", label.text, unit)
        rows.append(_row([Entry(column, quantity, tuple(words))], symbol, unit, [label]))
    return rows if symbol else []


def _down(page: Page, at: int, heads: Sequence[Phrase]) -> list[RawRow]:
    """A row a rank: the label, then a range or Min and Max."""
    roles = [_role(_text(p)) for p in heads[1:]]
    if len(heads) > 4 or "none" in roles:
        return []
    texts = [_text(p) for p in heads]
    symbol = _symbol(page, at, texts)
    unit = next((u for t in texts if (u := _unit(t))), None)
    rows = []
    while _follows(page, at) and symbol:
        at += 1
        parts = phrases(page.lines[at].words)
        trailing = parts[-1] if parse_unit(_text(parts[-1])) and "unit" in roles else None
        numbers = [(p, q) for p in parts[1:] if p is not trailing and (q := parse_quantity(_text(p)))]
        slots = [r for r in roles if r in VALUES]
        if not _LABEL.fullmatch(_text(parts[0])) or len(numbers) != len(slots):
            break
        label = parts[0][0]
        entries = [
            Entry(Column(p[0].x0, p[-1].x1, slot, slot, label.text, unit), quantity, tuple(p))
            for slot, (p, quantity) in zip(slots, numbers, strict=True)
        ]
        if not (len(entries) > 1 or _bounds(entries[0].quantity)):
            break
        unit = _text(trailing) if trailing else unit
        rows.append(_row(entries, symbol, unit, [label]))
    return rows if len(rows) >= _FEWEST else []


def _in_prose(line: Line) -> list[RawRow]:
    """Ranks in a note: "hFE(1) classification R: 55 to 110, O: 80 to 160"."""
    words = [w for w in line.words if not w.raised]
    text = " ".join(w.text for w in words)
    ranks = [*_IN_PROSE.finditer(text)]
    named = _RANK.search(text)
    if len(ranks) < _FEWEST or not named or named.end() > ranks[0].start():
        return []
    symbol = next((s for w in text[: ranks[0].start()].split() if _is_symbol(s := w.strip(" :;.,[]"))), "")
    starts = [sum(len(w.text) + 1 for w in words[:i]) for i in range(len(words))]
    rows = []
    for rank in ranks:
        own = [w for w, at in zip(words, starts, strict=True) if rank.start() <= at < rank.end()]
        quantity = parse_quantity(rank["range"])
        if symbol and quantity and _bounds(quantity) and len(own) > 1:
            column = Column(own[0].x0, own[-1].x1, rank["label"], "value", rank["label"], None)
            entry = Entry(column, quantity, tuple(own[1:]))
            rows.append(_row([entry], _INDEX.sub("", symbol), None, own[:1]))
    return rows


def _row(entries: list[Entry], symbol: str, unit: str | None, labels: Sequence[Word]) -> RawRow:
    words = [*labels, *(w for e in entries for w in e.words)]
    y = (words[0].top + words[0].bottom) / 2
    return RawRow(entries, y, symbol, "", "", unit, labels[0].text, words=words)


def _role(text: str) -> Role:
    plain = _UNIT.sub("", text).strip()
    role = role_of(plain)
    if role in (*VALUES, "unit"):
        return role
    return "value" if _RANGE.fullmatch(plain) or _is_symbol(plain) else "none"


def _bounds(quantity: Quantity) -> bool:
    return quantity.value is None and len(quantity.numbers) > 0


def _symbol(page: Page, at: int, texts: Sequence[str]) -> str:
    """What was sorted: in the table's own heads, else in the headings over it, the nearest first."""
    above = [page.lines[i].text for i in range(at - 1, max(-1, at - 1 - _HEADING_LINES), -1)]
    for text in (*texts, *(t for t in above if _RANK.search(t))):
        words = [w.strip(" :;.,[]") for w in text.split()]
        if symbol := next((w for w in words if _is_symbol(w)), ""):
            return _INDEX.sub("", symbol)
    return ""


def _is_symbol(text: str) -> bool:
    if text == "IV":  # a luminous intensity, and no number
        return True
    other = _RANK.fullmatch(text) or _RANGE.fullmatch(text) or role_of(text) != "none"
    return not other and len(text) > 1 and looks_like_symbol(text) and telling(text)


def _unit(text: str) -> str | None:
    return next((m[1] for m in _UNIT.finditer(text) if parse_unit(m[1])), None)


def _follows(page: Page, at: int) -> bool:
    """Whether the next line is near enough to be the table's."""
    if at + 1 >= len(page.lines):
        return False
    line, below = page.lines[at], page.lines[at + 1]
    return below.box[1] - line.box[3] < _CLOSE * line.size and len(phrases(below.words)) > 1


def _title(page: Page, at: int) -> str:
    return page.lines[at - 1].text if at else ""


def _text(words: Phrase) -> str:
    return " ".join(w.text for w in words if not w.raised)
