"""Units as datasheets print them, read by our own grammar and measured by pint.

    unit    ::= product ( ("/" | "per") product )*
    product ::= factor ( ("·" | "*" | " ")? factor )*
    factor  ::= prefix? base exponent? qualifier?          mAdc  kΩ  A²s  nV/√Hz  V(rms)

A unit is understood as a whole or not at all: what is left over makes it unknown, because a unit read in part is how
a µ becomes an m. Prefixes multiply as exact powers of ten; pint supplies dimensions and what is no power of ten.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from decimal import Decimal
from fractions import Fraction
from functools import cache, lru_cache
from typing import Any, Final

from pipelines.datasheets.unit_words import BASES, PREFIXES, SHOUTED, SHOUTS, SPELLED, SPELLED_PREFIXES

Dimension = tuple[tuple[str, Fraction], ...]
"""Base dimension → exponent, sorted; ratios are empty, logarithms and percentages have one of their own. Hashable."""

_LONGEST: Final = 40
_SIGNS: Final = str.maketrans(
    {"μ": "µ", "\u2126": "Ω", "℃": "°C", "º": "°", "˚": "°", "ᵒ": "°", "·": "*", "•": "*", "⋅": "*", "∙": "*", "×": "*",
     "−": "-", "–": "-", "\u00a0": " ", "\u2009": " ", "\u202f": " ", "∕": "/", "⁄": "/", "％": "%", "ƒ": "f", "♦": "",
     "²": "^2", "³": "^3", "⁻": "^-", "¹": "1", "½": "0.5"}
)  # fmt: skip
_DEGREES: Final = re.compile(r"(?:(?<![A-Za-z])[o0O] ?|° ?|deg\.? ?|degrees? ?)[Cc](?![a-z])", re.IGNORECASE)
_QUALIFIER: Final = re.compile(
    r"(?:(?<=[VAWΩ])|(?<= )|(?=\()) ?\(?(?:dc|ac|rms|pk-pk|p-p|pk|pp|peak|p|max\.?|min\.?|typ\.?)\)?(?=$|[/ )])",
    re.IGNORECASE,
)
_ROOT: Final = re.compile(r"(?:√|sqrt|root|rt) ?\(?(Hz|HZ|hz|kHz)\)?|(Hz)\^(?:0\.5|1/2)")
_EXPONENT: Final = re.compile(r"(.*?[^\d^.-])\^?(-?\d(?:\.5)?)")
_SUPERSCRIPT: Final = {2: "²", 3: "³", -1: "⁻¹", -2: "⁻²"}


@dataclass(frozen=True, slots=True)
class Unit:
    """A unit understood.

    Attributes:
        printed: as it stood in the sheet.
        symbol: as we write it: "mA", "°C/W".
        si: the SI unit that `scale` leads to: "A", "K/W". Degrees Celsius, percent and decibels stay what they are.
        scale: printed value × scale = SI value; exact.
        dimension: what it measures, for gates.
        alternatives: other readings with the same prefix: "nS" is nanosiemens, and nanoseconds to many a vendor.
    """

    printed: str
    symbol: str
    si: str
    scale: Decimal
    dimension: Dimension
    alternatives: tuple["Unit", ...] = ()

    def reading(self, dimension: Dimension) -> "Unit | None":
        """The reading that measures this, or None if none does."""
        return next((u for u in (self, *self.alternatives) if u.dimension == dimension), None)


@dataclass(frozen=True, slots=True)
class _Factor:
    base: str
    prefix: str
    power: Fraction

    @property
    def symbol(self) -> str:
        return f"{'k' if self.prefix == 'K' else 'µ' if self.prefix == 'u' else self.prefix}{self.base}"


def parse_unit(text: str | None) -> Unit | None:
    """The unit, or None where it is none that we know for certain.

    Args:
        text: as printed, glyphs repaired. Footnote marks and qualifiers (dc, rms, peak) do not matter.
    """
    return explain_unit(text)[0]


def explain_unit(text: str | None) -> tuple[Unit | None, str | None]:
    """The unit, and else the reason why there is none; (None, None) for an empty text."""
    text = (text or "").strip()
    if not text or text in {"-", "–", "—", "--", "---"}:
        return None, None
    if len(text) > _LONGEST:
        return None, "a unit cannot be that long"
    return _explain(text)


def to_si(value: float, unit: Unit) -> float:
    """The value in `unit.si`, exact to the last digit printed."""
    return float(Decimal(repr(value)) * unit.scale)


@cache
def dimension_of(unit: str) -> Dimension:
    """What a unit measures. Raises: ValueError for a unit that is none."""
    parsed = parse_unit(unit)
    if parsed is None:
        raise ValueError(f"{unit!r} is not a unit")
    return parsed.dimension


@lru_cache(maxsize=4096)
def _explain(text: str) -> tuple[Unit | None, str | None]:
    if any(0xE000 <= ord(c) < 0xF900 or c == "\ufffd" for c in text):
        return None, f"unit {text!r} has a glyph that nobody can read"
    cleaned = _clean(text)
    if any(piece in SHOUTS for piece in re.split(r"[/*\s]", cleaned)):
        return None, f"unit {text!r} may be mega or milli"
    unit = _parse(cleaned, printed=text)
    return (unit, None) if unit else (None, f"unknown unit {text!r}")


def _clean(text: str) -> str:
    text = text.translate(_SIGNS)
    text = re.sub(r"\((?:note )?\d\)|[*†‡]+$|^\[|\]$|\(\)", "", text, flags=re.IGNORECASE).strip(" ,;")
    text = _DEGREES.sub("°C", text)
    text = re.sub(r"^\((.*)\)$", r"\1", text)
    text = _ROOT.sub(lambda m: f"√{m[1] or m[2]}", text)
    text = re.sub(r" ?(?:/|\bper\b) ?", "/", text)
    bare = _QUALIFIER.sub("", text)
    glued = re.sub(r"\b(micro|milli|kilo|mega|nano|pico)[ -](?=[a-z])", r"\1", bare or text, flags=re.IGNORECASE)
    return re.sub(r"(?<=[°µnmkKMpGu]) (?=[A-Za-zΩ])", "", glued).strip()


def _parse(text: str, *, printed: str) -> Unit | None:
    factors: list[_Factor] = []
    for position, product in enumerate(text.split("/")):
        product = product.strip().removeprefix("(").removesuffix(")")
        if product in ("", "1") and position == 0:
            continue
        found = _product(product)
        if not found:
            return None
        factors += [replace(f, power=-f.power) for f in found] if position else found
    return _assemble(factors, printed) if factors else None


def _product(text: str) -> list[_Factor] | None:
    factors: list[_Factor] = []
    for piece in re.split(r"[*\s]+|(?<=N)-(?=m)|(?<=lbf)-(?=in)", text):
        if not piece:
            return None
        one = _factor(piece)
        both = [one] if one else _glued(piece)
        if not both:
            return None
        factors += both
    return factors


def _glued(piece: str) -> list[_Factor] | None:
    """Two factors printed as one word: A²s, Nm, Ωcm, mAh."""
    for cut in range(1, len(piece)):
        first, second = _factor(piece[:cut]), _factor(piece[cut:])
        if first and second and (first.power != 1 or second.base in {"m", "h", "s"}) and second.base != first.base:
            return [first, second]
    return None


def _factor(text: str) -> _Factor | None:
    power = Fraction(1)
    if text.startswith("√"):
        text, power = text[1:], Fraction(1, 2)
    elif match := _EXPONENT.fullmatch(text):
        text, power = match[1], Fraction(match[2])
    for candidate in (text, SHOUTED.get(text)):
        if candidate:
            for base, prefix in _readings(candidate):
                return _Factor(base, prefix, power)
    return None


def _readings(text: str) -> Iterator[tuple[str, str]]:
    """(base, prefix) as printed; then as spelled out; exact case first."""
    if text in BASES:
        yield text, ""
    if text[:1] in PREFIXES and _prefixed(text[1:]):
        yield text[1:], text[0]
    if text[:1] == "c" and text[1:] == "m":
        yield "m", "c"
    if text in SHOUTED or text in SHOUTS:
        return
    low = text.lower()
    if low in SPELLED:
        yield SPELLED[low], ""
    for spelled, prefix in SPELLED_PREFIXES.items():
        rest = low.removeprefix(spelled)
        if rest != low and _prefixed(SPELLED.get(rest, rest)):
            yield SPELLED.get(rest, rest), prefix
    rest = text[1:].lower()
    if text[:1] in PREFIXES and _prefixed(SPELLED.get(rest, "")) and _may_prefix(text[0], rest):
        yield SPELLED[rest], text[0]


def _may_prefix(prefix: str, rest: str) -> bool:
    """Whether a prefix may stand before a base in small letters: "pf" and "kv" may, "Mv" may not."""
    return len(rest) > 1 or prefix in "pnµumkK"


def _prefixed(base: str) -> bool:
    return base in BASES and BASES[base][2]


def _assemble(factors: list[_Factor], printed: str) -> Unit | None:
    compound = len(factors) > 1 or factors[0].power != 1
    scale, dimension = Decimal(1), dict[str, Fraction]()
    for factor in factors:
        if compound and factor.base == "°F":
            return None
        scale *= _scale(factor)
        for name, power in _dimension(factor.base):
            dimension[name] = dimension.get(name, Fraction(0)) + power * factor.power
    unit = Unit(
        printed,
        _written([(f.symbol, f.power) for f in factors]),
        _written([(_si(f.base, compound=compound), f.power) for f in factors]),
        scale.normalize(),
        tuple(sorted((name, power) for name, power in dimension.items() if power)),
    )
    return replace(unit, alternatives=_alternatives(factors, printed))


def _alternatives(factors: list[_Factor], printed: str) -> tuple[Unit, ...]:
    if len(factors) > 1 or factors[0].power != 1 or factors[0].base not in {"S", "K"}:
        return ()
    other = {"S": "s", "K": "°C"}[factors[0].base]
    unit = _assemble([replace(factors[0], base=other)], printed)
    return (unit,) if unit else ()


def _si(base: str, *, compound: bool) -> str:
    return "K" if compound and base == "°C" else BASES[base][0]


def _scale(factor: _Factor) -> Decimal:
    exponent = -2 if factor.prefix == "c" else PREFIXES.get(factor.prefix, 0)
    base = _base_scale(factor.base)
    power = factor.power
    if power.denominator == 1:
        return (Decimal(10) ** exponent * base) ** int(power)
    return Decimal(repr(float(Decimal(10) ** exponent * base) ** float(power)))


@cache
def _registry() -> Any:  # noqa: ANN401  pint's registry has no useful static type
    import pint

    return pint.UnitRegistry()


@cache
def _base_scale(base: str) -> Decimal:
    """How many SI units a base is: 1 for most, 3600 for an hour."""
    si, name, _ = BASES[base]
    if name is None or base == "°" or name == "kelvin":
        return Decimal(1)
    own = {"kg": "kilogram", "V": "volt", "Pa": "pascal", "J": "joule", "VA": "watt"}.get(si)
    units = _registry()
    target = own or next(n for s, n, _ in BASES.values() if s == si and n and BASES.get(s, ("", "", 0))[1] == n)
    return Decimal(repr(float(f"{units.Quantity(1, name).to(target).magnitude:.12g}"))).normalize()


@cache
def _dimension(base: str) -> Dimension:
    si, name, _ = BASES[base]
    if name is None:
        return () if base in {"LSB"} else ((f"[{si}]", Fraction(1)),)
    if base in {"°", "rad", "sr"}:
        return ((f"[{'angle' if base != 'sr' else 'solid angle'}]", Fraction(1)),)
    found = _registry().Quantity(1, name).dimensionality
    if base in {"lm", "lx"}:
        return ((f"[{name}]", Fraction(1)),)
    return tuple(sorted((str(k), Fraction(v).limit_denominator(4)) for k, v in found.items()))


def _written(factors: list[tuple[str, Fraction]]) -> str:
    """Symbols as a sheet writes them: numerator, a slash, denominator."""
    over = [_power(s, p) for s, p in factors if p > 0]
    under = [_power(s, -p) for s, p in factors if p < 0]
    top = ("" if over and over[0].endswith("A²") else "·").join(over)
    return "/".join([top or "1", *under])


def _power(symbol: str, power: Fraction) -> str:
    if power == Fraction(1, 2):
        return f"√{symbol}"
    return symbol if power == 1 else f"{symbol}{_SUPERSCRIPT.get(int(power), f'^{power}')}"
