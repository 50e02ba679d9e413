"""A table of either kind, ruled or not: columns with roles, bands with cells. What `bands.py` reads rows from."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Final

from pipelines.datasheets.headers import Column
from pipelines.datasheets.page import Box, Word, around

_SAME_LINE: Final = 0.5


@dataclass(frozen=True, slots=True)
class CellLine:
    """Words of a cell on one line; footnote marks are left out of the text."""

    words: tuple[Word, ...]

    @property
    def y(self) -> float:
        """Middle of its height."""
        return sum(w.top + w.bottom for w in self.words) / (2 * len(self.words))

    @property
    def text(self) -> str:
        """Without footnote marks."""
        return " ".join(w.text for w in self.words if not w.raised)


@dataclass(frozen=True, slots=True, eq=False)
class Cell:
    """A cell: perhaps over several columns, perhaps over several bands. Compared by identity."""

    words: tuple[Word, ...]
    columns: tuple[int, ...]
    bands: tuple[int, ...] = (0,)

    @property
    def lines(self) -> list[CellLine]:
        """Top to bottom; a line of marks only is none."""
        return [line for line in cell_lines(self.words) if line.text.strip()]

    @property
    def text(self) -> str:
        """All lines in one."""
        return " ".join(line.text for line in self.lines)


@dataclass(frozen=True, slots=True)
class Band:
    """What stands between two rulings: per column its cell."""

    top: float
    bottom: float
    cells: tuple[Cell | None, ...]

    @property
    def words(self) -> list[Word]:
        """All of it, each word once."""
        distinct = {id(c): c for c in self.cells if c}
        return [w for c in distinct.values() for w in c.words]


@dataclass(frozen=True, slots=True)
class Grid:
    """A table with its header understood.

    Attributes:
        title: what stands above the header, in the table or over it.
        groups: (top, text) of headings within: "OFF CHARACTERISTICS".
        reader: "ruled" or "clustered".
    """

    page: int
    box: Box
    columns: tuple[Column, ...]
    bands: tuple[Band, ...]
    title: str
    reader: str
    groups: tuple[tuple[float, str], ...] = field(default=())

    def having(self, *roles: str) -> list[int]:
        """The columns with one of these roles."""
        return [i for i, column in enumerate(self.columns) if column.role in roles]

    def group_at(self, top: float) -> str | None:
        """The heading within the table that a place in it belongs to."""
        before = [text for at, text in self.groups if at <= top + 1]
        return before[-1] if before else None


def cell_lines(words: Iterable[Word]) -> list[CellLine]:
    """Words grouped to lines, top to bottom, left to right."""
    rows: list[list[Word]] = []
    for word in sorted(words, key=lambda w: (w.top + w.bottom, w.x0)):
        middle = (word.top + word.bottom) / 2
        if rows:
            last = rows[-1]
            at = sum(w.top + w.bottom for w in last) / (2 * len(last))
            if abs(middle - at) <= _SAME_LINE * min(word.size, last[0].size):
                last.append(word)
                continue
        rows.append([word])
    return [CellLine(tuple(sorted(row, key=lambda w: w.x0))) for row in rows]


def inside(word: Word, box: Box) -> bool:
    """Whether the middle of the word is in the box."""
    y = (word.top + word.bottom) / 2
    return box[0] <= word.centre <= box[2] and box[1] <= y <= box[3]


def clustered(values: Iterable[float], tolerance: float) -> list[float]:
    """Values closer than the tolerance made one, ascending."""
    found: list[list[float]] = []
    for value in sorted(values):
        if found and value - found[-1][-1] <= tolerance:
            found[-1].append(value)
        else:
            found.append([value])
    return [sum(group) / len(group) for group in found]


def box_of(words: Sequence[Word]) -> Box:
    """The box around words."""
    return around([w.box for w in words])
