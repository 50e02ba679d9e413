"""Unruled tables that go on overleaf without a header: the header of the page before, over the lines of this one."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Final

from pipelines.datasheets.headers import VALUES, Keyword
from pipelines.datasheets.heads import Header
from pipelines.datasheets.page import Page, Word
from pipelines.datasheets.quantities import parse_quantity, parse_unit

_RUNNING: Final = 8
"""Lines of a page that may stand over the rest of a table: running head, title. A guess."""
_SAME_LEFT: Final = 6.0
"""Points by which the starts of one column's cells may differ. A guess."""


def continued(page: Page, header: Header, until: int) -> Header | None:
    """The header of the table that the page before ended with, over this page's lines; None if it does not go on.

    It goes on if within the first lines a number stands under one of its slots, with a symbol or a name beside it.
    """
    slots = [k for k in header.heads if k.role in VALUES]
    leads = [k for k in header.heads if k.role in ("symbol", "name")]
    units = [k for k in header.heads if k.role == "unit"]
    lines = page.lines[:until]
    if units and not any(parse_unit(w.text) for line in lines[:_RUNNING] for w in line.words if _under(w, units)):
        return None
    for at, line in enumerate(lines[:_RUNNING]):
        numbers = [w for w in line.words if parse_quantity(w.text) and _under(w, slots)]
        if numbers and any(_under(w, leads) for w in line.words):
            return replace(header, page=page, lines=(at - 1,)) if at else None
    return None


def _under(word: Word, heads: Sequence[Keyword]) -> bool:
    return any(abs(word.x0 - k.x0) < _SAME_LEFT or (word.x0 < k.x1 and word.x1 > k.x0) for k in heads)
