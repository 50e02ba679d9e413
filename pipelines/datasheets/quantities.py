"""Values as datasheets print them → numbers, bounds and SI.

A cell is understood as a whole or not at all: "0.7 VDD" is no number of volts, and "1 k" without a unit is not 1.
"""

import re
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from typing import Final, Literal

from pipelines.datasheets.units import Dimension, Unit, dimension_of, explain_unit, parse_unit, to_si

__all__ = ["Dimension", "Quantity", "Slot", "Unit", "dimension_of", "explain_unit", "parse_number", "parse_quantity",
           "parse_unit", "to_si"]  # fmt: skip

Slot = Literal["min", "typ", "max"]

_LONGEST: Final = 80
_SIGNS: Final = str.maketrans(
    {"−": "-", "–": "-", "—": "-", "‐": "-", "‑": "-", "﹣": "-", "＋": "+", "～": "~", "∼": "~", "…": "...",
     "‥": "...", "\u2009": "\u00a0", "\u202f": "\u00a0", "’": "'", "≦": "≤", "≧": "≥", "＜": "<", "＞": ">",
     "×": "x", "·": "*", "⋅": "*"}
)  # fmt: skip
_RAISED: Final = str.maketrans("⁰¹²³⁴⁵⁶⁷⁸⁹⁻⁺", "0123456789-+")
_MANTISSA: Final = r"(?:\d{1,3}(?:[,\u00a0']\d{3})+(?!\d)(?:\.\d+)?|\d+(?:[.,]\d+)?|[.,]\d+)(?!\d|[.,]\d)"
_POWER: Final = r"(?: ?[eE] ?[+-]? ?\d{1,2}(?![\d.])| ?[x*] ?10(?: ?\^ ?[+-]?| ?[+-] ?)\d{1,2}(?![\d.]))"
"""A raised exponent that came down without a mark ("5 x 105") is no exponent: it may be a length."""
_NUMBER: Final = re.compile(rf"(?P<sign>[+-]?) ?(?P<mantissa>{_MANTISSA})(?P<power>{_POWER}?)")
_ONE: Final = rf"[+-]? ?{_MANTISSA}{_POWER}?"
_UNIT: Final = r"(?P<{0}>(?![eE] ?[+-]? ?\d)[^\d\s<>≤≥~±+,;.x*^/-][^<>≤≥~±,;]*?)??"
_UNTIL: Final = r"(?:\bto\b|\bthru\b|\bthrough\b|\bbis\b|à|至|到|\.{2,3}|~|(?<! )-(?=[\d.])| - (?=[\d.+-])|/(?=\+))"
_RANGE: Final = re.compile(
    rf"(?P<low>{_ONE}) ?{_UNIT.format('unit1')} ?{_UNTIL} ?(?P<high>{_ONE}) ?{_UNIT.format('unit2')}"
)
_PLUS_MINUS: Final = re.compile(rf"(?:±|\+ ?/ ?-|\+-) ?(?P<value>{_ONE}) ?{_UNIT.format('unit')}")
_TOLERANCE: Final = re.compile(
    rf"(?P<value>{_ONE}) ?{_UNIT.format('unit1')} ?± ?(?P<off>{_ONE}) ?{_UNIT.format('unit2')}"
)
_BOUND: Final = re.compile(
    rf"(?P<bound><|≤|>|≥|<=|>=|\bmax\.?|\bmin\.?|\btyp\.?)? ?(?P<value>{_ONE}) ?{_UNIT.format('unit')}"
    r"(?P<after> ?\(?\b(?:max|min|typ)\b\.?\)?)?",
    re.IGNORECASE,
)
_FOOTNOTE: Final = re.compile(
    r"(?<=\d) ?\((?:\d|[a-d]|note ?\d?)\)$|(?<=\d)[*†‡]+$|^[*†‡]+ ?|(?: ?\(@[^)]*\)| \(?(?:see )?notes? ?\d?\)?)$",
    re.IGNORECASE,
)
_BOUNDS: Final[dict[str, Slot]] = {"<": "max", "≤": "max", "<=": "max", ">": "min", "≥": "min", ">=": "min",
                                   "max": "max", "min": "min", "typ": "typ"}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Quantity:
    """What a cell says.

    Attributes:
        text: as printed.
        value: the number of a cell that does not say which bound it is; its column must.
        min, typ, max: the numbers of a cell that does: "±20", "-55 to +150", "< 5". As printed, not SI.
        unit: None where the cell has none, or none that is known.
        unit_text: what stood behind the number.
        note: why there is no unit although something stood there.
    """

    text: str
    value: float | None = None
    min: float | None = None
    typ: float | None = None
    max: float | None = None
    unit: Unit | None = None
    unit_text: str = ""
    note: str | None = None

    @property
    def numbers(self) -> tuple[float, ...]:
        """All numbers it holds."""
        return tuple(n for n in (self.value, self.min, self.typ, self.max) if n is not None)

    def si(self, slot: Slot | Literal["value"]) -> float | None:
        """The number of a slot in SI; None where the slot is empty, or the unit is unknown though there is one."""
        number: float | None = getattr(self, slot)
        if number is None or self.note:
            return None
        return to_si(number, self.unit) if self.unit else number


