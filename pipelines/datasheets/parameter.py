"""A printed parameter row: what `rows.py` finds, and all that naming, SPICE and HTTP need of it."""

from dataclasses import dataclass, field
from typing import Any

from pipelines.datasheets.conditions import Condition
from pipelines.datasheets.page import Box
from pipelines.datasheets.quantities import Dimension, Unit, to_si
from pipelines.datasheets.sections import Kind


@dataclass(frozen=True, slots=True)
class ParameterRow:
    """One printed row: a parameter of one variant under one set of conditions.

    Attributes:
        symbol: as printed, subscripts joined; None where the sheet has none.
        raw_name: as printed; "" where the sheet has none.
        min, typ, max: as printed; `si` has them in SI.
        unit: as printed; None where none is.
        measured: the unit understood; None where there is none or it is unknown — then `notes` says so.
        variant: the part or package it is for; None for all.
        box: on the page as shown, in points from the top left.
        quote: a piece of the text of that page, holding its numbers.
        section, section_title: what the document calls this part of itself.
        table_title, group: of its table, and the heading within that.
        default_conditions: what the section says of all its rows: "TA = 25 °C".
        reader: which reader saw it; `score` ranks them.
        at: where its numbers stand in the page's text.
    """

    symbol: str | None
    raw_name: str
    conditions: tuple[Condition, ...]
    min: float | None
    typ: float | None
    max: float | None
    unit: str | None
    measured: Unit | None
    variant: str | None
    page: int
    box: Box
    quote: str
    section: Kind = "other"
    section_title: str = ""
    table_title: str = ""
    group: str | None = None
    default_conditions: tuple[Condition, ...] = ()
    reader: str = "ruled"
    score: float = 0.0
    notes: tuple[str, ...] = field(default=())
    at: tuple[int, ...] = ()

    @property
    def dimension(self) -> Dimension | None:
        """What its unit measures; None where the unit is unknown, () where there is none."""
        if self.measured:
            return self.measured.dimension
        return None if self.unit else ()

    @property
    def slots(self) -> dict[str, float]:
        """The numbers it has, as printed."""
        return {s: v for s in ("min", "typ", "max") if (v := getattr(self, s)) is not None}

    @property
    def si(self) -> dict[str, Any]:
        """Unit and numbers in SI; numbers None where the unit is unknown: never a guess."""
        numbers: dict[str, float | None] = dict.fromkeys(("min", "typ", "max"))
        if self.measured:
            numbers.update((s, to_si(v, self.measured)) for s, v in self.slots.items())
        elif not self.unit:
            numbers.update(self.slots)
        return {"unit": self.measured.si if self.measured else None, **numbers}
