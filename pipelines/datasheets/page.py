"""The page model: words, lines, rulings and one text that every quote is cut from. Plain data, JSON both ways."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from functools import cached_property
from typing import Any

Box = tuple[float, float, float, float]
"""x0, top, x1, bottom in points from the top left corner."""


@dataclass(frozen=True, slots=True)
class Word:
    """A word with its subscripts joined.

    Attributes:
        start: where it stands in the page's text.
        raised: a footnote mark, set above the line.
    """

    text: str
    x0: float
    top: float
    x1: float
    bottom: float
    size: float
    bold: bool = False
    raised: bool = False
    start: int = 0

    @property
    def box(self) -> Box:
        """Where it stands."""
        return (self.x0, self.top, self.x1, self.bottom)

    @property
    def centre(self) -> float:
        """Middle of its width."""
        return (self.x0 + self.x1) / 2

    @property
    def end(self) -> int:
        """Where it ends in the page's text."""
        return self.start + len(self.text)


@dataclass(frozen=True, slots=True)
class Line:
    """Words on one baseline, left to right."""

    words: tuple[Word, ...]
    baseline: float

    @property
    def box(self) -> Box:
        """Where it stands."""
        return around([w.box for w in self.words])

    @property
    def text(self) -> str:
        """As it stands in the page's text."""
        return " ".join(w.text for w in self.words)

    @property
    def size(self) -> float:
        """The size of most of it."""
        return max(self.words, key=lambda w: w.x1 - w.x0).size


@dataclass(frozen=True)
class Page:
    """What one page shows.

    Attributes:
        number: 1-based.
        width, height: in points, after `turn`.
        turn: by how many degrees the page was turned clockwise so that its text runs left to right.
        lines: top to bottom.
        text: the lines, one below the other; every quote is a piece of it.
        engine_lines: the same page as PDFium orders it, unrepaired.
        rules: straight lines and edges of rectangles.
        tables: per ruled table its cells.
        needs_ocr: a scan that nobody has read yet.
    """

    number: int
    width: float
    height: float
    turn: int
    lines: tuple[Line, ...]
    text: str
    engine_lines: tuple[str, ...] = ()
    rules: tuple[Box, ...] = ()
    tables: tuple[tuple[Box, ...], ...] = ()
    needs_ocr: bool = False
    ocr: bool = False

    @cached_property
    def words(self) -> tuple[Word, ...]:
        """All words, line by line."""
        return tuple(word for line in self.lines for word in line.words)

    def place(self, box: Box) -> Box:
        """A box in the coordinates of the page as it is shown, before the turn."""
        return turned(box, -self.turn % 360, self.width, self.height)

    def quote(self, words: Sequence[Word]) -> str:
        """The piece of the page's text from the first of the words to the last."""
        return self.text[min(w.start for w in words) : max(w.end for w in words)]


@dataclass(frozen=True)
class Document:
    """A PDF, read.

    Attributes:
        id: sha256 of its bytes.
        pages_total: pages it has; `pages` may hold fewer.
        metadata: as its author left it.
        notes: what could not be read, and why.
    """

    id: str
    pages: tuple[Page, ...]
    pages_total: int
    metadata: Mapping[str, str] = field(default_factory=dict)
    notes: tuple[str, ...] = ()

    @property
    def needs_ocr(self) -> bool:
        """Whether some page is a scan that nobody has read."""
        return any(page.needs_ocr for page in self.pages)

    def to_json(self) -> dict[str, Any]:
        """As plain JSON."""
        return asdict(self)

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> "Document":
        """Back from `to_json`."""
        pages = tuple(_page(page) for page in data["pages"])
        return cls(data["id"], pages, data["pages_total"], dict(data["metadata"]), tuple(data["notes"]))


def _page(data: Mapping[str, Any]) -> Page:
    lines = tuple(Line(tuple(Word(**w) for w in line["words"]), line["baseline"]) for line in data["lines"])
    tables = tuple(tuple(_box(cell) for cell in table) for table in data["tables"])
    rules = tuple(_box(rule) for rule in data["rules"])
    plain = {**data, "lines": lines, "tables": tables, "rules": rules, "engine_lines": tuple(data["engine_lines"])}
    return Page(**plain)


def _box(values: Sequence[float]) -> Box:
    x0, top, x1, bottom = values
    return (x0, top, x1, bottom)


def around(boxes: Sequence[Box]) -> Box:
    """The smallest box around them."""
    return (
        min(b[0] for b in boxes),
        min(b[1] for b in boxes),
        max(b[2] for b in boxes),
        max(b[3] for b in boxes),
    )


def turned(box: Box, turn: int, width: float, height: float) -> Box:
    """The box after turning a page of this width and height clockwise by 0, 90, 180 or 270 degrees."""
    x0, top, x1, bottom = box
    if turn == 90:
        return (height - bottom, x0, height - top, x1)
    if turn == 180:
        return (width - x1, height - bottom, width - x0, height - top)
    if turn == 270:
        return (top, width - x1, bottom, width - x0)
    return box