def parse_number(text: str, *, decimal_comma: bool = False) -> float | None:
    """One number, whole: signs, thousands separators, exponents ("1.0 E-9", "2 × 10⁻⁶"); None for anything else.

    Args:
        text: as printed.
        decimal_comma: whether "1,234" is a bit more than one here. "0,35" and "1,5" are read so in any case.
    """
    match = _NUMBER.fullmatch(_plain(text))
    if not match:
        return None
    mantissa = match["mantissa"].replace("\u00a0", "").replace("'", "")
    if re.fullmatch(r"0?,\d+|\d+,(?:\d{1,2}|\d{4,})|0,\d+", mantissa) or (decimal_comma and mantissa.count(",") == 1):
        mantissa = mantissa.replace(",", ".")
    mantissa = mantissa.replace(",", "")
    power = re.sub(r"[eEx* ^]|(?<=[x* ])10", "", match["power"] or "") or "0"
    try:
        return float(Decimal(f"{match['sign']}{mantissa}e{power}"))
    except InvalidOperation:
        return None


def parse_quantity(text: str, *, decimal_comma: bool = False) -> Quantity | None:
    """The quantity, or None where the cell holds none.

    Args:
        text: a cell or a phrase, glyphs repaired; one number, one range or one ± with or without a unit.
        decimal_comma: as in `parse_number`.
    """
    plain = _without_footnotes(_plain(text))
    if not plain or len(plain) > _LONGEST or not any(c.isdigit() for c in plain):
        return None

    def number(token: str) -> float | None:
        return parse_number(token, decimal_comma=decimal_comma)

    if match := _PLUS_MINUS.fullmatch(plain):
        value = number(match["value"])
        return None if value is None else _with_unit(text, match["unit"], min=-abs(value), max=abs(value))
    if match := _TOLERANCE.fullmatch(plain):
        return _tolerance(text, match, number(match["value"]), number(match["off"]))
    if match := _RANGE.fullmatch(plain):
        return _range(text, match, number(match["low"]), number(match["high"]))
    if match := _BOUND.fullmatch(plain):
        value = number(match["value"])
        said = (match["bound"] or match["after"] or "").lower().strip(" .()")
        return None if value is None else _with_unit(text, match["unit"], **{_BOUNDS.get(said, "value"): value})
    return None


def _plain(text: str) -> str:
    text = text.translate(_SIGNS)
    # 10⁻⁹ keeps its sign when the raised digits come down behind a ten.
    text = re.sub(r"(?<=10)[⁰¹²³⁴⁵⁶⁷⁸⁹⁻⁺]+", lambda m: "^" + m[0].translate(_RAISED), text)
    text = re.sub(r"[ \t\r\n\f]+", " ", text).strip()
    return re.sub(r"^([+-]|±) (?=[\d.])", r"\1", text)


def _without_footnotes(text: str) -> str:
    shorter = _FOOTNOTE.sub("", text).strip()
    return text if shorter == text else _without_footnotes(shorter)


def _range(text: str, match: re.Match[str], low: float | None, high: float | None) -> Quantity | None:
    if low is None or high is None:
        return None
    first, second = match["unit1"], match["unit2"]
    if first and second and parse_unit(first) != parse_unit(second):
        one, other = parse_unit(first), parse_unit(second)
        if one is None or other is None or one.dimension != other.dimension or one.scale != other.scale:
            # "10 Hz to 15.7 kHz": two scales in one range have no single unit; the text still tells.
            return Quantity(text, min=low, max=high, unit_text=f"{first}…{second}", note=f"two units in {text!r}")
    return _with_unit(text, second or first, min=min(low, high), max=max(low, high))


def _tolerance(text: str, match: re.Match[str], value: float | None, off: float | None) -> Quantity | None:
    """5 V ± 10 %, 5 ± 0.25 V."""
    if value is None or off is None:
        return None
    unit2 = (match["unit2"] or "").strip()
    if unit2 == "%":
        off, unit2 = abs(value) * off / 100, ""
    low, high = (float(Decimal(repr(round(value + s * off, 12)))) for s in (-1, 1))
    return _with_unit(text, match["unit1"] or unit2, min=low, typ=value, max=high)


def _with_unit(text: str, unit_text: str | None, **numbers: float) -> Quantity:
    unit_text = (unit_text or "").strip()
    unit, note = explain_unit(unit_text)
    return Quantity(text, unit=unit, unit_text=unit_text, note=note, **numbers)
