"""Test conditions: "IC = 10 mA, VCE = 1.0 V" → symbol, value and unit, each with the text it came from."""

import itertools
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from pipelines.datasheets.quantities import Quantity, parse_quantity

_SYMBOL: Final = r"[A-Za-zΔβητωλθ][\w()/.+\-Δθ]{0,14}?"
_SIGN: Final = re.compile(rf"(?P<symbol>{_SYMBOL}) ?(?P<sign>=|≤|≥|<|>|≈|:=) ?")
_START: Final = re.compile(rf"(?<![\w=(/.])(?={_SYMBOL} ?(?:=|≤|≥|<|>|≈))")
_NOISE: Final = re.compile(
    r"\(?\b(?:see|cf\.?) (?:figure|fig\.?|note|table)s? ?[\d\w ,&]*\)?|\(?\b(?:fig\.?|figure|note) ?\d+\)?",
    re.IGNORECASE,
)
_BEHIND: Final = re.compile(r"[,;]? (?:unless|for|with|per|duty|pulse|sine|half|see|and|after|each)\b|\(|, ")
_LONGEST: Final = 400


@dataclass(frozen=True, slots=True)
class Condition:
    """One condition.

    Attributes:
        symbol: what is held; None where the sheet gives words only ("sine half wave").
        value: the number held, in `unit`; of a range its middle is nobody's: None.
        unit: as printed; None without one.
        text: as printed.
    """

    symbol: str | None
    value: float | None
    unit: str | None
    text: str
    quantity: Quantity | None = None


def parse_conditions(text: str, *, decimal_comma: bool = False) -> list[Condition]:
    """The conditions of a cell, in order.

    IF = IR = 10 mA makes two; "TA = 25°C unless otherwise noted" one.
    """
    text = _NOISE.sub("", re.sub(r"\s+", " ", text)[:_LONGEST]).strip(" ,;")
    found: list[Condition] = []
    for piece in _pieces(text):
        found += _read(piece, decimal_comma)
    return found


def symbols_of(text: str) -> set[str]:
    """The symbols that a text sets to something."""
    return {m["symbol"].strip("(") for m in _SIGN.finditer(text)}


def alternatives(lines: Sequence[str]) -> list[str]:
    """The lines of a cell joined to whole conditions: a line goes on after a comma, or in small letters or brackets."""
    entries: list[str] = []
    for line in lines:
        line = _NOISE.sub("", line).strip()
        if not line:
            continue
        if entries and (re.search(r"[,;=&@/–-]$", entries[-1]) or re.match(r"[(,]|[a-z]{3,} |and\b|at\b", line)):
            entries[-1] += " " + line
        else:
            entries.append(line)
    return entries


def exclude_each_other(entries: Sequence[str]) -> bool:
    """Whether the entries set the same symbol, so that each is for a value of its own, not all for one."""
    sets = [symbols_of(e) for e in entries]
    if len(entries) < 2 or not all(sets):
        return len(entries) > 1 and not any(sets)
    return all(a & b for a, b in itertools.pairwise(sets))


def _pieces(text: str) -> list[str]:
    """The text cut at commas between conditions, and where a new symbol starts without one."""
    starts = [m.start() for m in _START.finditer(text)]
    pieces, last = [], 0
    for start in starts:
        before = text[last:start]
        if before.strip(" ,;") and not re.search(r"= ?$", before):
            pieces.append(before)
            last = start
    pieces.append(text[last:])
    cleaned = (re.sub(r"^(?:and|at|@|with)\b ?|[ ,;&]+(?:and|at|@)?[ ,;]*$", "", p.strip(" ,;")) for p in pieces)
    return [p for p in cleaned if re.search(r"\w", p)]


def _read(piece: str, decimal_comma: bool) -> list[Condition]:
    match = _SIGN.match(piece)
    if not match:
        return [Condition(None, None, None, piece)]
    rest = piece[match.end() :]
    symbols = [match["symbol"]]
    while inner := _SIGN.match(rest):
        symbols.append(inner["symbol"])
        rest = rest[inner.end() :]
    quantity = _quantity(rest, decimal_comma)
    numbers = quantity.numbers if quantity else ()
    # ±18 V is one condition held at both signs; a range is none in particular.
    value = numbers[0] if len(numbers) == 1 else quantity.max if quantity and "±" in quantity.text else None
    unit = quantity.unit.symbol if quantity and quantity.unit else None
    return [Condition(symbol, value, unit, piece, quantity) for symbol in symbols]


def _quantity(text: str, decimal_comma: bool) -> Quantity | None:
    """The quantity that a condition starts with: the whole of it, else up to the comma or the words behind it."""
    for cut in (text, _BEHIND.split(text)[0]):
        found = parse_quantity(cut.strip(" ,;"), decimal_comma=decimal_comma)
        if found and not (found.unit_text and found.unit is None):
            return found
    return None
