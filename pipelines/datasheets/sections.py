"""Headings: where a section starts, and which of the few kinds that every datasheet has it is."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Literal

from pipelines.datasheets.page import Box, Document, Line, Word

Kind = Literal["features", "ratings", "thermal", "recommended", "electrical", "static", "dynamic", "switching",
               "diode", "typical", "package", "ordering", "pinout", "application", "legal", "other"]  # fmt: skip

_KINDS: Final[tuple[tuple[Kind, str], ...]] = (
    ("ratings", r"absolute[ -]max|maximum ratings|limiting values|grenzwerte|absolute ratings|valeurs? limites?|"
     r"极限|最大额定|electrical ratings|max(?:imum)? ratings|^ratings"),
    ("thermal", r"thermal (?:char|data|resist|info|prop)|wärme|thermische|thermiques?|热特性|热阻"),
    ("recommended", r"recommended operating|operating conditions|operating range|empfohlene|推荐"),
    ("typical", r"typical (?:performance|electrical and|char\w*$|char\w* curves?|curves)|typical characteristics|"
     r"characteristics? curves?|performance curves?|kennlinien|courbes|特性曲线|\(curves\)"),
    ("switching", r"switching (?:char|times|para)|schaltzeiten|commutation|开关特性"),
    ("diode", r"source[ -]drain diode|drain[ -]source diode|body diode|reverse diode|diode characteristics"),
    ("dynamic", r"dynamic|small[ -]signal|ac (?:electrical )?char|high[ -]frequency|gate charge|dynamische|动态"),
    ("static", r"^(?:static|statische|dc (?:electrical )?char|on/?off (?:states?|char)|off[ -]state|on[ -]state)|"
     r"\b(?:on|off) characteristics|static (?:char|elec)|dc characteristics|静态"),
    ("electrical", r"electrical (?:char|spec|para)|electro-?optical|optical char|^characteristics|elektrische|"
     r"kennwerte|caractéristiques (?:électriques|electriques)|电气特性|电特性|specifications|transfer characteristics"),
    ("ordering", r"order(?:ing|er)? |device marking|parts? table|bestell|product(?:s)? (?:summary|info)|订购"),
    ("package", r"package|mechanical|outline|dimensions|marking|tape (?:and|&) reel|land pattern|gehäuse|封装"),
    ("pinout", r"pin (?:conf|desc|assign|func|out)|connection diagram|pinning|引脚"),
    ("application", r"application|typical circuit|test circuit|block diagram|functional|应用"),
    ("features", r"^features|^general features|description|merkmale|caractéristiques générales|^特点|benefits"),
    ("legal", r"disclaimer|legal|trademark|life support|revision history|notice"),
)  # fmt: skip
_PATTERNS: Final = tuple((kind, re.compile(pattern, re.IGNORECASE)) for kind, pattern in _KINDS)
_NUMBERING: Final = re.compile(
    r"^(?:\d{1,2}(?:\.\d{1,2}){0,3}\.?|table \d+[.:]?|tab\. ?\d+[.:]?|[IVX]{1,4}\.)\s+", re.I
)
_TABLE: Final = re.compile(r"^(?:table|tab\.|tabelle|tableau|表) ?\d+", re.IGNORECASE)
_ASIDE: Final = re.compile(
    r"\(?(?:@|at )?(?:rating at )?\(?\b(?:T ?[a-zA-Z]{0,5}|T\w*|VCC|VDD|VS|V\+) ?= ?.*$"
    r"|\bunless otherwise.*$|\(?notes? ?\d.*$|[*†]+$",
    re.IGNORECASE,
)
_MOST_WORDS: Final = 9
_GUTTER: Final = 3.0
"""White between the columns of a page, in sizes. A guess."""


@dataclass(frozen=True, slots=True)
class Section:
    """A stretch of the document under one heading.

    Attributes:
        title: the heading, without its number and asides.
        aside: what the heading says beside it: "Tamb = 25 °C, unless otherwise specified".
        page: 1-based; where it starts.
        top: points from the top of that page.
        x0, x1: how far the heading reaches across it.
    """

    kind: Kind
    title: str
    aside: str
    page: int
    top: float
    x0: float = 0.0
    x1: float = 1e9


def kind_of(title: str) -> Kind:
    """The kind of a heading; "other" for words that no kind knows."""
    plain = _NUMBERING.sub("", title.strip())
    return next((kind for kind, pattern in _PATTERNS if pattern.search(plain)), "other")


def split_heading(text: str) -> tuple[str, str]:
    """The title of a heading and its aside."""
    plain = _NUMBERING.sub("", text.strip())
    match = _ASIDE.search(plain)
    if not match or match.start() < 4:
        return plain.strip(" :*–-"), ""
    return plain[: match.start()].strip(" (:*–-,"), plain[match.start() :].strip(" ()")


def sections(document: Document) -> list[Section]:
    """The sections, in reading order; text before the first heading belongs to none."""
    found: list[Section] = []
    for page in document.pages:
        body = _body_size([line for line in page.lines])
        for line in page.lines:
            if line.box[1] < 0.04 * page.height or line.box[3] > 0.96 * page.height:
                continue
            for part in _parted(line, body):
                title, aside = split_heading(part.text)
                if _is_heading(part, title, body) and (kind := kind_of(title)) != "other":
                    x0, top, x1, _ = part.box
                    found.append(Section(kind, title, aside, page.number, top, x0, x1))
    return found


def _parted(line: Line, body: float) -> list[Line]:
    """A line as it is; its pieces where the headings of two columns stand on it, side by side."""
    pieces: list[list[Word]] = [[]]
    for word in line.words:
        if pieces[-1] and word.x0 - pieces[-1][-1].x1 > _GUTTER * word.size:
            pieces.append([])
        pieces[-1].append(word)
    lines = [Line(tuple(piece), line.baseline) for piece in pieces]
    titles = [split_heading(piece.text)[0] for piece in lines]
    heads = [kind_of(t) != "other" and _is_heading(p, t, body) for p, t in zip(lines, titles, strict=True)]
    return lines if len(lines) > 1 and any(heads[1:]) else [line]


def section_at(found: Sequence[Section], page: int, top: float, box: Box | None = None) -> Section | None:
    """The section that a place on a page belongs to.

    A heading beside the place, in another column of the page, is not its own if another one stands above it.
    """
    before = [s for s in found if (s.page, s.top) <= (page, top + 1)]
    above = [s for s in before if s.page == page and box is not None and s.x0 <= box[2] and s.x1 >= box[0]]
    return above[-1] if above else before[-1] if before else None


def is_table_title(text: str) -> bool:
    """Whether a line is a numbered table title."""
    return bool(_TABLE.match(text))


def _body_size(lines: Sequence[Line]) -> float:
    sizes = sorted(w.size for line in lines for w in line.words)
    return sizes[len(sizes) // 2] if sizes else 0.0


def _is_heading(line: Line, title: str, body: float) -> bool:
    words = title.split()
    if not words or len(words) > _MOST_WORDS or len(title) > 80 or "...." in line.text or ". . ." in line.text:
        return False
    if re.search(r"[.;]$|\d ?(?:V|A|mA|W|Ω|Hz|°C)\b", title) or not re.match(r"[A-Z0-9(\u00c0-\uffff]", title):
        return False
    if re.search(r"(?<![=≤≥<>±]) (?<!to )[\d.,]+ \S{1,5}$", line.text) and not is_table_title(line.text):
        return False  # a row: it ends in a number and its unit
    first = line.words[0]
    # The first words tell: a heading's aside is often set small and light.
    if first.bold or first.size > 1.12 * body or is_table_title(line.text):
        return True
    letters = [c for c in title if c.isalpha()]
    capital = len(letters) > 5 and all(c.isupper() for c in letters)
    return capital or (len(words) <= 5 and kind_of(title) not in ("other", "application", "package", "ordering"))
