"""What a sheet says, in SI, as models are fitted to it."""

import math
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from pipelines.datasheets.conditions import Condition
from pipelines.datasheets.extraction import Extracted
from pipelines.datasheets.notation import plain
from pipelines.datasheets.units import parse_unit, to_si

ROOM_C: Final = 25.0
VT: Final = 8.617333e-5 * (273.15 + ROOM_C)
"""Thermal voltage at 25 °C, where sheets are measured."""
_ROOM: Final = (15.0, 35.0)
_LEAST, _MOST = 1e-18, 1e15
"""Beyond these no quantity of a part lies; what does is no number to fit to."""
_TEMPERATURES: Final = frozenset({"tj", "ta", "tamb", "tc", "tcase", "t", "tvj", "tl"})


@dataclass(frozen=True, slots=True)
class Fact:
    """One printed row, in SI.

    Attributes:
        name: canonical.
        conditions: plain symbol ("if", "vce") → what it is held at, in SI.
        page, quote: where it stands; None where the caller brought the parameter.
    """

    name: str
    min: float | None = None
    typ: float | None = None
    max: float | None = None
    unit: str | None = None
    conditions: Mapping[str, float] = field(default_factory=dict)
    page: int | None = None
    quote: str | None = None

    @property
    def value(self) -> float:
        """What a model is fitted to: typical; of a range the geometric mean; else the one bound that is printed."""
        if self.typ is not None:
            return self.typ
        if self.min is not None and self.max is not None:
            if self.min * self.max > 0:
                return math.copysign(math.sqrt(self.min * self.max), self.min)
            return (self.min + self.max) / 2
        return self.max if self.max is not None else self.min if self.min is not None else math.nan

    @property
    def slot(self) -> str:
        """Which slot `value` is: "typ", "mean", "max" or "min"."""
        if self.typ is not None:
            return "typ"
        return "mean" if self.min is not None and self.max is not None else "max" if self.max is not None else "min"

    @property
    def magnitude(self) -> float:
        """`value` without its sign: PNP and P-channel sheets print either."""
        return abs(self.value)

    def held(self, *symbols: str) -> float | None:
        """The magnitude of the first of these conditions that is stated."""
        return next((abs(self.conditions[s]) for s in symbols if abs(self.conditions.get(s, _MOST)) < _MOST), None)

    def within(self, value: float) -> bool:
        """Whether a value keeps within the bounds printed, signs aside; 1 % over is within."""
        bounds = [abs(b) for b in (self.min, self.max) if b is not None]
        if self.min is not None and self.max is not None:
            return 0.99 * min(bounds) <= abs(value) <= 1.01 * max(bounds)
        if self.max is not None and self.value < 0 and self.typ is None:
            return True
        if self.max is not None:
            return abs(value) <= 1.01 * bounds[0]
        return self.min is None or abs(value) >= 0.99 * bounds[0]


class Facts:
    """The facts of one part at room temperature, by name.

    Args:
        facts: in reading order; those measured hot or cold are left out, and those without a number.
    """

    def __init__(self, facts: Iterable[Fact]) -> None:
        self._facts = [f for f in facts if _at_room(f) and _LEAST < f.magnitude < _MOST]

    def all(self, *names: str) -> list[Fact]:
        """The facts of these names, in the order of the names."""
        return [f for name in names for f in self._facts if f.name == name]

    def first(self, *names: str) -> Fact | None:
        """The first fact of these names: typical ones first."""
        found = self.all(*names)
        return next((f for f in found if f.typ is not None), found[0] if found else None)


def facts_of(found: Sequence[Extracted]) -> list[Fact]:
    """What was extracted, as facts; rows whose unit is unknown say nothing."""
    rivals: dict[tuple[Any, ...], dict[str | None, list[Fact]]] = {}
    for extracted in found:
        row = extracted.row
        si = row.si
        numbers = {slot: si[slot] for slot in ("min", "typ", "max")}
        if all(number is None for number in numbers.values()):
            continue
        held = {**_held(row.default_conditions), **_held(row.conditions)}
        fact = Fact(extracted.name, **numbers, unit=si["unit"], conditions=held, page=row.page, quote=row.quote)
        rivals.setdefault((fact.name, fact.unit, tuple(sorted(held.items()))), {}).setdefault(row.variant, []).append(
            fact
        )
    return [fact for variants in rivals.values() for fact in _middle(variants)]


def _middle(variants: Mapping[str | None, list[Fact]]) -> list[Fact]:
    """Of groups of one part that differ in a value, gain groups A, B and C, the one in the middle; else all."""
    if len(variants) < 2 or None in variants:
        return [fact for some in variants.values() for fact in some]
    ranked = sorted(variants.values(), key=lambda some: some[0].magnitude)
    return ranked[(len(ranked) - 1) // 2]


def condition_key(symbol: str) -> str:
    """A condition's symbol for comparison: VCE, V_CE and the German UCE are one."""
    return re.sub(r"^u(?=[a-z])", "v", plain(symbol))


def condition_si(value: float, unit: str | None) -> float | None:
    """A condition's value in SI; None where the unit is unknown."""
    if not unit:
        return value
    measured = parse_unit(unit)
    return to_si(value, measured) if measured else None


def _held(conditions: Sequence[Condition]) -> dict[str, float]:
    found: dict[str, float] = {}
    for condition in conditions:
        if condition.symbol and condition.value is not None:
            value = condition_si(condition.value, condition.unit)
            if value is not None:
                found.setdefault(condition_key(condition.symbol), value)
    return found


def _at_room(fact: Fact) -> bool:
    held = [value for symbol, value in fact.conditions.items() if symbol in _TEMPERATURES]
    return all(_ROOM[0] <= value <= _ROOM[1] for value in held)
